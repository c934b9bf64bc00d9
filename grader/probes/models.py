"""Keras models that were called or trained, as far as they can be told of."""

from __future__ import annotations

import contextlib
import json
import time
import weakref
from collections.abc import Callable
from typing import Any

from probes.calling import ModelCall, as_at_test
from probes.layers import joins_inside, kind_of, nodes_of, parameters_of
from probes.places import is_library
from probes.traced import operations_of

MOST_MODELS = 100
_MOST_TEXT = 80
_MOST_BYTES = 200_000


class Model:
    """One Keras model; `calls` are those that no other model made."""

    def __init__(self, number: int, model: Any, run: int) -> None:
        self.id = number
        self.run = run
        self.model = weakref.ref(model)
        self.calls = 0
        self.specs: tuple[Any, Any] | None = None
        self.operations: list[dict[str, Any]] = []
        self.told: tuple[int, ...] = ()

    @property
    def counts(self) -> tuple[int, ...]:
        """What changes while it is used."""
        return min(self.calls, 1), len(self.operations)


class Models:
    """All models of one run."""

    def __init__(self, current_run: Callable[[], int]) -> None:
        self.found: list[Model] = []
        self.by_model: weakref.WeakKeyDictionary[Any, Model] = weakref.WeakKeyDictionary()
        self._current_run = current_run

    def known(self, model: Any) -> Model | None:
        """What is noted of a model, from now on if need be; None when there are too many."""
        seen = self.by_model.get(model)
        if seen is None and len(self.found) < MOST_MODELS:
            seen = self.by_model[model] = Model(len(self.found) + 1, model, self._current_run())
            self.found.append(seen)
        return seen

    def called(self, call: ModelCall) -> None:
        """A model was called, by no other model."""
        seen = self.known(call.model)
        if seen is None:
            return
        seen.calls += 1
        if seen.specs is None:
            seen.specs = _specs(as_at_test(call)[1])

    def trace(self, seconds: float) -> None:
        """At the end: trace those whose layers do not tell what feeds what, as far as time allows."""
        until = time.monotonic() + seconds
        for seen in self.found:
            model = seen.model()
            if model is None or seen.specs is None or time.monotonic() > until:
                continue
            with contextlib.suppress(Exception):  # the notebook's own code is in there
                if not nodes_of(model)[1]:
                    seen.operations = operations_of(model, *seen.specs)


def facts_of_model(seen: Model) -> dict[str, Any] | None:
    """The fields of `ObservedModel`; None of a model that is gone."""
    model = seen.model()
    if model is None:
        return None
    nodes, is_whole = nodes_of(model)
    fitting = _fitting(nodes)
    total, trainable = parameters_of(model)
    step = getattr(getattr(type(model), "train_step", None), "__code__", None)
    return {
        "id": seen.id,
        "run": seen.run,
        "name": str(model.name)[:_MOST_TEXT],
        "class_name": type(model).__name__[:_MOST_TEXT],
        "made": kind_of(model),
        "calls": seen.calls,
        "layers": fitting,
        "is_whole": is_whole and len(fitting) == len(nodes),
        "joins_inside": joins_inside(model),
        "parameters": total,
        "trainable_parameters": trainable,
        "own_train_step": step is not None and not is_library(step),
        **_compiled_with(model),
    }


def _fitting(nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As many of the first nodes as fit into one line on the wire."""
    left = _MOST_BYTES
    for count, node in enumerate(nodes):
        left -= len(json.dumps(node))
        if left < 0:
            return nodes[:count]
    return nodes


def _compiled_with(model: Any) -> dict[str, Any]:
    """Optimiser, loss and metrics that `compile` was given, by the names of their classes."""
    optimizer = getattr(model, "optimizer", None)
    metrics: list[Any] = []
    with contextlib.suppress(Exception):  # not built yet
        metrics = list(model.metrics)
    return {
        "optimizer": None if optimizer is None else type(optimizer).__name__[:_MOST_TEXT],
        "rate": rate_of_optimizer(optimizer),
        "loss": _name_of(getattr(model, "loss", None)),
        "metrics": [type(metric).__name__[:_MOST_TEXT] for metric in metrics[:10]],
    }


def rate_of_optimizer(optimizer: Any) -> float | None:
    """The learning rate as it is now, None when it cannot be told."""
    with contextlib.suppress(Exception):  # a schedule that failed, an optimiser of somebody's own
        return float(optimizer.learning_rate)
    with contextlib.suppress(Exception):
        return float(optimizer._learning_rate)
    return None


def _name_of(loss: Any) -> str | None:
    if loss is None:
        return None
    named = loss if isinstance(loss, str) else getattr(loss, "__name__", type(loss).__name__)
    return str(named)[:_MOST_TEXT]


def _specs(given: Any) -> Any:
    """The arguments of a call with tensor specs, for any number of rows, in the place of tensors."""
    import tensorflow as tf

    def spec(leaf: Any) -> Any:
        if not hasattr(leaf, "shape") or not hasattr(leaf, "dtype"):
            return leaf
        shape = list(leaf.shape)
        return tf.TensorSpec([None, *shape[1:]] if shape else [], tf.as_dtype(leaf.dtype))

    return tf.nest.map_structure(spec, given)
