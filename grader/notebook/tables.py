"""Tables of results in the text of an output: pandas' plain text, pipes, tabs, or columns of spaces."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from grader.notebook.measures import Measured, values_of
from grader.notebook.search import Written
from grader.notebook.tokens import Line, Token
from grader.notebook.words import STEP_WORDS, Label, label_of

MAX_COLUMNS = 40
MAX_ROWS = 2_000
RULER = re.compile(r"^[\s|+:=\-─━═┼│]*$")
_SUMMARIES = frozenset({"count", "std", "25%", "50%", "75%"})
_WORD = re.compile(r"\S+")
_CELL = re.compile(r"\S+(?:[ ]\S+)*")  # one space inside a cell, two between cells
_NUMBER_ONLY = re.compile(r"^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\s?%?$|^nan$", re.IGNORECASE)


class Column(NamedTuple):
    """A column that holds a quantity, or (`label` None) a step: the cell `place` of `width` cells."""

    place: int
    width: int
    start: int
    end: int
    label: Label | None


class Piece(NamedTuple):
    """The text of one cell of a line, and where it stands."""

    text: str
    start: int
    end: int


def read_table(lines: Sequence[str], first: int) -> tuple[list[tuple[int, Measured]], int]:
    """The numbers of the table whose header is `lines[first]`, with their lines, and the line after it.

    Where no table begins the list is empty and the line is `first`.
    """
    divider = divider_of(lines[first])
    columns = _header(lines[first], divider)
    if not any(column.label for column in columns):
        return [], first
    found: list[tuple[int, Measured]] = []
    place = first + 1
    while place < min(len(lines), first + 1 + MAX_ROWS):
        if not lines[place].strip():
            break
        if not RULER.match(lines[place]):
            pieces = pieces_of(lines[place], divider)
            name = next((piece.text.lower() for piece in pieces if piece.text), "")
            if name in _SUMMARIES or label_of(name) is not None:  # `describe()`, `corr()`
                return [], first
            row = list(_row(pieces, columns, divider))
            if not row:
                break
            found.extend((place, measured) for measured in row)
        place += 1
    return (found, place) if found else ([], first)


def divider_of(line: str) -> str:
    """What stands between cells; nothing for columns of spaces that are told by their edges."""
    text = line.strip()
    mark = next((mark for mark in ("|", "│", "\t") if mark in text), "")
    return mark or ("" if "  " in text else " ")


def pieces_of(line: str, divider: str) -> list[Piece]:
    """The cells of a line."""
    line = line[:4_000]
    if divider in {"", " "}:
        cells = (_WORD if divider else _CELL).finditer(line)
        return [Piece(cell[0], cell.start(), cell.end()) for cell in islice(cells, MAX_COLUMNS + 1)]
    pieces, start = [], 0
    for part in line.split(divider)[: MAX_COLUMNS + 2]:
        pieces.append(Piece(part.strip(), start, start + len(part)))
        start += len(part) + 1
    return pieces


def _header(line: str, divider: str) -> list[Column]:
    """The columns of a header; none if the line holds numbers of its own or is no header."""
    pieces = pieces_of(line, divider)
    if not 2 <= len([piece for piece in pieces if piece.text]) <= MAX_COLUMNS:
        return []
    columns: list[Column] = []
    for index, piece in enumerate(pieces):
        named = Line(piece.text)
        if any(token.is_fractional for token in named.tokens) or ":" in piece.text or "=" in piece.text:
            return []
        label = _label(named)
        if label is not None:
            columns.append(Column(index, len(pieces), piece.start, piece.end, label))
        elif named.text(0) in STEP_WORDS and len(named) == 1:
            columns.append(Column(index, len(pieces), piece.start, piece.end, None))
    return columns


def _label(named: Line) -> Label | None:
    for place in range(min(len(named), 6)):
        found = named.label_at(place)
        if found is not None:
            splits = [split for p in range(len(named)) if (split := named.split_at(p)) is not None]
            label = found[0]
            if len(set(splits)) == 1:
                label = label._replace(split=splits[0])
            is_percent = any(named.text(p) in {"%", "percent", "prozent"} for p in range(len(named)))
            return label._replace(is_percent=is_percent) if label.is_result else None
    return None


def _row(pieces: list[Piece], columns: list[Column], divider: str) -> Iterator[Measured]:
    step: int | None = None
    for column in columns:
        piece = piece_under(pieces, column, divider)
        if piece is None or not _NUMBER_ONLY.match(piece.text):
            continue
        if column.label is None:
            step = int(piece.text) if piece.text.isdecimal() and len(piece.text) < 10 else None
            continue
        number = piece.text.rstrip("% ")
        written = Written(Token("number", number, piece.start, piece.end), piece.text.endswith("%"))
        for token, value in values_of(column.label, [written]):
            yield Measured(column.label.quantity, column.label.split, value, step, token.start)


def piece_under(pieces: list[Piece], column: Column, divider: str) -> Piece | None:
    """The piece of a row that stands in `column`: by count between dividers, else by an edge in line."""
    if divider == " " and len(pieces) != column.width:
        return None
    if divider:
        return pieces[column.place] if column.place < len(pieces) else None
    in_line = [piece for piece in pieces if piece.end == column.end or piece.start == column.start]
    return in_line[0] if len(in_line) == 1 else None
