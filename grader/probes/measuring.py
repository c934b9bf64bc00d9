"""At the end of a notebook: asks what was trained about the grader's inputs and sends the classes."""

from __future__ import annotations

import base64
import contextlib
import json
import math
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from probes.book import Book
from probes.calling import CalledModel
from probes.evaluations import Evaluation
from probes.exporting import CannotExportError, exported
from probes.exporting_models import exported_call
from probes.facts import Send, facts_of, facts_of_evaluation
from probes.images import Bytes
from probes.matching import Matcher, Way
from probes.predicting import (
    Filling,
    NotPredictable,
    Predictor,
    Snapshot,
    Values,
    fillings,
    predict,
    way_of,
)
from probes.replay import Replay
from probes.search import found_predictors
from probes.trainings import Training

MOST_MEASURED = 100
_FEW_ROWS = 1_000  # five in eight are withheld: the standard error of an accuracy is 0.02 at most
_MOST_DURING = 3
_SEED = 20_240_229
_MATCHING_SHARE = 0.25  # of the time
_MOST_GUESSES = 3
_MODELS_BYTES = 8 * 1024 * 1024
_LARGEST_MODEL = 2_000_000  # bytes; the wire leaves out what is longer, and who says nothing is not trusted
_TRACING_SHARE = 0.2  # of the time that is left


class Measurable:
    """A training with the predictor that works for it, and the ways in which its inputs may be filled."""

    def __init__(self, training: Training, predictor: Predictor, ways: list[list[Filling]]) -> None:
        self.training = training
        self.predictor = predictor
        self.ways = ways

    @property
    def way(self) -> Way | None:
        """How images went in, when that is certain."""
        found = way_of(self.ways[0]) if len(self.ways) == 1 else None
        return found if found is not None and not found.fit else None


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
        self._matcher = Matcher(_MATCHING_SHARE * (deadline - time.monotonic()))

    def run(self) -> None:
        """Send all trainings, then predictions: the last weights of all trainings first."""
        trainings = sorted((t for t in self._book.trainings if t.updates), key=lambda t: -t.updates)
        for training in trainings[MOST_MEASURED:]:
            training.why_not = f"only the {MOST_MEASURED} longest trainings are measured"
        trainings = trainings[:MOST_MEASURED]
        ready = []
        for at, training in enumerate(trainings):
            now = time.monotonic()
            found = self._after(training, now + (self._deadline - now) / (len(trainings) - at))
            ready += [] if found is None else [found]
        for training in self._book.trainings:
            if not training.is_passing:
                way = next((found.way for found in ready if found.training is training), None)
                self._send("training", **facts_of(training, way))
        for part in (self._tell_models, self._tell_evaluations, self._tell_other_moments):
            with contextlib.suppress(Exception):  # what is told already must not be lost
                part(ready)

    def _tell_models(self, ready: list[Measurable]) -> None:
        """Send forward passes with their weights, so that the classes can be computed outside of the room."""
        room = _MODELS_BYTES
        now = time.monotonic()
        until = now + _TRACING_SHARE * (self._deadline - now)
        for found in ready:
            try:
                told = _exported(found, until)
            except CannotExportError as reason:
                self._send("written", training=found.training.id, why_not=str(reason))
                continue
            size = len(json.dumps(told))
            room -= size
            if size > _LARGEST_MODEL:
                told = {"why_not": "more than the wire takes at once"}
            elif room < 0:
                told = {"why_not": "the weights of other models filled the wire"}
            self._send("written", training=found.training.id, **told)

    def _tell_other_moments(self, ready: list[Measurable]) -> None:
        for found in ready:
            training = found.training
            if training.before is not None:
                self._predict(found, "before", training.before)
            self._predict(found, "perturbed", perturbed(training.values))
            for step, values in training.during[:_MOST_DURING]:
                self._predict(found, "during", values, step=step)

    def _after(self, training: Training, deadline: float) -> Measurable | None:
        """Predict with the first predictor that works; None, with the reason noted, when none does."""
        for predictor in self._predictors(training):
            try:
                found = Measurable(training, predictor, fillings(predictor, self._matcher))
                if not found.ways:
                    raise NotPredictable("an input that is the same for all examples")
                found.ways = self._promising(found)
                if not found.ways:
                    raise NotPredictable("a data set that is not measured")
                self._predict(found, "after", training.values, deadline=deadline)
            except NotPredictable as reason:
                training.why_not = str(reason)
            except Exception as failure:  # noqa: BLE001 - one that fails must not cost the others
                training.why_not = f"replay failed: {type(failure).__name__}: {failure}"
            else:
                training.why_not = ""
                return found
        return None

    def _promising(self, found: Measurable) -> list[list[Filling]]:
        """The ways to a data set that is measured; of many guesses, those that do best on training images."""
        ways = [filled for filled in found.ways if way_of(filled).dataset in self._inputs]
        if len(ways) <= _MOST_GUESSES:
            return ways

        def share_right(filled: list[Filling]) -> float:
            known = self._matcher.known(way_of(filled).dataset)
            classes = predict(found.predictor, found.training.values, filled, known.images)
            return float((classes == known.labels).mean())

        return sorted(ways, key=share_right, reverse=True)[:_MOST_GUESSES]

    def _predictors(self, training: Training) -> Iterator[Predictor]:
        """What was recorded; then, if the variables still live, what is found among the notebook's names."""
        yield from training.predictors
        if training.final is not None or not all(hasattr(weight, "assign") for weight in training.weights):
            return
        shapes = [feed.row_shape for predictor in training.predictors for feed in predictor.feeds]
        for images in self._matcher.sets:
            if images.dataset in self._inputs:
                shapes += [(math.prod(images.shape),), images.shape, (*images.shape[:2], images.channels)]
        namespace = vars(sys.modules["__main__"])
        yield from found_predictors(training.weights, namespace, dict.fromkeys(shapes))

    def _predict(
        self,
        found: Measurable,
        moment: str,
        snapshot: Snapshot,
        *,
        step: int | None = None,
        deadline: float | None = None,
    ) -> None:
        """Send predictions with one set of weights, for each way the pixels may be prepared."""
        for filled in found.ways:
            way = way_of(filled)
            images = self._inputs[way.dataset]
            images = images if moment in ("after", "evaluated") else images[:_FEW_ROWS]
            if time.monotonic() > self._deadline:
                return
            classes = predict(found.predictor, snapshot, filled, images, deadline or self._deadline)
            self._send(
                "predictions",
                training=found.training.id,
                dataset=way.dataset,
                moment=moment,
                step=step,
                fit=way.fit,
                classes=base64.b64encode(classes.tobytes()).decode(),
            )

    def _tell_evaluations(self, ready: list[Measurable]) -> None:
        """Send the evaluations; the last one per training that differs predicts, too."""
        differing: dict[int, tuple[Measurable, Snapshot]] = {}
        for evaluation in self._evaluations:
            if time.monotonic() > self._deadline:
                return
            training = evaluation.training
            trained = next((found for found in ready if found.training is training), None)
            way = self._way_of(evaluation)
            difference = evaluation.difference
            if way is not None and trained is not None and _is_other_scale(way, trained.way):
                difference = ", ".join(filter(None, (difference, "other scale")))
            self._send("evaluation", **facts_of_evaluation(evaluation, way, difference))
            way = way or (None if trained is None else trained.way)
            if (difference or evaluation.is_other) and way is not None and way.dataset in self._inputs:
                snapshot = training.before if evaluation.is_stale and training.before else training.values
                differing[training.id] = Measurable(training, evaluation.predictor, [[way]]), snapshot
        for found, snapshot in differing.values():
            with contextlib.suppress(Exception):  # one that fails must not cost the others
                self._predict(found, "evaluated", snapshot)

    def _way_of(self, evaluation: Evaluation) -> Way | None:
        """How images went into an evaluation with one input."""
        feeds = evaluation.predictor.feeds
        if len(feeds) != 1:
            return None
        return self._matcher.match(feeds[0].rows, feeds[0].row_shape)


