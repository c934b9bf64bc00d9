"""Calls a function once a named module has been imported, however it is imported."""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

Callback = Callable[[Any], None]

_callbacks: dict[str, list[Callback]] = {}


class _Loader:
    """Stands before a module's own loader and calls back when the module has been executed.

    Some libraries draw random numbers while they are imported; the notebook's go on as if they had not.
    """

    def __init__(self, loader: Any, callbacks: list[Callback]) -> None:
        self._loader = loader
        self._callbacks = callbacks

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> Any:
        return self._loader.create_module(spec)

    def exec_module(self, module: Any) -> None:
        module.__spec__.loader = module.__loader__ = self._loader
        state = random.getstate()
        self._loader.exec_module(module)
        random.setstate(state)
        _call(self._callbacks, module)


class _Finder:
    """Finds the modules that somebody waits for, through the ordinary finders."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        callbacks = _callbacks.pop(name, None)
        if callbacks is None:
            return None
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            spec: Any = None if finder is self or find is None else find(name, path, target)
            if spec is not None and spec.loader is not None:
                spec.loader = _Loader(spec.loader, callbacks)
                return spec  # type: ignore[no-any-return]
        _callbacks[name] = callbacks
        return None


def _call(callbacks: Iterable[Callback], module: Any) -> None:
    for callback in callbacks:
        with contextlib.suppress(Exception):  # a file of the hand-in, by the name of a library
            callback(module)


def after_import(name: str, callback: Callback) -> None:
    """Call `callback(module)` once `name` has been imported, at once if it is there already."""
    if name in sys.modules:
        callback(sys.modules[name])
    else:
        _callbacks.setdefault(name, []).append(callback)


def call_back(name: str) -> None:
    """Make the calls that wait for `name`, which has just come into `sys.modules` without being executed."""
    _call(_callbacks.pop(name, ()), sys.modules[name])


def install() -> None:
    """Begin to watch imports; harmless when repeated."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
