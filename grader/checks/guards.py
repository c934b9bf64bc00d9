"""Guards around checks: they deny nothing that was seen to run, may lie elsewhere, or is of other classes."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Iterator
from typing import Any

from grader.checks.measurement import (
    EARNS,
    FEWEST_UPDATES,
    CheckFunction,
    every_training,
    hidden_layers_seen,
    is_linear,
    starts_alike,
    unless,
)
from grader.checks.told import work_elsewhere
from grader.evidence.observed import ObservedTraining, UpdatePath
from grader.evidence.record import Evidence
from grader.model import Outcome, Reason, Source, Verdict, needs_review

Seen = Callable[..., str | None]

_BY_HAND = (UpdatePath.ASSIGN, UpdatePath.OPTIMIZER, UpdatePath.REBOUND)


def never_against(seen: Seen) -> Callable[[CheckFunction], CheckFunction]:
    """A check whose *not met* becomes a person's turn when the run or another file speaks against it.

    `seen(evidence, **parameters)` is a sentence on what the recorder saw that the check misses, or None. It
    can be forged, so it makes nothing met; but code may do what its reading did not find.
    """

    def against(evidence: Evidence, **parameters: Any) -> Reason | None:
        sentence = seen(evidence, **parameters)
        seen_to_run = None if sentence is None else Reason(text=sentence, source=Source.OBSERVED)
        return seen_to_run or work_elsewhere(evidence)

    return unless((Outcome.NOT_MET,), against)


def never_for(seen: Seen) -> Callable[[CheckFunction], CheckFunction]:
    """A check whose *met*, also in part, becomes a person's turn when all trainings were seen to deny it.

    `seen(evidence)` is a sentence on that, or None. Code that is read may be code that never runs.
    """

    def denied(evidence: Evidence, **_: Any) -> Reason | None:
        sentence = seen(evidence)
        return None if sentence is None else Reason(text=sentence, source=Source.OBSERVED)

    return unless(EARNS, denied)


def for_fine_labels(function: CheckFunction) -> CheckFunction:
    """A check of accuracy that leaves CIFAR-100 with its 20 coarse classes to a person.

    The lines are for the 100 fine classes, and measured is with these: more is reached by fewer classes, and
    a model of coarse ones is wrong by the fine ones. What was measured to be met is met nevertheless.
    """

    @functools.wraps(function)
    def checked(evidence: Evidence, **parameters: Any) -> Verdict:
        verdict = function(evidence, **parameters)
        cell = _loads_coarse_labels(evidence) if "cifar100" in parameters["thresholds"] else None
        is_measured = verdict.outcome is Outcome.MET and verdict.reasons[0].source is Source.MEASURED
        if cell is None or is_measured or verdict.outcome is Outcome.NOT_CHECKED:
            return verdict
        text = f"Cell {cell} loads CIFAR-100 with its 20 coarse classes; asked for is an accuracy on the 100."
        return needs_review(Reason(text=text, cell=cell, source=Source.SOURCE), *verdict.reasons)

    return checked


def _loads_coarse_labels(evidence: Evidence) -> int | None:
    """The cell that does."""
    for cell, call in evidence.code.calls("tf.keras.datasets.cifar100.load_data"):
        given = (*call.args, *(keyword.value for keyword in call.keywords))
        if any(isinstance(value, ast.Constant) and value.value == "coarse" for value in given):
            return cell
    return None


def deep_training(evidence: Evidence, *, at_least: int = 1) -> str | None:
    """A model with as many hidden layers was seen in training."""
    if not any(hidden_layers_seen(training) >= at_least for training in _trainings(evidence)):
        return None
    layers = "a hidden layer" if at_least == 1 else f"{at_least} hidden layers or more"
    return f"While it ran, a model with {layers} was seen in training."


def curved_training(evidence: Evidence) -> str | None:
    """A model with a hidden layer was seen in training that is not linear."""
    if not any(not is_linear(training) for training in _deep(evidence)):
        return None
    return "While it ran, a model with a hidden layer was seen that does more than products and sums."


def random_start(evidence: Evidence) -> str | None:
    """A model with a hidden layer was seen whose weights do not all start alike."""
    if not any(not starts_alike(training) for training in _deep(evidence)):
        return None
    return "While it ran, a model with a hidden layer was seen whose weights did not all start alike."


def training_by_hand(evidence: Evidence) -> str | None:
    """A model with a hidden layer was seen in training, and not by Keras."""
    if not any(training.path in _BY_HAND for training in _deep(evidence)):
        return None
    return "While it ran, a model with a hidden layer was seen in training that Keras's `fit` did not do."


def only_linear(evidence: Evidence) -> str | None:
    """Every training was seen whole, and of a linear model."""
    if not every_training(evidence, is_linear):
        return None
    return "While it ran, nothing but products and sums was seen in every model that was trained."


def only_alike(evidence: Evidence) -> str | None:
    """Every training was seen whole, and of weights that all start alike."""
    if not every_training(evidence, starts_alike):
        return None
    return "While it ran, all weights of every model that was trained were seen to start alike."


def only_by_keras(evidence: Evidence) -> str | None:
    """Every model with a hidden layer was seen to be trained by Keras's own `fit`."""
    paths = [(training.path, training.is_in_library) for training in _deep(evidence)]
    if not paths or any(path != (UpdatePath.FIT, True) for path in paths):
        return None
    return "While it ran, Keras's own `fit` was seen to train every model with a hidden layer."


def test_of_training(evidence: Evidence) -> str | None:
    """Test images were seen to go through a trained model with a hidden layer."""
    tests = evidence.observed.evaluations if evidence.observed is not None else ()
    trained = {training.id for training in _deep(evidence)}
    if not any(test.part == "test" and test.training in trained for test in tests):
        return None
    return "While it ran, test images were seen to go through a trained model with a hidden layer."


def several_trainings(evidence: Evidence, *, at_least: int = 2) -> str | None:
    """More than one model was seen in training."""
    count = len(list(_trainings(evidence)))
    return f"While it ran, {count} trainings were seen." if count > 1 else None


def training_on(evidence: Evidence, *, dataset: str) -> str | None:
    """A model was seen in training on that data set."""
    if not any(training.dataset == dataset for training in _trainings(evidence)):
        return None
    return f"While it ran, a model was seen in training on `{dataset}`."


def nothing_seen(evidence: Evidence, **parameters: Any) -> None:
    """For checks of what the recorder cannot see."""


def _trainings(evidence: Evidence) -> Iterator[ObservedTraining]:
    for training in evidence.observed.trainings if evidence.observed is not None else ():
        if training.updates >= FEWEST_UPDATES:
            yield training


def _deep(evidence: Evidence) -> Iterator[ObservedTraining]:
    return (training for training in _trainings(evidence) if hidden_layers_seen(training) >= 1)
