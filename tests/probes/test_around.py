"""What the recorder tells of models, pipelines and compiled functions, and how they belong together."""

from __future__ import annotations

from typing import Any

import pytest

from grader.evidence.around import ObservedFunction, ObservedModel, ObservedPipeline
from grader.evidence.observed import Observed, ObservedTraining


def run_of(style: str, said: dict[str, Any]) -> int:
    return int(said["cells"][style]["run"])


def pipelines_of(style, said, observed) -> list[ObservedPipeline]:
    return [pipeline for pipeline in observed.pipelines if pipeline.run == run_of(style, said)]


def functions_of(style, said, observed) -> list[ObservedFunction]:
    run = run_of(style, said)
    return [function for function in observed.functions if function.run == run and function.is_own]


def last_training_of(style: str, said: dict[str, Any], observed: Observed) -> ObservedTraining:
    run = run_of(style, said)
    return [training for training in observed.trainings if run in training.runs][-1]


def model_of(style: str, said: dict[str, Any], observed: Observed) -> ObservedModel:
    """The model that the style trained."""
    training = last_training_of(style, said, observed)
    (model,) = [model for model in observed.models if model.id == training.model]
    return model


def test_a_pipeline_is_told_from_its_source_to_its_end(said, observed):
    numbers, pairs = pipelines_of("pipelines_of_many_parts", said, observed)
    assert [node.op for node in numbers.nodes] == ["range", "shuffle", "repeat", "batch", "take"]
    shuffle, repeat, batch = (node.arguments for node in numbers.nodes[1:4])
    assert shuffle == {"buffer_size": 5, "seed": 3, "reshuffle_each_iteration": False}
    assert (repeat["count"], batch["batch_size"], batch["drop_remainder"]) == (2, 4, True)
    assert (numbers.where, numbers.iterations, numbers.draws) == ("loop", 1, 3)
    (element,) = numbers.elements
    assert (element.dtype, element.shape) == ("int64", (4,))
    assert 0 <= element.least < element.largest <= 9
    operations = [(node.op, node.inputs) for node in pairs.nodes]
    assert operations == [
        ("from_generator", ()),
        ("padded_batch", (0,)),
        ("from_tensors", ()),
        ("cache", (2,)),
        ("zip", (1, 3)),
        ("map", (4,)),
        ("prefetch", (5,)),
    ]
    assert [(c.dtype, c.least, c.largest) for c in pairs.elements] == [("int32", 1, 4), ("float64", 2.5, 2.5)]


def test_a_seed_that_tensorflow_made_up_is_none(said, observed):
    (pipeline,) = pipelines_of("pipeline_gone_over_in_a_graph", said, observed)
    assert pipeline.nodes[1].arguments["seed"] is None


def test_a_pipeline_tells_what_it_yields_not_what_it_is_made_of(said, observed):
    (pipeline,) = pipelines_of("functional_in_a_compiled_step", said, observed)
    assert [(spec.dtype, spec.shape) for spec in pipeline.nodes[0].tensors] == [
        ("uint8", (1600, 28, 28, 1)),
        ("int64", (1600, 1)),
    ]
    images, labels = pipeline.elements
    assert (images.dtype, images.shape, images.least) == ("float32", (40, 28, 28, 1), 0)
    assert 0.9 < images.largest <= 1
    assert (labels.dtype, labels.shape, labels.least, labels.largest) == ("int64", (40, 1), 0, 9)


@pytest.mark.parametrize(
    ("style", "where", "steps"),
    [
        ("functional_in_a_compiled_step", "loop", 40),
        ("regularised_layers", "loop", 40),
        ("own_train_step", "fit", 40),
        ("pipeline_gone_over_in_a_graph", "loop", None),
        ("compiled_loop", "loop", None),
        ("data_set_given_to_a_graph", "loop", None),
        ("iterator_given_to_a_graph", "loop", None),
    ],
)
def test_a_training_names_the_pipeline_that_fed_it(style, where, steps, said, observed):
    (pipeline,) = pipelines_of(style, said, observed)
    training = last_training_of(style, said, observed)
    assert pipeline.where == where
    assert [(use.id, use.steps) for use in training.pipelines] == [(pipeline.id, steps)]


def test_a_pipeline_that_only_a_graph_goes_over_is_looked_into_at_the_end(said, observed):
    (fitted,) = pipelines_of("own_train_step", said, observed)
    images, labels = fitted.elements
    assert (images.dtype, images.shape) == ("uint8", (None, 28, 28))
    assert images.largest > 200
    assert (labels.least, labels.largest) <= (1, 9)


@pytest.mark.parametrize(
    ("style", "buffer"), [("data_set_given_to_a_graph", 70), ("iterator_given_to_a_graph", 80)]
)
def test_a_pipeline_given_to_a_graph_is_told_from_its_source_to_its_end(style, buffer, said, observed):
    (pipeline,) = pipelines_of(style, said, observed)
    assert [node.op for node in pipeline.nodes] == ["from_tensor_slices", "shuffle", "batch"]
    assert pipeline.nodes[1].arguments["buffer_size"] == buffer
    images, labels = pipeline.elements
    assert (images.dtype, labels.dtype, labels.largest) == ("float32", "int64", 9)


