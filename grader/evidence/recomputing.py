"""Computes the scores that a model gives, from its forward pass and weights as a room wrote them down.

What a room says that its models predict can be forged by any code in it. Here the same is computed in this
process, which never ran student code, with NumPy alone; a model that is written down is data. All is bounded.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from grader.evidence.image_operations import IMAGE_OPERATIONS
from grader.evidence.modelled import StepFact, WayFact, WrittenModel
from grader.evidence.operations import OPERATIONS, CannotComputeError

ROWS = 2_000
SECONDS = 5.0
NO_CLASS = 255
_FREE_BATCH = 500
_IMAGE_BATCH, _IMAGE_ROWS = 100, 600  # of images as such, for convolutions
_ROUNDING = 0.01  # of what lies between the best and the worst score
_FEWEST_ROWS = 200  # that tell something where time does not suffice for all
_OPERATIONS = {**OPERATIONS, **IMAGE_OPERATIONS}

Array: TypeAlias = NDArray[Any]
Scores: TypeAlias = NDArray[np.float64]


def drawn(model: WrittenModel, count: int, chance: np.random.Generator) -> NDArray[np.intp]:
    """Positions of the inputs to compute with, of `count` in all: whole batches, in the order drawn.

    They are about `ROWS`, or `_IMAGE_ROWS` where images go in. A room that knew which ones, say the first,
    could tell the truth about these alone.
    """
    size = _batch_size(model)
    wanted = max(1, (_IMAGE_ROWS if _is_of_images(model) else ROWS) // size)
    batches = chance.permutation(max(1, count // size))[:wanted]
    positions = (batches[:, None] * size + np.arange(size)).ravel()
    return positions[positions < count]


def recomputed(model: WrittenModel, way: WayFact | None, images: NDArray[np.uint8]) -> Scores:
    """The scores (n, classes) of the images (n, height, width[, 3]), not all of them finite.

    Of a slow model only the first ones. Raises `CannotComputeError`, with the reason in a few words, when the
    model uses what is not known here, is not whole, or takes longer than `SECONDS` for `_FEWEST_ROWS`.
    """
    if model.why_not or way is None:
        raise CannotComputeError(model.why_not or "how images go in is not told")
    deadline = time.thread_time() + SECONDS
    try:
        with np.errstate(all="ignore"):
            given = _given(model)
            rows = _prepared(images, way, model)
            scores = _scores_of_all(model, given, _chunks(rows, _batch_size(model)), deadline)
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, MemoryError) as misfit:
        raise CannotComputeError(f"it does not fit together ({type(misfit).__name__})") from misfit
    return scores[: len(images)]


def _is_of_images(model: WrittenModel) -> bool:
    return any(step.op in IMAGE_OPERATIONS for step in model.steps)


def _batch_size(model: WrittenModel) -> int:
    return model.batch or (_IMAGE_BATCH if _is_of_images(model) else _FREE_BATCH)


class _TooSlowError(CannotComputeError):
    """There was no time for a chunk."""


def _scores_of_all(
    model: WrittenModel, given: dict[str, Array], chunks: Sequence[Array], deadline: float
) -> Scores:
    found: list[Scores] = []
    for chunk in chunks:
        try:
            found.append(_scores(model, dict(given), chunk, deadline))
        except _TooSlowError:
            if sum(map(len, found)) < _FEWEST_ROWS:
                raise
            break
    return np.concatenate(found)


def _given(model: WrittenModel) -> dict[str, Array]:
    values = [value.array() for value in model.values]
    given = {key: constant.array() for key, constant in model.constants.items()}
    return given | {key: values[place] for key, place in model.weights.items() if 0 <= place < len(values)}


def _prepared(images: NDArray[np.uint8], way: WayFact, model: WrittenModel) -> Array:
    """Rows (n, *row_shape) for images, as the recorder lays them."""
    pixels = images.astype(np.float32)
    match way.preparation:
        case "":
            pass
        case "rows and columns swapped":
            pixels = pixels.swapaxes(1, 2)
        case "each image standardised":
            flat = pixels.reshape(len(pixels), -1)
            spread = np.maximum(flat.std(axis=1, keepdims=True), 1 / np.sqrt(flat.shape[1]))
            pixels = (flat - flat.mean(axis=1, keepdims=True)) / spread
        case "black and white":
            pixels = (pixels > 127).astype(np.float32)
        case "black and not black":
            pixels = (pixels > 0).astype(np.float32)
        case other:
            raise CannotComputeError(f"pixels prepared in another way ({other})")
    rows = (pixels * way.scale + way.offset).astype(np.float32).reshape(len(images), *model.row_shape)
    return np.rint(rows).astype(np.int64) if model.is_integer else rows


def _chunks(rows: Array, size: int) -> list[Array]:
    """Rows in batches; the last one is filled up with its last row."""
    chunks = [rows[start : start + size] for start in range(0, len(rows), size)]
    missing = size - len(chunks[-1])
    if missing:
        chunks[-1] = np.concatenate([chunks[-1], np.repeat(chunks[-1][-1:], missing, axis=0)])
    return chunks


def _scores(model: WrittenModel, values: dict[str, Array], rows: Array, deadline: float) -> Scores:
    values[model.entry] = np.moveaxis(rows, 0, -1) if model.is_transposed else rows
    drawn = _Drawn()
    last_uses = {key: place for place, step in enumerate(model.steps) for key in step.inputs}
    for place, step in enumerate(model.steps):
        if time.thread_time() > deadline:
            raise _TooSlowError(f"it takes longer than {SECONDS:.0f} s")
        inputs = [values[key] for key in step.inputs]
        outputs = drawn.outputs_of(step, inputs) or _outputs_of(step, inputs)
        values.update(zip(step.outputs, outputs, strict=False))
        for key in step.inputs:
            if last_uses[key] == place and key != model.logits:
                values.pop(key, None)
    logits = np.asarray(values[model.logits], dtype=np.float64)
    logits = logits.T if model.is_logits_transposed else logits
    if logits.ndim != 2 or len(logits) != len(rows) or not logits.shape[1]:
        raise CannotComputeError("no logits come out")
    return logits


def _outputs_of(step: StepFact, inputs: Sequence[Array]) -> Sequence[Array]:
    operation = _OPERATIONS.get(step.op)
    if operation is None:
        raise CannotComputeError(f"the operation {step.op}")
    return (operation(inputs, step.attributes),)


class _Drawn:
    """Follows random numbers: a dropout is replaced by what it gives on average, as the recorder does."""

    _SHAPING = frozenset({"Mul", "AddV2", "Sub", "Cast", "Identity"})

    def __init__(self) -> None:
        self._keys: set[str] = set()
        self._shares: dict[str, float] = {}  # of ones in the masks that a comparison with them gave

    def outputs_of(self, step: StepFact, inputs: Sequence[Array]) -> Sequence[Array]:
        """The outputs of a step that draws, shapes, compares or uses random numbers; none for any other."""
        first = step.inputs[0] if step.inputs else ""
        if "Random" in step.op:
            self._keys.update(step.outputs)
            return (np.zeros(tuple(int(size) for size in np.ravel(inputs[0])), np.float32),)
        if step.op in self._SHAPING and self._keys.intersection(step.inputs):
            self._keys.update(step.outputs)
        elif step.op == "GreaterEqual" and first in self._keys and inputs[1].ndim == 0:
            self._shares[step.outputs[0]] = 1.0 - float(inputs[1])
        elif first in self._shares and step.op == "Cast":
            return (np.full(inputs[0].shape, self._shares[first], np.float32),)
        elif first in self._shares and step.op == "SelectV2":
            share = self._shares[first]
            return (inputs[1] * share + inputs[2] * (1 - share),)
        return ()


def share_alike(told: NDArray[np.uint8], scores: Scores) -> float | None:
    """How often a class that a room told has the best of the scores computed here; None where there are none.

    As weights come rounded, a class counts, too, whose score is within `_ROUNDING` of the best: of a model
    that has learned nothing all scores are about the same.
    """
    count = min(len(told), len(scores))
    if not count:
        return None
    classes, rows = told[:count], scores[:count]
    best, least = rows.max(axis=1), rows.min(axis=1)
    chosen = rows[np.arange(count), np.minimum(classes, rows.shape[1] - 1)]
    with np.errstate(invalid="ignore"):
        is_best = (classes < rows.shape[1]) & (chosen >= best - _ROUNDING * (best - least))
    is_alike = np.where(np.isfinite(rows).all(axis=1), is_best, classes == NO_CLASS)
    return round(float(np.mean(is_alike)), 4)


def way_for(model: WrittenModel, dataset: str, fit: str) -> WayFact | None:
    """How images of a data set go into a model by one of the guesses; None if there is no such."""
    return next((way for way in model.ways if (way.dataset, way.fit) == (dataset, fit)), None)
