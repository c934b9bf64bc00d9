"""A function called in pairs, eagerly and as a graph, by a clock that no code of a notebook has seen."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from time import perf_counter as clock  # taken before any code of a notebook runs; `asking.py` looks at it
from typing import Any

import numpy as np

_MOST_PAIRS = 150
_FEWEST_PAIRS = 9
_NARROW = 0.04  # half the width of the interval of the logarithm of the ratio, at which enough is known
_PATIENCE = 2  # times the seconds that are meant for it, where fewer pairs than that were called
_REFERENCE_BATCH = 64
_sleep = time.sleep


def timed(
    eagerly: Callable[[], Any], graph: Callable[[], Any], seconds: float, deadline: float, longest: float
) -> dict[str, Any]:
    """The times of pairs of calls, in alternation, once both are warm; what `time.sleep` would take aside.

    They are called until the ratio is known well, or for `seconds` (longer for the fewest pairs that tell
    anything), and not past `deadline`; not at all where a call takes longer than `longest`.
    """
    with without_sleep() as slept:
        finished(graph())  # which may trace
        if seconds_of(graph) > longest or seconds_of(eagerly) > longest:
            return {"why_not": "a call takes too long to be repeated"}
        slept.clear()
        began = clock()
        pairs: list[tuple[float, float]] = []
        while len(pairs) < _MOST_PAIRS and not _is_narrow(pairs):
            most = seconds if len(pairs) >= _FEWEST_PAIRS else _PATIENCE * seconds
            if clock() > min(deadline, began + most):
                break
            in_turn = (eagerly, graph) if len(pairs) % 2 else (graph, eagerly)
            took = {call: seconds_of(call) for call in in_turn}
            pairs.append((took[eagerly], took[graph]))
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


def seconds_of(call: Callable[[], Any]) -> float:
    """How long a call takes until what it computes is there."""
    started = clock()
    finished(call())
    return clock() - started


def finished(result: Any) -> None:
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
def without_sleep() -> Iterator[list[float]]:
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
