"""The graph of a model as TensorFlow traces it: for models that say only when they run what feeds what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

MOST_OPERATIONS = 1_200
_MOST_TEXT = 120
_LOOKS_AT_SHAPE = frozenset({"Shape", "ShapeN", "Size", "Rank"})
_PASSED_OVER = frozenset({"Identity", "IdentityN", "NoOp", "ReadVariableOp", "Const", "Placeholder"})


def operations_of(model: Any, arguments: Any, named: Any) -> list[dict[str, Any]]:
    """The operations that data go through when a model is called, in order: `inputs` are places in the list.

    `arguments` and `named` are those of a call, with tensor specs in the place of tensors. The first
    operations are the inputs. Reading weights and passing values on are left out. Nothing of a model with
    more than `MOST_OPERATIONS`.
    """
    import tensorflow as tf

    graph = graph_of(lambda given, others: model(*given, **others), arguments, named)
    places: dict[str, int] = {}
    found: list[dict[str, Any]] = []
    for tensor in graph.inputs:
        if tensor.dtype != tf.resource:
            places[tensor.op.name] = len(found)
            found.append(_described(tensor.op, "Input", []))
    for operation in graph.get_operations():
        sources = [places[tensor.op.name] for tensor in operation.inputs if tensor.op.name in places]
        is_of_no_use = not sources or operation.type in _LOOKS_AT_SHAPE
        if operation.name in places or is_of_no_use:
            continue
        if operation.type in _PASSED_OVER:
            places[operation.name] = sources[0]
            continue
        places[operation.name] = len(found)
        found.append(_described(operation, operation.type, sorted(set(sources))))
    return found if len(found) <= MOST_OPERATIONS else []


def graph_of(call: Callable[..., Any], *arguments: Any) -> Any:
    """TensorFlow's graph of a call, the `tf.function`s in it written out; else as calls of them."""
    import tensorflow as tf

    def traced() -> Any:
        return tf.function(call, autograph=False).get_concrete_function(*arguments).graph

    was_eager = tf.config.functions_run_eagerly()
    try:
        tf.config.run_functions_eagerly(True)
        return traced()
    except Exception:  # noqa: BLE001 - the notebook's own code, which may need AutoGraph
        tf.config.run_functions_eagerly(False)
        return traced()
    finally:
        tf.config.run_functions_eagerly(was_eager)


def _described(operation: Any, kind: str, sources: list[int]) -> dict[str, Any]:
    described = {
        "op": kind,
        "name": operation.name[-_MOST_TEXT:],
        "shape": _shape_of(operation.outputs[0]) if operation.outputs else None,
        "inputs": sources,
    }
    kernel = _shape_of(operation.inputs[1]) if "Conv" in kind and len(operation.inputs) > 1 else None
    return described | ({"kernel": kernel[:-2]} if kernel is not None and None not in kernel else {})


def _shape_of(tensor: Any) -> list[int | None] | None:
    shape = tensor.shape
    return None if shape.rank is None else list(shape.as_list())
