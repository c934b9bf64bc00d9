"""The recorder beside real TensorFlow: styles of training, each replayed on inputs that it never saw."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest

from grader.evidence.observed import Moment, Observed, ObservedTraining, UpdatePath, read_observed
from grader.evidence.recomputing import recomputed, share_alike, way_for


def trainings_of(style: str, said: dict[str, Any], observed: Observed) -> list[ObservedTraining]:
    run = said["cells"][style]["run"]
    return [training for training in observed.trainings if run in training.runs]


def agreement(style: str, said: dict[str, Any], observed: Observed, moment: Moment = Moment.AFTER) -> float:
    """How often the replay of the style's last training gives the class that its own model gives."""
    training = trainings_of(style, said, observed)[-1]
    told = next(p for p in observed.predictions if p.training == training.id and p.moment == moment)
    own = said["cells"][style]["classes"][: len(told.classes)]
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
    "keras_layers": (UpdatePath.OPTIMIZER, 50, 1.0, 0.0),  # what the model itself is given
    "keras_fit": (UpdatePath.FIT, 80, 1.0, 0.0),
    "keras_fit_softmax": (UpdatePath.FIT, 64, 1 / 255, 0.0),
    "functional_in_a_compiled_step": (UpdatePath.OPTIMIZER, 40, 1 / 255, 0.0),
    "subclassed_with_augmentation": (UpdatePath.OPTIMIZER, 20, 1.0, 0.0),
    "own_train_step": (UpdatePath.FIT, 40, 1.0, 0.0),
    "second_input_is_a_constant": (UpdatePath.OPTIMIZER, 20, 1 / 255, 0.0),
    "encoder_and_head": (UpdatePath.OPTIMIZER, 20, 1 / 255, 0.0),
    "layers_one_by_one": (UpdatePath.OPTIMIZER, 20, 1 / 255, 0.0),
    "model_with_plain_variables": (UpdatePath.ASSIGN, 20, 1 / 255, 0.0),
    "best_weights_put_back": (UpdatePath.FIT, 40, 1.0, 0.0),
    "batch_by_batch": (UpdatePath.FIT, 20, 1.0, 0.0),
    "frozen_first_layer": (UpdatePath.OPTIMIZER, 35, 1.0, 0.0),
    "padded_to_another_size": (UpdatePath.FIT, 40, 1 / 255, 0.0),
    "flipped_at_random": (UpdatePath.FIT, 40, 1.0, 0.0),
    "initialised_anew": (UpdatePath.ASSIGN, 30, 1 / 255, 0.0),
    "all_zero": (UpdatePath.ASSIGN, 20, 1 / 255, 0.0),
    "dropout": (UpdatePath.ASSIGN, 50, 1 / 255, 0.0),
    "whole_set_at_once": (UpdatePath.ASSIGN, 10, 1 / 255, 0.0),
    "bias_add": (UpdatePath.ASSIGN, 50, 1 / 255, 0.0),
    "regularised_layers": (UpdatePath.ASSIGN, 40, 1 / 255, 0.0),
    "transposed": (UpdatePath.ASSIGN, 30, 1 / 255, 0.0),
    "weights_in_a_dict": (UpdatePath.ASSIGN, 30, 1 / 255, 0.0),
    "names_used_again": (UpdatePath.ASSIGN, 20, 1 / 255, 0.0),
    "double_precision": (UpdatePath.ASSIGN, 36, 1 / 255, 0.0),
    "each_pixel_standardised": (UpdatePath.ASSIGN, 30, 1.0, 0.0),
    "compiled_forward_in_a_compiled_step": (UpdatePath.ASSIGN, 30, 1 / 255, 0.0),
    "compiled_further": (UpdatePath.ASSIGN, 20, 1 / 255, 0.0),
    "best_copy_put_back": (UpdatePath.ASSIGN, 25, 1 / 255, 0.0),
    "tape_entered_again": (UpdatePath.ASSIGN, 20, 1 / 255, 0.0),
    "one_example_at_a_time": (UpdatePath.ASSIGN, 30, 1 / 255, 0.0),
    "products_with_vectors": (UpdatePath.ASSIGN, 20, 1 / 255, 0.0),
}


