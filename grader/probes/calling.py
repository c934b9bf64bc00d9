"""Keras models that are called: what goes in and comes out, and such a call as a predictor."""

from __future__ import annotations

import contextlib
import copy
import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from probes.feeds import MOST_ROWS, Feed, feed_of, keep_rows
from probes.predicting import Scores, Snapshot
from probes.variables import values_put_in, variable_behind

MOST_CLASSES = 1000
MODELS = (  # module and class
    ("keras.src.models.model", "Model"),
    ("tf_keras.src.engine.training", "Model"),
)


class ModelCall(NamedTuple):
    """One call of a Keras model; `depth` is 0 for one that no other model made."""

    model: Any
    arguments: tuple[Any, ...]
    named: dict[str, Any]
    outputs: Any
    depth: int


class CallListener:
    """What is called; the recorder implements it."""

    def model_entered(self, model: Any) -> None:
        """A model is about to be called."""

    def model_left(self, model: Any, call: tuple[Any, Any, Any] | None) -> None:
        """It has been: arguments, named arguments and outputs, None when it raised."""


def calls_heard_by(listener: CallListener) -> Callable[[Any], Any]:
    """What turns a model class's `__call__` into one that is heard."""

    def wrap(original: Any) -> Any:
        def __call__(model: Any, *arguments: Any, **named: Any) -> Any:  # noqa: N807 - stands in for it
            listener.model_entered(model)
            call = None
            try:
                outputs = original(model, *arguments, **named)
                call = arguments, named, outputs
            finally:
                listener.model_left(model, call)
            return outputs

        return __call__

    return wrap


class CalledModel:
    """A predictor: the model itself, called as it was in training but with `training=False`.

    `weights` are the trained variables, `state` all other variables of the model; `count` is the number of
    rows that went in when it was recorded, None when that was not known.
    """

    batch = None

    def __init__(self, call: ModelCall, weights: Sequence[Any]) -> None:
        import tensorflow as tf

        self.model = call.model
        self.weights = [variable_behind(weight) for weight in weights]
        trained = {id(weight) for weight in self.weights}
        own = [variable_behind(variable) for variable in call.model.variables]
        self.state = [variable for variable in own if id(variable) not in trained]
        self.was_training, self._structure = as_at_test(call)
        self._leaves = tf.nest.flatten(self._structure)
        self._output, self.count = _scores_among(tf.nest.flatten(call.outputs))
        self._places = [at for at, leaf in enumerate(self._leaves) if _is_batch(leaf, self.count)]
        fed = [tf.convert_to_tensor(self._leaves[place]) for place in self._places]
        feeds = [feed_of(tensor) for tensor in fed]
        self.feeds: list[Feed] = [feed for feed in feeds if feed is not None]
        if len(self.feeds) != len(self._places) or not self.feeds:
            raise ValueError("an input of unknown shape")
        for place in self._places:
            self._leaves[place] = None  # a batch need not be kept

    def fed_with(self, data: Any) -> CalledModel | None:
        """The same call with other data, arrays as `evaluate` and `predict` take them; None for others."""
        import tensorflow as tf

        arrays = tf.nest.flatten(data)
        if len(arrays) != len(self.feeds) or not all(hasattr(array, "__array__") for array in arrays):
            return None
        other = copy.copy(self)
        other.count, other.was_training = len(arrays[0]), False
        other.feeds = [
            Feed(feed.row_shape, tf.as_dtype(array.dtype), rows=keep_rows(array[:MOST_ROWS]))
            for feed, array in zip(self.feeds, arrays, strict=True)
        ]
        return other

    @contextlib.contextmanager
    def running(self, snapshot: Snapshot) -> Iterator[Callable[[Sequence[NDArray[Any]]], Scores]]:
        """See `Predictor`."""
        variables, values = [*self.weights, *self.state], [*snapshot.weights, *snapshot.state]
        with values_put_in(variables, values):
            yield self._scores

    def _scores(self, arrays: Sequence[NDArray[Any]]) -> Scores:
        import tensorflow as tf

        tensors = [feed.tensor(array) for feed, array in zip(self.feeds, arrays, strict=True)]
        return np.asarray(tf.cast(self.scores_of(tensors), tf.float64))

    def scores_of(self, tensors: Sequence[Any]) -> Any:
        """The scores that the model gives, one tensor per feed put in."""
        import tensorflow as tf

        leaves = list(self._leaves)
        for place, tensor in zip(self._places, tensors, strict=True):
            leaves[place] = tensor
        arguments, named = tf.nest.pack_sequence_as(self._structure, leaves)
        return tf.nest.flatten(self.model(*arguments, **named))[self._output]


def called_model(calls: Sequence[ModelCall], weights: Sequence[Any]) -> CalledModel | None:
    """The outermost model among `calls` that owns all of `weights`, None if none does or can be called."""
    wanted = {id(variable_behind(weight)) for weight in weights}
    for call in sorted(calls, key=lambda call: call.depth):
        if wanted <= {id(variable_behind(variable)) for variable in call.model.variables}:
            with contextlib.suppress(Exception):  # whatever a subclass does there: others are tried
                return CalledModel(call, weights)
    return None


def as_at_test(call: ModelCall) -> tuple[bool, tuple[tuple[Any, ...], dict[str, Any]]]:
    """Whether `training` was switched on, and the arguments with it switched off where it was given."""
    arguments, named = list(call.arguments), dict(call.named)
    parameters = list(inspect.signature(call.model.call).parameters)
    was_training = False
    if "training" in named:
        was_training, named["training"] = named["training"] is True, False
    elif "training" in parameters[: len(arguments)]:
        place = parameters.index("training")
        was_training, arguments[place] = arguments[place] is True, False
    return was_training, (tuple(arguments), named)


def _scores_among(outputs: Sequence[Any]) -> tuple[int, int | None]:
    """The place of the first output that can be scores (batch, classes), and its batch."""
    for place, output in enumerate(outputs):
        shape = output.shape
        if shape.rank == 2 and 1 < (shape[1] or 0) <= MOST_CLASSES:
            return place, shape[0]
    raise ValueError("no output of scores")


def _is_batch(leaf: Any, count: int | None) -> bool:
    """Whether an argument has one row per example; `count` None is a number that is not known yet."""
    shape = getattr(leaf, "shape", None)
    if shape is None or not hasattr(leaf, "dtype") or len(shape) < 1:
        return False
    return bool(shape[0] == count)
