from __future__ import annotations

import numpy as np
import pytest

from grader.evidence.measuring import Key, Kind, measure
from grader.evidence.observed import Moment, Observed, Predictions

rng = np.random.default_rng(0)
LABELS = rng.integers(0, 10, 1_000).astype(np.uint8)
KINDS = np.repeat(np.array([Kind.WITHHELD, Kind.SHIFTED, Kind.NOISED, Kind.KNOWN], np.uint8), 250)
KEYS = {"mnist": Key(LABELS, KINDS)}


def right_on(share_by_kind):
    """Classes that are right on a share of each kind of input, and wrong elsewhere."""
    classes = (LABELS + 1) % 10
    for kind, share in share_by_kind.items():
        rows = np.flatnonzero(kind == KINDS)[: round(250 * share)]
        classes[rows] = LABELS[rows]
    return classes.astype(np.uint8).tobytes()


def observed(*predictions, is_trusted=True):
    return Observed(is_trusted=is_trusted, predictions=predictions)


def told(classes, **fields):
    given = {"training": 1, "dataset": "mnist", "moment": Moment.AFTER, "classes": classes}
    return Predictions.model_validate(given | fields)


def test_each_kind_of_input_has_its_accuracy():
    shares = {Kind.WITHHELD: 0.8, Kind.SHIFTED: 0.6, Kind.NOISED: 0.7, Kind.KNOWN: 0.9}
    [found] = measure(observed(told(right_on(shares))), KEYS).trainings
    assert (found.accuracy, found.shifted, found.noised, found.known) == (0.8, 0.6, 0.7, 0.9)
    assert found.examples == 250


def test_the_guess_is_chosen_on_images_that_the_notebook_had():
    better_withheld = told(right_on({Kind.WITHHELD: 0.9, Kind.KNOWN: 0.2}), fit="x")
    better_known = told(right_on({Kind.WITHHELD: 0.5, Kind.KNOWN: 0.6}), fit="x/255")
    [found] = measure(observed(better_withheld, better_known), KEYS).trainings
    assert found.accuracy == 0.5


def test_the_moments_are_told_apart():
    after = told(right_on({Kind.WITHHELD: 0.8, Kind.KNOWN: 0.8}))
    before = told(right_on({Kind.WITHHELD: 0.1}), moment=Moment.BEFORE)
    steps = [told(right_on({Kind.WITHHELD: s / 100}), moment=Moment.DURING, step=s) for s in (60, 20)]
    perturbed = told(bytes(255 for _ in LABELS), moment=Moment.PERTURBED)
    evaluated = told(right_on({Kind.WITHHELD: 0.3}), moment=Moment.EVALUATED)
    [found] = measure(observed(after, before, *steps, perturbed, evaluated), KEYS).trainings
    assert (found.before, found.during, found.changed) == (0.1, ((20, 0.2), (60, 0.6)), 1.0)
    assert found.as_evaluated == 0.3


def test_fewer_rows_are_the_first_rows():
    [found] = measure(observed(told(right_on({Kind.WITHHELD: 1.0})[:100])), KEYS).trainings
    assert (found.accuracy, found.examples, found.known) == (1.0, 100, None)


@pytest.mark.parametrize(
    "seen",
    [
        observed(told(right_on({Kind.WITHHELD: 1})), is_trusted=False),
        observed(told(right_on({Kind.WITHHELD: 1}), dataset="cifar10")),
        observed(told(b"\x01")),
        observed(told(b"")),
        observed(told(right_on({Kind.WITHHELD: 1}), moment=Moment.BEFORE)),
        observed(),
    ],
)
def test_nothing_is_measured_without_trust_data_or_rows(seen):
    assert measure(seen, KEYS).trainings == ()


def test_more_rows_than_there_are_inputs_change_nothing():
    [found] = measure(observed(told(right_on({Kind.WITHHELD: 0.5}) + bytes(500))), KEYS).trainings
    assert found.accuracy == 0.5
