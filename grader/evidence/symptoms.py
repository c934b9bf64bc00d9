"""From what was seen of a training to symptoms: what can be said for certain, and what cannot."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from grader.evidence.observed import ObservedTraining
from grader.evidence.watched import Watched, WatchedPoint
from grader.fixes.records import Symptom, Symptoms

HIGH_LOSS = 0.5  # a right MLP is far below it after some thousand steps on MNIST
_STUCK = 0.9  # of what it began with, or of what guessing gives
_VANISHED, _NOTHING = 1e-3, 1e-7  # relative to the last layer's gradient, and by itself
_EXPLODED = 1e3
_DEAD, _SATURATED = 0.95, 0.9  # shares of a layer's outputs
_OFF_ONE = 1e-3


def symptoms_of(
    watched: Watched, training: ObservedTraining, *, accuracy: float | None, smoothness: float | None
) -> Symptoms:
    """What `watched` shows of `training`; the accuracy's own symptom is for who knows the bar.

    `smoothness` is that of the data set's images (see `smoothness_of`), None when nobody knows.
    """
    order = matrices(training)
    gradients = [_gradients(point, order) for point in watched.points]
    known = [norms for norms in gradients if norms]
    losses = [value for _, value in watched.curve("loss")]
    told = {
        Symptom.LOSS_NOT_FINITE: _any_of(watched.points and watched.not_finite_from is not None),
        **_of_loss(losses, watched, _classes(training)),
        **_of_gradients(known, watched),
        **_of_layers(watched),
        Symptom.INPUTS_SWAMPED: _is_swamped(watched, smoothness),
        Symptom.OUTPUTS_SOFTMAXED: _is_softmaxed(watched.points),
    }
    return Symptoms(
        shown=frozenset(symptom for symptom, is_so in told.items() if is_so),
        absent=frozenset(symptom for symptom, is_so in told.items() if is_so is False),
        steps=training.updates,
        first_loss=losses[0] if losses else None,
        last_loss=None if watched.not_finite_from else (losses[-1] if losses else None),
        lowest_loss=min(losses, default=None),
        not_finite_from=watched.not_finite_from,
        first_gradients=tuple(known[0]) if known else (),
        last_gradients=tuple(known[-1]) if known else (),
        zero_share=_worst(watched, "zeros"),
        saturated_share=_worst(watched, "saturated"),
        accuracy=accuracy,
    )


def smoothness_of(images: NDArray[np.uint8]) -> float:
    """How far neighbouring pixels of images (n, height, width) are alike: their correlation over all rows."""
    rows = images.reshape(len(images), -1).astype(np.float64)
    rows -= rows.mean()
    return float(np.mean(rows[:, 1:] * rows[:, :-1]) / (np.mean(rows**2) + 1e-12))


def matrices(training: ObservedTraining) -> list[int]:
    """The places of a training's weight matrices, in the order in which the forward pass uses them.

    Where the recorded pass does not use them all, the order is that in which gradients were asked for.
    """
    used = [op.weight for op in training.forward if op.weight is not None]
    is_matrix = [len(shape) >= 2 for shape in training.shapes]
    every = [place for place, is_one in enumerate(is_matrix) if is_one]
    in_order = [place for place in dict.fromkeys(used) if place in every]
    return in_order if len(in_order) == len(every) else every


def _classes(training: ObservedTraining) -> int:
    order = matrices(training)
    return training.shapes[order[-1]][-1] if order else 10


def _any_of(is_so: object) -> bool | None:
    return bool(is_so)


def _of_loss(losses: Sequence[float], watched: Watched, classes: int) -> dict[Symptom, bool | None]:
    if not losses or watched.not_finite_from is not None:
        return {}
    last = losses[-1]
    is_stuck = last >= _STUCK * losses[0] or last >= 0.95 * math.log(max(2, classes))
    return {Symptom.LOSS_STUCK: is_stuck, Symptom.LOSS_HIGH: last > HIGH_LOSS}


def _gradients(point: WatchedPoint, order: Iterable[int]) -> list[float]:
    """The norms at one step, matrix by matrix; nothing when one is missing or no number."""
    norms = [point.columns.get(f"gradient {slot}") for slot in order]
    known = [norm for norm in norms if norm is not None]
    return known if len(known) == len(norms) else []


def _of_gradients(known: Sequence[Sequence[float]], watched: Watched) -> dict[Symptom, bool | None]:
    if not known:
        return {}
    vanished = [_has_vanished(norms) for norms in known]
    largest = max(max(norms) for norms in known)
    is_finite = watched.not_finite_from is None
    return {
        Symptom.GRADIENTS_VANISH: sum(vanished) > len(vanished) / 2 if is_finite else vanished[0],
        Symptom.GRADIENTS_EXPLODE: largest > _EXPLODED,
    }


def _has_vanished(norms: Sequence[float]) -> bool:
    return norms[0] < _NOTHING or (len(norms) > 1 and norms[0] < _VANISHED * norms[-1])


def _of_layers(watched: Watched) -> dict[Symptom, bool | None]:
    """Dead and saturated units at the first step or the last one; no end of a range, no saturation."""
    zeros, saturated = _worst(watched, "zeros"), _worst(watched, "saturated")
    if zeros is None:
        return {}
    return {Symptom.UNITS_DEAD: zeros >= _DEAD, Symptom.UNITS_SATURATED: (saturated or 0.0) >= _SATURATED}


def _worst(watched: Watched, what: str) -> float | None:
    """The largest share among hidden layers at the first and the last step that tell it."""
    found: list[float] = []
    for layer in range(1, len(watched.layers)):
        shares = [value for _, value in watched.curve(f"layer {layer} {what}")]
        found += [*shares[:1], *shares[-1:]]
    return max(found, default=None)


def _is_swamped(watched: Watched, smoothness: float | None) -> bool | None:
    seen = [value for _, value in watched.curve("layer 0 smoothness")]
    if not seen or smoothness is None:
        return None
    return seen[0] < smoothness / 2


def _is_softmaxed(points: Sequence[WatchedPoint]) -> bool | None:
    """Whether what the loss takes for logits are numbers from 0 on whose sums are one."""
    seen = [
        (lowest, off)
        for point in points
        if (lowest := point.columns.get("logits lowest")) is not None
        and (off := point.columns.get("logits off one")) is not None
    ]
    return all(lowest >= 0 and off < _OFF_ONE for lowest, off in seen) if seen else None
