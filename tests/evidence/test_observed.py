from __future__ import annotations

import base64

from hypothesis import given
from hypothesis import strategies as st

from grader.evidence.observed import Moment, UpdatePath, read_observed

RECORDER = {"kind": "recorder", "run": 0, "version": 1}


def a_training(**fields):
    return {"kind": "training", "run": 3, "id": 1, "path": "assign", "updates": 60} | fields


def predictions(**fields):
    classes = base64.b64encode(bytes([1, 2, 255])).decode()
    told = {"kind": "predictions", "run": 9, "training": 1, "dataset": "mnist", "moment": "after"}
    return told | {"classes": classes} | fields


def test_what_the_recorder_tells_is_read():
    observed = read_observed([RECORDER, a_training(), predictions()])
    assert observed.is_trusted
    assert (observed.trainings[0].path, observed.trainings[0].updates) == (UpdatePath.ASSIGN, 60)
    assert observed.predictions[0].moment is Moment.AFTER
    assert observed.predictions[0].classes == bytes([1, 2, 255])


def test_a_later_line_about_a_training_replaces_the_earlier():
    observed = read_observed([RECORDER, a_training(), a_training(updates=90)])
    assert [training.updates for training in observed.trainings] == [90]


def test_without_the_recorder_nothing_is_trusted():
    assert not read_observed([a_training(), predictions()]).is_trusted


def test_predictions_that_are_no_base64_are_left_out():
    assert not read_observed([RECORDER, a_training(), predictions(classes="\u20ac")]).predictions


def test_predictions_told_twice_are_a_forgery():
    assert not read_observed([RECORDER, a_training(), predictions(), predictions()]).is_trusted
    during = [predictions(moment="during", step=step) for step in (4, 32)]
    assert read_observed([RECORDER, a_training(), *during]).is_trusted


def test_a_patched_recorder_is_not_trusted_and_a_patched_tensorflow_is_told():
    patched = read_observed([RECORDER, {"kind": "replaced", "names": ["recorder: GradientTape.gradient"]}])
    assert not patched.is_trusted
    observed = read_observed([RECORDER, {"kind": "replaced", "names": ["tf.matmul", "tf.matmul"]}])
    assert observed.is_trusted
    assert observed.replaced == ("tf.matmul",)


def test_lines_out_of_the_schema_are_left_out():
    wrong = [
        a_training(id=-1),
        a_training(updates="many"),
        a_training(unheard="of"),
        predictions(classes="?"),
        predictions(moment="someday"),
        {"kind": "replaced", "names": 3},
        {"kind": "evaluation", "run": "x"},
    ]
    observed = read_observed([RECORDER, *wrong])
    assert (observed.trainings, observed.predictions, observed.evaluations) == ((), (), ())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KINDS = st.sampled_from(["recorder", "training", "evaluation", "predictions", "replaced", "mend"])


@given(st.lists(st.tuples(KINDS, st.dictionaries(st.text(max_size=12), JSON, max_size=4)), max_size=5))
def test_nothing_that_a_room_says_raises(told):
    read_observed([{**fields, "kind": kind} for kind, fields in told])


def test_hidden_layers_are_the_products_with_a_weight_less_one():
    forward = [{"op": "MatMul", "weight": 0}, {"op": "Relu"}, {"op": "MatMul", "weight": 2}, {"op": "MatMul"}]
    [training] = read_observed([RECORDER, a_training(forward=forward)]).trainings
    assert training.hidden_layers == 1
