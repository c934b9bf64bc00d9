"""Runs a plan again, with given weights, on new inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from probes.plans import Plan

NO_CLASS = 255
_FREE_CHUNK = 500
_SHAPING = frozenset({"Mul", "AddV2", "Sub", "Cast", "Identity"})  # uniform numbers from random bits


def replay(plan: Plan, weights: Sequence[NDArray[Any]], rows: NDArray[Any]) -> NDArray[np.uint8]:
    """The class (argmax of the logits) of each of `rows` (n, *row_shape); 255 where it is not finite.

    Dropout is replaced by what it gives on average, as at test time.
    """
    import tensorflow as tf

    size = plan.batch or _FREE_CHUNK
    classes = np.full(len(rows), NO_CLASS, dtype=np.uint8)
    with tf.device("CPU:0"):
        given = _given(plan, weights)
        for start in range(0, len(rows), size):
            chunk = rows[start : start + size]
            count = len(chunk)
            if count < size and plan.batch is not None:
                chunk = np.concatenate([chunk, np.repeat(chunk[-1:], size - count, axis=0)])
            logits = _run(plan, dict(given), chunk)[:count]
            is_finite = np.isfinite(logits).all(axis=1)
            found = logits.argmax(axis=1)
            classes[start : start + count] = np.where(is_finite & (found < NO_CLASS), found, NO_CLASS)
    return classes


def _given(plan: Plan, weights: Sequence[NDArray[Any]]) -> dict[int, Any]:
    """Values by key: constants, weights, and variables that stand for the weights' own."""
    import tensorflow as tf

    read = {key for step in plan.steps for key in step.inputs}
    tensors = [tf.constant(weight) for weight in weights]
    given = dict(plan.constants)
    given |= {key: tensors[place] for key, place in plan.weights.items() if key in read}
    variables = [tf.Variable(tensors[place], trainable=False) for place in _by_handle(plan, read)]
    places = dict(zip(_by_handle(plan, read), variables, strict=True))
    given |= {key: places[place].handle for key, place in plan.handles.items() if place in places}
    given[-1] = variables  # keeps them alive
    return given


def _by_handle(plan: Plan, read: set[int]) -> list[int]:
    return sorted({place for key, place in plan.handles.items() if key in read})


def _run(plan: Plan, values: dict[int, Any], chunk: NDArray[Any]) -> NDArray[Any]:
    import tensorflow as tf
    from tensorflow.python.eager import context, execute

    fed = np.moveaxis(chunk, 0, -1) if plan.is_transposed else chunk
    values[plan.entry] = tf.cast(tf.constant(fed), plan.entry_dtype)
    here = context.context()
    shares: dict[int, float] = {}  # of ones in the masks that a random comparison gave
    drawn: set[int] = set()
    for step in plan.steps:
        inputs = [values[key] for key in step.inputs]
        if "Random" in step.type or (step.type in _SHAPING and drawn.intersection(step.inputs)):
            drawn.update(step.outputs)
        elif step.type == "GreaterEqual" and step.inputs[0] in drawn and inputs[1].shape.rank == 0:
            shares[step.outputs[0]] = 1.0 - float(inputs[1])
        elif step.inputs and step.inputs[0] in shares and step.type in ("Cast", "SelectV2"):
            values[step.outputs[0]] = _on_average(step.type, shares[step.inputs[0]], inputs, step.attributes)
            continue
        if here.has_function(step.type):
            outputs = here.call_function(step.type.encode(), inputs, len(step.outputs))
        else:
            attributes = _eager_attributes(step.attributes)
            name = step.type.encode()
            outputs = execute.quick_execute(name, len(step.outputs), inputs, attributes, here)
        values.update(zip(step.outputs, outputs or (), strict=False))
    logits: NDArray[Any] = np.asarray(tf.cast(values[plan.logits], tf.float64))
    return logits


def _on_average(op_type: str, share: float, inputs: list[Any], attributes: Sequence[Any]) -> Any:
    """What a dropout's mask of `share` ones gives on average: as numbers, or as a choice between two."""
    import tensorflow as tf

    if op_type == "SelectV2":
        return inputs[1] * share + inputs[2] * (1 - share)
    named = dict(zip(attributes[::2], attributes[1::2], strict=False))
    kind = tf.as_dtype(_eager_value(named["DstT"]))
    return tf.fill(tf.shape(inputs[0]), tf.cast(share, kind))


def _eager_attributes(attributes: Sequence[Any]) -> tuple[Any, ...]:
    """Attributes in the form that eager execution takes; those of a graph are protocol buffers."""
    named = {}
    for name, value in zip(attributes[::2], attributes[1::2], strict=False):
        if not str(name).startswith("_") and value is not None:
            named[name] = _eager_value(value)
    return tuple(part for pair in named.items() for part in pair)


def _eager_value(value: Any) -> Any:
    which = getattr(value, "WhichOneof", None)
    if which is None:
        return getattr(value, "as_datatype_enum", value)
    kind = which("value")
    if kind == "shape":
        return None if value.shape.unknown_rank else [dim.size for dim in value.shape.dim]
    if kind == "func":
        return value.func.name
    if kind == "list":
        for field in ("i", "f", "b", "s", "type"):
            if len(getattr(value.list, field)):
                return list(getattr(value.list, field))
        return [[dim.size for dim in shape.dim] for shape in value.list.shape]
    return getattr(value, kind) if kind else None