@pytest.mark.parametrize("style", EXACT)
def test_a_training_is_counted_and_predicts_what_its_own_model_predicts(style, said, observed):
    path, updates, scale, offset = EXACT[style]
    training = trainings_of(style, said, observed)[-1]
    assert (training.path, training.updates, training.why_not) == (path, updates, "")
    assert training.gradients == updates
    assert (training.dataset, training.part) == ("mnist", "train")
    assert training.scale == pytest.approx(scale, rel=1e-4)
    assert training.offset == pytest.approx(offset, abs=1e-4)
    assert training.foreign_writes == 0
    assert agreement(style, said, observed) >= 0.99


@pytest.mark.parametrize("style", ["coloured_images", "coloured_images_without_a_model"])
def test_coloured_images_are_found_and_predicted(style, said, observed):
    (training,) = trainings_of(style, said, observed)
    assert (training.dataset, training.why_not) == ("cifar10", "")
    assert agreement(style, said, observed) >= 0.99


@pytest.mark.parametrize(
    "style", ["found_among_the_names", "found_with_weights_as_arguments", "noise_added_by_hand"]
)
def test_what_cannot_be_replayed_or_matched_is_tried_in_a_few_ways(style, said, observed):
    (training,) = trainings_of(style, said, observed)
    assert (training.dataset, training.why_not) == (None, "")
    told = {
        p.fit: p.classes for p in observed.predictions if (p.training, p.moment) == (training.id, "after")
    }
    assert 1 < len(told) <= 3
    own = said["cells"][style]["classes"]
    assert np.mean(np.frombuffer(told["x / 255"], np.uint8) == own) > 0.98


def test_an_input_that_changes_besides_the_images_is_said_to_be_the_reason(said, observed):
    (training,) = trainings_of("second_input_changes", said, observed)
    assert training.why_not == "another input that changes from example to example"
    assert training.id not in {p.training for p in observed.predictions}


def test_preparations_of_pixels_are_named(said, observed):
    (pixels,) = trainings_of("each_pixel_standardised", said, observed)
    (padded,) = trainings_of("padded_to_another_size", said, observed)
    assert (pixels.preparation, padded.preparation) == ("each pixel standardised", "padded")


def test_the_recorder_neither_fails_nor_stays_unnoticed(said, observed):
    assert said["failure"] == ""
    assert observed.is_trusted
    assert observed.replaced == ()
    assert [fact["version"] for fact in said["facts"] if fact["kind"] == "recorder"] == [2]


def test_a_fork_of_a_process_with_the_hooks_in_records_for_itself(work, said):
    forked = json.loads((work / "said-in-a-fork.json").read_text())
    seen = read_observed(forked["facts"])
    assert (forked["failure"], seen.is_trusted, seen.replaced) == ("", True, ())
    assert len(seen.trainings) == len(forked["cells"]) == 3
    for style in forked["cells"]:
        assert agreement(style, forked, seen) > 0.995
    assert [fact["version"] for fact in said["facts"] if fact["kind"] == "recorder"] == [2]


def test_every_style_is_one_training_but_for_those_that_start_anew(said, observed):
    several = {
        "initialised_anew": 2,
        "compiled_again": 2,
        "compiled_for_two_models": 2,
        "names_used_again": 3,
    }
    for style, cell in said["cells"].items():
        expected = several.get(style, 0 if cell["classes"] is None else 1)
        assert len(trainings_of(style, said, observed)) == expected, style


@pytest.mark.parametrize("style", ["rebound_variables", "rebound_tensors", "rebound_one_by_one"])
def test_weights_replaced_at_each_step_are_one_training(style, said, observed):
    (training,) = trainings_of(style, said, observed)
    assert (training.path, training.gradients, training.updates) == (UpdatePath.REBOUND, 50, 49)
    assert agreement(style, said, observed) > 0.75  # the last step's weights are not known


@pytest.mark.parametrize(
    "style",
    [
        *("globals_and_assign_sub", "own_cross_entropy", "raw_pixels", "class_with_methods", "compiled_step"),
        *("compiled_loop", "compiled_forward", "compiled_for_two_models", "dropout", "whole_set_at_once"),
        *("regularised_layers", "bias_add", "transposed", "weights_in_a_dict", "double_precision"),
        *("rebound_tensors", "all_zero", "module_and_optimizer", "encoder_and_head", "layers_one_by_one"),
        *("keras_layers", "keras_fit", "functional_in_a_compiled_step", "subclassed_with_augmentation"),
        *("own_train_step", "dense_block_of_layers", "dense_block_in_a_layer"),
    ],
)
def test_what_a_model_predicts_is_computed_outside_too(style, said, observed):
    """With nothing but what was written down of it, in NumPy, from weights rounded to eleven bits."""
    training = trainings_of(style, said, observed)[-1]
    model = next(found for found in observed.written if found.training == training.id)
    told = next(p for p in observed.predictions if p.training == training.id and p.moment == Moment.AFTER)
    scores = recomputed(model, way_for(model, told.dataset, told.fit), said["inputs"][:600])
    assert (share_alike(np.frombuffer(told.classes, np.uint8), scores) or 0.0) > 0.99


