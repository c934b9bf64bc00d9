"""Compiled functions that a forward pass calls: keeping them alive, and reading what is inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

PASSES_ON = frozenset({"Identity", "Cast", "Reshape", "Transpose", "Squeeze", "ExpandDims", "StopGradient"})
BOOKKEEPING = frozenset(
    {
        *("Const", "ReadVariableOp", "Shape", "ShapeN", "Size", "Rank", "Identity", "IdentityN", "Cast"),
        *("Reshape", "Squeeze", "ExpandDims", "StridedSlice", "Pack", "ConcatV2", "GatherV2", "Prod"),
        *("Range", "Fill", "ZerosLike", "OnesLike", "StopGradient", "PreventGradient", "Placeholder"),
        *("NoOp", "ListDiff"),
    }
)


def functions_called(op_type: str, attributes: Sequence[Any]) -> list[str]:
    """The names of the compiled functions that one operation runs."""
    from tensorflow.python.eager import context

    named = [op_type] if context.context().has_function(op_type) else []
    for value in attributes[1::2]:
        which = getattr(value, "WhichOneof", None)
        if which is not None and which("value") == "func":
            named.append(str(value.func.name))
    return named


def keep_function(name: str) -> None:
    """Hold one more reference to a compiled function, so that it outlives the notebook's own."""
    from tensorflow.python.eager import context

    here = context.context()
    if here.has_function(name):
        here.add_function_def(here.get_function_def(name))


def operations_inside(
    step: Any, entry_keys: set[int], weight_of: Mapping[int, int]
) -> list[tuple[str, int | None]] | None:
    """The operations of the function that a step calls, on the way of the data; None if it calls none."""
    from tensorflow.python.eager import context

    names = functions_called(step.type, step.attributes)
    if not names or not context.context().has_function(names[0]):
        return None
    definition = context.context().get_function_def(names[0])
    arguments = [argument.name for argument in definition.signature.input_arg]
    keys = dict(zip(arguments, step.inputs, strict=False))
    on_way = {name for name, key in keys.items() if key in entry_keys and key not in weight_of}
    weights = {name: weight_of[key] for name, key in keys.items() if key in weight_of}
    named: list[tuple[str, int | None]] = []
    for node in in_order(definition.node_def):
        sources = [source.split(":")[0] for source in node.input if not source.startswith("^")]
        places = [weights[source] for source in sources if source in weights]
        if places and (node.op in PASSES_ON or node.op == "ReadVariableOp"):
            weights[node.name] = places[0]
        elif on_way & set(sources) and node.op not in ("Shape", "Size", "Rank"):
            on_way.add(node.name)
            if node.op not in BOOKKEEPING:
                named.append((node.op, places[0] if places else None))
    return named


def in_order(nodes: Sequence[Any]) -> list[Any]:
    """Nodes so that each comes after those that it reads; the order in a function is arbitrary."""
    waiting = {node.name: node for node in nodes}
    ordered: list[Any] = []
    while waiting:
        ready = [
            node
            for node in waiting.values()
            if not any(source.lstrip("^").split(":")[0] in waiting for source in node.input)
        ]
        if not ready:
            break
        ordered += ready
        for node in ready:
            del waiting[node.name]
    return ordered
