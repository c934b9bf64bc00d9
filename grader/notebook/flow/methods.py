"""Methods and attributes of values that are not objects of the notebook's own classes."""

from __future__ import annotations

import ast
from dataclasses import replace

from grader.notebook.facts import Level, Start, StepKind, TrainingKind
from grader.notebook.flow import tables
from grader.notebook.flow.containers import items_method, table_method
from grader.notebook.flow.layers import is_layer, is_model, layers_of, model_method
from grader.notebook.flow.library import call_library, shown
from grader.notebook.flow.loading import COURSE_HELPER, course_helper_attribute, course_helper_batch
from grader.notebook.flow.merging import as_data, merge, whole_number_of
from grader.notebook.flow.state import State
from grader.notebook.flow.tensors import binary, equality, is_statistic, product
from grader.notebook.flow.trainings import applied, applied_by, gradient, minimized, options_of, trained
from grader.notebook.flow.values import (
    NONE,
    NUMBER,
    UNKNOWN,
    Bound,
    Const,
    Data,
    Function,
    Items,
    Library,
    Method,
    Stream,
    Table,
    Thing,
    Value,
    Variable,
)

_ASSIGNS = {
    "assign",
    "assign_add",
    "assign_sub",
    "scatter_sub",
    "scatter_update",
    "copy_",
    "sub_",
    "add_",
    "set_value",
}
_SAME_ITEMS = {
    "shuffle", "repeat", "prefetch", "cache", "take", "skip", "with_options", "shard", "as_numpy_iterator",
    "make_one_shot_iterator", "make_initializable_iterator", "unbatch", "filter", "concatenate", "__iter__",
    "rebatch", "apply", "get_next", "next", "numpy", "snapshot", "interleave",
}  # fmt: skip
_IMAGE_SHOWS = {"imshow", "matshow", "add_image", "image", "pcolormesh"}
_VARIABLES = {"trainable_variables", "variables", "trainable_weights", "weights"}
_TRAINS = {"fit", "train", "fit_generator", "train_on_batch", "search", "learn", "partial_fit"}
_GENERATORS = ("np.random.", "tf.random.")
_FREE_OF_DATA = {"shape", "ndim", "size", "dtype", "get_shape", "name", "dim", "ndims", "nbytes", "set_shape"}
_ARRAY_METHODS = {
    "T", "numpy", "astype", "reshape", "flatten", "ravel", "mean", "sum", "transpose", "copy", "item",
    "max", "min", "argmax", "argmin", "squeeze", "tolist", "std", "var", "all", "any", "view", "detach",
    "cpu", "to", "float", "long", "int", "cuda", "clone", "size", "values", "iloc", "loc", "sort",
    "argsort", "round", "nonzero", "permute", "unsqueeze", "expand", "cumsum", "fill", "sample", "head",
    "tail", "drop", "keys", "swapaxes", "repeat", "take", "prod", "value", "read_value", "eval",
    "requires_grad_", "double", "type", "to_numpy", "unique", "iterrows", "shuffle", "count", "index",
    "items", "get", "decode", "encode", "close", "read", "data", "target", "columns", "append",
    "format", "write", "add", "mul", "sub", "div", "contiguous", "is_correct", "at", "flat", "real",
    "device", "split", "stack", "shape", "text", "strip", "lower", "upper", "replace", "join",
    "startswith", "endswith", "extend", "pop", "update", "set_title", "plot", "batch", "map",
    "prefetch", "cache", "skip", "as_numpy_iterator", "grad", "ref", "trainable", "op", "train_images",
    "train_labels", "test_images", "test_labels", "isel", "tobytes", "resize", "expand_dims",
}  # fmt: skip


def attribute(state: State, owner: Value, name: str) -> Value:
    """`owner.name` for a value of a library."""
    if isinstance(owner, Thing):
        return _thing_attribute(state, owner, name)
    if name in _FREE_OF_DATA and isinstance(owner, (Data, Variable, Method)):
        shape = as_data(owner).shape
        if name == "shape" and shape is not None and not as_data(owner).origins:
            return Items([Const(n) if n is not None else NUMBER for n in shape], is_tuple=True)
        return NUMBER
    if name == "T" and isinstance(owner, (Data, Variable)):
        data = as_data(owner)
        return replace(data, shape=data.shape[::-1] if data.shape is not None else None)
    return Method(owner, name)


