"""Objects of Keras and PyTorch that are called or trained: layers, models, losses, metrics, initialisers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from grader.notebook.facts import Level, Start, StepKind, TrainingKind
from grader.notebook.flow.chains import new_chain
from grader.notebook.flow.merging import as_data, merge, text_of, whole_number_of
from grader.notebook.flow.state import State
from grader.notebook.flow.tables import last_of, start_of
from grader.notebook.flow.tensors import tested
from grader.notebook.flow.trainings import options_of, trained
from grader.notebook.flow.values import (
    NONE,
    NUMBER,
    UNKNOWN,
    Const,
    Data,
    Instance,
    Items,
    Method,
    Stream,
    Table,
    Thing,
    Value,
    Variable,
)

_NEUTRAL_LAYERS = {
    "Flatten", "Reshape", "Dropout", "InputLayer", "Input", "Rescaling", "BatchNormalization", "Permute",
    "Identity", "GaussianNoise", "Normalization", "AlphaDropout", "RepeatVector", "BatchNorm1d", "Dropout1d",
    "ActivityRegularization", "Unflatten", "Cropping1D", "ZeroPadding1D", "Add", "Concatenate", "Average",
}  # fmt: skip
_ACTIVATION_LAYERS = {
    "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax", "ThresholdedReLU", "Tanh", "Sigmoid", "GELU", "SELU",
    "SiLU", "Softplus", "LogSoftmax", "ReLU6", "Hardtanh", "CELU", "Softsign", "Mish", "Hardswish",
}  # fmt: skip
_MODELS = {"Sequential", "Model", "Functional"}
TRAINING_METHODS = {"fit", "fit_generator", "train_on_batch"}
TESTING_METHODS = {"evaluate", "evaluate_generator", "test_on_batch", "score"}
PREDICTING_METHODS = {
    "predict", "predict_on_batch", "predict_classes", "predict_proba", "predict_generator", "forward",
    "decision_function",
}  # fmt: skip
_QUIET_METHODS = {
    "summary", "get_weights", "set_weights", "save", "save_weights", "load_weights", "count_params", "build",
    "trainable_variables", "variables", "trainable_weights", "weights", "get_layer", "get_config", "to_json",
    "eval", "train", "to", "parameters", "state_dict", "zero_grad", "reset_states", "reset_metrics", "cuda",
    "cpu", "double", "float", "named_parameters", "modules", "children", "requires_grad_", "add_metric",
    "add_loss", "half", "apply", "reset_state",
}  # fmt: skip


def is_model(thing: Value) -> bool:
    """True for a Keras (or PyTorch) model made of a library's class."""
    return isinstance(thing, Thing) and last_of(thing.name) in _MODELS


def is_layer(value: Value) -> bool:
    """True for a layer or a model made of a library's class."""
    return isinstance(value, Thing) and (
        ".layers." in value.name or value.name.startswith("torch.nn.") or is_model(value)
    )


