"""Results that the outputs of a notebook show, as checks need them: accuracies, lines, cells that ran."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

from grader.evidence.record import Evidence
from grader.model import CellStatus, RunStatus, Source
from grader.notebook.facts import Evaluation, ForwardPass
from grader.notebook.records import Number, OutputKind, Quantity, Readings, Split

_FIGURE = re.compile(r"(?<![\d.])0?\.\d{2,}|\d[.,]\d+ ?%")


def readings_of(evidence: Evidence) -> Iterable[tuple[Source, Readings]]:
    """The readings of a hand-in's outputs, as handed in and of our run, each with its source."""
    yield Source.SAVED, evidence.saved
    if evidence.rerun is not None:
        yield Source.RERUN, evidence.rerun


def accuracies_in(readings: Readings) -> list[Number]:
    """The accuracies among the numbers."""
    return [number for number in readings.numbers if number.quantity is Quantity.ACCURACY]


def depth_of(model: ForwardPass | None) -> int:
    """How many hidden layers a model has; none for what is no plain multi-layer perceptron."""
    return model.hidden_layers if model is not None and model.is_mlp else 0


def accuracy_shown_for(evidence: Evidence, test: Evaluation) -> tuple[Source, Number] | None:
    """The best accuracy in the outputs that can be of an evaluation: in its cell, of the test, or later."""
    cells = (test.run_cell, test.cell)
    for source, readings in readings_of(evidence):
        numbers = [number for number in accuracies_in(readings) if number.split is not Split.TRAIN]
        there = [number for number in numbers if number.split is Split.TEST or number.cell in cells]
        there = there or [number for number in numbers if number.cell > test.run_cell]
        if there:
            return source, max(there, key=lambda number: (number.cell in cells, number.value))
    return None


def results_shown(evidence: Evidence) -> tuple[int, Source | None]:
    """How many separate results the outputs show: final or test accuracies, or figures; and in which."""
    best: tuple[int, Source | None] = (0, None)
    for source, readings in readings_of(evidence):
        numbers = accuracies_in(readings)
        tests = {(n.cell, round(n.value, 6), n.step) for n in numbers if n.split is Split.TEST}
        plain = {(n.cell, round(n.value, 6)) for n in numbers if n.step is None}
        restarts = 0
        for series in readings.series:
            if series.quantity is Quantity.ACCURACY:
                steps = [step for step in series.steps if step is not None]
                restarts += 1 + sum(b <= a for a, b in pairwise(steps))
        count = max(len(tests), len(plain), restarts, len(readings.figures))
        if count > best[0]:
            best = (count, source)
    lines = _lines_of_evaluations(evidence)
    return (lines, Source.SAVED) if lines > best[0] else best


def _lines_of_evaluations(evidence: Evidence) -> int:
    """How many different lines with a figure the cells print that hold predictions against labels."""
    tests = evidence.facts.evaluations
    cells = {test.run_cell for test in tests if test.is_called and depth_of(test.model)}
    return len(set(printed_lines(evidence, cells)))


def printed_lines(evidence: Evidence, cells: set[int]) -> Iterable[tuple[int, str]]:
    """Lines with a figure between 0 and 1 (or a per cent) that cells print, as handed in."""
    for cell in evidence.notebook.code_cells:
        for output in cell.outputs if cell.number in cells else ():
            if output.kind is not OutputKind.ERROR and not output.is_stderr:
                lines = output.text.split("\n")[:500]
                yield from ((cell.number, line) for line in lines if _FIGURE.search(line[:500]))


def did_run(evidence: Evidence, cell: int) -> bool:
    """Whether the code of `cell` ran when the notebook was run again; True where there was no run to tell.

    Saved outputs do not show it: they may have been pasted over code that never ran. So nothing is met by
    code that fails in our run; it is left to a person.
    """
    run = evidence.run
    if run is None or run.status is RunStatus.LOST:
        return True
    ran = (CellStatus.OK, CellStatus.INTERRUPTED)
    return any(entry.cell == cell and entry.status in ran for entry in run.cells)
