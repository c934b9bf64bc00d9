"""Training functions as graphs and eagerly: what is kept of them while cells run, and timed at the end.

A `tf.function` is kept when it traces, a plain function when it opens a tape: its arguments (tensors by dtype
and shape only), and the models, optimisers and variables that its code finds among the globals, which may be
others by the end. At the end each runs in turn eagerly and as a graph, and so do two networks of ours.
"""

from __future__ import annotations

import contextlib
import gc
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from time import perf_counter as clock  # taken before any code of a notebook runs; `asking.py` looks at it
from types import CodeType, FrameType, FunctionType
from typing import Any

import numpy as np
from probes.places import code_of, is_library

MOST_KEPT = 24
Send = Callable[..., None]
_MOST_PAIRS = 150
_FEWEST_PAIRS = 9
_NARROW = 0.04  # half the width of the interval of the logarithm of the ratio, at which enough is known
_SECONDS, _SECONDS_EACH = 24.0, 6.0
_REFERENCE_WIDTHS = (16, 1024)
_REFERENCE_BATCH = 64
_DEPTH = 3  # functions that call functions, whose globals are looked at
_MOST_BYTES = 512 * 1024 * 1024
_LONGEST_CALL = 0.4  # seconds, of a graph: what takes longer is not repeated
_MOST_TIMED = 8
_STEPS_PER_CALL = 10
_ELEMENTS = (64, 16, 4)  # of a data set that a function is given; the most that a call gets through in time
_sleep = time.sleep


class Empty:
    """A tensor among the arguments: its dtype and shape, to be filled with other numbers."""

    def __init__(self, value: Any) -> None:
        self.dtype, self.shape = value.dtype, tuple(int(dim) for dim in value.shape)
        self.is_array = isinstance(value, np.ndarray)

    def filled(self) -> Any:
        """Numbers in [0, 1) where they can be, else zeros, which are classes and truth values, too."""
        import tensorflow as tf

        dtype = tf.as_dtype(self.dtype)
        numbers = np.random.default_rng(0).random(self.shape) if dtype.is_floating else np.zeros(self.shape)
        array = np.asarray(numbers, dtype.as_numpy_dtype)
        return array if self.is_array else tf.constant(array)


