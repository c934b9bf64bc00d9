"""Writes a recorded forward pass and its weights down, so that the grader can compute its classes itself.

A compiled function that the forward pass calls is written down operation by operation. What cannot be written
down (an operation with several outputs inside a function, a resource other than a variable) ends it.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from probes.functions import functions_called, in_order
from probes.matching import Way
from probes.plans import Plan, Step
from probes.predicting import Filling, Values
from probes.replay import Replay, eager_value

MOST_STEPS = 1_000
LARGEST_BYTES = 1_500_000  # of one model: what the wire takes at once, in base64
_LARGEST_CONSTANT = 64 * 1024
_MOST_TENSORS = 100  # of one step
_PLAIN = (bool, int, float, str)


class CannotExportError(Exception):
    """Why a forward pass cannot be written down, in a few words."""


def exported(predictor: Replay, values: Values, ways: Sequence[Sequence[Filling]]) -> dict[str, Any]:
    """The fields of `WrittenModel` for a recorded forward pass and weights; raises `CannotExportError`."""
    if len(predictor.feeds) != 1:
        raise CannotExportError("not a recorded forward pass of one input")
    plan, feed = predictor.plan, predictor.feeds[0]
    if sum(value.nbytes for value in values) > 2 * LARGEST_BYTES:
        raise CannotExportError("too many weights")
    writer = _Writer(plan)
    return {
        "ways": [way_facts(filled[0]) for filled in ways],
        "row_shape": list(feed.row_shape),
        "is_transposed": feed.is_transposed,
        "is_integer": bool(feed.dtype.is_integer),
        "batch": plan.batch,
        "entry": str(plan.entries[0].key),
        "logits": str(plan.logits),
        "is_logits_transposed": plan.is_logits_transposed,
        "steps": writer.steps,
        "constants": writer.constants,
        "weights": {str(key): place for key, place in (plan.handles | plan.weights).items()},
        "values": [array_of(value, is_exact=False) for value in values],
    }


def way_facts(filling: Filling) -> dict[str, Any]:
    """The fields of `WayFact`."""
    if not isinstance(filling, Way):
        raise CannotExportError("an input that is no image")
    return {
        "dataset": filling.dataset,
        "fit": filling.fit,
        "preparation": filling.preparation.name,
        "scale": filling.scale,
        "offset": filling.offset,
    }


class _Writer:
    """The steps and constants of one plan as they are written down. Keys of tensors become text."""

    def __init__(self, plan: Plan) -> None:
        self.steps: list[dict[str, Any]] = []
        self.constants: dict[str, Any] = {}
        self._resources = {str(key): value for key, value in plan.constants.items() if _is_resource(value)}
        for key, value in plan.constants.items():
            if not _is_resource(value):
                self.constants[str(key)] = array_of(value.numpy(), is_exact=True)
        for step in plan.steps:
            self._write(step)

    def _write(self, step: Step) -> None:
        inputs, outputs = [str(key) for key in step.inputs], [str(key) for key in step.outputs]
        names = functions_called(step.type, step.attributes)
        if names:
            self._write_function(names[0], inputs, outputs)
            return
        attributes = dict(zip(step.attributes[::2], step.attributes[1::2], strict=False))
        self._add(step.type, inputs, outputs, {str(n): eager_value(v) for n, v in attributes.items()})

    def _write_function(self, name: str, inputs: list[str], outputs: list[str]) -> None:
        """Write what a compiled function does, with names of its own for what is inside."""
        from tensorflow.python.eager import context

        if not context.context().has_function(name):
            raise CannotExportError("a function that is gone")
        definition = context.context().get_function_def(name)
        place = f"{name}@{len(self.steps)}"
        known = dict(zip((a.name for a in definition.signature.input_arg), inputs, strict=False))

        def key_of(source: str) -> str:
            node, _, rest = source.partition(":")
            if rest and not rest.endswith("0"):
                raise CannotExportError("several outputs inside a function")
            return known.get(node, f"{place}/{node}")

        ordered = in_order(definition.node_def)
        if len(ordered) != len(definition.node_def):
            raise CannotExportError("a loop inside a function")
        for node in ordered:
            sources = [key_of(source) for source in node.input if not source.startswith("^")]
            attributes = {name: eager_value(value) for name, value in node.attr.items()}
            called = attributes.get("f")
            if node.op == "Const":
                self.constants[f"{place}/{node.name}"] = array_of(_tensor_of(node), is_exact=True)
            elif isinstance(called, str) and "PartitionedCall" in node.op:
                self._write_function(called, sources, [f"{place}/{node.name}"])
            elif node.op != "NoOp":
                self._add(node.op, sources, [f"{place}/{node.name}"], attributes)
        for output, result in zip(outputs, definition.signature.output_arg, strict=False):
            self._add("Identity", [key_of(definition.ret[result.name])], [output], {})

    def _add(self, op: str, inputs: list[str], outputs: list[str], attributes: dict[str, Any]) -> None:
        if op == "ReadVariableOp" and inputs[0] in self._resources:
            self.constants[outputs[0]] = array_of(self._value_behind(inputs[0], attributes), is_exact=True)
            return
        if any(key in self._resources for key in inputs):
            raise CannotExportError("a resource")
        self.steps.append(step_of(op, inputs, outputs, attributes, place=len(self.steps)))

    def _value_behind(self, key: str, attributes: dict[str, Any]) -> NDArray[Any]:
        """The value now of a variable that was not trained."""
        import tensorflow as tf

        read = tf.raw_ops.ReadVariableOp(resource=self._resources[key], dtype=attributes["dtype"])
        value: NDArray[Any] = read.numpy()
        return value


def step_of(
    op: str, inputs: list[str], outputs: list[str], attributes: dict[str, Any], place: int
) -> dict[str, Any]:
    """The fields of `StepFact` of an operation; raises `CannotExportError` where it is one too many."""
    if place >= MOST_STEPS or max(len(inputs), len(outputs)) > _MOST_TENSORS:
        raise CannotExportError("too many steps, or tensors in one")
    told = {name: _as_text(value) for name, value in attributes.items() if name[:1] != "_"}
    plain = {name: value for name, value in told.items() if _is_plain(value)}
    return {"op": op, "inputs": inputs, "outputs": outputs, "attributes": plain}


def _is_resource(value: Any) -> bool:
    return bool(value.dtype.name == "resource")


def _tensor_of(node: Any) -> NDArray[Any]:
    import tensorflow as tf

    value: NDArray[Any] = tf.make_ndarray(node.attr["value"].tensor)
    return value


def _as_text(value: Any) -> Any:
    return value.decode("ascii", "replace") if isinstance(value, bytes) else value


def _is_plain(value: Any) -> bool:
    if isinstance(value, list):
        return len(value) < 100 and all(isinstance(part, _PLAIN) for part in value)
    return len(value) < 300 if isinstance(value, str) else isinstance(value, _PLAIN)


def array_of(value: NDArray[Any], *, is_exact: bool) -> dict[str, Any]:
    """An array as `ArrayFact` has it: numbers as they are, or (of weights) as shares of the largest."""
    value = np.asarray(value)
    if value.dtype.kind not in "fiub":
        raise CannotExportError("something that is no number")
    if is_exact and value.nbytes > _LARGEST_CONSTANT:
        raise CannotExportError("a large constant")
    scale = 1.0
    if value.dtype.kind == "f":
        scale = 1.0 if is_exact else float(np.abs(value).max(initial=0.0)) or 1.0
        if not np.isfinite(scale):
            raise CannotExportError("weights that are not finite")
        value = value.astype("<f8") if is_exact else (value / scale).astype("<f2")
    else:
        value = value.astype("<i8")
    data = base64.b64encode(value.tobytes()).decode()
    return {"shape": list(value.shape), "type": value.dtype.str[1:], "scale": scale, "data": data}
