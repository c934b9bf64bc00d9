"""Runs a plan again, with given weights, on new inputs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from probes.feeds import Feed
from probes.plans import Plan, Step
from probes.predicting import Scores, Snapshot, Values

_SHAPING = frozenset({"Mul", "AddV2", "Sub", "Cast", "Identity"})  # uniform numbers from random bits


class Replay:
    """A predictor: the recorded operations from the data to the logits.

    Dropout is replaced by what it gives on average, as at test time.
    """

    def __init__(self, plan: Plan, feeds: Sequence[Feed]) -> None:
        self.plan = plan
        self.feeds = feeds
        self.batch = plan.batch
        self._last_uses = _last_uses(plan)

    @contextlib.contextmanager
    def running(self, snapshot: Snapshot) -> Iterator[Callable[[Sequence[NDArray[Any]]], Scores]]:
        """See `Predictor`."""
        import tensorflow as tf

        with tf.device("CPU:0"):
            given, _alive = _given(self.plan, snapshot.weights)
            steps = [step._replace(attributes=_eager_attributes(step.attributes)) for step in self.plan.steps]
            yield lambda arrays: self._run(steps, dict(given), arrays)

    def _run(self, steps: Sequence[Step], values: dict[int, Any], arrays: Sequence[NDArray[Any]]) -> Scores:
        for entry, feed, array in zip(self.plan.entries, self.feeds, arrays, strict=True):
            values[entry.key] = feed.tensor(array)
        _run_steps(steps, values, self._last_uses)
        logits: Scores = np.asarray(values[self.plan.logits]).astype(np.float64)
        return logits.T if self.plan.is_logits_transposed else logits


def _given(plan: Plan, weights: Values) -> tuple[dict[int, Any], list[Any]]:
    """Values by key: constants, weights, and variables that stand for the weights' own; and these."""
    import tensorflow as tf

    read = {key for step in plan.steps for key in step.inputs}
    tensors = [tf.constant(weight) for weight in weights]
    given = dict(plan.constants)
    given |= {key: tensors[place] for key, place in plan.weights.items() if key in read}
    places = sorted({place for key, place in plan.handles.items() if key in read})
    variables = {place: tf.Variable(tensors[place], trainable=False) for place in places}
    given |= {key: variables[place].handle for key, place in plan.handles.items() if place in variables}
    return given, list(variables.values())


def _last_uses(plan: Plan) -> list[list[int]]:
    """Per step, the keys that no later step reads."""
    seen = {plan.logits}
    found: list[list[int]] = []
    for step in reversed(plan.steps):
        keys = set(step.inputs) | set(step.outputs)
        found.append(list(keys - seen))
        seen |= keys
    return found[::-1]


def _run_steps(steps: Sequence[Step], values: dict[int, Any], last_uses: Sequence[Sequence[int]]) -> None:
    """Run all steps, whose attributes are in eager form, taking from `values` what no later step needs."""
    from tensorflow.python.eager import context, execute

    here = context.context()
    shares: dict[int, float] = {}  # of ones in the masks that a random comparison gave
    drawn: set[int] = set()
    for step, unused in zip(steps, last_uses, strict=True):
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
            name = step.type.encode()
            outputs = execute.quick_execute(name, len(step.outputs), inputs, step.attributes, here)
        values.update(zip(step.outputs, outputs or (), strict=False))
        for key in unused:
            values.pop(key, None)


def _on_average(op_type: str, share: float, inputs: list[Any], attributes: Sequence[Any]) -> Any:
    """What a dropout's mask of `share` ones gives on average: as numbers, or as a choice between two."""
    import tensorflow as tf

    if op_type == "SelectV2":
        return inputs[1] * share + inputs[2] * (1 - share)
    named = dict(zip(attributes[::2], attributes[1::2], strict=False))
    kind = tf.as_dtype(named["DstT"])
    return tf.fill(tf.shape(inputs[0]), tf.cast(share, kind))


def _eager_attributes(attributes: Sequence[Any]) -> tuple[Any, ...]:
    """Attributes in the form that eager execution takes; those of a graph are protocol buffers."""
    named = {}
    for name, value in zip(attributes[::2], attributes[1::2], strict=False):
        if not str(name).startswith("_") and value is not None:
            named[name] = eager_value(value)
    return tuple(part for pair in named.items() for part in pair)


def eager_value(value: Any) -> Any:
    """One attribute in the form that eager execution takes."""
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
