"""Calls of library functions: variables, made-up numbers, products, activations, and all the rest."""

from __future__ import annotations

import ast
from dataclasses import replace

from grader.notebook.code import canonical
from grader.notebook.facts import Picked, Start, StepKind
from grader.notebook.flow import tables
from grader.notebook.flow.handlers import HANDLERS, MAKERS, call_given_functions, made, strange, two
from grader.notebook.flow.layers import measure, shape_of
from grader.notebook.flow.loading import load, pipeline
from grader.notebook.flow.merging import as_data, merge, text_of
from grader.notebook.flow.state import Shown, State
from grader.notebook.flow.tensors import (
    binary,
    equality,
    flipped,
    flows,
    is_statistic,
    picked_from,
    product,
)
from grader.notebook.flow.values import NONE, NUMBER, Bound, Data, Function, Stream, Thing, Value

_IMAGE_SHOWS = {"imshow", "matshow", "pcolormesh", "pcolor", "toimage", "imsave"}
_EQUAL = {"tf.equal", "tf.math.equal", "np.equal", "torch.eq", "tf.not_equal", "tf.math.not_equal",
          "np.not_equal", "torch.ne", "np.array_equal", "tf.keras.backend.equal"}  # fmt: skip
_COMPUTING = {"sklearn", "skimage", "cv2", "numba", "torchvision", "joblib", "scipy"}
_OF_MODELS = ("tf.keras.", "tf.Module", "tf.GradientTape", "tf.train.", "tf.optimizers.", "tf.Graph")
_MEASURES = ("sklearn.metrics.", "tf.keras.metrics.", "tf.metrics.", "tf.compat.v1.metrics.")


