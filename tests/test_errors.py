"""What is told of a bug: where it is, and nothing of the hand-in that brought it out."""

from __future__ import annotations

from grader.errors import trace_of


def broken(content: str) -> None:
    try:
        int(content)
    except ValueError as error:
        raise KeyError(content) from error


def test_a_bug_is_told_by_its_kinds_and_lines_and_not_by_its_message():
    try:
        broken("Alex Example, 234567")
    except KeyError as bug:
        told = trace_of(bug)
    assert told.splitlines()[0] == "builtins.KeyError"
    assert "builtins.ValueError" in told
    assert f"{__file__}:" in told
    assert "in broken" in told
    assert "Example" not in told


def test_an_endless_chain_of_causes_comes_to_an_end():
    bug = ValueError()
    bug.__context__ = KeyError()
    bug.__context__.__context__ = bug
    assert len(trace_of(bug).splitlines()) < 1000
