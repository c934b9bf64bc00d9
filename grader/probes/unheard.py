"""Operations of graphs that TensorFlow did not tell of when it built them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from probes.tape import MOST_OPERATIONS, Operation, key_of


def with_unheard(operations: Sequence[Operation]) -> list[Operation]:
    """The operations, and those of graphs that lead to them without having been told of.

    TensorFlow does not tell of compiled functions that a graph calls, nor of what was there before the tape.
    """
    complete: list[Operation] = []
    heard = {key_of(output): operation for operation in operations for output in operation.outputs}
    done: set[int] = set()
    for operation in operations:
        waiting = [operation]
        while waiting and len(complete) < MOST_OPERATIONS:
            producers = [heard.get(key_of(t)) or _unheard(t) for t in waiting[-1].inputs]
            missing = [op for op in producers if op is not None and _place(op) not in done]
            if missing and len(waiting) < MOST_OPERATIONS:
                waiting.append(missing[0])
                continue
            ended = waiting.pop()
            if _place(ended) not in done:
                done.add(_place(ended))
                complete.append(ended)
    return complete


def _place(operation: Operation) -> int:
    """What tells an operation apart from all others: its first output, or itself."""
    return key_of(operation.outputs[0]) if operation.outputs else id(operation)


def _unheard(tensor: Any) -> Operation | None:
    """The operation of a graph that gives a tensor, None in eager mode and where a graph begins."""
    if hasattr(tensor, "numpy") or not hasattr(tensor, "graph"):
        return None
    node = tensor.op
    if node.type in ("Placeholder", "Const"):
        return None
    attributes = tuple(part for pair in node.node_def.attr.items() for part in pair)
    return Operation(node.type, tuple(node.inputs), attributes, tuple(node.outputs))
