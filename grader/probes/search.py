"""A last resort: something in the notebook's own names that computes classes with the trained variables.

What is found is called on other people's terms: within bounded time, with its output thrown away, and all
variables as they were afterwards.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import re
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from probes.calling import MOST_CLASSES
from probes.feeds import Feed
from probes.places import is_library
from probes.predicting import Scores, Snapshot
from probes.variables import value_of, values_put_in, variable_behind

_SECONDS_EACH = 3.0
_SECONDS_ALL = 10.0
_TRIED_ROWS = 7  # a number that is neither a usual batch nor a number of classes
_DEEPEST = 5
_MOST_INSIDE = 2_000
_NOT_A_MODEL = re.compile(
    r"train|fit|step|plot|show|draw|display|print|load|save|main|test|eval|acc|loss|optim|batch|grad|updat|"
    r"init|download|compile|summary|get|set|reset|run|^_",
    re.IGNORECASE,
)


class FoundCallable:
    """A predictor: a function, object or method of the notebook, with one array for its first argument."""

    batch = None

    def __init__(
        self, function: Callable[..., Any], variables: Sequence[Any], row_shape: Sequence[int]
    ) -> None:
        import tensorflow as tf

        self._function = function
        self._variables = variables
        self.feeds = [Feed(tuple(row_shape), tf.float32)]

    @contextlib.contextmanager
    def running(self, snapshot: Snapshot) -> Iterator[Callable[[Sequence[NDArray[Any]]], Scores]]:
        """See `Predictor`."""
        with values_put_in(self._variables, snapshot.weights):
            yield lambda arrays: scores_of(self._function(_tensor(arrays[0])), len(arrays[0]))


def found_predictors(
    variables: Sequence[Any], namespace: Mapping[str, Any], row_shapes: Iterable[tuple[int, ...]]
) -> Iterator[FoundCallable]:
    """What maps a batch of rows to scores and does so differently with other values of the variables."""
    until = time.monotonic() + _SECONDS_ALL
    row_shapes = list(row_shapes)
    for function in _callables(variables, namespace):
        for row_shape in row_shapes:
            if time.monotonic() > until:
                return
            if _computes_with(function, variables, row_shape):
                yield FoundCallable(function, variables, row_shape)
                break


def scores_of(output: Any, count: int) -> Scores:
    """Scores (count, classes) from scores, transposed scores or classes; ValueError for anything else."""
    scores = np.asarray(output[0] if isinstance(output, (tuple, list)) else output)
    if scores.ndim == 1 and len(scores) == count and np.issubdtype(scores.dtype, np.integer):
        return np.eye(MOST_CLASSES, dtype=np.float32)[np.clip(scores, 0, MOST_CLASSES - 1)]
    if scores.ndim == 2 and len(scores) == count and 1 < scores.shape[1] <= MOST_CLASSES:
        return scores.astype(np.float64)
    if scores.ndim == 2 and scores.shape[1] == count and 1 < len(scores) <= MOST_CLASSES:
        return scores.T.astype(np.float64)
    raise ValueError("no scores")


def _callables(variables: Sequence[Any], namespace: Mapping[str, Any]) -> Iterator[Callable[..., Any]]:
    """Objects that own all of the variables, then their methods, then functions."""
    wanted = {id(variable_behind(variable)) for variable in variables}
    named = [(name, value) for name, value in namespace.items() if not name.startswith("_")]
    owners = [
        value
        for _, value in named
        if not isinstance(value, (type, ModuleType, FunctionType))
        and wanted <= {id(found) for found in variables_in(value)}
    ]
    yield from (owner for owner in owners if callable(owner))
    for owner in owners:
        for name in dir(owner):
            found = inspect.getattr_static(owner, name, None)  # properties are not to be computed
            if not isinstance(found, FunctionType) or _NOT_A_MODEL.search(name):
                continue
            method = getattr(owner, name, None)
            if inspect.ismethod(method) and not is_library(found.__code__):  # a library's may do anything
                yield from _with_one_argument(method, namespace)
    for name, value in named:
        is_function = isinstance(value, FunctionType) or hasattr(value, "python_function")
        if is_function and not _NOT_A_MODEL.search(name):
            yield from _with_one_argument(value, namespace)


def _with_one_argument(
    function: Callable[..., Any], namespace: Mapping[str, Any]
) -> Iterator[Callable[..., Any]]:
    """The function of its first argument; others without a default are the notebook's values of that name."""
    parameters = list(inspect.signature(function).parameters.values())[:20]
    needed = [
        p
        for p in parameters
        if p.default is p.empty and p.kind in (p.POSITIONAL_OR_KEYWORD, p.POSITIONAL_ONLY)
    ]
    rest = [p.name for p in needed[1:]]
    if needed and all(name in namespace for name in rest):
        given = {name: namespace[name] for name in rest}
        yield lambda rows: function(rows, **given)


def _computes_with(
    function: Callable[..., Any], variables: Sequence[Any], row_shape: tuple[int, ...]
) -> bool:
    """Whether a function gives scores for rows, the same twice, and others with other variables."""
    rows = _tensor(np.random.default_rng(0).random((_TRIED_ROWS, *row_shape)))
    others = [
        (np.flip(value_of(variable)) * 2 + 1).astype(value_of(variable).dtype) for variable in variables
    ]
    try:
        with _bounded(_SECONDS_EACH), contextlib.redirect_stdout(io.StringIO()):
            first, again = (scores_of(function(rows), _TRIED_ROWS) for _ in range(2))
            with values_put_in(variables, others):
                other = scores_of(function(rows), _TRIED_ROWS)
    except Exception:  # noqa: BLE001 - student code that was not made to be called so
        return False
    is_alike = first.shape == again.shape == other.shape
    return is_alike and bool((first == again).all() and (first != other).any())


def variables_in(thing: Any) -> list[Any]:
    """The variables that an object holds: Keras's own list of them, and those in its attributes."""
    found: dict[int, Any] = {}
    seen: set[int] = set()

    def look(value: Any, depth: int) -> None:
        if id(value) in seen or len(seen) > _MOST_INSIDE or depth > _DEEPEST:
            return
        seen.add(id(value))
        inner = variable_behind(value)
        if hasattr(inner, "handle") and hasattr(inner, "assign"):
            found[id(inner)] = inner
        elif isinstance(value, dict):
            for part in list(value.values()):
                look(part, depth + 1)
        elif isinstance(value, (list, tuple)):
            for part in list(value):
                look(part, depth + 1)
        elif not isinstance(value, (type, ModuleType, str, bytes, int, float, np.ndarray)):
            for part in (getattr(value, "variables", ()), getattr(value, "__dict__", {})):
                if isinstance(part, (list, tuple, dict)):
                    look(part, depth + 1)

    look(thing, 0)
    return list(found.values())


def _tensor(rows: NDArray[Any]) -> Any:
    import tensorflow as tf

    return tf.constant(rows, tf.float32)


@contextlib.contextmanager
def _bounded(seconds: float) -> Iterator[None]:
    """Raise TimeoutError in Python code that takes longer; only possible in the main thread."""

    def out_of_time(*_: Any) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, out_of_time)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
