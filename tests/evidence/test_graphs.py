"""Graphs as real models of Keras give them, which the recorder told of once (`observed/densenets.json`)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.evidence.around import Layer, ObservedModel, TracedOperation
from grader.evidence.connections import Connections
from grader.evidence.graphs import NodeKind, graph_of

TOLD = json.loads((Path(__file__).parent / "observed" / "densenets.json").read_text("utf-8"))
MODELS = {model.name: model for model in map(ObservedModel.model_validate, TOLD)}
DENSE = {  # how each is written, and the sizes of its dense blocks
    "functional_custom": [3, 4],  # layers of the notebook's own, in a functional model
    "seq_custom": [3, 3],  # the same in a Sequential, with batch normalisation
    "nested": [3],  # a block that is a model, made of concatenations of lists
    "subclassed": [3],
    "ops": [3],  # `keras.ops.concatenate`, separable convolutions, after three additions
    "lambda_concat": [3],
    "resnet": [],
    "call_is_compiled": [3],  # a subclass whose `call` is a `tf.function`
    "group_norms": [3],  # TensorFlow's graph has their arithmetic only, and so for `layer_norms`
    "layer_norms": [3],
    "lambda_relu": [3],  # between each convolution and what it receives
    "lambda_add": [],
    "zero_padded": [3],
    "recomputed": [3],  # `tf.recompute_grad`
    "channels_first": [3],
    "squeezed_and_excited": [4],
    "coordinates_joined": [],  # each convolution gets two more channels that are no features
    "compiled_resnet": [],
    "both_signs": [],  # each activation and its negative side by side
    "dilated_traced": [3],  # TensorFlow pads and cuts around a dilated convolution
    "grouped_traced": [3],
    "layer_ends_in_tiled_bias": [3],
    "mixed_residual_layer_subclass": [3],  # layers of the notebook's own that end in an addition
    "inception_layers": [3],  # branches joined inside of each layer
    "vov_layers_in_dense": [3],
    "channel_shuffle_traced": [3],
    "rdn": [3, 3],  # dense blocks, each with an addition past it
    "resnet_concat_at_end": [],
    "shortcuts_to_predecessor_by_addition": [],
    "tf_concat_axis3_list_grows": [3],
    "wrapper_subclass": [3],
}
RESIDUAL = {
    **dict.fromkeys(("resnet", "ops", "lambda_add", "compiled_resnet"), 3),
    **{"mixed_residual_layer_subclass": 3, "rdn": 2, "resnet_concat_at_end": 3},
    "shortcuts_to_predecessor_by_addition": 3,
}


@pytest.mark.parametrize("name", DENSE)
def test_dense_blocks_are_found_however_the_model_is_written(name):
    graph = graph_of(MODELS[name])
    assert graph.is_whole
    assert [len(block) for block in Connections(graph).dense_blocks()] == DENSE[name]


@pytest.mark.parametrize("name", DENSE)
def test_additions_are_residual_blocks_and_biases_and_normalisations_are_not(name):
    assert len(Connections(graph_of(MODELS[name])).residual_blocks()) == RESIDUAL.get(name, 0)


@pytest.mark.parametrize("name", DENSE)
def test_every_step_of_these_is_read(name):
    assert Connections(graph_of(MODELS[name])).unread == ()


@pytest.mark.parametrize("name", DENSE)
def test_every_model_has_its_input_convolutions_and_dense_layers(name):
    graph = graph_of(MODELS[name])
    assert graph.count(NodeKind.INPUT) == 1
    assert graph.count(NodeKind.DENSE) == (1 + 2 * 4 if name == "squeezed_and_excited" else 1)
    assert graph.count(NodeKind.CONVOLUTION) >= 4


def test_filters_and_kernels_are_told_by_layers():
    graph = graph_of(MODELS["resnet"])
    first = graph.nodes[graph.places(NodeKind.CONVOLUTION)[0]]
    assert (first.filters, first.kernel) == (8, (3, 3))


def test_a_model_that_decides_while_it_runs_is_not_whole():
    assert not graph_of(MODELS["conditional"]).is_whole


def test_a_model_whose_connections_are_not_told_is_not_whole():
    model = MODELS["subclassed"].model_copy(update={"operations": ()})
    graph = graph_of(model)
    assert not graph.is_whole


def a_model(*layers: Layer) -> ObservedModel:
    return ObservedModel(id=1, layers=layers, is_whole=True)


def test_a_concatenation_along_the_height_is_none_of_channels():
    wide = Layer(kind="Conv2D", config={"filters": 4}, shape=(8, 8, 4), inputs=(0,))
    tall = Layer(kind="Concatenate", config={"axis": 1}, shape=(16, 8, 4), inputs=(1, 2))
    last = Layer(kind="Conv2D", config={"filters": 4}, shape=(16, 8, 4), inputs=(3,))
    graph = graph_of(a_model(Layer(kind="InputLayer", shape=(8, 8, 4)), wide, wide, tall, last))
    assert Connections(graph).dense_blocks() == ()


numbers = st.integers(0, 40)
shapes = st.none() | st.lists(st.none() | st.integers(0, 9), max_size=4).map(tuple)
layers = st.builds(
    Layer,
    kind=st.sampled_from(
        ["InputLayer", "Conv2D", "Concatenate", "Add", "ReLU", "Lambda", "GlobalMaxPooling2D"]
    ),
    config=st.dictionaries(st.sampled_from(["filters", "kernel_size"]), st.integers(0, 9) | st.just("x")),
    shape=shapes,
    inputs=st.lists(numbers, max_size=4).map(tuple),
)
operations = st.builds(
    TracedOperation,
    op=st.sampled_from(["Input", "Conv2D", "ConcatV2", "AddV2", "Mean", "Relu", "Mul", "MatMul", "Unknown"]),
    name=st.sampled_from(["", "a", "a/b/c"]),
    shape=shapes,
    inputs=st.lists(numbers, max_size=4).map(tuple),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(layers, max_size=30), st.lists(operations, max_size=30), st.booleans())
def test_nothing_that_a_room_says_makes_it_raise(layers, operations, is_whole):
    model = ObservedModel(id=1, layers=tuple(layers), operations=tuple(operations), is_whole=is_whole)
    connections = Connections(graph_of(model))
    connections.dense_blocks()
    connections.residual_blocks()
