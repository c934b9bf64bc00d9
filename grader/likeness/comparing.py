"""How much two works share once course material is taken away, and the cells in which they share most.

Code is compared as runs of tokens in which names of variables, numbers and strings do not matter; text as
runs of words. What stands in course material, in the same form, counts for nobody.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from itertools import combinations
from typing import NamedTuple

from grader.notebook.records import Cell, CellKind

LEAST_SHARE = 0.30
LEAST_SHARED = 40  # runs of tokens or words: fewer happen by chance
MOST_PAIRS = 100
MOST_RUNS = 20_000  # of one work
CELLS_SHOWN = 4
_CODE_RUN, _TEXT_RUN = 12, 6
_TOKEN = re.compile(
    r"#[^\n]*|[rbfuRBFU]{0,2}(?:\"{3}[\s\S]*?\"{3}|'{3}[\s\S]*?'{3}|\"[^\"\n]*\"|'[^'\n]*')"
    r"|(?P<attribute>\.\s*[^\W\d]\w*)|(?P<name>[^\W\d]\w*)|(?P<number>\d[\w.]*)|(?P<sign>[^\s\w])"
)
Runs = frozenset[int]


class Work:
    """One work as it is compared: a hand-in, or a group's copy that counts for all."""

    def __init__(self, name: str, cells: Sequence[Cell], *, year: str = "") -> None:
        self.name = name
        self.year = year
        self.cells = tuple(cells)

    @cached_property
    def runs_by_cell(self) -> Mapping[int, Runs]:
        """The runs of each cell, by its number, no more than `MOST_RUNS` in all."""
        left = MOST_RUNS
        found = {}
        for cell in self.cells:
            found[cell.number] = frozenset(list(runs_of(cell))[:left])
            left -= len(found[cell.number])
        return found

    @cached_property
    def runs(self) -> Runs:
        """All of them."""
        return frozenset().union(*self.runs_by_cell.values())


class CellPair(NamedTuple):
    """Two cells that share much, and the share of the smaller one."""

    one: Cell
    other: Cell
    share: float


class Likeness(NamedTuple):
    """Two works that share much: how many runs, and which share of the smaller work that is."""

    one: Work
    other: Work
    shared: int
    share: float
    cells: tuple[CellPair, ...]


def runs_of(cell: Cell) -> Iterable[int]:
    """The runs of a cell as numbers, in order: of tokens in code, of words in text."""
    if cell.kind is CellKind.CODE:
        return _runs(
            [_plain(match) for match in _TOKEN.finditer(cell.source) if match[0][0] != "#"], _CODE_RUN
        )
    return _runs(re.findall(r"\w+", cell.source.casefold()), _TEXT_RUN)


def likenesses(
    works: Sequence[Work], material: Runs, apart: Collection[frozenset[str]] = ()
) -> list[Likeness]:
    """Pairs of works that share much, the greatest share first, at most `MOST_PAIRS`.

    Works of an earlier year are not compared among themselves, nor pairs of names in `apart`.
    """
    own = [work.runs - material for work in works]
    found = []
    for first, second in combinations(range(len(works)), 2):
        one, other = works[first], works[second]
        shared = len(own[first] & own[second])
        smaller = min(len(own[first]), len(own[second]))
        if shared < LEAST_SHARED or shared / smaller < LEAST_SHARE:
            continue
        if not (one.year and other.year) and frozenset((one.name, other.name)) not in apart:
            found.append((shared / smaller, shared, first, second))
    found.sort(key=lambda pair: (-pair[0], -pair[1], works[pair[2]].name, works[pair[3]].name))
    return [
        Likeness(works[a], works[b], shared, share, _cells(works[a], works[b], material))
        for share, shared, a, b in found[:MOST_PAIRS]
    ]


def _cells(one: Work, other: Work, material: Runs) -> tuple[CellPair, ...]:
    """The cells that share most, each once."""
    pairs = []
    for cell in one.cells:
        runs = one.runs_by_cell[cell.number] - material
        best = max(other.cells, key=lambda there: len(runs & other.runs_by_cell[there.number]), default=None)
        if best is None or not runs:
            continue
        shared = len(runs & other.runs_by_cell[best.number])
        smaller = min(len(runs), len(other.runs_by_cell[best.number] - material))
        if shared:
            pairs.append((shared, CellPair(cell, best, shared / smaller)))
    pairs.sort(key=lambda pair: -pair[0])
    return tuple(pair for _, pair in pairs[:CELLS_SHOWN])


def _plain(match: re.Match[str]) -> str:
    """A token as it is compared: names of a student's own choice, numbers and strings are each alike."""
    if match["name"]:
        return match[0] if keyword.iskeyword(match[0]) else "name"
    if match["attribute"]:
        return match[0].replace(" ", "")
    if match["number"]:
        return "0"
    return match[0] if match["sign"] else "text"


def _runs(tokens: Sequence[str], length: int) -> Iterable[int]:
    return (hash(tuple(tokens[at : at + length])) for at in range(len(tokens) - length + 1))