def call_library(state: State, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """Call the library's function or class `name` (canonical)."""
    name = canonical(name).replace("tf.compat.v1.", "tf.")
    last = tables.last_of(name)
    loaded = load(state, name, args, kwargs)
    if loaded is not None:
        return loaded
    handler = HANDLERS.get(name)
    if handler is not None:
        return handler(state, name, args, kwargs)
    if last in _IMAGE_SHOWS or name == "tf.summary.image":
        return shown(state, name, args, kwargs)
    if name in tables.PRODUCTS or name in tables.EINSUMS or name in tables.PRODUCTS_WITH_BIAS:
        return _product(state, name, args, kwargs)
    if name.startswith("tf.data.") and last[:1].islower():
        return _pipeline(state, name, args, kwargs)
    if name in _EQUAL:
        left, right = two(args, kwargs)
        return equality(state, left, right, name, wants_equal="not" not in last and last != "ne")
    if (name.startswith(_MEASURES) and not last[:1].isupper()) or "in_top_k" in name:
        measure(state, name if "in_top_k" not in name else name + " accuracy", args, kwargs)
        return NUMBER
    if tables.root_of(name) not in tables.HARMLESS:
        return strange(state, name, args, kwargs)
    is_class = last[:1].isupper() and not name.startswith("tf.raw_ops.")
    if is_class or last.endswith("_initializer"):
        return _object(state, name, args, kwargs)
    return _function(state, name, args, kwargs)


def _object(state: State, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    call_given_functions(state, args, {k: v for k, v in kwargs.items() if k in ("target", "on_click")})
    if tables.root_of(name) == "tf" and not name.startswith(_OF_MODELS):
        merged = merge([as_data(arg) for arg in (*args, *kwargs.values())])
        if merged.chain is not None:  # a tensor of another kind, a sparse one say
            return state.step(merged, StepKind.OTHER, name, is_complete=False)
    return Thing(name, args, kwargs)


def _function(state: State, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    last = tables.last_of(name)
    root = tables.root_of(name)
    if last in ("seed", "set_seed", "set_random_seed", "manual_seed"):
        return NONE
    merged = merge([as_data(arg) for arg in (*args, *kwargs.values())])
    is_fresh = merged.chain is None and not merged.origins and not merged.weights
    is_made = last in MAKERS and (is_fresh or last.endswith("_like"))
    if root in ("tf", "np", "torch", "jnp") and is_made:
        return made(name, args, kwargs)
    is_tensors = root in tables.LOSSY_ROOTS
    is_layer = bool(merged.weights) and flows(merged)
    if not is_tensors:
        call_given_functions(state, args, kwargs)
        if root in _COMPUTING and (merged.chain is not None or is_layer):
            return state.step(merged, StepKind.OTHER, name)
        return merged if not is_fresh or merged.gradients else Thing(name, args, kwargs)
    if any(isinstance(value, (Function, Bound)) for value in (*args, *kwargs.values())):
        return _mapped(state, name, args, kwargs)
    kind = tables.step_kind(name)
    if kind is StepKind.OTHER and merged.start in (Start.ZEROS, Start.CONSTANT):
        merged = replace(merged, start=Start.UNKNOWN)  # what it makes of numbers is not known
    if is_statistic(last, merged, kwargs.get("axis", args[1] if args[1:] else None)):
        return NUMBER
    if merged.chain is None:
        if is_layer and kind is not StepKind.LINEAR:
            return state.step(merged, StepKind.OTHER, name)
        return _reshaped(name, args, merged)
    if last == "pow":
        return binary(state, ast.Pow(), *two(args, kwargs))
    return merged if kind is StepKind.LINEAR else state.step(merged, kind, name)


def _reshaped(name: str, args: list[Value], merged: Data) -> Data:
    last = tables.last_of(name)
    if last in ("transpose", "t") and merged.shape is not None:
        return replace(merged, shape=merged.shape[::-1])
    if last in ("logical_not", "invert", "bitwise_not"):
        return replace(merged, picked=flipped(merged.picked))
    if last in ("shape", "rank", "size", "ndim"):
        return NUMBER
    if last in ("reshape", "constant", "array", "asarray", "cast", "float32") and args:
        first = as_data(args[0])
        return replace(first, shape=shape_of(args[1]) if last == "reshape" and len(args) > 1 else first.shape)
    if last == "gather" and len(args) > 1:
        return picked_from(as_data(args[0]), as_data(args[1]))
    return merged


def _mapped(state: State, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """A library function that calls a function of the notebook: `tf.map_fn`, `tf.while_loop` …"""
    data: list[Value] = [
        value for value in (*args, *kwargs.values()) if not isinstance(value, (Function, Bound))
    ]
    results: list[Data] = []
    for value in (*args, *kwargs.values()):
        if isinstance(value, (Function, Bound)):
            results.append(as_data(state.call(value, data, {})))
    merged = merge(results)
    return merged if merged.chain is None else replace(merged, chain=merged.chain.broken(), is_known=False)


def _pipeline(state: State, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    if tables.last_of(name) == "from_generator" and args:
        made = state.call(args[0], [], {})
        return made if isinstance(made, Stream) else Stream(as_data(made))
    return pipeline(name, [*args, *kwargs.values()])


def shown(state: State, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """An image is shown."""
    given = [as_data(value) for value in (*args, *kwargs.values())]
    picked = next((data.picked for data in given if data.picked is not Picked.NO), state.picked())
    if state.room_for_event():
        state.shown.append(
            Shown(state.cell, state.line, state.run_cell, state.is_called, name, picked),
        )
    return Thing(name, [], {})


def _product(state: State, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    given = [*args, *(value for key, value in kwargs.items() if key not in ("name", "axes"))]
    if name in tables.EINSUMS:
        operands = [value for value in given if text_of(value) is None]
        level = tables.EINSUMS[name]
        if len(operands) != 2:
            merged = merge([as_data(operand) for operand in operands])
            return merged if merged.chain is None else state.step(merged, StepKind.OTHER, name, level=level)
        return product(state, operands[0], operands[1], name, level)
    left, right = two(given, {})
    if name in tables.PRODUCTS_WITH_BIAS:
        done = product(state, left, right, name, tables.PRODUCTS_WITH_BIAS[name])
        if name.endswith("relu_layer"):
            return state.step(as_data(done), StepKind.ACTIVATION, name)
        return done
    return product(state, left, right, name, tables.PRODUCTS[name])
