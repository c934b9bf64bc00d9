"""What a call does: operations that an eager one runs and a graph holds, time that is not TensorFlow's."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from probes.pairing import clock, finished, seconds_of
from probes.places import is_library

_LIBRARIES = tuple(f"{os.sep}{name}{os.sep}" for name in ("tensorflow", "keras", "tf_keras"))
_RUN_AN_OPERATION = ("TFE_Py_FastPathExecute", "TFE_Py_Execute")
_OURS = str(Path(__file__).parent)
_MOST_LOOKED_INTO = 100 * 1024 * 1024  # bytes of arrays in a graph; with more it is not copied for that
_MOST_CALLS, _LITTLE = 3, 0.1
_LOOPS = ("While", "ReduceDataset", "ScanDataset", "MapDataset")  # in names of operations


class _Look(NamedTuple):
    """One eager call that was looked into: seconds outside and inside TensorFlow, operations that it ran."""

    outside: float
    inside: float
    operations: int

    @property
    def share(self) -> float:
        """The part of the time that is outside, from 0 to 1."""
        return self.outside / max(self.outside + self.inside, 1e-9)


def least_seen_in(call: Callable[[], Any]) -> dict[str, Any]:
    """Fields of `Timing` on eager calls: `outside`, the least share of a few calls, and `eager_operations`.

    On a busy machine a call is held up anywhere; more than one is looked at where much is outside. What a
    call takes that nobody looks into, and not where one does, is outside, too: it may know of that.
    """
    looks: list[_Look] = []
    plain: list[float] = []
    outside = 1.0
    while len(looks) < _MOST_CALLS and outside > _LITTLE:
        plain.append(seconds_of(call))
        looks.append(_looked_into(call))
        unseen = 1 - min(one.inside for one in looks) / max(min(plain), 1e-9)
        outside = max(unseen, min(one.share for one in looks))
    return {"outside": outside, "eager_operations": max(one.operations for one in looks)}


def _looked_into(call: Callable[[], Any]) -> _Look:
    """What the notebook calls of C, and of other libraries, is outside, too.

    Looking slows Python down, TensorFlow's above all, even without the time that it takes itself: what is
    outside is rather too small a share.
    """
    spent = {True: 0.0, False: 0.0}
    operations = 0
    is_outside, last = False, clock()

    def heard(frame: FrameType | None, event: str, called: Any) -> None:
        nonlocal is_outside, last, operations
        spent[is_outside] += clock() - last
        operations += event == "c_call" and getattr(called, "__name__", "") in _RUN_AN_OPERATION
        frame = frame.f_back if frame is not None and event == "return" else frame
        is_outside = _is_outside(frame)
        last = clock()  # of the time between two calls of this, nothing is its own

    before = sys.getprofile()
    sys.setprofile(heard)
    try:
        finished(call())
    finally:
        sys.setprofile(before)
    return _Look(spent[True], spent[False], operations)


def _is_outside(frame: FrameType | None) -> bool:
    """Whether it is the notebook's, or of a library that the notebook calls and not TensorFlow."""
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith(_OURS) or any(library in file for library in _LIBRARIES):
            return False
        if not is_library(frame.f_code):
            return True
        frame = frame.f_back
    return False


def parts_of(graph: Any) -> dict[str, Any]:
    """Fields of `Timing` on a graph: bytes of arrays in it, its operations, and those that go back to Python.

    Operations are not counted where some stand in loops, and so run more often.
    """
    operations = graph.get_operations()
    arrays = [operation.outputs[0] for operation in operations if operation.type == "Const"]
    size = sum(int(array.shape.num_elements() or 0) * array.dtype.size for array in arrays)
    if size > _MOST_LOOKED_INTO:
        return {"constant_bytes": size}
    inner = [node for function in graph.as_graph_def().library.function for node in function.node_def]
    kinds = [operation.type for operation in operations] + [node.op for node in inner]
    has_loops = any(loop in kind for kind in kinds for loop in _LOOPS)
    return {
        "constant_bytes": size,
        "python_operations": sum("PyFunc" in kind for kind in kinds),
        "graph_operations": 0 if has_loops else len(kinds),
    }
