"""The lines in which two printed texts differ, few enough to be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Literal

from grader.report.comparing import without_numbers
from grader.report.visible import show_hidden

_LINES_COMPARED = (40, 20)  # at the beginning and at the end; matching takes up to the cube of their number
_PAIRS_SHOWN = (4, 3)  # changed places at the beginning and at the end, where results stand
_LINE_LENGTH = 110


@dataclass(frozen=True)
class DiffLine:
    """One line of a difference: in the saved text, in ours, or a gap that says what is left out."""

    whose: Literal["saved", "ours", "gap"]
    text: str


def differing_lines(saved: str, ours: str) -> tuple[DiffLine, ...]:
    """Lines of `saved` that our run gave otherwise, each followed by ours; all of them cut and few."""
    places = list(_places(_ends(saved.splitlines()), _ends(ours.splitlines())))
    first, last = _PAIRS_SHOWN
    if len(places) <= first + last:
        return tuple(line for place in places for line in _lines(*place))
    gap = DiffLine("gap", f"… {len(places) - first - last} more lines differ …")
    head = [line for place in places[:first] for line in _lines(*place)]
    tail = [line for place in places[-last:] for line in _lines(*place)]
    return (*head, gap, *tail)


def _ends(lines: Sequence[str]) -> list[str]:
    first, last = _LINES_COMPARED
    kept = [line.strip() for line in lines if line.strip()]
    return kept if len(kept) <= first + last else [*kept[:first], *kept[-last:]]


def _places(saved: Sequence[str], ours: Sequence[str]) -> Iterator[tuple[str | None, str | None]]:
    """Pairs of lines that differ; None where one side has no such line. Lines are matched by their words."""
    matcher = SequenceMatcher(
        a=[without_numbers(line) for line in saved],
        b=[without_numbers(line) for line in ours],
        autojunk=False,
    )
    for _, a_start, a_end, b_start, b_end in matcher.get_opcodes():
        for left, right in zip_longest(saved[a_start:a_end], ours[b_start:b_end]):
            if left != right:
                yield left, right


def _lines(saved: str | None, ours: str | None) -> Iterator[DiffLine]:
    start = _first_difference(saved or "", ours or "") if saved and ours else 0
    if saved is not None:
        yield DiffLine("saved", _cut(saved, start))
    if ours is not None:
        yield DiffLine("ours", _cut(ours, start))


def _first_difference(one: str, other: str) -> int:
    return next((at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), 0)


def _cut(line: str, difference: int) -> str:
    """At most `_LINE_LENGTH` characters of a line, those around `difference`."""
    start = max(0, difference - 40) if len(line) > _LINE_LENGTH else 0
    piece = line[start : start + _LINE_LENGTH]
    return show_hidden(f"{'…' if start else ''}{piece}{'…' if start + _LINE_LENGTH < len(line) else ''}")