def test_why_a_model_is_not_written_down_is_told(said, observed):
    (training,) = trainings_of("found_among_the_names", said, observed)
    (model,) = [found for found in observed.written if found.training == training.id]
    assert model.why_not == "not a recorded forward pass of one input"


def test_the_forward_pass_names_operations_and_weights(said, observed):
    for style in ("globals_and_assign_sub", "compiled_step", "compiled_forward"):
        training = trainings_of(style, said, observed)[-1]
        told = [(op.op, op.weight) for op in training.forward]
        assert told == [("MatMul", 0), ("AddV2", 1), ("Relu", None), ("MatMul", 2), ("AddV2", 3)]
        assert training.hidden_layers == 1
    (products,) = trainings_of("products_with_vectors", said, observed)
    assert (products.hidden_layers, products.preparation) == (1, "resized, bilinear")
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


def test_weights_that_a_graph_makes_are_known_as_they_were_before(said, observed):
    (training,) = trainings_of("keras_fit_softmax", said, observed)
    assert training.starts == ("random", "zeros", "constant", "zeros", "random", "zeros")
    assert agreement("keras_fit_softmax", said, observed, Moment.BEFORE) < 0.5


def test_classes_are_one_byte_each(said):
    told = [fact for fact in said["facts"] if fact["kind"] == "predictions"]
    assert all(len(base64.b64decode(fact["classes"])) == 400 for fact in told)


def evaluations_of(style: str, said: dict[str, Any], observed: Observed) -> list[tuple[Any, ...]]:
    (training,) = trainings_of(style, said, observed)
    own = [e for e in observed.evaluations if e.training == training.id]
    assert {e.dataset for e in own} <= {"mnist"}
    return [(e.part, e.count, e.updates, e.difference) for e in own]


FAULTS = {
    "forgets_relu_at_test": ("test", 400, 50, "Relu left out"),
    "first_layer_only_at_test": ("test", 400, 20, "Add left out, 1 layer(s) fewer"),
    "stale_weight_at_test": ("test", 400, 20, "1 of the trained weights not used"),
    "first_weights_at_test": ("test", 400, 0, "weights from before the training"),
    "called_in_training_mode_at_test": ("test", 400, 20, "training=True"),
    "evaluated_on_another_scale": ("test", 400, 40, "other scale"),
}


@pytest.mark.parametrize("style", FAULTS)
def test_a_faulty_evaluation_is_named(style, said, observed):
    assert evaluations_of(style, said, observed) == [FAULTS[style]]


@pytest.mark.parametrize(
    "style",
    [
        *("forgets_relu_at_test", "stale_weight_at_test", "first_weights_at_test"),
        *("evaluated_on_another_scale", "evaluates_each_epoch"),
    ],
)
def test_a_faulty_evaluation_predicts_as_it_does_not_as_was_trained(style, said, observed):
    assert agreement(style, said, observed, Moment.EVALUATED) > 0.995
    assert agreement(style, said, observed, Moment.AFTER) < 0.995


def test_evaluations_within_a_loop_are_heard_with_their_scale(said, observed):
    told = evaluations_of("evaluates_each_epoch", said, observed)
    assert told[:2] == [("test", 400, 20, "other scale"), ("train", 1600, 20, "")]


def test_an_evaluation_tells_after_how_many_updates_it_was(said, observed):
    assert evaluations_of("evaluated_before_the_end", said, observed) == [("test", 400, 10, "")]


def test_keras_evaluates_and_validates_heard(said, observed):
    assert evaluations_of("best_weights_put_back", said, observed)[0] == ("test", 400, 20, "")


def test_styles_without_an_evaluation_have_none(said, observed):
    assert evaluations_of("rebound_variables", said, observed) == []
