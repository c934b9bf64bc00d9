"""The accuracies that outputs show: of which data set, how they stand to what is asked for, in words."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Self

from pydantic import Field, model_validator

from grader.checks.measurement import chance_on
from grader.checks.written import written_down
from grader.evidence.record import Evidence
from grader.model import DatasetOrigin, Outcome, Reason, Record, Run, Source
from grader.notebook.records import Number, Quantity, Readings, Split

NEAR_CHANCE = 0.3
"""How far from what guessing reaches, as a share of that, an accuracy is still about as good."""

_FASHION = re.compile(r"fashion", re.IGNORECASE)
_NEVER_JUDGED = (0.0, 1.0)


class Line(Record):
    """What is asked for on one data set: `full` points at this accuracy, half of them at `partly`."""

    full: Annotated[float, Field(gt=0, le=1)]
    partly: Annotated[float, Field(gt=0, le=1)]

    @model_validator(mode="after")
    def _is_ordered(self) -> Self:
        if self.partly > self.full:
            raise ValueError(f"`partly` ({self.partly}) must not be above `full` ({self.full})")
        return self


def judged_results(
    readings: Readings, evidence: Evidence, run: Run, thresholds: Mapping[str, Line], band: float
) -> list[tuple[Outcome, Number, str]]:
    """The test accuracies that outputs show and the code does not hold, each judged for its data set."""
    is_written_down = written_down(evidence)
    return [
        (judgement(number, dataset, thresholds, band), number, dataset)
        for number in accuracies(readings, Split.TEST)
        if not is_written_down(number.value)
        and (dataset := dataset_of(number, evidence, run, thresholds)) is not None
    ]


def accuracies(readings: Readings, *splits: Split) -> list[Number]:
    """The accuracies of `splits` among all numbers that outputs show."""
    return [n for n in readings.numbers if n.quantity is Quantity.ACCURACY and n.split in splits]


def judgement(number: Number, dataset: str, thresholds: Mapping[str, Line], band: float) -> Outcome:
    """MET or PARTLY_MET where the number is clear of the lines by more than the band, else NEEDS_REVIEW.

    Exactly 0 or 1 is no accuracy over a whole test set: most likely one of a single batch.
    """
    line = thresholds[dataset]
    if number.value in _NEVER_JUDGED:
        return Outcome.NEEDS_REVIEW
    if number.value >= line.full + band:
        return Outcome.MET
    if line.partly + band <= number.value <= line.full - band:
        return Outcome.PARTLY_MET
    return Outcome.NEEDS_REVIEW


def dataset_of(number: Number, evidence: Evidence, run: Run, known: Collection[str]) -> str | None:
    """Which of the data sets a number speaks of, if the code or its own line tells, and the run knows it."""
    loaded = {load.dataset: load.cell for load in reversed(evidence.facts.loads)}
    for name in known:
        cells = [use.cell for use in evidence.code.uses(f"tf.keras.datasets.{name}")]
        if cells:
            loaded[name] = min(cells[0], loaded.get(name, cells[0]))
    here = {name for name, cell in loaded.items() if cell <= number.cell}
    if len(here) > 1:
        tested = [
            e.datasets
            for e in evidence.facts.evaluations
            if number.cell in (e.cell, e.run_cell) and e.is_called
        ]
        named = {name for datasets in tested for name in datasets}
        if len(named) == 1:
            here = named
        elif _FASHION.search(number.text) and "fashion_mnist" in here:
            here = {"fashion_mnist"}
    if len(here) != 1:
        return None
    dataset = here.pop()
    return dataset if dataset in known and origin_of(run, dataset) is not None else None


def origin_of(run: Run, dataset: str) -> DatasetOrigin | None:
    """Whether a run had the real data set or a stand-in for it, None where it had neither."""
    return next((use.origin for use in run.datasets if use.name == dataset), None)


def counts_against(evidence: Evidence, run: Run, rerun: Readings, dataset: str, best: float) -> bool:
    """Whether a low number may cost points: real data, nothing mended, nothing above `best` shown."""
    if run.mends or origin_of(run, dataset) is not DatasetOrigin.REAL:
        return False
    shown = [*rerun.numbers, *evidence.saved.numbers]
    return not any(
        number.quantity is Quantity.ACCURACY and number.split is not Split.TRAIN and number.value > best
        for number in shown
    )


def is_all_chance(readings: Readings, dataset: str) -> bool:
    """Whether every accuracy that is shown is about as good as guessing."""
    chance = chance_on(dataset)
    return all(abs(n.value - chance) <= NEAR_CHANCE * chance for n in accuracies(readings, *Split))


def found_in_run(number: Number, dataset: str, line: Line, run: Run) -> Reason:
    """The sentence on a test accuracy of our run, with what is asked for."""
    stand_in = stand_in_in_words(run, dataset)
    shown = f"cell {number.cell} reports a test accuracy of {number.value:.4f} on {dataset}{stand_in}"
    text = f"Run again, {shown}; asked for: {line.full:.2f}."
    return Reason(text=text, cell=number.cell, numbers=(number.value, line.full), source=Source.RERUN)


def stand_in_in_words(run: Run, dataset: str) -> str:
    """What is said behind the name of a data set that was a stand-in."""
    return " (a stand-in for it)" if origin_of(run, dataset) is DatasetOrigin.STAND_IN else ""


def as_handed_in(evidence: Evidence) -> tuple[Reason, ...]:
    """The best test accuracy saved in the notebook; where none is of test data, the best that may be."""
    numbers = accuracies(evidence.saved, Split.TEST)
    kind = "a test accuracy" if numbers else "an accuracy (of which data is not told)"
    numbers = numbers or accuracies(evidence.saved, Split.UNKNOWN)
    if not numbers:
        return ()
    best = max(numbers, key=lambda number: number.value)
    text = f"As handed in, cell {best.cell} shows {kind} of {best.value:.4f}."
    return (Reason(text=text, cell=best.cell, numbers=(best.value,), source=Source.SAVED),)


def why_none(rerun: Readings, is_written_down: Callable[[float], bool]) -> Reason:
    """Why no number of our run could be held against a line."""
    tests = accuracies(rerun, Split.TEST)
    written = next((number for number in tests if is_written_down(number.value)), None)
    if written is not None:
        text = (
            f"Cell {written.cell} reports {written.value:.4f}, a number that stands in the notebook's code."
        )
        return Reason(text=text, cell=written.cell, numbers=(written.value,), source=Source.RERUN)
    if tests:
        text = f"Cell {tests[-1].cell} reports {tests[-1].value:.4f}, on which data set is not clear."
        return Reason(text=text, cell=tests[-1].cell, numbers=(tests[-1].value,), source=Source.RERUN)
    others = accuracies(rerun, *Split)
    if others:
        best = max(others, key=lambda number: number.value)
        text = f"Cell {best.cell} reports an accuracy of {best.value:.4f}, but not clearly on test data."
        return Reason(text=text, cell=best.cell, numbers=(best.value,), source=Source.RERUN)
    return Reason(text="Run again, the notebook prints no accuracy that could be read.", source=Source.RERUN)