class Kept:
    """One training function and a call's arguments; `compiled` is its `tf.function`, None for a plain one."""

    def __init__(
        self, python: Any, compiled: Any, seen: Any, run: int, given: tuple[tuple[Any, ...], dict[str, Any]]
    ) -> None:
        self.python, self.compiled, self.seen, self.run = python, compiled, seen, run
        self.name = str(getattr(python, "__name__", "?"))[:200]
        arguments, named = given
        self.arguments = [_emptied(argument) for argument in arguments]
        self.named = {name: _emptied(argument) for name, argument in named.items()}
        code = code_of(python)
        self.globals: dict[str, Any] = {} if code is None else getattr(python, "__globals__", {})
        self.found = {} if code is None else _objects_in(code, self.globals, _DEPTH)
        self.training: Any = None

    @property
    def signature(self) -> str:
        """Dtypes and shapes of the tensors that go in."""
        leaves = [*_leaves(self.arguments), *_leaves(self.named)]
        told = [f"{np.dtype(_numpy(leaf.dtype)).name}{list(leaf.shape)}" for leaf in leaves]
        return ", ".join(told)[:200]

    @property
    def parameters(self) -> int:
        """How many numbers the weights that it trains hold."""
        return sum(int(np.prod(shape)) for shape in self.training.shapes)

    @property
    def is_loop(self) -> bool:
        """Whether a call of the compiled function takes many steps."""
        return self.seen is not None and self.training.gradients >= _STEPS_PER_CALL * self.seen.calls > 0

    @property
    def is_given_data(self) -> bool:
        """Whether a data set is among the arguments."""
        import tensorflow as tf

        return any(map(_is_data, tf.nest.flatten((self.arguments, self.named))))

    @property
    def fields(self) -> dict[str, Any]:
        """What is told of it, besides the times: fields of `Timing`."""
        return {
            "at_run": self.run,
            "name": self.name,
            "parameters": self.parameters,
            "signature": self.signature,
        }

    @contextlib.contextmanager
    def bound(self) -> Iterator[None]:
        """Its globals stand for what they stood for when it was called."""
        before = {name: self.globals[name] for name in self.found if name in self.globals}
        self.globals.update(self.found)
        try:
            yield
        finally:
            self.globals.update(before)

    def calls(self, elements: int) -> tuple[Callable[[], Any], Callable[[], Any]]:
        """The function called eagerly, and as a graph, on the same inputs: `elements` of data sets."""
        import tensorflow as tf

        graph = self.compiled if self.compiled is not None else tf.function(self.python)
        arguments, named = (_filled(given, elements) for given in (self.arguments, self.named))

        def eagerly() -> Any:
            tf.config.run_functions_eagerly(True)
            try:
                return graph(*arguments, **named)
            finally:
                tf.config.run_functions_eagerly(False)

        return eagerly, lambda: graph(*arguments, **named)


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
        key = (id(function), *_objects(arguments), *_objects(tuple(named.values())))
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
        if frame is None or code.co_name.startswith("<") or is_library(code):
            return
        values = frame.f_locals
        count = code.co_argcount + code.co_kwonlyargcount
        arguments = {name: values.get(name) for name in code.co_varnames[:count]}
        free = tuple(values.get(name) for name in code.co_freevars)
        key = (id(code), *_objects(tuple(arguments.values())), *_objects(free))
        self._opened = self.kept.get(key)
        if (
            self._opened is None
            and len(self.kept) + len(self._unknown) < MOST_KEPT
            and key not in self._unknown
        ):
            python = _function_of(code, values)
            if python is None:
                self._unknown.add(key)
                return
            self._opened = self.kept[key] = Kept(python, None, None, self._current_run(), ((), arguments))

    def gradient_asked(self, training: Any) -> None:
        """Gradients of a training were computed on the tape that was opened last."""
        if self._opened is not None:
            self._opened.training = training

    def measure(self, send: Send, deadline: float) -> None:
        """Time all that trains, and the references; one that fails is told with its reason.

        Nothing is done where no graph was compared with eager steps. All variables are restored.
        """
        chosen = self._chosen()
        if not chosen:
            return
        share = min(_SECONDS_EACH, _SECONDS / (len(chosen) + len(_REFERENCE_WIDTHS)))
        with _restored():
            for width in _REFERENCE_WIDTHS:
                eagerly, graph, parameters = reference(width)
                told = timed(eagerly, graph, min(deadline, clock() + share))
                send("timing", name="reference", is_reference=True, parameters=parameters, **told)
            for kept in chosen:
                try:
                    with kept.bound():
                        told = _timed_in_reason(kept, min(deadline, clock() + share))
                except Exception as failure:  # noqa: BLE001 - one that fails must not cost the others
                    told = {"why_not": f"{type(failure).__name__}: {failure}"[:200]}
                send("timing", **kept.fields, **told)

    def _chosen(self) -> list[Kept]:
        """What is timed, once per model and shapes: sizes that trained both ways, and loops in graphs.

        Nothing where only graphs, or no graphs, trained.
        """
        trained = [kept for kept in self.kept.values() if kept.training is not None]
        plain = [kept for kept in trained if kept.compiled is None]
        compiled = [kept for kept in trained if kept.compiled is not None]
        has_graphs = any(kept.seen.calls > kept.seen.eager_calls for kept in compiled)
        if not has_graphs or not plain:
            return []
        both = {kept.parameters for kept in plain} & {kept.parameters for kept in compiled}
        chosen = [kept for kept in (*compiled, *plain) if kept.parameters in both or kept.is_loop]
        first = {(kept.name, kept.parameters, kept.signature): kept for kept in chosen}
        return list(first.values())[:_MOST_TIMED]


def _timed_in_reason(kept: Kept, deadline: float) -> dict[str, Any]:
    """One function's times, on as many elements of data sets as its calls get through."""
    if kept.is_given_data:
        for elements in _ELEMENTS[:-1]:
            told = timed(*kept.calls(elements), deadline, longest_eagerly=_LONGEST_CALL)
            if "why_not" not in told:
                return told
    return timed(*kept.calls(_ELEMENTS[-1]), deadline)


def timed(
    eagerly: Callable[[], Any],
    graph: Callable[[], Any],
    deadline: float,
    longest_eagerly: float = math.inf,
) -> dict[str, Any]:
    """Seconds of pairs of calls, in alternation, once both are warm; what `time.sleep` would take aside."""
    with _without_sleep() as slept:
        _finished(graph())  # which may trace
        if _seconds_of(graph) > _LONGEST_CALL or _seconds_of(eagerly) > longest_eagerly:
            return {"why_not": "a call takes too long to be repeated"}
        slept.clear()
        pairs: list[tuple[float, float]] = []
        while len(pairs) < _MOST_PAIRS and not _is_narrow(pairs) and clock() < deadline:
            in_turn = (eagerly, graph) if len(pairs) % 2 else (graph, eagerly)
            seconds = {call: _seconds_of(call) for call in in_turn}
            pairs.append((seconds[eagerly], seconds[graph]))
    return {
        "eager": [eager for eager, _ in pairs],
        "graph": [graphed for _, graphed in pairs],
        "slept": sum(slept) / max(1, len(pairs)),
    }


