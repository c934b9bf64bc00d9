"""Tables of times with and without `tf.function`, whose columns or rows name the mode."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from grader.notebook.modes import (
    OF_ELSE,
    OF_TIME,
    Mode,
    is_per_step,
    mode_of,
    seconds_of,
    unit_in,
    without_modes,
    without_spreads,
)
from grader.notebook.tables import RULER, Column, divider_of, piece_under, pieces_of

_MOST_ROWS = 60
_VALUE = re.compile(
    r"^(?:[~≈]|ca\.?|about)? ?(?P<number>\d{1,9}(?:[.,]\d{1,20})?(?:e-?\d{1,2})?)\s*"
    r"(?P<unit>min|s|secs?|seconds?|sekunden|ms|us|µs|μs)?(?: ?(?:/|per|pro) ?\w{1,20})?\s*$",
    re.IGNORECASE,
)


class TableTime(NamedTuple):
    """One time of a table: its mode, what names the model in its row or column, and its line."""

    mode: Mode
    seconds: float
    label: str
    is_per_step: bool
    line: int


class _Row(NamedTuple):
    """A row: its texts by column, and what stands under no heading."""

    line: int
    cells: dict[int, str]
    rest: str


def may_begin_table(line: str) -> bool:
    """Whether a line can be the header of such a table."""
    divider = divider_of(line)
    texts = [piece.text for piece in pieces_of(line, divider)]
    has_mode = any(map(mode_of, texts)) if divider == " " else True
    return len(texts) > 1 and has_mode and not any(map(_value, texts))


def read_mode_table(lines: Sequence[str], first: int, around: str = "") -> tuple[list[TableTime], int]:
    """The times of the table whose header is `lines[first]`, and the line after it.

    Units, headings or the text `around` have to say that its numbers are times. Where no such table begins,
    or one that is not understood, the list is empty and the line is `first`.
    """
    divider = divider_of(lines[first])
    pieces = pieces_of(lines[first], divider)
    header = [Column(at, len(pieces), piece.start, piece.end, None) for at, piece in enumerate(pieces)]
    headings = [piece.text for piece in pieces]
    if not may_begin_table(lines[first]):
        return [], first
    is_named = any(map(mode_of, headings))
    rows, after = _rows(lines, first + 1, header, divider)
    times = _times_by_column(headings, rows, around) if is_named else _times_by_row(headings, rows, around)
    return (times, after) if times else ([], first)


def _rows(lines: Sequence[str], start: int, header: Sequence[Column], divider: str) -> tuple[list[_Row], int]:
    rows: list[_Row] = []
    place = start
    while place < min(len(lines), start + _MOST_ROWS) and lines[place].strip():
        pieces = pieces_of(lines[place], divider)
        if not RULER.match(lines[place]) and len(pieces) > 1:
            under = {column.place: piece_under(pieces, column, divider) for column in header}
            found = {at: piece for at, piece in under.items() if piece is not None}
            rest = " ".join(piece.text for piece in pieces if piece not in found.values())
            rows.append(_Row(place, {at: piece.text for at, piece in found.items()}, rest))
        elif rows and not RULER.match(lines[place]):
            break
        place += 1
    return rows, place


def _times_by_column(headings: list[str], rows: list[_Row], around: str) -> list[TableTime]:
    """The times in columns that name a mode; none where a row names the other one."""
    modes = [None if _is_of_else(heading) else mode_of(heading) for heading in headings]
    first = next((at for at, mode in enumerate(modes) if mode), 0)
    is_told = any(OF_TIME.search(text.replace("_", " ")) for text in (*headings, around))
    found = []
    for row in rows:
        label = " ".join([row.rest, *(text for at, text in row.cells.items() if at < first)]).strip()
        for at, text in row.cells.items():
            mode, value = modes[at], _value(text)
            if mode is None or value is None:
                continue
            if mode_of(label) not in (None, mode):
                return []
            unit = value["unit"] or unit_in(headings[at])
            if unit or is_told:
                seconds = seconds_of(value["number"], unit or "s")
                is_per = is_per_step(f"{headings[at]} {text} {around}")
                found.append(TableTime(mode, seconds, label, is_per, row.line))
    return found


def _times_by_row(headings: list[str], rows: list[_Row], around: str) -> list[TableTime]:
    """The times in rows that name a mode; the columns are those of times, or else those of models."""
    of_time = [at for at, heading in enumerate(headings) if _is_of_time(heading)]
    found = []
    for row in rows:
        names = [row.rest, *(text for text in row.cells.values() if not _value(text))]
        mode = mode_of(" | ".join(names))
        is_told = _is_of_time(" ".join(names)) or OF_TIME.search(around.replace("_", " ")) is not None
        for at, text in row.cells.items():
            value = _value(text)
            is_wanted = at in of_time if of_time else not _is_of_else(headings[at])
            if mode is None or value is None or not is_wanted:
                continue
            unit = value["unit"] or unit_in(headings[at]) or unit_in(f" {' '.join(names)}")
            if unit or of_time or is_told:
                label = without_modes(" ".join(filter(None, names))) if len(of_time) == 1 else headings[at]
                seconds = seconds_of(value["number"], unit or "s")
                is_per = is_per_step(f"{headings[at]} {text} {' '.join(names)} {around}")
                found.append(TableTime(mode, seconds, label, is_per, row.line))
    return found


def _value(text: str) -> re.Match[str] | None:
    return _VALUE.match(without_spreads(text).strip())


def _is_of_time(heading: str) -> bool:
    return OF_TIME.search(heading.replace("_", " ")) is not None or unit_in(heading) is not None


def _is_of_else(heading: str) -> bool:
    return OF_ELSE.search(heading.replace("_", " ")) is not None
