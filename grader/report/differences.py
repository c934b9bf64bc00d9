"""Where saved outputs and those of our run differ, cell by cell, and why as far as that can be told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from grader.evidence.record import Evidence
from grader.model import CellStatus, DatasetOrigin, Run
from grader.report.allowance import DIFFERENCES, size_of
from grader.report.causes import cause_of
from grader.report.comparing import Comparison, Likeness, printed_text
from grader.report.diffing import DiffLine, differing_lines
from grader.report.wording import LIKENESSES, cell_end, dataset_name, in_a_row

_ROWS_SHOWN = 40
_DIFFS_SHOWN = 12


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One cell whose outputs differ: in what, why where it is certain, and the lines that differ."""

    cell: int
    what: str
    why: str = ""
    is_trouble: bool = False
    lines: Sequence[DiffLine] = ()


@dataclass(frozen=True, kw_only=True)
class DifferencesView:
    """All that differs between the saved outputs and those of our run."""

    same: int
    differing: int
    rows: Sequence[Difference]
    reasons: Sequence[str]


def view_differences(comparisons: Sequence[Comparison], evidence: Evidence) -> DifferencesView | None:
    """What the comparison of all cells tells, None when nothing was run or neither side printed anything."""
    run = evidence.run
    told = [one for one in comparisons if one.differs or one.likeness is Likeness.SAME]
    if run is None or not told:
        return None
    differing = [one for one in told if one.differs]
    return DifferencesView(
        same=len(told) - len(differing),
        differing=len(differing),
        rows=list(_rows(differing, evidence, run)),
        reasons=list(_reasons(differing, evidence, run)),
    )


def _rows(differing: Sequence[Comparison], evidence: Evidence, run: Run) -> Iterator[Difference]:
    room, diffs = DIFFERENCES, 0
    for one in differing[:_ROWS_SHOWN]:
        lines: Sequence[DiffLine] = ()
        if (
            diffs < _DIFFS_SHOWN
            and one.likeness in (Likeness.NUMBERS, Likeness.OTHER)
            and one.ours is not None
        ):
            found = differing_lines(printed_text(one.cell.outputs), printed_text(one.ours.outputs))
            size = sum(size_of(line.text) for line in found)
            if size <= room:
                lines, room, diffs = found, room - size, diffs + 1
        yield Difference(
            cell=one.cell.number,
            what=_what(one),
            why=_why(one, evidence, run),
            is_trouble=one.has_trouble,
            lines=lines,
        )


def _what(one: Comparison) -> str:
    end = cell_end(one.run) if one.run is not None else None
    return f"The cell {end}" if end else LIKENESSES[one.likeness]


def _why(one: Comparison, evidence: Evidence, run: Run) -> str:
    if one.run is None or one.run.status is not CellStatus.FAILED:
        return ""
    return cause_of(one.run, evidence.notebook.code_cells, run.cells, run.missing_modules)


def _reasons(differing: Sequence[Comparison], evidence: Evidence, run: Run) -> Iterator[str]:
    """Why numbers of two runs differ at all, as far as it holds for this run."""
    if not any(one.likeness in (Likeness.NUMBERS, Likeness.OTHER, Likeness.FIGURES) for one in differing):
        return
    yield (
        "Two runs of a training rarely agree to the last digit: the first weights and the order of the data "
        f"are drawn at random. Our run drew them with the seed {run.seed}."
    )
    stand_ins = [dataset_name(use.name) for use in run.datasets if use.origin is DatasetOrigin.STAND_IN]
    if stand_ins:
        names = in_a_row(stand_ins)
        yield f"Our run had a stand-in for {names}: data that we generated, which can be harder or easier."
    if evidence.measured is not None and evidence.measured.trainings:
        yield (
            "In our run some training images were replaced by copies of others, so that there are images to "
            "measure with that your notebook has not seen."
        )
    if run.mends:
        yield "Some calls were mended so that code written for other versions runs; they are listed above."
