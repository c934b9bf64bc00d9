"""Measuring: what the room's models predicted, held against the labels that never entered the room."""

from __future__ import annotations

import hmac
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from grader.evidence.measured import Measured, MeasuredTraining
from grader.evidence.modelled import WrittenModel
from grader.evidence.observed import Moment, Observed, Predictions
from grader.evidence.operations import CannotComputeError
from grader.evidence.recomputing import drawn, recomputed, share_alike, way_for

_MOST_COMPUTED = 12  # models of one run, the best ones
_COMPUTING_SECONDS = 20.0  # after which no other model of a run is computed
_FEWEST = 30  # images; an accuracy over fewer says nothing
Bytes: TypeAlias = NDArray[np.uint8]


class Kind:
    """What one probe input is; the values of `SplitKey.kinds`."""

    WITHHELD, SHIFTED, NOISED, KNOWN = range(4)


class Key(NamedTuple):
    """The labels (uint8, n) of a data set's probe inputs and what each of them is (uint8, n, see `Kind`).

    `images` are the inputs themselves, uint8 (n, height, width), to compute with; None where there are none.
    Which of them are computed with hangs on `secret`, which no room knows.
    """

    labels: Bytes
    kinds: Bytes
    images: Bytes | None = None
    secret: bytes = b""


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
    measured = [_measured(training, told, keys) for training, told in by_training.items()]
    best = sorted((found for found in measured if found is not None), key=lambda m: -m[0].accuracy)
    models = {model.training: model for model in observed.written}
    until = time.thread_time() + _COMPUTING_SECONDS
    computed: dict[int, MeasuredTraining] = {}
    for found, chosen in best:
        if len(computed) < _MOST_COMPUTED and time.thread_time() < until:
            computed[found.training] = _as_computed(found, chosen, models, keys)
        else:
            computed[found.training] = _not_computed(found, keys, "better ones were")
    return Measured(trainings=tuple(computed[found[0].training] for found in measured if found is not None))


def _not_computed(found: MeasuredTraining, keys: Mapping[str, Key], why: str) -> MeasuredTraining:
    """The measurement as it is, with the reason why nothing was computed where something could have been."""
    return found.model_copy(
        update={"why_not_computed": why if keys[found.dataset].images is not None else ""}
    )


def _as_computed(
    found: MeasuredTraining,
    chosen: Predictions,
    models: Mapping[int, WrittenModel],
    keys: Mapping[str, Key],
) -> MeasuredTraining:
    """The measurement with what came of computing the same classes here."""
    key, model = keys[found.dataset], models.get(found.training)
    if key.images is None:
        return found
    way = None if model is None else way_for(model, found.dataset, chosen.fit)
    if model is None or (way is None and not model.why_not):
        return found.model_copy(update={"is_untold": True, "why_not_computed": "the room did not tell how"})
    seed = hmac.digest(key.secret, chosen.classes, "sha256")  # other answers, other questions
    chance = np.random.default_rng(int.from_bytes(seed))
    asked = drawn(model, min(len(key.images), len(chosen.classes)), chance)
    try:
        scores = recomputed(model, way, key.images[asked])
    except CannotComputeError as reason:
        return _not_computed(found, keys, str(reason)[:200])
    told = np.frombuffer(chosen.classes, np.uint8)[asked]
    return found.model_copy(update={"agreement": share_alike(told, scores)})


def _measured(
    training: int, told: Sequence[Predictions], keys: Mapping[str, Key]
) -> tuple[MeasuredTraining, Predictions] | None:
    """One training's measurement, and the predictions that it goes by."""
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

    measured = MeasuredTraining(
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
    return measured, chosen


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