def _thing_attribute(state: State, owner: Thing, name: str) -> Value:
    if owner.name == COURSE_HELPER:
        return Method(owner, name) if name == "next_batch" else course_helper_attribute(owner, name) or NUMBER
    if name in _VARIABLES and is_layer(owner):
        return Items([NUMBER], is_open=True)
    if name in owner.state and not name.startswith("compiled"):
        return owner.state[name]
    if is_model(owner) and name == "layers":
        return layers_of(owner) or Items([], is_open=True)
    if is_model(owner) and name in ("output", "outputs"):
        return owner.kwargs.get("outputs", owner.args[1] if len(owner.args) > 1 else UNKNOWN)
    return Method(owner, name)


def call_method(state: State, owner: Value, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """`owner.name(*args, **kwargs)` for a value of a library."""
    if isinstance(owner, Stream):
        return _stream_method(state, owner, name, args, kwargs)
    if isinstance(owner, Items):
        return items_method(state, owner, name, args)
    if isinstance(owner, Table):
        return table_method(state, owner, name, args, kwargs)
    if isinstance(owner, Thing):
        return _thing_method(state, owner, name, args, kwargs)
    if isinstance(owner, Const):
        return _text_method(owner, name)
    if isinstance(owner, Method) and not isinstance(owner.owner, (Data, Variable)):
        return call_method(state, Thing(_described(owner), [], {}), name, args, kwargs)
    if isinstance(owner, (Function, Bound, Library)):
        return UNKNOWN if name not in ("__name__", "get_concrete_function") else owner
    return _data_method(state, owner, name, args, kwargs)


def _described(method: Method) -> str:
    inner = method.owner
    return f"{inner.name}.{method.name}" if isinstance(inner, Thing) else method.name


def _text_method(owner: Const, name: str) -> Value:
    if isinstance(owner.value, str) and name in ("lower", "upper", "strip", "title", "capitalize"):
        return Const(getattr(owner.value, name)())
    return NUMBER


def _data_method(state: State, owner: Value, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    data = as_data(owner)
    given: list[Value] = [*args, *kwargs.values()]
    first: Value = given[0] if given else UNKNOWN
    if name in _ASSIGNS:
        if not applied(state, first):
            restarted(owner, first)
        return owner
    if name in _IMAGE_SHOWS:
        return shown(state, name, args, kwargs)
    if name in ("dot", "matmul", "mm", "__matmul__"):
        return product(state, owner, first, name, Level.UNKNOWN)
    if name == "backward":
        for option in options_of(owner):
            trained(state, TrainingKind.TORCH, option)
        return NONE
    if name in ("eq", "equal", "ne", "__eq__", "__ne__"):
        return equality(state, owner, first, name, wants_equal="ne" not in name.strip("_"))
    if name in ("multiply", "__mul__"):
        return binary(state, ast.Mult(), owner, first)
    if name in _FREE_OF_DATA or is_statistic(name, data, kwargs.get("axis", args[0] if args else None)):
        return NUMBER
    if name in ("map", "apply") and args and isinstance(first, (Function, Bound)):
        return state.call(first, [owner], {})
    if name in _ARRAY_METHODS or (data.is_known and data.chain is None):
        return data
    if data.chain is not None and tables.step_kind(f"tf.{name}") is StepKind.ACTIVATION:
        return state.step(data, StepKind.ACTIVATION, name)
    return _strange_method(state, data, name, args, kwargs)


def restarted(owner: Value, value: Value) -> None:
    """A weight is set anew: random numbers count as its start from then on, a reset to zero does not."""
    data = as_data(value)
    if not isinstance(owner, Variable) or data.chain is not None or owner.weight.start is Start.RANDOM:
        return
    if data.start in (Start.RANDOM, Start.UNKNOWN) or not data.is_known:
        owner.weight.start = data.start or Start.UNKNOWN
        owner.weight.how = data.how or owner.weight.how


def _strange_method(
    state: State, data: Data, name: str, args: list[Value], kwargs: dict[str, Value]
) -> Value:
    state.unclear(f"it is not known what `.{name}(…)` is called on")
    merged = merge([data, *(as_data(arg) for arg in (*args, *kwargs.values()))])
    if merged.chain is not None:
        merged = state.step(merged, StepKind.OTHER, name, is_complete=False)
    return replace(merged, is_known=False)


def _thing_method(
    state: State, owner: Thing, name: str, args: list[Value], kwargs: dict[str, Value]
) -> Value:
    if owner.name == COURSE_HELPER and name == "next_batch":
        return course_helper_batch(owner, args, kwargs)
    if owner.name.startswith(_GENERATORS):
        return _drawn(state, owner, name, args, kwargs)
    if owner.name.endswith("GradientTape"):
        return _tape_method(state, name, args, kwargs)
    if name in ("apply_gradients", "apply"):
        given = [*args, *kwargs.values()]
        applied_by(state, owner, given[0] if given else UNKNOWN)
        return NONE
    if name == "minimize":
        minimized(state, owner, args, kwargs)
        return NONE
    if name == "compute_gradients":
        pairs = gradient(state, args[0] if args else UNKNOWN, UNKNOWN)
        return pairs
    if name in _IMAGE_SHOWS:
        return shown(state, name, args, kwargs)
    if ".metrics." in owner.name and name in ("update_state", "__call__"):
        return state.call(owner, args, kwargs)
    if name == "read_data_sets":
        return owner
    if is_model(owner) or ".layers." in owner.name:
        done = model_method(state, owner, name, args, kwargs)
        if done is not None:
            return done
    if name in ("fit", "fit_transform", "partial_fit") and owner.name.startswith("sklearn."):
        return _other_library_fit(state, owner, name, args)
    if name in _TRAINS:
        state.unclear(f"what `{owner.name}` trains is not known")
    if name in ("predict", "score", "transform") and owner.name.startswith("sklearn."):
        return as_data(args[0]) if args else NUMBER
    return _unread(state, owner, name, args, kwargs)


def _drawn(state: State, owner: Thing, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """A method of a random number generator."""
    prefix = next(prefix for prefix in _GENERATORS if owner.name.startswith(prefix))
    if name.startswith(("from_", "split", "spawn", "make_")):
        return owner
    return call_library(state, prefix + name, args, kwargs)


def _unread(state: State, owner: Thing, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """A method that says nothing to us; functions given to it are called, so that they are seen."""
    for value in (*args, *kwargs.values()):
        if isinstance(value, (Function, Bound)):
            state.call(value, [], {})
    merged = merge([as_data(arg) for arg in (*args, *kwargs.values())])
    if merged.chain is not None or merged.origins or merged.gradients:
        return merged
    return Thing(f"{owner.name}.{name}", [], {})


def _other_library_fit(state: State, owner: Thing, name: str, args: list[Value]) -> Value:
    if any(word in owner.name for word in ("preprocessing", "decomposition", "manifold", "cluster")):
        return as_data(args[0]) if args and name == "fit_transform" else owner
    trained(state, TrainingKind.OTHER_LIBRARY, as_data(args[0]) if args else UNKNOWN)
    return owner


def _tape_method(state: State, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    if name in ("gradient", "jacobian"):
        loss = args[0] if args else kwargs.get("target", UNKNOWN)
        sources = args[1] if len(args) > 1 else kwargs.get("sources", UNKNOWN)
        return gradient(state, loss, sources)
    return NONE


def _stream_method(
    state: State, owner: Stream, name: str, args: list[Value], kwargs: dict[str, Value]
) -> Value:
    if name in ("batch", "padded_batch"):
        size = whole_number_of(args[0] if args else kwargs.get("batch_size"))
        return Stream(batched(owner.element, size), size)
    if name in ("map", "flat_map", "interleave") and args:
        element = owner.element
        is_pair = isinstance(element, Items) and element.is_tuple
        given = list(element.items) if isinstance(element, Items) and is_pair else [element]
        made = state.call(args[0], given, {})
        return Stream(made.element if isinstance(made, Stream) else made, owner.batch)
    if name == "enumerate":
        return Stream(Items([NUMBER, owner.element], is_tuple=True), owner.batch)
    if name == "reduce" and len(args) > 1:
        return state.call(args[1], [args[0], owner.element], {})
    if name in ("get_next", "next", "get_single_element"):
        return owner.element
    if name in ("window", "group_by_window", "scan"):
        return Stream(replace(as_data(owner), is_known=False))
    if name in ("cardinality", "element_spec", "__len__", "save"):
        return NUMBER
    return owner


def batched(element: Value, size: int | None, depth: int = 0) -> Value:
    """An element of a pipeline after it was cut into batches of `size`."""
    if isinstance(element, Items) and depth < 3:
        inner = [batched(item, size, depth + 1) for item in element.items[:20]]
        return Items(inner, element.is_tuple, element.is_open)
    if isinstance(element, Table) and depth < 3:
        items = {key: batched(item, size, depth + 1) for key, item in list(element.items.items())[:20]}
        return Table(items, element.is_open)
    return replace(as_data(element), batch=size)
