"""The graph of a model as TensorFlow traces it: for models that say only when they run what feeds what."""

from __future__ import annotations

from typing import Any

MOST_OPERATIONS = 1_200
_MOST_TEXT = 120
_LOOKS_AT_SHAPE = frozenset({"Shape", "ShapeN", "Size", "Rank"})
_PASSED_OVER = frozenset({"Identity", "NoOp", "ReadVariableOp", "Const", "Placeholder"})


def operations_of(model: Any, arguments: Any, named: Any) -> list[dict[str, Any]]:
    """The operations that data go through when a model is called, in order: `inputs` are places in the list.

    `arguments` and `named` are those of a call, with tensor specs in the place of tensors. The first
    operations are the inputs. Reading weights and passing values on are left out.
    """
    import tensorflow as tf

    traced = tf.function(lambda given, others: model(*given, **others), autograph=False)
    graph = traced.get_concrete_function(arguments, named).graph
    places: dict[str, int] = {}
    found: list[dict[str, Any]] = []
    for tensor in graph.inputs:
        if tensor.dtype != tf.resource:
            places[tensor.op.name] = len(found)
            found.append(_described(tensor.op, "Input", []))
    for operation in graph.get_operations():
        sources = [places[tensor.op.name] for tensor in operation.inputs if tensor.op.name in places]
        is_of_no_use = not sources or operation.type in _LOOKS_AT_SHAPE
        if operation.name in places or is_of_no_use or len(found) >= MOST_OPERATIONS:
            continue
        if operation.type in _PASSED_OVER:
            places[operation.name] = sources[0]
            continue
        places[operation.name] = len(found)
        found.append(_described(operation, operation.type, sorted(set(sources))))
    return found


def _described(operation: Any, kind: str, sources: list[int]) -> dict[str, Any]:
    shape = operation.outputs[0].shape if operation.outputs else None
    is_known = shape is not None and shape.rank is not None
    return {
        "op": kind,
        "name": operation.name[-_MOST_TEXT:],
        "shape": shape.as_list() if is_known and shape is not None else None,
        "inputs": sources,
    }
