"""Training functions as graphs and eagerly: kept while cells run, and timed at the end.

A `tf.function` is kept when it traces, a plain function when it opens a tape, Keras's `train_step` too.
At the end each runs in turn eagerly and as a graph, and so do two networks of ours.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterator, Sequence
from types import CodeType, FrameType
from typing import Any

import numpy as np
from probes.keeping import Kept, function_of, objects_of
from probes.pairing import reference, timed, without_sleep
from probes.places import is_library
from probes.trainings import Training
from probes.work import least_seen_in

MOST_KEPT = 24
Send = Callable[..., None]
_SECONDS, _SECONDS_EACH, _SECONDS_OF_REFERENCE = 24.0, 6.0, 2.0  # of calls in pairs, once they are warm
_LONGEST_CALL = 1.0  # seconds, of one step: what takes longer is not repeated
_LONGEST_PASS = 0.4  # seconds, over a data set of which fewer elements can be taken
_REFERENCE_WIDTHS = (16, 1024)
_MOST_BYTES = 512 * 1024 * 1024
_MOST_TIMED, _MOST_TRIED = 8, 3
_STEP_OF_KERAS = "train_step"  # the one function of a library that is kept: `fit` trains by it
_ELEMENTS = (64, 16, 4)  # of a data set that a function is given; the most that a call gets through in time


class Timings:
    """The training functions of one run, at most `MOST_KEPT`; nothing is kept or timed unless it `is_on`."""

    def __init__(self, current_run: Callable[[], int]) -> None:
        self.is_on = False
        self.kept: dict[tuple[Any, ...], Kept] = {}
        self._current_run = current_run
        self._opened: Kept | None = None
        self._unknown: set[tuple[Any, ...]] = set()

    def traced(self, function: Any, seen: Any, arguments: Any, named: Any) -> None:
        """A `tf.function` of the notebook's own was traced for these arguments."""
        key = (id(function), *objects_of(arguments), *objects_of(tuple(named.values())))
        if self.is_on and seen.is_own and key not in self.kept and len(self.kept) < MOST_KEPT:
            python = function.python_function
            kept = Kept(python, function, seen, self._current_run(), (tuple(arguments), named))
            kept.training = seen.latest
            self.kept[key] = kept

    def tape_opened(self, frame: FrameType | None, code: CodeType) -> None:
        """Eager code opened a tape in a frame of `code`."""
        self._opened = None
        if not self.is_on:
            return
        while frame is not None and frame.f_code is not code:
            frame = frame.f_back
        if frame is None or code.co_name.startswith("<"):
            return
        if is_library(code) and code.co_name != _STEP_OF_KERAS:
            return
        values = frame.f_locals
        given = [values.get(name) for name in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]]
        free = tuple(values.get(name) for name in code.co_freevars)
        key = (id(code), *objects_of(given), *objects_of(free))
        self._opened = self.kept.get(key)
        if (
            self._opened is None
            and len(self.kept) + len(self._unknown) < MOST_KEPT
            and key not in self._unknown
        ):
            python = function_of(code, values)
            if python is None:
                self._unknown.add(key)
                return
            named = dict(zip(code.co_varnames[code.co_argcount :], given[code.co_argcount :], strict=False))
            arguments = (tuple(given[: code.co_argcount]), named)
            self._opened = self.kept[key] = Kept(python, None, None, self._current_run(), arguments)

    def gradient_asked(self, training: Any) -> None:
        """Gradients of a training were computed on the tape that was opened last."""
        if self._opened is not None:
            self._opened.training = training

    def measure(self, send: Send, deadline: float, trainings: Sequence[Training]) -> None:
        """Time all that trains, and the references; one that fails is told with its reason.

        Nothing is done where of all `trainings` none was by graphs, or none by eager steps. All variables are
        restored.
        """
        chosen = self._chosen(trainings)
        if not chosen:
            return
        share = min(_SECONDS_EACH, _SECONDS / len(chosen))
        with _restored() as restore:
            for width in _REFERENCE_WIDTHS:
                eagerly, graph, parameters = reference(width)
                told = timed(eagerly, graph, _SECONDS_OF_REFERENCE, deadline, _LONGEST_CALL)
                send("timing", name="reference", is_reference=True, parameters=parameters, **told)
            for alike in chosen:
                for kept in alike[:_MOST_TRIED]:
                    restore()
                    told = _told_of(kept, share, deadline, restore)
                    send("timing", **kept.fields, **told)
                    if "why_not" not in told:
                        break

    def _chosen(self, trainings: Sequence[Training]) -> list[list[Kept]]:
        """What is timed: of each size that trained both ways, and of loops in graphs, the first that can be.

        A `tf.function` comes before a plain function.
        """
        graph = {training.parameters for training in trainings if training.graph_steps}
        eager = {training.parameters for training in trainings if training.eager_gradients}
        if not graph or not eager:
            return []
        trained = [kept for kept in self.kept.values() if kept.training is not None]
        in_order = sorted(trained, key=lambda kept: kept.compiled is None)
        alike: dict[tuple[int, bool], list[Kept]] = {}
        for kept in in_order:
            if kept.parameters in graph & eager or kept.is_loop:
                alike.setdefault((kept.parameters, kept.is_loop), []).append(kept)
        return list(alike.values())[:_MOST_TIMED]


