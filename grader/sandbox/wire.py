"""The wire: facts that the room's own code sends out, one JSON object a line, through a pipe.

Student code shares the process and can forge or flood it, so it is read bounded and leniently, and what
it says is never worth more than `Source.OBSERVED`. `grader.evidence.observed` has the schema.
"""

from __future__ import annotations

import json
import os
import threading
from typing import Any

WIRE_SCHEMA = 2
WIRE_BYTES = 16 * 1024**2
_FACTS = 6_000
_DEPTH = 12


class Wire:
    """A pipe out of the room. Give `write_end` to the room's process, then call `start` once it has it."""

    def __init__(self) -> None:
        self._read_end, self.write_end = os.pipe()
        self._buffer = bytearray()
        self._thread = threading.Thread(target=self._drain, name="room-wire", daemon=True)

    def start(self) -> None:
        """Close our copy of the write end and begin to read; the room must have inherited it by now."""
        os.close(self.write_end)
        self._thread.start()

    def facts(self, wait_seconds: float = 2.0) -> list[dict[str, Any]]:
        """What was sent: the first `WIRE_BYTES` of it, broken lines left out. Call when the room is gone."""
        if self._thread.ident is None:  # nobody ever had the other end
            os.close(self.write_end)
            os.close(self._read_end)
            return []
        self._thread.join(wait_seconds)
        return parse_facts(bytes(self._buffer))

    def _drain(self) -> None:
        with os.fdopen(self._read_end, "rb", buffering=0) as pipe:
            while block := pipe.read(65_536):
                self._buffer += block[: max(0, WIRE_BYTES - len(self._buffer))]


def parse_facts(data: bytes) -> list[dict[str, Any]]:
    """The objects in `data` that follow the wire schema: a JSON object a line with a string `kind`.

    They are flat enough for any later stage, and hold no text that UTF-8 cannot.
    """
    facts: list[dict[str, Any]] = []
    for line in data.splitlines()[:_FACTS]:
        try:
            fact = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(fact, dict) and isinstance(fact.get("kind"), str) and _is_flat(fact):
            facts.append(_encodable(fact))
    return facts


def _is_flat(fact: Any) -> bool:
    """Whether nothing in `fact` lies more than `_DEPTH` lists or objects deep."""
    level = [fact]
    for _ in range(_DEPTH):
        inside: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                inside += value.values()
            elif isinstance(value, list):
                inside += value
        if not inside:
            return True
        level = inside
    return False


def _encodable(fact: dict[str, Any]) -> dict[str, Any]:
    """`fact` without the lone surrogates that JSON can hold and UTF-8 cannot."""
    text = json.dumps(fact, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        mended: dict[str, Any] = json.loads(text.encode("utf-8", "replace"))
        return mended
    return fact
