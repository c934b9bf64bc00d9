from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st

from grader.sandbox.wire import WIRE_BYTES, Wire, parse_facts


@given(st.binary(max_size=400))
def test_any_bytes_give_only_objects_with_a_kind(data):
    assert all(isinstance(fact["kind"], str) for fact in parse_facts(data))


def test_text_that_utf_8_cannot_hold_is_mended():
    [fact] = parse_facts(b'{"kind": "mend", "text": "\\ud800 x"}')
    assert fact["text"] == "? x"


def test_surrogates_are_mended_wherever_they_are_and_what_is_nested_deeply_is_left_out():
    nested = b"[" * 300 + b"]" * 300
    data = b'{"kind": "a", "more": {"\\udc00": ["\\ud800"]}}\n{"kind": "b", "more": ' + nested + b"}\n"
    assert parse_facts(data) == [{"kind": "a", "more": {"?": ["?"]}}]


def test_broken_lines_are_left_out_and_the_rest_is_read():
    data = b'{"kind": "mend"}\nnot json\n[1]\n{"kind": 3}\n' + b"[" * 100_000 + b'\n{"kind": "b"}\n'
    assert [fact["kind"] for fact in parse_facts(data)] == ["mend", "b"]


def test_a_wire_that_nobody_got_is_empty():
    assert Wire().facts() == []


def test_a_flood_is_drained_but_not_kept():
    wire = Wire()
    writer = os.dup(wire.write_end)
    wire.start()
    with os.fdopen(writer, "wb") as pipe:
        pipe.write(b'{"kind": "first"}\n')
        for _ in range(40):
            pipe.write(b"x" * 100_000)
    facts = wire.facts(wait_seconds=10)
    assert [fact["kind"] for fact in facts] == ["first"]
    assert len(wire._buffer) <= WIRE_BYTES