def test_trainings_fed_with_arrays_name_no_pipeline(said, observed):
    for style in ("list_of_weights", "keras_fit", "compiled_step"):
        assert last_training_of(style, said, observed).pipelines == ()
        assert pipelines_of(style, said, observed) == []


def test_a_compiled_function_tells_calls_traces_and_what_made_it_trace(said, observed):
    (added,) = functions_of("functions_of_all_kinds", said, observed)
    assert (added.name, added.calls, added.traces, added.eager_calls) == ("added", 7, 4, 1)
    assert added.signatures == (
        *("float32[1], int: 1", "float32[1], int: 2", "float32[1], int: 3", "float32[1], float32[]"),
    )
    assert not added.has_gradients


def test_a_training_names_the_compiled_function_that_computes_its_gradients(said, observed):
    (step,) = functions_of("compiled_step", said, observed)
    training = last_training_of("compiled_step", said, observed)
    assert (step.name, step.calls, step.traces, step.has_gradients) == ("step", 50, 1, True)
    assert (training.function, step.trainings) == (step.id, (training.id,))
    assert (training.place, training.is_in_library) == ("step", False)


def test_the_tape_of_keras_is_told_from_ones_own(said, observed):
    keras, own = (last_training_of(style, said, observed) for style in ("keras_fit", "own_train_step"))
    assert (keras.place, keras.is_in_library) == ("train_step", True)
    assert (own.place, own.is_in_library) == ("train_step", False)
    assert model_of("own_train_step", said, observed).own_train_step
    assert not model_of("keras_fit", said, observed).own_train_step


def test_a_model_tells_its_layers_and_what_compile_was_given(said, observed):
    model = model_of("keras_fit", said, observed)
    assert (model.made, model.is_whole) == ("sequential", True)
    assert [layer.kind for layer in model.layers] == ["InputLayer", "Rescaling", "Flatten", "Dense", "Dense"]
    assert [layer.inputs for layer in model.layers] == [(), (0,), (1,), (2,), (3,)]
    assert model.layers[3].config == {"units": 24, "activation": "relu"}
    assert model.layers[3].shape == (24,)
    assert model.parameters == model.trainable_parameters == 785 * 24 + 250
    assert (model.optimizer, model.loss) == ("SGD", "SparseCategoricalCrossentropy")
    assert model.rate == pytest.approx(0.1)


def test_a_training_names_its_optimiser(said, observed):
    training = last_training_of("module_and_optimizer", said, observed)
    assert training.optimizer == "Adam"
    assert training.optimizer_rate == pytest.approx(0.01)
    assert last_training_of("list_of_weights", said, observed).optimizer is None


def test_nested_models_are_taken_apart_into_one_graph(said, observed):
    model = model_of("dense_block_of_layers", said, observed)
    assert (model.made, model.is_whole, model.name) == ("functional", True, "dense")
    kinds = [layer.kind for layer in model.layers]
    assert kinds.count("AveragePooling2D") == 2  # the nested one is used twice
    assert "Sequential" not in kinds
    first = next(at for at, layer in enumerate(model.layers) if layer.name == "first")
    joined = [at for at, layer in enumerate(model.layers) if layer.kind == "Concatenate"]
    assert first in model.layers[joined[0]].inputs
    assert joined[0] in model.layers[joined[1]].inputs
    assert len(model.layers[kinds.index("Add")].inputs) == 2
    assert model.layers[kinds.index("ZeroPadding2D")].config["padding"] == (1, 1, 0, 2)
    assert model.joins_inside == 0


def test_what_only_running_tells_is_told_by_the_traced_graph(said, observed):
    model = model_of("dense_block_in_a_layer", said, observed)
    assert not model.is_whole
    assert [layer.kind for layer in model.layers if layer.is_own] == ["Block"]
    operations = [operation.op for operation in model.operations]
    assert (operations[0], operations.count("ConcatV2"), operations.count("Conv2D")) == ("Input", 2, 2)
    joined = model.operations[operations.index("ConcatV2")]
    assert {model.operations[place].op for place in joined.inputs} == {"MaxPool", "BiasAdd"}
    assert model.operations[operations.index("Conv2D")].kernel == (3, 3)
    assert model.joins_inside == 1
    assert model_of("subclassed_with_augmentation", said, observed).operations


def test_every_id_that_a_training_names_is_there(said, observed):
    for training in observed.trainings:
        assert training.model in (None, *(model.id for model in observed.models))
        assert training.function in (None, *(function.id for function in observed.functions))
        assert {use.id for use in training.pipelines} <= {pipeline.id for pipeline in observed.pipelines}