def _exported(found: Measurable, until: float) -> dict[str, Any]:
    """The fields of `WrittenModel`. A Keras model is traced for it, with the notebook's own code in it."""
    if isinstance(found.predictor, Replay):
        return exported(found.predictor, found.training.values.weights, found.ways)
    if not isinstance(found.predictor, CalledModel):
        raise CannotExportError("not a recorded forward pass of one input")
    if time.monotonic() > until:
        raise CannotExportError("no time was left for it")
    try:
        return exported_call(found.predictor, found.training.values, found.ways)
    except CannotExportError:
        raise
    except Exception as failure:
        raise CannotExportError(f"it could not be traced ({type(failure).__name__})") from failure


def _read_inputs(file: Path) -> Bytes:
    inputs: NDArray[np.uint8] = np.load(file, allow_pickle=False)
    return inputs


def perturbed(snapshot: Snapshot) -> Snapshot:
    """The weights with the rows of every matrix permuted, the same way each time."""
    order = np.random.default_rng(_SEED)
    values: Values = [
        order.permutation(value, axis=0) if value.ndim >= 2 else value for value in snapshot.weights
    ]
    return snapshot._replace(weights=values)


def _is_other_scale(way: Way, trained: Way | None) -> bool:
    if trained is None:
        return False
    if way.preparation.name != trained.preparation.name:
        return True
    here, there = (way.scale, way.offset), (trained.scale, trained.offset)
    reach = 255 * max(abs(way.scale), abs(trained.scale))
    return abs(here[0] - there[0]) * 255 > 0.01 * reach or abs(here[1] - there[1]) > 0.01 * reach
