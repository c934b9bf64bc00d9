"""Variables of TensorFlow and Keras: their values, and other values for a while."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_WRAPPERS: dict[type, bool] = {}  # asking a variable of TensorFlow for an attribute that it lacks is slow


def variable_behind(source: Any) -> Any:
    """The variable or tensor behind a source of gradients; Keras's variables wrap one."""
    kind = type(source)
    is_wrapper = _WRAPPERS.get(kind)
    if is_wrapper is None:
        is_wrapper = _WRAPPERS[kind] = kind.__module__.partition(".")[0] in ("keras", "tf_keras")
    inner = getattr(source, "_value", None) if is_wrapper else None
    return inner if inner is not None and hasattr(inner, "handle") else source


def value_of(weight: Any) -> NDArray[Any]:
    """A copy of a weight's value."""
    return np.array(weight if isinstance(weight, np.ndarray) else weight.numpy())


@contextlib.contextmanager
def values_put_in(variables: Sequence[Any], values: Sequence[NDArray[Any]]) -> Iterator[None]:
    """Give variables other values; they have their own again when the context ends."""
    own = [value_of(variable) for variable in variables]
    try:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        yield
    finally:
        for variable, value in zip(variables, own, strict=True):
            variable.assign(value)


def hidden_variable(value: Any, dtype: Any) -> Any:
    """A variable of our own, made past the creators with which a `tf.function` watches over its variables."""
    from tensorflow.python.ops.resource_variable_ops import ResourceVariable

    return ResourceVariable(value, dtype=dtype, trainable=False)
