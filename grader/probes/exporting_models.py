"""Writes the call of a Keras model and its weights down, as `exporting` does recorded forward passes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from probes.calling import CalledModel
from probes.exporting import LARGEST_BYTES, MOST_STEPS, CannotExportError, array_of, step_of, way_facts
from probes.predicting import Filling, Snapshot
from probes.replay import eager_value
from probes.traced import graph_of


def exported_call(
    predictor: CalledModel, snapshot: Snapshot, ways: Sequence[Sequence[Filling]]
) -> dict[str, Any]:
    """The fields of `WrittenModel` for a model with these weights; raises `CannotExportError`."""
    if len(predictor.feeds) != 1:
        raise CannotExportError("a model of several inputs")
    if sum(value.nbytes for value in snapshot.weights) > 2 * LARGEST_BYTES:
        raise CannotExportError("too many weights")
    import tensorflow as tf

    (feed,) = predictor.feeds
    entry = tf.TensorSpec([None, *feed.row_shape], feed.dtype)
    graph = graph_of(lambda batch: predictor.scores_of([batch]), entry)
    writer = _Writer(graph, predictor, snapshot)
    return {
        "ways": [way_facts(filled[0]) for filled in ways],
        "row_shape": list(feed.row_shape),
        "is_integer": bool(feed.dtype.is_integer),
        "entry": writer.key_of(graph.inputs[0]),
        "logits": writer.key_of(graph.outputs[0]),
        "steps": writer.steps,
        "constants": writer.constants,
        "weights": writer.weights,
        "values": [array_of(value, is_exact=False) for value in snapshot.weights],
    }


class _Writer:
    """The steps, constants and places of weights of one graph as they are written down."""

    def __init__(self, graph: Any, predictor: CalledModel, snapshot: Snapshot) -> None:
        self.steps: list[dict[str, Any]] = []
        self.constants: dict[str, Any] = {}
        self.weights: dict[str, int] = {}
        self._keys: dict[str, str] = {}
        self._places = {id(variable.handle): place for place, variable in enumerate(predictor.weights)}
        state = zip(predictor.state, snapshot.state, strict=True)
        self._state = {id(variable.handle): value for variable, value in state}
        self._captured = {inside.name: outside for outside, inside in graph.captures}
        for outside, inside in graph.captures:
            if outside.dtype.name != "resource":
                self._add_constant(inside, outside.numpy())
        needed = _leading_to(graph.outputs[0])
        for operation in graph.get_operations():
            if operation.name in needed and operation.type != "Placeholder":
                self._write(operation)

    def key_of(self, tensor: Any) -> str:
        """A short key: names of tensors have those of all models and layers around in them."""
        return self._keys.setdefault(tensor.name, f"t{len(self._keys)}")

    def _write(self, operation: Any) -> None:
        import tensorflow as tf

        if operation.type == "Const":
            self._add_constant(operation.outputs[0], tf.make_ndarray(operation.get_attr("value")))
        elif operation.type == "ReadVariableOp":
            self._read(self._captured.get(operation.inputs[0].name), operation.outputs[0])
        elif any(source.dtype == tf.resource for source in operation.inputs):
            raise CannotExportError("a resource")
        else:
            inputs = [self.key_of(tensor) for tensor in operation.inputs]
            outputs = [self.key_of(tensor) for tensor in operation.outputs]
            attributes = {name: eager_value(value) for name, value in operation.node_def.attr.items()}
            self.steps.append(step_of(operation.type, inputs, outputs, attributes, place=len(self.steps)))

    def _read(self, handle: Any, tensor: Any) -> None:
        if id(handle) in self._places:
            self.weights[self.key_of(tensor)] = self._places[id(handle)]
        elif id(handle) in self._state:
            self._add_constant(tensor, self._state[id(handle)])
        else:
            raise CannotExportError("a variable that is not the model's")

    def _add_constant(self, tensor: Any, value: Any) -> None:
        if len(self.constants) >= MOST_STEPS:
            raise CannotExportError("too many constants")
        self.constants[self.key_of(tensor)] = array_of(value, is_exact=True)


def _leading_to(output: Any) -> set[str]:
    """The names of the operations that an output is computed from."""
    found, waiting = {output.op.name}, [output.op]
    while waiting:
        for source in waiting.pop().inputs:
            if source.op.name not in found:
                found.add(source.op.name)
                waiting.append(source.op)
    return found
