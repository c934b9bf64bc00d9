"""What is sent: trainings, evaluations and what is around them, as `grader/evidence/observed.py` reads it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray
from probes.around import Around
from probes.book import Book
from probes.compiled import CompiledFunction
from probes.evaluations import Evaluation
from probes.matching import Way
from probes.models import facts_of_model
from probes.pipelines import Pipeline
from probes.trainings import Training

MOST_SHAPES = 500

Send = Callable[..., None]


def tell_trainings(book: Book, send: Send) -> None:
    """Send the trainings that went on since they were last told of."""
    for training in book.trainings:
        if training.gradients != training.is_told_at and not training.is_passing:
            training.is_told_at = training.gradients
            send("training", **facts_of(training, None))


def tell_around(around: Around, send: Send, *, is_last: bool = False) -> None:
    """Send models, compiled functions and pipelines that are new or were used since; all when `is_last`."""
    for kind, found, fields in (
        ("pipeline", around.pipelines.found, facts_of_pipeline),
        ("function", around.functions.found, facts_of_function),
        ("model", around.models.found, facts_of_model),
    ):
        for seen in found:
            if is_last or seen.told != seen.counts:
                seen.told = seen.counts
                with contextlib.suppress(Exception):  # objects of the notebook's are looked at
                    told = fields(seen)
                    if told is not None:
                        send(kind, **told)
    for model in around.models.found:
        if is_last and model.operations:
            send("graph", model=model.id, operations=model.operations)


def facts_of_pipeline(seen: Pipeline) -> dict[str, Any]:
    """The fields of `ObservedPipeline`."""
    return {
        "id": seen.id,
        "run": seen.run,
        "where": seen.where,
        "nodes": [dict(node) for node in seen.chain],
        "spec": seen.spec,
        "iterations": seen.iterations,
        "draws": seen.draws,
        "elements": seen.elements,
    }


def facts_of_function(seen: CompiledFunction) -> dict[str, Any]:
    """The fields of `ObservedFunction`."""
    return {
        "id": seen.id,
        "run": seen.run,
        "name": seen.name,
        "is_own": seen.is_own,
        "calls": seen.calls,
        "eager_calls": seen.eager_calls,
        "traces": seen.traces,
        "signatures": seen.signatures,
        "tracing_seconds": seen.tracing_seconds,
        "steps": seen.steps,
        "has_gradients": seen.has_gradients,
        "trainings": [training.id for training in seen.trainings[:50]],
    }


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
        "eager_gradients": training.eager_gradients,
        "updates": training.updates,
        "work": [[run, *counts] for run, counts in list(training.work.items())[:MOST_SHAPES]],
        "shapes": shapes[:MOST_SHAPES],
        "starts": [start_of(value) for value in before[:MOST_SHAPES]],
        "parameters": training.parameters,
        "forward": [] if plan is None else [{"op": op, "weight": weight} for op, weight in plan.forward],
        "batch": None if plan is None else plan.recorded_batch,
        "rate": training.rate,
        "dataset": way.dataset if way is not None and is_certain else None,
        "part": way.part if way is not None and is_certain else None,
        "scale": way.scale if way is not None and is_certain else None,
        "offset": way.offset if way is not None and is_certain else None,
        "preparation": way.preparation.name if way is not None and is_certain else "",
        "foreign_writes": training.foreign_writes,
        "place": training.links.place[:200],
        "is_in_library": training.links.is_in_library,
        "model": training.links.model,
        "function": training.links.function,
        "pipelines": [{"id": id_, "steps": steps} for id_, steps in list(training.links.fed.items())[:20]],
        "optimizer": training.links.optimizer,
        "optimizer_rate": training.links.optimizer_rate,
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
