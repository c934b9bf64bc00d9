"""The recorder beside real TensorFlow: styles of training, each replayed on inputs that it never saw."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from grader.evidence.observed import Moment, Observed, ObservedTraining, UpdatePath, read_observed

HERE = Path(__file__).parent
GRADER = HERE.parents[1] / "grader"


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What one process with all styles left behind."""
    work = tmp_path_factory.mktemp("recorder")
    command = [sys.executable, str(HERE / "scenarios.py"), str(GRADER), str(work)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr[-3000:]
    result: dict[str, Any] = json.loads((work / "said.json").read_text())
    return result


@pytest.fixture(scope="module")
def observed(said: dict[str, Any]) -> Observed:
    return read_observed(said["facts"])


def trainings_of(style: str, said: dict[str, Any], observed: Observed) -> list[ObservedTraining]:
    run = said["cells"][style]["run"]
    return [training for training in observed.trainings if run in training.runs]


def agreement(style: str, said: dict[str, Any], observed: Observed, moment: Moment = Moment.AFTER) -> float:
    """How often the replay of the style's last training gives the class that its own model gives."""
    training = trainings_of(style, said, observed)[-1]
    told = next(p for p in observed.predictions if p.training == training.id and p.moment == moment)
    own = said["cells"][style]["classes"]
    assert len(told.classes) == len(own)
    return sum(a == b for a, b in zip(told.classes, own, strict=True)) / len(own)


EXACT = {
    "globals_and_assign_sub": (UpdatePath.ASSIGN, 50, 1 / 255, 0.0),
    "list_of_weights": (UpdatePath.ASSIGN, 50, 1 / 255, 0.0),
    "own_cross_entropy": (UpdatePath.ASSIGN, 50, 1 / 255, 0.0),
    "raw_pixels": (UpdatePath.ASSIGN, 50, 1.0, 0.0),
    "signed_pixels": (UpdatePath.ASSIGN, 50, 1 / 127.5, -1.0),
    "class_with_methods": (UpdatePath.ASSIGN, 50, 1 / 255, 0.0),
    "module_and_optimizer": (UpdatePath.OPTIMIZER, 50, 1 / 255, 0.0),
    "compiled_step": (UpdatePath.ASSIGN, 50, 1 / 255, 0.0),
    "compiled_for_two_models": (UpdatePath.ASSIGN, 50, 1 / 255, 0.0),
    "compiled_loop": (UpdatePath.ASSIGN, 80, 1 / 255, 0.0),
    "compiled_forward": (UpdatePath.ASSIGN, 50, 1 / 255, 0.0),
    "compiled_again": (UpdatePath.ASSIGN, 30, 1 / 255, 0.0),
    "keras_layers": (UpdatePath.OPTIMIZER, 50, 1 / 255, 0.0),
    "keras_fit": (UpdatePath.FIT, 80, 1 / 255, 0.0),
    "initialised_anew": (UpdatePath.ASSIGN, 30, 1 / 255, 0.0),
    "all_zero": (UpdatePath.ASSIGN, 20, 1 / 255, 0.0),
    "dropout": (UpdatePath.ASSIGN, 50, 1 / 255, 0.0),
    "whole_set_at_once": (UpdatePath.ASSIGN, 10, 1 / 255, 0.0),
    "bias_add": (UpdatePath.ASSIGN, 50, 1 / 255, 0.0),
    "regularised_layers": (UpdatePath.ASSIGN, 40, 1 / 255, 0.0),
}


@pytest.mark.parametrize("style", EXACT)
def test_a_training_is_counted_and_predicts_what_its_own_model_predicts(style, said, observed):
    path, updates, scale, offset = EXACT[style]
    training = trainings_of(style, said, observed)[-1]
    assert (training.path, training.updates, training.why_not) == (path, updates, "")
    assert training.gradients == updates
    assert training.dataset == "mnist"
    assert training.scale == pytest.approx(scale, rel=1e-4)
    assert training.offset == pytest.approx(offset, abs=1e-4)
    assert agreement(style, said, observed) > 0.995


def test_the_recorder_neither_fails_nor_stays_unnoticed(said, observed):
    assert said["failures"] == 0
    assert observed.is_trusted
    assert observed.replaced == ()
    assert [fact["version"] for fact in said["facts"] if fact["kind"] == "recorder"] == [1]


def test_every_style_is_one_training_but_for_those_that_start_anew(said, observed):
    twice = {"initialised_anew", "compiled_again", "compiled_for_two_models"}
    for style, cell in said["cells"].items():
        expected = 2 if style in twice else 0 if cell["classes"] is None else 1
        assert len(trainings_of(style, said, observed)) == expected, style


@pytest.mark.parametrize("style", ["rebound_variables", "rebound_tensors"])
def test_weights_replaced_at_each_step_are_one_training(style, said, observed):
    (training,) = trainings_of(style, said, observed)
    assert (training.path, training.gradients, training.updates) == (UpdatePath.REBOUND, 50, 49)
    assert agreement(style, said, observed) > 0.75  # the last step's weights are not known


def test_batch_normalisation_is_replayed_with_the_statistics_of_the_batch(said, observed):
    (training,) = trainings_of("keras_fit_softmax", said, observed)
    assert (training.path, training.updates, training.why_not) == (UpdatePath.FIT, 64, "")
    assert agreement("keras_fit_softmax", said, observed) > 0.995


def test_the_forward_pass_names_operations_and_weights(said, observed):
    for style in ("globals_and_assign_sub", "compiled_step", "compiled_forward"):
        training = trainings_of(style, said, observed)[-1]
        told = [(op.op, op.weight) for op in training.forward]
        assert told == [("MatMul", 0), ("AddV2", 1), ("Relu", None), ("MatMul", 2), ("AddV2", 3)]
        assert training.hidden_layers == 1
    deep = trainings_of("regularised_layers", said, observed)[-1]
    assert [op.op for op in deep.forward].count("Tanh") == deep.hidden_layers == 2


def test_the_rate_of_plain_descent_is_read_off_and_of_other_rules_is_not(said, observed):
    assert trainings_of("list_of_weights", said, observed)[-1].rate == pytest.approx(0.3, rel=1e-3)
    assert trainings_of("module_and_optimizer", said, observed)[-1].rate is None


def test_biases_that_tensorflow_reads_unheard_are_weights_too(said, observed):
    (training,) = trainings_of("bias_add", said, observed)
    told = [(op.op, op.weight) for op in training.forward]
    assert told == [("MatMul", 0), ("BiasAdd", 1), ("Sigmoid", None), ("MatMul", 2), ("BiasAdd", 3)]


def test_starts_tell_zeros_from_random(said, observed):
    (zero,) = trainings_of("all_zero", said, observed)
    assert set(zero.starts) == {"zeros"}
    (other,) = trainings_of("list_of_weights", said, observed)
    assert other.starts == ("random", "zeros", "random", "zeros")


def test_weights_started_anew_are_predicted_as_they_were(said, observed):
    first, second = trainings_of("initialised_anew", said, observed)
    assert (first.updates, second.updates) == (20, 30)
    after = {p.training: p.classes for p in observed.predictions if p.moment == Moment.AFTER}
    assert after[first.id] != after[second.id]


def test_before_during_and_perturbed_are_told_beside_after(said, observed):
    (training,) = trainings_of("list_of_weights", said, observed)
    told = [(p.moment, p.step) for p in observed.predictions if p.training == training.id]
    assert told == [
        (Moment.AFTER, None),
        (Moment.BEFORE, None),
        (Moment.PERTURBED, None),
        (Moment.DURING, 4),
        (Moment.DURING, 32),
    ]
    assert agreement("list_of_weights", said, observed, Moment.BEFORE) < 0.5
    assert agreement("list_of_weights", said, observed, Moment.PERTURBED) < 0.5


def test_classes_are_one_byte_each(said):
    told = [fact for fact in said["facts"] if fact["kind"] == "predictions"]
    assert all(len(base64.b64decode(fact["classes"])) == 400 for fact in told)


def test_relu_left_out_at_test_time_is_named_and_predicts_so(said, observed):
    (training,) = trainings_of("forgets_relu_at_test", said, observed)
    run = said["cells"]["forgets_relu_at_test"]["run"]
    own = [e for e in observed.evaluations if e.training == training.id]
    (evaluation,) = [e for e in own if e.run == run]  # the others are made by the test's own program
    assert evaluation.count == 400
    assert (evaluation.dataset, evaluation.part) == ("mnist", "test")
    assert evaluation.difference == "Relu left out"
    assert agreement("forgets_relu_at_test", said, observed, Moment.EVALUATED) > 0.995
    assert agreement("forgets_relu_at_test", said, observed, Moment.AFTER) < 0.995


def test_evaluations_within_a_loop_are_heard_with_their_scale(said, observed):
    (training,) = trainings_of("evaluates_each_epoch", said, observed)
    told = [(e.part, e.count, e.difference) for e in observed.evaluations if e.training == training.id]
    assert told[:2] == [("test", 400, "other scale"), ("train", 1600, "")]
    assert agreement("evaluates_each_epoch", said, observed, Moment.EVALUATED) > 0.995


def test_styles_without_an_evaluation_have_none(said, observed):
    (training,) = trainings_of("rebound_variables", said, observed)
    assert not [e for e in observed.evaluations if e.training == training.id]
