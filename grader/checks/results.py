"""Results that the outputs of a notebook show, as checks need them: accuracies, lines, cells that ran."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise

from grader.checks.written import written_down
from grader.evidence.record import Evidence
from grader.model import CellStatus, Reason, RunStatus, Source
from grader.notebook.facts import Evaluation, ForwardPass
from grader.notebook.outputs import SHARE
from grader.notebook.records import Number, Quantity, Readings, Split


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


def could_be_computed(evidence: Evidence) -> Callable[[float], bool]:
    """Tells whether an accuracy may have been computed over a test set.

    Not one that stands in the code, nor 0 or 1: no model trained here gets nothing or everything right. It is
    for what earns points; what costs points goes by all that is shown.
    """
    is_written_down = written_down(evidence)
    return lambda value: 0 < value < 1 and not is_written_down(value)


def accuracy_shown_for(evidence: Evidence, test: Evaluation) -> tuple[Source, Number] | None:
    """The best accuracy in the outputs that can be of an evaluation: in its cell, or after it was run."""
    cells = (test.run_cell, test.cell)
    is_computed = could_be_computed(evidence)
    for source, readings in readings_of(evidence):
        numbers = [
            number
            for number in accuracies_in(readings)
            if number.split is not Split.TRAIN
            and (number.cell in cells or number.cell > test.run_cell)
            and is_computed(number.value)
        ]
        there = [number for number in numbers if number.split is Split.TEST or number.cell in cells]
        if numbers:
            return source, max(there or numbers, key=lambda number: (number.cell in cells, number.value))
    return None


def results_shown(evidence: Evidence, counts: Callable[[float], bool]) -> tuple[int, Source | None]:
    """How many separate results the outputs show: final or test accuracies, or figures; and in which.

    Of the accuracies those for which `counts` holds.
    """
    best: tuple[int, Source | None] = (0, None)
    for source, readings in readings_of(evidence):
        numbers = [number for number in accuracies_in(readings) if counts(number.value)]
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
    lines = _lines_of_evaluations(evidence, counts)
    return lines if lines[0] > best[0] else best


def told_results(count: int, source: Source | None) -> Reason:
    """The reason that tells how many results the outputs show."""
    text = f"The outputs show {count} result{'s' * (count != 1)}."
    return Reason(text=text, numbers=(count,), source=source)


def _lines_of_evaluations(evidence: Evidence, counts: Callable[[float], bool]) -> tuple[int, Source | None]:
    """How many different lines with a figure the cells print that hold predictions against labels."""
    tests = evidence.facts.evaluations
    cells = {test.run_cell for test in tests if test.is_called and depth_of(test.model)}
    found = [
        (len(set(printed_lines(readings, cells, counts))), source)
        for source, readings in readings_of(evidence)
    ]
    return max(found, key=lambda entry: entry[0])


def printed_lines(
    readings: Readings, cells: set[int], counts: Callable[[float], bool]
) -> Iterable[tuple[int, str]]:
    """Lines that cells print with a figure between 0 and 1 (or a per cent) that `counts`."""
    for cell, line in readings.lines:
        if cell in cells and any(counts(_value(figure)) for figure in SHARE.findall(line)):
            yield cell, line


def _value(figure: str) -> float:
    """A figure as a number: of `95,2 %` 0.952."""
    number = float(figure.rstrip(" %").replace(",", "."))
    return number / 100 if figure.endswith("%") else number


def figure_shown(evidence: Evidence, cell: int) -> Source | None:
    """Whether a cell shows a figure in our run, or as handed in where it did not come to its end there.

    A figure that was saved with code that ran to its end and shows none may be from anywhere.
    """
    if evidence.rerun is not None and cell in evidence.rerun.figures:
        return Source.RERUN
    executed = evidence.run.cells if evidence.run is not None and evidence.rerun is not None else ()
    has_ended = any(one.cell == cell and one.status is CellStatus.OK for one in executed)
    return Source.SAVED if cell in evidence.saved.figures and not has_ended else None


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
