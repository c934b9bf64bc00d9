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


def a_pipeline(**fields):
    nodes = [
        {
            "op": "from_tensor_slices",
            "tensors": [{"dtype": "uint8", "shape": [60_000, 28, 28]}],
            "inputs": [],
        },
        {"op": "shuffle", "arguments": {"buffer_size": 100, "seed": None}, "inputs": [0]},
    ]
    told = {"kind": "pipeline", "run": 2, "id": 1, "where": "loop", "nodes": nodes, "draws": 7}
    return told | {"elements": [{"dtype": "uint8", "shape": [None], "least": 0, "largest": 9}]} | fields


def a_function(**fields):
    told = {"kind": "function", "run": 2, "id": 1, "name": "step", "calls": 9, "traces": 1}
    return told | {"signatures": ["float32[8]"]} | fields


def a_model(**fields):
    layer = {
        "kind": "Dense",
        "config": {"units": 3, "activation": "relu", "kernel_size": [1, 2]},
        "shape": [3],
    }
    return {"kind": "model", "run": 2, "id": 1, "made": "sequential", "layers": [layer]} | fields


def a_graph(**fields):
    operations = [{"op": "Input", "shape": [None, 28], "inputs": []}, {"op": "Relu", "inputs": [0]}]
    return {"kind": "graph", "run": 2, "model": 1, "operations": operations} | fields


def test_what_is_around_trainings_is_read():
    observed = read_observed([RECORDER, a_pipeline(), a_function(), a_model(), a_graph(), a_model(calls=3)])
    (pipeline,), (function,), (model,) = observed.pipelines, observed.functions, observed.models
    assert pipeline.nodes[1].arguments == {"buffer_size": 100, "seed": None}
    assert (pipeline.run, pipeline.elements[0].largest) == (2, 9)
    assert (function.name, function.signatures) == ("step", ("float32[8]",))
    assert (model.calls, model.layers[0].config["kernel_size"]) == (3, (1, 2))
    assert [operation.op for operation in model.operations] == ["Input", "Relu"]


def test_all_that_a_patched_or_missing_recorder_tells_is_dropped():
    everything = [a_training(), a_pipeline(), a_function(), a_model(), a_graph(), predictions()]
    patched = {"kind": "replaced", "names": ["recorder: Model.__call__"]}
    for facts in (everything, [RECORDER, *everything, patched]):
        observed = read_observed(facts)
        assert not observed.is_trusted
        dropped = (observed.trainings, observed.pipelines, observed.functions, observed.models)
        assert dropped == ((), (), (), ())
        assert (observed.evaluations, observed.predictions) == ((), ())


def test_what_is_around_trainings_is_bounded():
    many = [a_pipeline(id=number) for number in range(2_000)]
    many += [a_model(id=number) for number in range(2_000)]
    observed = read_observed([RECORDER, *many])
    assert (len(observed.pipelines), len(observed.models)) == (300, 300)
    too_much = [
        a_pipeline(nodes=[{"op": "map"}] * 101),
        a_pipeline(elements=[{"dtype": "float32", "least": float("inf")}]),
        a_function(signatures=["x" * 201]),
        a_function(calls=10**400),
        a_model(layers=[{"kind": "Dense"}] * 1_001),
        a_model(layers=[{"kind": "Dense", "config": {str(name): 1 for name in range(61)}}]),
        a_graph(operations=[{"op": "Relu"}] * 3_001),
        a_graph(model=float("inf")),
    ]
    observed = read_observed([RECORDER, *too_much])
    assert (observed.pipelines, observed.functions, observed.models) == ((), (), ())


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
KINDS = st.sampled_from(
    [
        *("recorder", "training", "evaluation", "predictions", "replaced", "mend"),
        *("pipeline", "function", "model", "graph"),
    ]
)


@given(st.lists(st.tuples(KINDS, st.dictionaries(st.text(max_size=12), JSON, max_size=4)), max_size=5))
def test_nothing_that_a_room_says_raises(told):
    read_observed([{**fields, "kind": kind} for kind, fields in told])


def test_hidden_layers_are_the_products_with_a_weight_less_one():
    forward = [{"op": "MatMul", "weight": 0}, {"op": "Relu"}, {"op": "MatMul", "weight": 2}, {"op": "MatMul"}]
    [training] = read_observed([RECORDER, a_training(forward=forward)]).trainings
    assert training.hidden_layers == 1
