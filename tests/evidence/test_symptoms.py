"""Symptoms, from numbers as the five scripts really gave them."""

from __future__ import annotations

import numpy as np
import pytest
from evidence.watching import a_training, a_watch

from grader.evidence.symptoms import smoothness_of, symptoms_of
from grader.fixes.records import Symptom


def shown(watched, **fields):
    return symptoms_of(watched, a_training(), accuracy=None, smoothness=fields.get("smoothness", 0.8))


def test_a_loss_that_is_no_number_and_gradients_that_explode():
    found = shown(
        a_watch(
            {"loss": 4e4, "gradient_0": 1.6e4, "gradient_2": 1.9e4, "gradient_4": 2.4e4},
            {"loss": None, "gradient_0": None, "gradient_2": None, "gradient_4": None},
            bad=3,
        )
    )
    assert {Symptom.LOSS_NOT_FINITE, Symptom.GRADIENTS_EXPLODE} <= found.shown
    assert found.not_finite_from == 3
    assert found.last_loss is None
    assert found.first_gradients == (1.6e4, 1.9e4, 2.4e4)
    assert Symptom.LOSS_STUCK not in found.shown | found.absent


def test_gradients_that_vanish_towards_the_input():
    point = {"loss": 2.3, "gradient_0": 2e-7, "gradient_2": 1e-3, "gradient_4": 0.5}
    saturation = {"layer_1_zeros": 0.0, "layer_1_saturated": 0.0}
    found = shown(a_watch(point | saturation, point, layers=("", "Sigmoid", "Sigmoid")))
    assert found.shown == {Symptom.GRADIENTS_VANISH, Symptom.LOSS_STUCK, Symptom.LOSS_HIGH}
    assert {Symptom.UNITS_SATURATED, Symptom.UNITS_DEAD, Symptom.LOSS_NOT_FINITE} <= found.absent


def test_dead_units_whose_gradients_are_nothing():
    point = {"loss": 2.303, "gradient_0": 0.0, "gradient_2": 0.0, "gradient_4": 0.0, "layer_1_zeros": 1.0}
    found = shown(a_watch(point, point))
    assert {Symptom.UNITS_DEAD, Symptom.GRADIENTS_VANISH, Symptom.LOSS_STUCK} <= found.shown
    assert found.zero_share == 1.0


def test_units_that_die_on_the_way_are_dead():
    assert Symptom.UNITS_DEAD in shown(a_watch({"layer_1_zeros": 0.5}, {"layer_1_zeros": 0.99})).shown


def test_saturated_units():
    watched = a_watch({"layer_1_zeros": 0.0, "layer_1_saturated": 0.97}, layers=("", "Tanh"))
    assert Symptom.UNITS_SATURATED in shown(watched).shown


@pytest.mark.parametrize(("smoothness", "is_shown"), [(0.009, True), (0.75, False)])
def test_inputs_are_swamped_when_neighbouring_pixels_have_nothing_to_do_with_each_other(smoothness, is_shown):
    found = shown(a_watch({"layer_0_smoothness": smoothness}))
    assert (Symptom.INPUTS_SWAMPED in found.shown) is is_shown
    assert (Symptom.INPUTS_SWAMPED in found.absent) is not is_shown


def test_probabilities_where_logits_are_due():
    probabilities = {"logits_lowest": 2e-25, "logits_off_one": 2e-7}
    assert Symptom.OUTPUTS_SOFTMAXED in shown(a_watch(probabilities)).shown
    logits = {"logits_lowest": -3.0, "logits_off_one": 4.0}
    assert Symptom.OUTPUTS_SOFTMAXED in shown(a_watch(probabilities, logits)).absent


def test_what_was_not_seen_is_unknown():
    found = symptoms_of(a_watch(), a_training(), accuracy=None, smoothness=None)
    assert found.shown == frozenset()
    assert found.absent == {Symptom.LOSS_NOT_FINITE} - found.shown or not found.absent


def test_a_training_that_works_shows_nothing():
    first = {"loss": 2.4, "gradient_0": 0.8, "gradient_2": 0.9, "gradient_4": 1.1}
    last = {"loss": 0.2, "gradient_0": 0.2, "gradient_2": 0.2, "gradient_4": 0.3}
    seen = {"layer_0_smoothness": 0.81, "layer_1_zeros": 0.5, "logits_lowest": -4.0, "logits_off_one": 7.0}
    assert shown(a_watch(first | seen, last | seen)).shown == frozenset()


def test_images_are_smooth_and_noise_is_not():
    ramp = np.tile(np.arange(28, dtype=np.uint8) * 9, (5, 28, 1))
    noise = np.random.default_rng(0).integers(0, 255, (50, 28, 28)).astype(np.uint8)
    assert smoothness_of(ramp) > 0.7
    assert abs(smoothness_of(noise)) < 0.05
