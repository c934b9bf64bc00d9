"""Measuring: what the room's models predicted, held against the labels that never entered the room."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from grader.evidence.measured import Measured, MeasuredTraining
from grader.evidence.observed import Moment, Observed, Predictions

_FEWEST = 30  # images; an accuracy over fewer says nothing
Bytes: TypeAlias = NDArray[np.uint8]


class Kind:
    """What one probe input is; the values of `SplitKey.kinds`."""

    WITHHELD, SHIFTED, NOISED, KNOWN = range(4)


class Key(NamedTuple):
    """The labels (uint8, n) of a data set's probe inputs and what each of them is (uint8, n, see `Kind`)."""

    labels: Bytes
    kinds: Bytes


def measure(observed: Observed, keys: Mapping[str, Key]) -> Measured:
    """The accuracies of every training whose model predicted, on the data set that it was trained on.

    Where the recorder could not tell which data set or which scale of the inputs is right, the guess counts
    that does best on images whose labels the notebook had: the withheld ones choose nothing.
    """
    if not observed.is_trusted:
        return Measured()
    by_training: dict[int, list[Predictions]] = {}
    for predictions in observed.predictions:
        if predictions.dataset in keys:
            by_training.setdefault(predictions.training, []).append(predictions)
    measured = (_measured(training, told, keys) for training, told in by_training.items())
    return Measured(trainings=tuple(found for found in measured if found is not None))


def _measured(training: int, told: Sequence[Predictions], keys: Mapping[str, Key]) -> MeasuredTraining | None:
    after = [p for p in told if p.moment is Moment.AFTER]
    if not after:
        return None
    known = {id(p): _accuracy(p, keys[p.dataset], Kind.KNOWN) for p in after}
    chosen = max(after, key=lambda p: known[id(p)] or 0.0)
    key = keys[chosen.dataset]
    accuracy = _accuracy(chosen, key, Kind.WITHHELD)
    if accuracy is None:
        return None
    alike = [p for p in told if p.dataset == chosen.dataset and p.fit == chosen.fit]

    def withheld(moment: Moment) -> float | None:
        return next((_accuracy(p, key, Kind.WITHHELD) for p in alike if p.moment is moment), None)

    return MeasuredTraining(
        training=training,
        dataset=chosen.dataset,
        examples=int(np.sum(key.kinds[: len(chosen.classes)] == Kind.WITHHELD)),
        accuracy=accuracy,
        shifted=_accuracy(chosen, key, Kind.SHIFTED),
        noised=_accuracy(chosen, key, Kind.NOISED),
        known=known[id(chosen)],
        before=withheld(Moment.BEFORE),
        during=tuple(sorted(_during(alike, key))),
        changed=_changed(chosen, alike),
        as_evaluated=withheld(Moment.EVALUATED),
    )


def _accuracy(predictions: Predictions, key: Key, kind: int) -> float | None:
    """The share of right classes among the inputs of one kind, None where there are too few."""
    classes = np.frombuffer(predictions.classes, np.uint8)[: len(key.labels)]
    rows = key.kinds[: len(classes)] == kind
    if int(rows.sum()) < _FEWEST:
        return None
    return round(float(np.mean(classes[rows] == key.labels[: len(classes)][rows])), 4)


def _during(alike: Iterable[Predictions], key: Key) -> Iterable[tuple[int, float]]:
    for predictions in alike:
        if predictions.moment is Moment.DURING and predictions.step is not None:
            accuracy = _accuracy(predictions, key, Kind.WITHHELD)
            if accuracy is not None:
                yield predictions.step, accuracy


def _changed(chosen: Predictions, alike: Iterable[Predictions]) -> float | None:
    """The share of predictions that change when the weights are put in another order."""
    other = next((p.classes for p in alike if p.moment is Moment.PERTURBED), b"")
    count = min(len(other), len(chosen.classes))
    if count < _FEWEST:
        return None
    first, second = (np.frombuffer(classes[:count], np.uint8) for classes in (chosen.classes, other))
    return round(float(np.mean(first != second)), 4)