def _told_of(kept: Kept, seconds: float, deadline: float, restore: Callable[[], None]) -> dict[str, Any]:
    """One function's times, and what it does eagerly and as a graph; or why there are none.

    It may count its calls, or know where it is called from: it has to train still, when it was timed.
    """
    try:
        with kept.bound():
            told = _timed_in_reason(kept, seconds, deadline)
            eagerly, graph = kept.calls(_ELEMENTS[-1])
            with without_sleep():
                for call, mode in ((eagerly, "eagerly"), (graph, "as a graph")):
                    restore()  # trained further on the same inputs, it may have nothing to learn any more
                    if "eager" in told and not kept.trains_by(call):
                        return {"why_not": f"called again {mode}, it does not train"}
                return told | kept.in_graph(graph) | least_seen_in(eagerly)
    except Exception as failure:  # noqa: BLE001 - one that fails must not cost the others
        last = str(failure).strip().rpartition("\n")[2].strip()
        return {"why_not": f"{type(failure).__name__}: {last}"[:200]}


def _timed_in_reason(kept: Kept, seconds: float, deadline: float) -> dict[str, Any]:
    """One function's times, on as many elements of data sets as its calls get through."""
    if kept.is_given_data:
        for elements in _ELEMENTS[:-1]:
            told = timed(*kept.calls(elements), seconds, deadline, _LONGEST_PASS)
            if "why_not" not in told:
                return told
    return timed(*kept.calls(_ELEMENTS[-1]), seconds, deadline, _LONGEST_CALL)


@contextlib.contextmanager
def _restored() -> Iterator[Callable[[], None]]:
    """All variables that are alive have their values again when the context ends, or what it gives is called.

    Raises MemoryError when there are too many of them to be copied.
    """
    from tensorflow.python.ops.resource_variable_ops import BaseResourceVariable

    alive = [one for one in gc.get_objects() if isinstance(one, BaseResourceVariable)]
    if (
        sum(int(np.prod(one.shape.as_list())) * one.dtype.size for one in alive if one.shape.rank)
        > _MOST_BYTES
    ):
        raise MemoryError("too many variables to be copied")
    values = []
    for variable in alive:
        with contextlib.suppress(Exception):  # a variable of a graph, or without a value
            values.append((variable, variable.read_value().numpy()))

    def restore() -> None:
        for variable, value in values:
            variable.assign(value)

    try:
        yield restore
    finally:
        restore()
