"""Replaces methods of TensorFlow and Keras by ones that listen, and tells later if they are there."""

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
    *("keras.datasets.cifar10.load_data", "keras.datasets.cifar100.load_data"),
)
_LAZY = ("keras",)


class Hook(NamedTuple):
    """One method that was replaced by ours."""

    owner: Any
    name: str
    ours: Any


class Hooks:
    """The replaced methods and the identities of TensorFlow's attributes as they were after import."""

    def __init__(self) -> None:
        self._hooks: list[Hook] = []
        self._originals: dict[str, Any] = {}

    def replace(self, owner: Any, name: str, wrap: Callable[[Any], Any]) -> None:
        """Put `wrap(original)` in the place of a method, own or inherited, of a class."""
        original = getattr(owner, name)
        ours = functools.wraps(original)(wrap(original))
        setattr(owner, name, ours)
        self._hooks.append(Hook(owner, name, ours))

    def replace_in(self, module: Any, class_name: str, name: str, wrap: Callable[[Any], Any]) -> None:
        """The same for a class of a module; nothing where this release has no such class or method."""
        owner = getattr(module, class_name, None)
        if owner is not None and hasattr(owner, name):
            self.replace(owner, name, wrap)

    def remember(self, tensorflow: Any, *, with_keras: bool) -> None:
        """Note the identities of TensorFlow's attributes, and of Keras's when it is there."""
        for name in ATTRIBUTES:
            if name not in self._originals and (with_keras or not name.startswith(_LAZY)):
                self._originals[name] = _attribute(tensorflow, name)

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


def _attribute(start: Any, dotted: str) -> Any:
    """The object behind a dotted name; functions of classes by what they are, not by how they are bound."""
    found = start
    for part in dotted.split("."):
        found = getattr(found, part, None)
    return found