def apply_thing(state: State, thing: Thing, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """Call an object of a library."""
    last = last_of(thing.name)
    x: Value = args[0] if args else next(iter(kwargs.values()), UNKNOWN)
    if is_model(thing):
        return _apply_model(state, thing, x)
    if ".initializers." in thing.name or last.endswith("_initializer"):
        return initial(thing, args[0] if args else kwargs.get("shape"))
    if ".metrics." in thing.name:
        measure(state, thing.name, args, kwargs)
        return NUMBER
    if ".losses." in thing.name or last.endswith("Loss"):
        return merge([as_data(arg) for arg in (*args, *kwargs.values())])
    if is_layer(thing):
        return _apply_layer(state, thing, x)
    merged = merge([as_data(arg) for arg in (*args, *kwargs.values())])
    return merged if merged.chain is None else state.step(merged, StepKind.OTHER, thing.name)


def measure(state: State, name: str, args: Sequence[Value], kwargs: Mapping[str, Value]) -> None:
    """A metric is given labels and predictions."""
    words = name.lower()
    if not any(word in words for word in ("accuracy", "confusion", "precision", "recall", "report", "score")):
        return
    given = [as_data(value) for value in (*args, *kwargs.values())]
    predictions = next((data for data in given if data.chain is not None), None)
    if predictions is None:
        return
    labels = next((data for data in given if data.chain is None), UNKNOWN)
    tested(state, predictions, labels, name)


def initial(thing: Value, shape: Value | None) -> Data:
    """The numbers that an initialiser (an object, or its name as text) fills a weight of `shape` with."""
    name = thing.name if isinstance(thing, Thing) else text_of(thing) or ""
    start = start_of(name) if name else Start.UNKNOWN
    how = last_of(name)
    if isinstance(thing, Thing):
        how = described(thing.name, thing.args, thing.kwargs)
    return Data(start=start or Start.UNKNOWN, how=how, shape=shape_of(shape))


def described(name: str, args: Sequence[Value], kwargs: Mapping[str, Value]) -> str:
    """A call in words that tell one from another: its name and the numbers given to it, shapes aside."""
    shown = [_number_text(arg) for arg in args]
    shown += [f"{key}={_number_text(value)}" for key, value in sorted(kwargs.items()) if _number_text(value)]
    inner = ", ".join(text for text in shown if text)
    return f"{name}({inner})" if inner else name


def _number_text(value: Value) -> str:
    if isinstance(value, Const) and isinstance(value.value, (int, float)) and value.value is not True:
        return f"{value.value:g}"
    return ""


def shape_of(value: Value | None) -> tuple[int | None, ...] | None:
    """A shape as far as it is written in numbers."""
    if isinstance(value, Items) and not value.is_open and len(value.items) <= 8:
        return tuple(whole_number_of(item) for item in value.items)
    number = whole_number_of(value)
    return (number,) if number is not None else None


def _apply_layer(state: State, layer: Thing, x: Value) -> Value:
    last = last_of(layer.name)
    data = as_data(x)
    if last in ("Dense", "Linear", "LazyLinear", "EinsumDense"):
        return _apply_dense(state, layer, data)
    if last == "Activation":
        return activate(state, layer.args[0] if layer.args else layer.kwargs.get("activation", UNKNOWN), x)
    if last == "Lambda" and layer.args:
        return state.call(layer.args[0], [x], {})
    if last in _ACTIVATION_LAYERS:
        return state.step(data, StepKind.ACTIVATION, layer.name)
    if last in _NEUTRAL_LAYERS:
        return data if data.chain is not None else replace(data, chain=new_chain(is_complete=data.is_known))
    return state.step(data, StepKind.OTHER, layer.name, level=Level.KERAS)


def _apply_dense(state: State, layer: Thing, data: Data) -> Value:
    is_torch = layer.name.startswith("torch.")
    position = 1 if is_torch and last_of(layer.name) == "Linear" else 0
    units = layer.args[position] if len(layer.args) > position else None
    units = layer.kwargs.get("out_features" if is_torch else "units", units)
    width = whole_number_of(units)
    if "kernel" not in layer.state:
        initializer = layer.kwargs.get("kernel_initializer", layer.kwargs.get("weight_init", NONE))
        if isinstance(initializer, Const) and initializer.value is None:
            made = Data(start=Start.DEFAULT, how="default")
        else:
            made = initial(initializer, None)
        made = replace(made, shape=(None, width))
        level = Level.TORCH if is_torch else Level.KERAS
        layer.state["kernel"] = Variable(state.new_weight(made, how="", level=level))
    kernel = layer.state["kernel"]
    weight = kernel.weight if isinstance(kernel, Variable) else None
    level = Level.TORCH if is_torch else Level.KERAS
    done = state.step(data, StepKind.PRODUCT, layer.name, level=level, weight=weight, width=width)
    activation = layer.args[1] if not is_torch and len(layer.args) > 1 else NONE
    return activate(state, layer.kwargs.get("activation", activation), done)


def activate(state: State, activation: Value, x: Value) -> Value:
    """Put `x` through an activation given as text, as a function, as a layer, or not at all."""
    if isinstance(activation, Const):
        name = activation.value
        if name is None or name in ("linear", "identity"):
            return x
        if isinstance(name, str):
            return state.step(as_data(x), StepKind.ACTIVATION, f"tf.keras.activations.{name}")
    if isinstance(activation, Data):
        return state.step(as_data(x), StepKind.OTHER, "activation", is_complete=False)
    return state.call(activation, [x], {})


def _apply_model(state: State, model: Thing, x: Value) -> Value:
    layers = layers_of(model)
    if layers is not None:
        result: Value = x
        for layer in layers.items[:64]:
            if isinstance(layer, Data) and layer.chain is not None and not layer.chain.length:
                continue  # a `keras.Input` among the layers
            result = state.call(layer, [result], {})
        if layers.is_open or len(layers.items) > 64:
            return state.step(as_data(result), StepKind.OTHER, "more layers", is_complete=False)
        return result
    outputs = as_data(model.kwargs.get("outputs", model.args[1] if len(model.args) > 1 else UNKNOWN))
    data = as_data(x)
    if outputs.chain is None:
        return state.step(data, StepKind.OTHER, model.name, is_complete=False)
    state.saw(data)
    chain = data.chain if data.chain is not None else new_chain(is_complete=data.is_known)
    for step in outputs.chain.steps():
        chain = chain.then(step, is_complete=outputs.chain.is_complete)
    outputs.chain.is_extended = True
    return replace(data, chain=chain, start=None)


def layers_of(model: Thing) -> Items | None:
    """The layers of a Sequential model, None for other models. The list can be added to."""
    if last_of(model.name) != "Sequential":
        return None
    if "layers" not in model.state:
        given: Value | None = model.kwargs.get("layers", model.args[0] if model.args else None)
        if model.name.startswith("torch."):
            given = Items(list(model.args))
        if isinstance(given, Items):
            model.state["layers"] = Items(list(given.items), is_open=given.is_open)
        else:
            model.state["layers"] = Items([], is_open=given is not None)
    layers = model.state["layers"]
    return layers if isinstance(layers, Items) else None


def inputs_and_labels(args: Sequence[Value], kwargs: Mapping[str, Value]) -> tuple[Value, Value]:
    """What a model's `fit` or `evaluate` is given, pipelines taken apart."""
    x: Value = args[0] if args else kwargs.get("x", UNKNOWN)
    y: Value = args[1] if len(args) > 1 else kwargs.get("y", UNKNOWN)
    return pair_of(x, y)


def pair_of(x: Value, y: Value = UNKNOWN) -> tuple[Value, Value]:
    """A pipeline of pairs, or a pair, as its two sides; otherwise as given."""
    element = x.element if isinstance(x, Stream) else x
    if isinstance(element, Items) and element.is_tuple and len(element.items) >= 2:
        return element.items[0], element.items[1]
    if isinstance(element, Table) and {"image", "label"} <= element.items.keys():
        return element.items["image"], element.items["label"]
    return element, y


def model_method(
    state: State, model: Thing | Instance, name: str, args: list[Value], kwargs: dict[str, Value]
) -> Value | None:
    """A method that models of Keras have; None when `name` is none of them."""
    kept = model.state if isinstance(model, Thing) else model.attributes
    if name == "compile":
        for index, key in enumerate(("optimizer", "loss", "metrics")):
            given = kwargs.get(key, args[index] if len(args) > index else None)
            if given is not None:
                kept[f"compiled {key}"] = given
        return NONE
    if name in TRAINING_METHODS:
        return _fit(state, model, name, args, kwargs)
    if name in TESTING_METHODS:
        x, y = inputs_and_labels(args, kwargs)
        for option in options_of(state.call(model, [x], {})):
            tested(state, option, as_data(y), name)
        return Items([NUMBER, NUMBER], is_tuple=True)
    if name in PREDICTING_METHODS:
        x, _ = inputs_and_labels(args, kwargs)
        return state.call(model, [x], {})
    if name == "add" and isinstance(model, Thing):
        layers = layers_of(model)
        if layers is not None:
            layers.items.append(args[0] if args else UNKNOWN)
        return NONE
    if name == "layers" and isinstance(model, Thing):
        return layers_of(model) or Items([], is_open=True)
    if name in _QUIET_METHODS:
        return Method(model, name) if name in ("to", "train", "eval", "cuda", "cpu") else NUMBER
    return None


def _fit(
    state: State, model: Thing | Instance, name: str, args: list[Value], kwargs: dict[str, Value]
) -> Value:
    kept = model.state if isinstance(model, Thing) else model.attributes
    x, y = inputs_and_labels(args, kwargs)
    step = model.cls.names.get("train_step") if isinstance(model, Instance) else None
    if step is not None:
        state.call(step, [model, Items([x, y], is_tuple=True)], {})
    else:
        kind = TrainingKind.KERAS_BATCHES if name == "train_on_batch" else TrainingKind.KERAS_FIT
        batch = whole_number_of(kwargs.get("batch_size"))
        epochs = whole_number_of(kwargs.get("epochs"))
        rest: tuple[str, ...] = (f"batch {batch}",) if batch else ()
        rest += (f"epochs {epochs}",) if epochs else ()
        for option in options_of(state.call(model, [x], {})):
            trained(state, kind, option, optimizer=kept.get("compiled optimizer"), rest=rest)
    held_out = kwargs.get("validation_data")
    if held_out is not None:
        images, labels = pair_of(held_out)
        for option in options_of(state.call(model, [images], {})):
            tested(state, option, as_data(labels), "validation_data")
    return Thing("tf.keras.callbacks.History", [], {})
