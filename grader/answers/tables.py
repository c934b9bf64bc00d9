"""Tables in a text: each cell is read with the head of its column; *yes* and *no* affirm or deny it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from grader.answers.words import Word
from grader.notebook.words import words as word_set

_CELL_END = "|"
_MOST_HEAD_WORDS = 6  # of a column; what is longer is no head
_YES = word_set("yes ja y x ✓ ✔ ✅ true")
_NO = word_set("no nein n ✗ ✘ ❌ false - – —")

Cell = list[Word]


def with_column_heads(words: Sequence[Word]) -> list[Word]:
    """`words` with the head of its column before each cell of a table, but for those of the first column."""
    lines = list(_lines(words))
    result: list[Word] = []
    for columns, group in groupby(lines, key=_columns):
        rows = list(group)
        cells = [_cells(row) for row in rows]
        heads = [[word for word in head if not word.is_mark] for head in cells[0]]
        is_table = columns > 1 and len(rows) > 1 and all(len(head) <= _MOST_HEAD_WORDS for head in heads)
        result += rows[0]
        for row, told in zip(rows[1:], cells[1:], strict=True):
            result += _row(heads, told, row) if is_table else row
    return result


def _lines(words: Sequence[Word]) -> Iterator[list[Word]]:
    """The lines of `words`, each with the mark that ends it."""
    line: list[Word] = []
    for word in words:
        line.append(word)
        if word.text == "\n":
            yield line
            line = []
    if line:
        yield line


def _columns(line: Sequence[Word]) -> int:
    return 1 + sum(word.text == _CELL_END for word in line)


def _cells(line: Sequence[Word]) -> list[Cell]:
    cells: list[Cell] = [[]]
    for word in line:
        if word.text == _CELL_END:
            cells.append([])
        elif word.text != "\n":
            cells[-1].append(word)
    return cells


def _row(heads: Sequence[Cell], cells: Sequence[Cell], line: Sequence[Word]) -> Iterator[Word]:
    """A row's words, each cell behind its head; a head stands where its cell begins."""
    ends = iter([word for word in line if word.text in (_CELL_END, "\n")])
    for column, cell in enumerate(cells):
        if column and cell:
            begin = cell[0].start
            head = [word._replace(start=begin, end=begin) for word in heads[column]]
            yield from _below(head, cell)
        else:
            yield from cell
        end = next(ends, None)
        if end is not None:
            yield end


def _below(head: Cell, cell: Cell) -> Iterator[Word]:
    """A cell behind its head; a bare *yes* or *no* affirms or denies the head."""
    said = cell[0].text if len(cell) == 1 else ""
    if head and said in _YES | _NO:
        place = cell[0]
        yield from [place._replace(text="not")] if said in _NO else []
        yield from [word._replace(start=place.start, end=place.end) for word in head]
    else:
        yield from (*head, *cell)