def reference(width: int) -> tuple[Callable[[], Any], Callable[[], Any], int]:
    """A step of gradient descent for a net 784, `width`, `width`, 10: eagerly, as a graph; its parameters."""
    import tensorflow as tf

    shapes = [(784, width), (width,), (width, width), (width,), (width, 10), (10,)]
    weights = [tf.Variable(tf.random.normal(shape, stddev=0.05)) for shape in shapes]
    images = tf.random.uniform((_REFERENCE_BATCH, 784))
    labels = tf.zeros((_REFERENCE_BATCH,), tf.int32)

    def step() -> Any:
        with tf.GradientTape() as recording:
            hidden = images
            for place in (0, 2):
                hidden = tf.nn.relu(hidden @ weights[place] + weights[place + 1])
            logits = hidden @ weights[4] + weights[5]
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
            loss = tf.reduce_mean(losses)
        for weight, gradient in zip(weights, recording.gradient(loss, weights), strict=True):
            weight.assign_sub(0.01 * gradient)
        return loss

    return step, tf.function(step), sum(int(np.prod(shape)) for shape in shapes)


def _seconds_of(call: Callable[[], Any]) -> float:
    started = clock()
    _finished(call())
    return clock() - started


def _finished(result: Any) -> None:
    """Wait until what was computed is there: a device may still be at work when a call returns."""
    import tensorflow as tf

    for leaf in tf.nest.flatten(result):
        if hasattr(leaf, "numpy"):
            leaf.numpy()


def _is_narrow(pairs: Sequence[tuple[float, float]]) -> bool:
    if len(pairs) < _FEWEST_PAIRS:
        return False
    ratios = np.log([eager / graph for eager, graph in pairs])
    low, high = np.quantile(ratios, (0.25, 0.75))
    return bool(1.57 * (high - low) / np.sqrt(len(ratios)) < _NARROW)


@contextlib.contextmanager
def _without_sleep() -> Iterator[list[float]]:
    """Whoever sleeps is told of, and does not sleep: by `time.sleep`, or by its name in the notebook."""
    slept: list[float] = []
    places = [vars(time), vars(sys.modules["__main__"])]
    names = [(place, name) for place in places for name, value in list(place.items()) if value is _sleep]
    for place, name in names:
        place[name] = lambda seconds: slept.append(float(seconds))
    try:
        yield slept
    finally:
        for place, name in names:
            place[name] = _sleep


@contextlib.contextmanager
def _restored() -> Iterator[None]:
    """All variables that are alive have their values again when the context ends.

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
    try:
        yield
    finally:
        for variable, value in values:
            variable.assign(value)


def _function_of(code: CodeType, values: dict[str, Any]) -> Any:
    """The function that runs in a frame with these values: of several closures the one that holds them."""
    for found in gc.get_referrers(code):
        if isinstance(found, FunctionType) and found.__code__ is code:
            cells = zip(code.co_freevars, found.__closure__ or (), strict=True)
            with contextlib.suppress(ValueError):  # an empty cell
                if all(cell.cell_contents is values.get(name) for name, cell in cells):
                    return found
    return None


def _objects_in(code: CodeType, names: dict[str, Any], depth: int) -> dict[str, Any]:
    """Models, optimisers and variables among the globals that code uses, or functions that it calls."""
    found: dict[str, Any] = {}
    for name in code.co_names:
        value = names.get(name)
        if isinstance(value, FunctionType) and depth and value.__globals__ is names:
            found |= _objects_in(value.__code__, names, depth - 1)
        elif _is_trained(value) or (isinstance(value, (list, tuple)) and any(map(_is_trained, value))):
            found[name] = value
    return found


def _is_trained(value: Any) -> bool:
    return any(
        hasattr(type(value), name) for name in ("trainable_variables", "apply_gradients", "assign_sub")
    )


def _is_tensor(value: Any) -> bool:
    return hasattr(value, "shape") and hasattr(value, "dtype") and not hasattr(value, "assign")


def _objects(values: Any) -> list[Any]:
    """What tells calls apart: models, optimisers and variables, by what they are."""
    found = [value if isinstance(value, (list, tuple)) else (value,) for value in values]
    return [tuple(id(part) for part in parts[:50] if _is_trained(part)) for parts in found]


def _emptied(value: Any) -> Any:
    import tensorflow as tf

    return tf.nest.map_structure(lambda leaf: Empty(leaf) if _is_tensor(leaf) else leaf, value)


def _filled(value: Any, elements: int) -> Any:
    import tensorflow as tf

    def given(leaf: Any) -> Any:
        if isinstance(leaf, Empty):
            return leaf.filled()
        return leaf.take(elements) if _is_data(leaf) else leaf

    return tf.nest.map_structure(given, value)


def _is_data(leaf: Any) -> bool:
    return hasattr(leaf, "element_spec") and hasattr(leaf, "take")


def _leaves(value: Any) -> list[Empty]:
    import tensorflow as tf

    return [leaf for leaf in tf.nest.flatten(value) if isinstance(leaf, Empty)]


def _numpy(dtype: Any) -> Any:
    return getattr(dtype, "as_numpy_dtype", dtype)
