"""Accuracies of the saved outputs beside those of our run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from grader.notebook.records import Quantity, Readings, Split
from grader.report.wording import SPLITS

ROWS_SHOWN = 16
LARGE_GAP = 0.05


@dataclass(frozen=True, kw_only=True)
class AccuracyRow:
    """The last accuracy of one kind that a cell printed, as saved and in our run, in [0, 1]."""

    cell: int
    name: str
    saved: float | None
    rerun: float | None

    @property
    def is_far_apart(self) -> bool:
        """Whether the two differ by more than `LARGE_GAP`."""
        return self.saved is not None and self.rerun is not None and abs(self.saved - self.rerun) > LARGE_GAP


def accuracy_rows(saved: Readings, rerun: Readings | None) -> list[AccuracyRow]:
    """One row per cell and kind of accuracy, by cell, at most `ROWS_SHOWN`; empty without a run."""
    if rerun is None:
        return []
    ours, theirs = dict(_last_accuracies(rerun)), dict(_last_accuracies(saved))
    keys = sorted(ours.keys() | theirs.keys(), key=lambda key: (key[0], list(SPLITS).index(key[1])))
    return [
        AccuracyRow(
            cell=key[0], name=f"{SPLITS[key[1]]} accuracy".strip(), saved=theirs.get(key), rerun=ours.get(key)
        )
        for key in keys[:ROWS_SHOWN]
    ]


def _last_accuracies(readings: Readings) -> Iterator[tuple[tuple[int, Split], float]]:
    for number in readings.numbers:
        if number.quantity is Quantity.ACCURACY:
            yield (number.cell, number.split), number.value
