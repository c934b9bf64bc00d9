"""At the end of a notebook: replays what was trained on the grader's inputs and sends the classes."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from probes.evaluations import Evaluation
from probes.matching import PIXELS, Match, Matcher, guesses
from probes.plans import Plan
from probes.replay import replay
from probes.trainings import Book, Training, Values

MOST_MEASURED = 60
_FEW_ROWS = 1_500
_MOST_DURING = 3
_SEED = 20_240_229
_RESIDUAL = 1e-3

Send = Callable[..., None]


class Measurement:
    """One measurement of all trainings against the inputs in a folder."""

    def __init__(
        self, book: Book, evaluations: list[Evaluation], send: Send, folder: str, deadline: float
    ) -> None:
        self._book = book
        self._evaluations = evaluations
        self._send = send
        self._deadline = deadline
        self._inputs = {file.stem: _read_inputs(file) for file in sorted(Path(folder).glob("*.npy"))}
        self._matcher = Matcher()
        self._matches: dict[int, Match | None] = {}

    def run(self) -> None:
        """Send all trainings, then predictions: the last weights of all trainings first."""
        trainings = self._book.trainings
        for training in trainings:
            self._matches[training.id] = self._match(training)
            self._send("training", **facts_of(training, self._matches[training.id]))
        ready = [training for training in trainings if training.plan is not None and training.updates]
        ready = sorted(ready, key=lambda training: -training.updates)[:MOST_MEASURED]
        for training in ready:
            self._predict(training, "after", None, training.values)
        self._tell_evaluations()
        for training in ready:
            if training.before is not None:
                self._predict(training, "before", None, training.before)
            self._predict(training, "perturbed", None, perturbed(training.values))
            for step, values in training.during[:_MOST_DURING]:
                self._predict(training, "during", step, values)

    def _match(self, training: Training) -> Match | None:
        if training.rows is None and training.sampled is not None:
            training.rows = training.sampled.numpy()
        if training.rows is None or time.monotonic() > self._deadline:
            return None
        return self._matcher.match(training.rows)

    def _tell_evaluations(self) -> None:
        """Send the evaluations; the last one per training that differs predicts, too."""
        differing: dict[int, tuple[Evaluation, Match | None]] = {}
        for evaluation in self._evaluations:
            if time.monotonic() > self._deadline:
                return
            training = evaluation.training
            match = self._matcher.match(evaluation.rows)
            difference = evaluation.difference
            if match is not None and _is_other_scale(match, self._matches.get(training.id)):
                difference = ", ".join(filter(None, (difference, "other scale")))
            self._send("evaluation", **facts_of_evaluation(evaluation, match, difference))
            is_other = training.plan is not None and training.plan.forward != evaluation.plan.forward
            if difference or is_other:
                differing[training.id] = (evaluation, match)
        for evaluation, match in differing.values():
            training = evaluation.training
            match = match or self._matches.get(training.id)
            self._predict(training, "evaluated", None, training.values, (evaluation.plan, match))

    def _predict(
        self,
        training: Training,
        moment: str,
        step: int | None,
        values: Values,
        instead: tuple[Plan, Match | None] | None = None,
    ) -> None:
        """Send predictions of one plan with one set of weights, for each way the pixels may be scaled."""
        plan, match = instead or (training.plan, self._matches[training.id])
        if int(np.prod(plan.row_shape)) != PIXELS:
            if not training.why_not:
                self._tell_failure(training, f"an input of shape {plan.row_shape}")
            return
        for dataset, fit, scale, offset in self._ways(match):
            rows = self._inputs[dataset]
            rows = rows if moment in ("after", "evaluated") else rows[:_FEW_ROWS]
            if time.monotonic() > self._deadline:
                return
            try:
                classes = predict(plan, values, rows, scale, offset)
            except Exception as failure:  # noqa: BLE001 - one that fails must not cost the others
                if moment == "after":
                    self._tell_failure(training, f"replay failed: {type(failure).__name__}: {failure}")
                return
            told = base64.b64encode(classes.tobytes()).decode()
            self._send(
                "predictions",
                **{"training": training.id, "dataset": dataset, "moment": moment, "step": step},
                **{"fit": fit, "classes": told},
            )

    def _tell_failure(self, training: Training, why_not: str) -> None:
        training.why_not = why_not[:200]
        self._send("training", **facts_of(training, self._matches[training.id]))

    def _ways(self, match: Match | None) -> list[tuple[str, str, float, float]]:
        """Data set, name of the guess, scale and offset: one when it is known, else all guesses."""
        if match is not None:
            known = [(match.dataset, "", match.scale, match.offset)]
            return known if match.dataset in self._inputs else []
        return [
            (images.dataset, *guess)
            for images in self._matcher.sets
            if images.dataset in self._inputs
            for guess in guesses(images)
        ]


def _read_inputs(file: Path) -> NDArray[np.uint8]:
    inputs: NDArray[np.uint8] = np.load(file, allow_pickle=False)
    return inputs


def predict(
    plan: Plan, values: Values, images: NDArray[np.uint8], scale: float, offset: float
) -> NDArray[np.uint8]:
    """Classes of `images` (n, 28, 28) when scaled like the data that the plan was trained with."""
    rows = (images.reshape(len(images), PIXELS).astype(np.float64) * scale + offset).astype(np.float32)
    return replay(plan, values, rows.reshape(len(images), *plan.row_shape))


def perturbed(values: Values) -> Values:
    """The weights with the rows of every matrix permuted, the same way each time."""
    order = np.random.default_rng(_SEED)
    return [order.permutation(value, axis=0) if value.ndim >= 2 else value for value in values]


def tell_trainings(book: Book, send: Send) -> None:
    """Send the trainings that went on since they were last told of."""
    for training in book.trainings:
        if training.gradients != training.is_told_at:
            training.is_told_at = training.gradients
            send("training", **facts_of(training, None))


def facts_of(training: Training, match: Match | None) -> dict[str, Any]:
    """The fields of `ObservedTraining`."""
    shapes = training.shapes
    plan = training.plan
    return {
        "id": training.id,
        "runs": training.runs,
        "path": training.path,
        "gradients": training.gradients,
        "updates": training.updates,
        "shapes": shapes,
        "starts": [] if training.before is None else [start_of(value) for value in training.before],
        "parameters": sum(int(np.prod(shape)) for shape in shapes),
        "forward": [] if plan is None else [{"op": op, "weight": weight} for op, weight in plan.forward],
        "batch": None if plan is None else plan.recorded_batch,
        "rate": training.rate,
        "dataset": None if match is None else match.dataset,
        "scale": None if match is None else match.scale,
        "offset": None if match is None else match.offset,
        "foreign_writes": training.foreign_writes,
        "why_not": training.why_not,
    }


def facts_of_evaluation(evaluation: Evaluation, match: Match | None, difference: str) -> dict[str, Any]:
    """The fields of `ObservedEvaluation`."""
    return {
        "run": evaluation.run,
        "training": evaluation.training.id,
        "dataset": None if match is None else match.dataset,
        "part": None if match is None else match.part,
        "count": evaluation.count,
        "forward": [{"op": op, "weight": weight} for op, weight in evaluation.plan.forward],
        "difference": difference[:200],
    }


def _is_other_scale(match: Match, trained: Match | None) -> bool:
    if trained is None:
        return False
    here, there = (match.scale, match.offset), (trained.scale, trained.offset)
    reach = 255 * max(abs(match.scale), abs(trained.scale))
    return abs(here[0] - there[0]) * 255 > 0.01 * reach or abs(here[1] - there[1]) > 0.01 * reach


def start_of(value: NDArray[Any]) -> str:
    """How a weight started: "zeros", "constant" (all columns, or all rows, the same) or "random"."""
    if not value.any():
        return "zeros"
    table = value.reshape(-1, value.shape[-1]) if value.ndim else value.reshape(1, 1)
    if (table == table.flat[0]).all():
        return "constant"
    if value.ndim >= 2 and ((table == table[:1]).all() or (table == table[:, :1]).all()):
        return "constant"
    return "random"


def rate_of(gradient: NDArray[Any], old: NDArray[Any], new: NDArray[Any]) -> float | None:
    """The rate of plain gradient descent, new = old - rate × gradient; None when the change is another."""
    change = (new.astype(np.float64) - old).ravel()
    along = gradient.astype(np.float64).ravel()
    size = float(along @ along)
    if size == 0 or not change.any():
        return None
    rate = -float(change @ along) / size
    residual = float(np.linalg.norm(change + rate * along)) / float(np.linalg.norm(change))
    return rate if residual < _RESIDUAL and rate > 0 else None
