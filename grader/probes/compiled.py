"""`tf.function`s that are called: how often, how often they are traced and for what."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
from probes.hearing import Hearing, heard
from probes.hooks import Hooks
from probes.pairing import clock
from probes.places import code_of, is_library
from probes.timing import Timings
from probes.variables import hidden_variable

MOST_FUNCTIONS = 200
_MOST_SIGNATURES = 20
_MOST_TEXT = 200


class CompiledFunction:
    """One `tf.function` object.

    `calls` are those from eager code, `eager_calls` those of them that ran as plain Python because
    `run_functions_eagerly` was on. `signatures` are the arguments that made it trace.
    """

    def __init__(self, number: int, function: Any, run: int) -> None:
        python_function = function.python_function
        code = code_of(python_function)
        self.id = number
        self.run = run
        self.name = str(getattr(python_function, "__name__", "?"))[:_MOST_TEXT]
        self.is_own = code is not None and not is_library(code)
        self.calls = 0
        self.eager_calls = 0
        self.traces = 0
        self.signatures: list[str] = []
        self.tracing_seconds = 0.0  # of the calls that traced
        self.has_gradients = False
        self.trainings: list[Any] = []  # whose gradients it computes
        self.latest: Any = None  # of the trainings, the one that it computed last
        self.counter: Any = None  # of the steps that its graphs took
        self.told: tuple[int, ...] = ()

    @property
    def counts(self) -> tuple[int, ...]:
        """What changes while it is used."""
        return self.calls, self.eager_calls, self.traces, int(self.has_gradients)

    @property
    def steps(self) -> int:
        """Steps that its graphs took."""
        return 0 if self.counter is None else int(self.counter.numpy())

    def step_traced(self) -> None:
        """Let the graph that is being traced count a step."""
        import tensorflow as tf

        if self.counter is None:
            with tf.init_scope():
                self.counter = hidden_variable(0, tf.int64)
        self.counter.assign_add(1)


class CompiledFunctions:
    """All compiled functions of one run, and which of them are at work now, the innermost last."""

    def __init__(self, hearing: Hearing, current_run: Callable[[], int], timings: Timings) -> None:
        self.hearing = hearing
        self.timings = timings
        self.found: list[CompiledFunction] = []
        self.at_work: list[CompiledFunction] = []
        self._given: list[tuple[Any, ...]] = []  # to those at work
        self.stepped: Callable[[CompiledFunction], None] = lambda function: None
        self._by_function: weakref.WeakKeyDictionary[Any, CompiledFunction] = weakref.WeakKeyDictionary()
        self._current_run = current_run
        self._is_eager: Callable[[], bool] = lambda: True

    def hook_in(self, hooks: Hooks, tensorflow: Any) -> None:
        """Listen to calls."""
        from tensorflow.python.eager.polymorphic_function import polymorphic_function

        self._is_eager = tensorflow.executing_eagerly
        hooks.replace(polymorphic_function.Function, "__call__", self._calling)

    def cell_ended(self) -> None:
        """Forget what an interrupted cell has left open."""
        self.at_work.clear()
        self._given.clear()

    def data_sets_given(self) -> list[Any]:
        """The data sets among the arguments of those at work, and iterators over data sets."""
        flat = [argument for arguments in self._given for argument in arguments]
        return [argument for argument in flat if hasattr(argument, "element_spec")]

    def gradient_asked(self, training: Any) -> CompiledFunction | None:
        """Gradients are computed within what is at work now; the innermost of the notebook's own, if any."""
        for function in self.at_work:
            function.has_gradients = True
        inner = next((function for function in reversed(self.at_work) if function.is_own), None)
        if inner is not None:
            inner.latest = training
            if training not in inner.trainings:
                inner.trainings.append(training)
        return inner

    def _calling(self, original: Any) -> Any:
        def __call__(function: Any, *arguments: Any, **named: Any) -> Any:  # noqa: N807 - stands in
            seen = self._by_function.get(function) or self._begun(function)
            if seen is None or self.hearing.is_deaf:
                return original(function, *arguments, **named)
            self.at_work.append(seen)
            self._given.append((*arguments, *named.values()))
            is_eager = self._is_eager()
            began = clock()
            try:
                return original(function, *arguments, **named)
            finally:
                if self.at_work:
                    self.at_work.pop()
                    self._given.pop()
                if is_eager:
                    seen.calls += 1
                    if seen.trainings:
                        self.stepped(seen)
                self._ended(function, seen, clock() - began, arguments, named)

        return __call__

    @heard
    def _begun(self, function: Any) -> Any:
        if len(self.found) >= MOST_FUNCTIONS:
            return None
        seen = CompiledFunction(len(self.found) + 1, function, self._current_run())
        self.found.append(seen)
        self._by_function[function] = seen
        return seen

    @heard
    def _ended(
        self, function: Any, seen: CompiledFunction, seconds: float, arguments: Any, named: Any
    ) -> None:
        if function._run_functions_eagerly:
            seen.eager_calls += 1
        else:
            traces = function.experimental_get_tracing_count()
            if traces != seen.traces:
                seen.tracing_seconds += seconds
                self._traced(seen, traces, arguments, named)
                self.timings.traced(function, seen, arguments, named)

    def _traced(self, seen: CompiledFunction, traces: int, arguments: Any, named: Any) -> None:
        seen.traces = traces
        parts = [_signature(argument) for argument in arguments]
        parts += [f"{name}={_signature(argument)}" for name, argument in named.items()]
        signature = ", ".join(parts)[:_MOST_TEXT]
        if signature not in seen.signatures and len(seen.signatures) < _MOST_SIGNATURES:
            seen.signatures.append(signature)


def _signature(argument: Any, depth: int = 0) -> str:
    """Dtype and shape of tensors and arrays, the value of numbers and truth values, the type of all else."""
    if isinstance(argument, (bool, int, float)) or argument is None:
        return f"{type(argument).__name__}: {argument}"
    shape, dtype = getattr(argument, "shape", None), getattr(argument, "dtype", None)
    if shape is not None and dtype is not None:
        kind = "array " if isinstance(argument, np.ndarray) else ""
        return f"{kind}{getattr(dtype, 'name', dtype)}{list(shape)}"
    if isinstance(argument, dict) and depth < 2:
        parts = [f"{key}: {_signature(part, depth + 1)}" for key, part in list(argument.items())[:10]]
        return "{" + ", ".join(parts) + "}"
    if isinstance(argument, (list, tuple)) and depth < 2:
        return "[" + ", ".join(_signature(part, depth + 1) for part in argument[:10]) + "]"
    return type(argument).__name__
