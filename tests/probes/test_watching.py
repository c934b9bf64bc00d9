"""What trainings look like on their way, as the recorder beside real TensorFlow tells it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from grader.evidence.observed import Observed, ObservedTraining, UpdatePath
from grader.evidence.watched import Watched

EAGER = ("globals_and_assign_sub", "class_with_methods", "module_and_optimizer", "keras_layers")
COMPILED = ("compiled_step", "compiled_loop", "keras_fit", "functional_in_a_compiled_step")


def trainings_of(style: str, said: dict[str, Any], observed: Observed) -> list[ObservedTraining]:
    run = said["cells"][style]["run"]
    return [training for training in observed.trainings if run in training.runs]


def watched(style: str, said: dict[str, Any], observed: Observed) -> Watched:
    training = trainings_of(style, said, observed)[-1]
    return next(found for found in observed.watched if found.training == training.id)


@pytest.mark.parametrize("style", [*EAGER, *COMPILED])
def test_losses_gradients_and_layers_are_seen_from_the_first_step_on(style, said, observed):
    seen = watched(style, said, observed)
    training = trainings_of(style, said, observed)[-1]
    assert seen.steps == training.updates
    assert seen.not_finite_from is None
    steps = [point.step for point in seen.points]
    assert steps[:3] == [1, 2, 3]
    assert steps[-1] == seen.steps
    losses = [value for _, value in seen.curve("loss")]
    assert len(losses) == len(steps)
    assert losses[-1] < losses[0]
    assert all(value > 0 for _, value in seen.curve("gradient 0"))
    assert len(seen.layers) == 2
    assert 0 < next(seen.curve("layer 1 deviation"))[1] < 100


def test_a_layer_is_called_by_what_its_input_comes_from(said, observed):
    assert watched("globals_and_assign_sub", said, observed).layers == ("", "Relu")
    assert watched("compiled_step", said, observed).layers == ("", "Relu")


def test_a_compiled_training_looks_as_an_eager_one(said, observed):
    eager, compiled = (watched(s, said, observed) for s in ("globals_and_assign_sub", "compiled_step"))
    assert set(eager.points[0].columns) == set(compiled.points[0].columns)
    assert [point.step for point in eager.points] == [point.step for point in compiled.points]
    assert dict(eager.curve("loss"))[1] == pytest.approx(dict(compiled.curve("loss"))[1], rel=0.2)


def test_what_is_told_is_bounded(observed):
    assert all(len(seen.points) <= 120 for seen in observed.watched)
    assert all(len(point.columns) <= 250 for seen in observed.watched for point in seen.points)


def test_nothing_is_watched_where_nobody_asked_for_it(work: Path):
    facts = json.loads((work / "said-in-a-fork.json").read_text())["facts"]
    assert any(fact["kind"] == "training" for fact in facts)
    assert not any(fact["kind"] == "watched" for fact in facts)


def test_watching_fails_nowhere(said):
    assert said["failure"] == ""


def test_a_training_with_keras_is_watched_too(said, observed):
    assert trainings_of("keras_fit", said, observed)[-1].path is UpdatePath.FIT
    assert watched("keras_fit", said, observed).points
