"""Listens to gradient tapes, variables, optimisers and Keras's `fit`, whoever uses them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from probes.hooks import Hooks

Site = tuple[Any, int]  # code object and line


class Listener:
    """What is called; the recorder implements it."""

    def tape_entered(self, tape: Any, site: Site) -> None:
        """A `with tf.GradientTape()` began."""

    def tape_left(self, tape: Any) -> None:
        """It ended, or gradients are about to be computed."""

    def tape_exited(self) -> None:
        """The `with` ended."""

    def reading(self, variable: Any) -> None:
        """A variable is about to be read."""

    def gradient_given(self, tape: Any, target: Any, sources: Any, gradients: Any, site: Site) -> None:
        """Gradients of `target` were computed."""

    def assigning(self, variable: Any) -> Any:
        """A variable is about to be written; what is returned is handed to `assigned`."""

    def assigned(self, variable: Any, seen: Any) -> None:
        """It has been written, and `assigning` had returned something."""

    def handed_out(self, variable: Any, value: Any) -> None:
        """A variable's value has been given as an array."""

    def region_entered(self, name: str, owner: Any = None, data: Any = None) -> None:
        """A method of `owner` began: an optimiser's apply ("optimizer"), a model's "fit", "evaluate" …

        `data` is its first argument.
        """

    def region_left(self, name: str, owner: Any = None) -> None:
        """It ended."""


KERAS_METHODS = ("fit", "evaluate", "predict")
REGIONS = (  # module, class, method, name of the region
    ("tensorflow.python.training.optimizer", "Optimizer", "apply_gradients", "optimizer"),
    ("keras.src.optimizers.base_optimizer", "BaseOptimizer", "apply", "optimizer"),
    ("tf_keras.src.optimizers.optimizer", "_BaseOptimizer", "apply_gradients", "optimizer"),
    ("tf_keras.src.optimizers.optimizer", "Optimizer", "apply_gradients", "optimizer"),
    ("tf_keras.src.optimizers.legacy.optimizer_v2", "OptimizerV2", "apply_gradients", "optimizer"),
    *(
        (module, owner, method, region)
        for module, owner in (
            ("keras.src.backend.tensorflow.trainer", "TensorFlowTrainer"),
            ("tf_keras.src.engine.training", "Model"),
        )
        for method, region in (
            *(("fit", "fit"), ("train_on_batch", "fit"), ("evaluate", "evaluate")),
            *(("test_on_batch", "evaluate"), ("predict", "predict"), ("predict_on_batch", "predict")),
        )
    ),
)


def listen(hooks: Hooks, listener: Listener) -> None:
    """Put the ears into TensorFlow, which has been imported."""
    from tensorflow.python.eager import backprop
    from tensorflow.python.ops import resource_variable_ops

    tape = backprop.GradientTape
    hooks.replace(tape, "__enter__", lambda original: _entering(original, listener))
    hooks.replace(tape, "__exit__", lambda original: _leaving(original, listener))
    hooks.replace(tape, "gradient", lambda original: _computing(original, listener))
    for owner in (
        resource_variable_ops.BaseResourceVariable,
        resource_variable_ops.ResourceVariable,  # carries copies of its base's methods
        resource_variable_ops.UninitializedVariable,
    ):
        for name, wrap in _ON_VARIABLES.items():
            if name in vars(owner):
                hooks.replace(owner, name, lambda original, wrap=wrap: wrap(original, listener))


def within(listener: Listener, region: str) -> Callable[[Any], Any]:
    """What turns a method into a region: while it runs, updates are counted as its own."""

    def wrap(original: Any) -> Any:
        def apply(owner: Any, *values: Any, **named: Any) -> Any:
            listener.region_entered(region, owner, values[0] if values else named.get("x"))
            try:
                return original(owner, *values, **named)
            finally:
                listener.region_left(region, owner)

        return apply

    return wrap


def _entering(original: Any, listener: Listener) -> Any:
    def __enter__(tape: Any) -> Any:  # noqa: N807 - stands in for the method
        result = original(tape)
        frame = sys._getframe(1)
        listener.tape_entered(tape, (frame.f_code, frame.f_lineno))
        return result

    return __enter__


def _leaving(original: Any, listener: Listener) -> Any:
    def __exit__(tape: Any, *details: Any) -> Any:  # noqa: N807 - stands in for the method
        listener.tape_left(tape)
        listener.tape_exited()
        return original(tape, *details)

    return __exit__


def _computing(original: Any, listener: Listener) -> Any:
    def gradient(tape: Any, target: Any, sources: Any, *rest: Any, **named: Any) -> Any:
        listener.tape_left(tape)
        gradients = original(tape, target, sources, *rest, **named)
        frame = sys._getframe(1)
        listener.gradient_given(tape, target, sources, gradients, (frame.f_code, frame.f_lineno))
        return gradients

    return gradient


def _writing(original: Any, listener: Listener) -> Any:
    def assign(variable: Any, *values: Any, **named: Any) -> Any:
        seen = listener.assigning(variable)
        result = original(variable, *values, **named)
        if seen is not None:
            listener.assigned(variable, seen)
        return result

    return assign


def _reading(original: Any, listener: Listener) -> Any:
    def read(variable: Any, *values: Any, **named: Any) -> Any:
        listener.reading(variable)
        return original(variable, *values, **named)

    return read


def _handing_out(original: Any, listener: Listener) -> Any:
    def numpy(variable: Any) -> Any:
        value = original(variable)
        listener.handed_out(variable, value)
        return value

    return numpy


_ON_VARIABLES: dict[str, Callable[[Any, Listener], Any]] = {
    "assign": _writing,
    "assign_sub": _writing,
    "assign_add": _writing,
    "_read_variable_op": _reading,
    "numpy": _handing_out,
}
