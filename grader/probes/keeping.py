"""One training function and one of its calls, kept while cells run, to be called again at the end.

Of tensors among the arguments dtype and shape only; the models, optimisers and variables that its code finds
among the globals, which may stand for others by the end.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType
from typing import Any

import numpy as np
from probes.places import code_of
from probes.work import parts_of

_DEPTH = 3  # functions that call functions, whose globals are looked at
_STEPS_PER_CALL = 10
_MOST_COMPARED = 3  # weights, from the end: those change first


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
        self._graph = compiled
        code = code_of(python)
        self.globals: dict[str, Any] = {} if code is None else getattr(python, "__globals__", {})
        self.found = {} if code is None else _objects_in(code, self.globals, _DEPTH)
        self.training: Any = None

    @property
    def graph(self) -> Any:
        """It as a `tf.function`."""
        import tensorflow as tf

        if self._graph is None:
            self._graph = tf.function(self.python)
        return self._graph

    @property
    def signature(self) -> str:
        """Dtypes and shapes of the tensors that go in."""
        leaves = [*_leaves(self.arguments), *_leaves(self.named)]
        told = [f"{np.dtype(_numpy(leaf.dtype)).name}{list(leaf.shape)}" for leaf in leaves]
        return ", ".join(told)[:200]

    @property
    def parameters(self) -> int:
        """How many numbers the weights that it trains hold."""
        return int(self.training.parameters)

    @property
    def is_loop(self) -> bool:
        """Whether a call of the compiled function seems to take many steps."""
        if self.seen is None:
            return False
        calls = self.seen.calls - self.seen.eager_calls
        return int(self.seen.steps) >= _STEPS_PER_CALL * calls > 0

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

    def in_graph(self, call: Callable[[], Any]) -> dict[str, Any]:
        """Fields of `Timing` on its graph: what stands in it, and how many steps such a call of it takes."""
        told = {}
        if self.seen is not None:
            before = self.seen.steps
            call()
            told["steps"] = self.seen.steps - before
        with contextlib.suppress(Exception):  # whatever it is, it has been timed
            arguments, named = (_filled(given, 1) for given in (self.arguments, self.named))
            told |= parts_of(self.graph.get_concrete_function(*arguments, **named).graph)
        return told

    def trains_by(self, call: Callable[[], Any]) -> bool:
        """Whether a call changes the weights; True where those are no variables any more."""
        some = [weight for weight in self.training.weights if hasattr(weight, "assign")][-_MOST_COMPARED:]
        before = [weight.numpy() for weight in some]
        call()
        return not some or any((old != new.numpy()).any() for old, new in zip(before, some, strict=True))

    def calls(self, elements: int) -> tuple[Callable[[], Any], Callable[[], Any]]:
        """The function called eagerly, and as a graph, on the same inputs: `elements` of data sets."""
        import tensorflow as tf

        graph = self.graph
        arguments, named = (_filled(given, elements) for given in (self.arguments, self.named))

        def eagerly() -> Any:
            tf.config.run_functions_eagerly(True)
            try:
                return graph(*arguments, **named)
            finally:
                tf.config.run_functions_eagerly(False)

        return eagerly, lambda: graph(*arguments, **named)


def function_of(code: CodeType, values: dict[str, Any]) -> Any:
    """The function that runs in a frame with these values: of several closures the one that holds them.

    A method is looked up in its object's classes: what was there before a kernel was forked has no referrers.
    """
    first = values.get(code.co_varnames[0]) if code.co_argcount else None
    for owner in type(first).__mro__:
        method = vars(owner).get(code.co_name)
        if getattr(method, "__code__", None) is code:
            return method
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


def objects_of(values: Any) -> list[Any]:
    """What tells calls apart, by identity: models, optimisers, variables, objects of the notebook's own."""
    found = [value if isinstance(value, (list, tuple)) else (value,) for value in values]
    return [tuple(id(part) for part in parts[:50] if _is_trained(part) or _is_own(part)) for parts in found]


def _is_own(value: Any) -> bool:
    return type(value).__module__ == "__main__"


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
