"""Puts the recorder's ears into TensorFlow and Keras, and tells later whether somebody took them out."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

ATTRIBUTES = (
    *("GradientTape", "Variable", "function", "matmul", "argmax", "reduce_mean", "one_hot"),
    *("nn.relu", "nn.softmax", "nn.softmax_cross_entropy_with_logits"),
    *("nn.sparse_softmax_cross_entropy_with_logits", "math.argmax", "linalg.matmul"),
    *("data.Dataset.batch", "data.Dataset.shuffle", "data.Dataset.repeat", "data.Dataset.map"),
    *("keras.Model.fit", "keras.Model.evaluate", "keras.Model.predict"),
    *("keras.datasets.mnist.load_data", "keras.datasets.fashion_mnist.load_data"),
)
_LAZY = ("keras",)


class Listener:
    """What the hooks call; the recorder implements it."""

    def tape_entered(self, tape: Any, site: tuple[Any, int]) -> None:
        """A `with tf.GradientTape()` began."""

    def tape_left(self, tape: Any) -> None:
        """It ended, or gradients are about to be computed."""

    def tape_exited(self) -> None:
        """The `with` ended."""

    def reading(self, variable: Any) -> None:
        """A variable is about to be read."""

    def gradient_given(self, tape: Any, sources: Any, gradients: Any, site: tuple[Any, int]) -> None:
        """Gradients were computed."""

    def assigning(self, variable: Any) -> Any:
        """A variable is about to be written; what is returned is handed to `assigned`."""

    def assigned(self, variable: Any, seen: Any) -> None:
        """It has been written, and `assigning` had returned something."""

    def region_entered(self, name: str) -> None:
        """An optimiser's apply ("optimizer") or Keras's fit ("fit") began."""

    def region_left(self, name: str) -> None:
        """It ended."""


class Hook(NamedTuple):
    """One method that was replaced by ours."""

    owner: Any
    name: str
    ours: Any


class Hooks:
    """The replaced methods and the identities of TensorFlow's attributes as they were after import."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._hooks: list[Hook] = []
        self._originals: dict[str, Any] = {}

    def enter_tensorflow(self, tensorflow: Any) -> None:
        """Replace the methods of tapes and variables."""
        from tensorflow.python.eager import backprop
        from tensorflow.python.ops import resource_variable_ops

        tape = backprop.GradientTape
        self._replace(tape, "__enter__", self._entering)
        self._replace(tape, "__exit__", self._leaving)
        self._replace(tape, "gradient", self._computing)
        for owner in (
            resource_variable_ops.BaseResourceVariable,
            resource_variable_ops.ResourceVariable,  # carries copies of its base's methods
            resource_variable_ops.UninitializedVariable,
        ):
            for name in ("assign", "assign_sub", "assign_add", "_read_variable_op"):
                if name in vars(owner):
                    self._replace(owner, name, self._reading if name[0] == "_" else self._writing)
        from tensorflow.python.training import optimizer

        self.enter_class(optimizer, "Optimizer", "apply_gradients", "optimizer")
        for name in ATTRIBUTES:
            if not name.startswith(_LAZY):
                self._originals[name] = _attribute(tensorflow, name)

    def enter_class(self, module: Any, class_name: str, method: str, region: str) -> None:
        """Mark a method of a class as a region: while it runs, updates are counted as its own."""
        owner = getattr(module, class_name, None)
        if owner is not None and method in vars(owner):
            self._replace(owner, method, lambda original: self._inside(original, region))

    def replaced(self) -> list[str]:
        """What is no longer as it was: "recorder: …" for our own methods, "tf.…" for TensorFlow's."""
        names = [
            f"recorder: {hook.owner.__name__}.{hook.name}"
            for hook in self._hooks
            if vars(hook.owner).get(hook.name) is not hook.ours
        ]
        tensorflow = sys.modules.get("tensorflow")
        for name, original in self._originals.items():
            if _attribute(tensorflow, name) is not original:
                names.append(f"tf.{name}")
        return names

    def remember_keras(self, tensorflow: Any) -> None:
        """Note the identities of Keras's attributes, once they have been imported without our doing."""
        if "keras" in sys.modules or "tf_keras" in sys.modules:
            for name in ATTRIBUTES:
                if name.startswith(_LAZY) and name not in self._originals:
                    self._originals[name] = _attribute(tensorflow, name)

    def _replace(self, owner: Any, name: str, wrap: Callable[[Any], Any]) -> None:
        original = getattr(owner, name)
        ours = functools.wraps(original)(wrap(original))
        setattr(owner, name, ours)
        self._hooks.append(Hook(owner, name, ours))

    def _entering(self, original: Any) -> Any:
        listener = self._listener

        def __enter__(tape: Any) -> Any:  # noqa: N807 - stands in for the method
            result = original(tape)
            frame = sys._getframe(1)
            listener.tape_entered(tape, (frame.f_code, frame.f_lineno))
            return result

        return __enter__

    def _leaving(self, original: Any) -> Any:
        listener = self._listener

        def __exit__(tape: Any, *details: Any) -> Any:  # noqa: N807 - stands in for the method
            listener.tape_left(tape)
            listener.tape_exited()
            return original(tape, *details)

        return __exit__

    def _computing(self, original: Any) -> Any:
        listener = self._listener

        def gradient(tape: Any, target: Any, sources: Any, *rest: Any, **named: Any) -> Any:
            listener.tape_left(tape)
            gradients = original(tape, target, sources, *rest, **named)
            frame = sys._getframe(1)
            listener.gradient_given(tape, sources, gradients, (frame.f_code, frame.f_lineno))
            return gradients

        return gradient

    def _writing(self, original: Any) -> Any:
        listener = self._listener

        def assign(variable: Any, *values: Any, **named: Any) -> Any:
            seen = listener.assigning(variable)
            result = original(variable, *values, **named)
            if seen is not None:
                listener.assigned(variable, seen)
            return result

        return assign

    def _reading(self, original: Any) -> Any:
        listener = self._listener

        def read(variable: Any, *values: Any, **named: Any) -> Any:
            listener.reading(variable)
            return original(variable, *values, **named)

        return read

    def _inside(self, original: Any, region: str) -> Any:
        listener = self._listener

        def apply(*values: Any, **named: Any) -> Any:
            listener.region_entered(region)
            try:
                return original(*values, **named)
            finally:
                listener.region_left(region)

        return apply


def _attribute(start: Any, dotted: str) -> Any:
    """The object behind a dotted name; functions of classes by what they are, not by how they are bound."""
    found = start
    for part in dotted.split("."):
        found = getattr(found, part, None)
    return found
