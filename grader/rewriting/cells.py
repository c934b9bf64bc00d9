"""The code of a reference's notebook as an index, and changes of it as edits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from grader.notebook.code import CodeIndex
from grader.notebook.records import Cell, CellKind
from grader.references import Edit, Notebook, source_of
from grader.rewriting.splicing import Splice, spliced


class Change(NamedTuple):
    """One splice in one cell, counted from 1 over all cells."""

    cell: int
    splice: Splice


def code_of(notebook: Notebook) -> CodeIndex:
    """The index over the code cells of a notebook as it is in its file."""
    numbered = enumerate(notebook["cells"], start=1)
    return CodeIndex(
        [
            Cell(number=number, kind=CellKind.CODE, source=source_of(cell))
            for number, cell in numbered
            if cell["cell_type"] == "code"
        ]
    )


def edits_of(code: CodeIndex, changes: Iterable[Change]) -> tuple[Edit, ...]:
    """The changes as edits, one for each cell that changes."""
    by_cell: defaultdict[int, list[Splice]] = defaultdict(list)
    for change in changes:
        by_cell[change.cell].append(change.splice)
    return tuple(
        Edit(cell=cell, source=spliced(code.source(cell), splices))
        for cell, splices in sorted(by_cell.items())
    )
