"""What is sent: trainings and evaluations as the host reads them (`grader/evidence/observed.py`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from probes.book import Book
from probes.evaluations import Evaluation
from probes.matching import Way
from probes.trainings import Training

MOST_SHAPES = 500

Send = Callable[..., None]


def tell_trainings(book: Book, send: Send) -> None:
    """Send the trainings that went on since they were last told of."""
    for training in book.trainings:
        if training.gradients != training.is_told_at and not training.is_passing:
            training.is_told_at = training.gradients
            send("training", **facts_of(training, None))


def facts_of(training: Training, way: Way | None) -> dict[str, Any]:
    """The fields of `ObservedTraining`; `way` is how images went in, as far as that is known."""
    shapes = training.shapes
    plan = training.plan
    before = [] if training.before is None else training.before.weights
    is_certain = way is not None and not way.fit
    return {
        "id": training.id,
        "runs": training.runs,
        "path": training.path,
        "gradients": training.gradients,
        "updates": training.updates,
        "shapes": shapes[:MOST_SHAPES],
        "starts": [start_of(value) for value in before[:MOST_SHAPES]],
        "parameters": sum(int(np.prod(shape)) for shape in shapes),
        "forward": [] if plan is None else [{"op": op, "weight": weight} for op, weight in plan.forward],
        "batch": None if plan is None else plan.recorded_batch,
        "rate": training.rate,
        "dataset": way.dataset if way is not None and is_certain else None,
        "part": way.part if way is not None and is_certain else None,
        "scale": way.scale if way is not None and is_certain else None,
        "offset": way.offset if way is not None and is_certain else None,
        "preparation": way.preparation.name if way is not None and is_certain else "",
        "foreign_writes": training.foreign_writes,
        "why_not": training.why_not[:200],
    }


def facts_of_evaluation(evaluation: Evaluation, way: Way | None, difference: str) -> dict[str, Any]:
    """The fields of `ObservedEvaluation`."""
    return {
        "run": evaluation.run,
        "training": evaluation.training.id,
        "updates": evaluation.updates,
        "dataset": None if way is None else way.dataset,
        "part": None if way is None else way.part,
        "count": evaluation.count,
        "forward": [{"op": op, "weight": weight} for op, weight in evaluation.forward],
        "difference": difference[:200],
    }


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
