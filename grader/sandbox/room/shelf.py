"""Libraries that are imported already, and put out of sight until a notebook imports them.

A forked kernel must not differ from one that was started cold: hooks wait for the notebook's own import of
TensorFlow, and nothing is in `sys.modules` that the notebook did not ask for.
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

import after_import

# What importing each of them brings of the others; TensorFlow and Keras bring everything.
_BRINGS = {
    "numpy": (),
    "scipy": ("numpy",),
    "h5py": ("numpy",),
    "pandas": ("numpy",),
    "sklearn": ("numpy", "scipy"),
    "matplotlib": ("numpy", "mpl_toolkits"),
    "mpl_toolkits": ("numpy", "matplotlib"),
}

_EVERYTHING = ("keras", "tensorflow")
PACKAGES = (*_BRINGS, *_EVERYTHING)
_INLINE_FIGURES = "module://matplotlib_inline.backend_inline"  # as ipykernel has it
_PROMPT = "In : "  # by which TensorFlow takes a process for a kernel and speaks to its standard output

_shelved: dict[str, dict[str, Any]] = {}
_filters: list[Any] = []
_variables: dict[str, str] = {}
_levels: dict[str, int] = {}  # of the libraries' loggers


def fill() -> None:
    """Import what most notebooks need and put it away, unless that was done; no TensorFlow operation is run.

    What is imported already stays in sight. To be called after `after_import.install`.
    """
    if _shelved:
        return
    in_sight = {name.partition(".")[0] for name in sys.modules}
    filters, variables, levels = list(warnings.filters), dict(os.environ), _logger_levels()
    with _like_a_kernel():
        for name in ("numpy", "matplotlib.pyplot", "tensorflow"):
            importlib.import_module(name)
    for name in tuple(sys.modules):
        package = name.partition(".")[0]
        if package in PACKAGES and package not in in_sight:
            _shelved.setdefault(package, {})[name] = sys.modules.pop(name)
    _filters.extend(found for found in warnings.filters if found not in filters)
    _variables.update({name: value for name, value in os.environ.items() if name not in variables})
    for found in _filters:
        warnings.filters.remove(found)  # type: ignore[attr-defined]
    for name in _variables:
        del os.environ[name]
    _levels.update({name: level for name, level in _logger_levels().items() if levels.get(name, 0) != level})
    for name in _levels:
        logging.getLogger(name).setLevel(levels.get(name, 0))
    sys.meta_path.insert(0, _Shelf())


def _logger_levels() -> dict[str, int]:
    """The level of every logger that there is."""
    loggers = logging.root.manager.loggerDict
    return {name: found.level for name, found in loggers.items() if isinstance(found, logging.Logger)}


@contextmanager
def _like_a_kernel() -> Iterator[None]:
    """Let libraries that are imported meanwhile find what they find in a kernel."""
    backend, prompt = os.environ.get("MPLBACKEND"), getattr(sys, "ps1", None)
    os.environ["MPLBACKEND"], sys.ps1 = _INLINE_FIGURES, _PROMPT
    yield
    if backend is None:
        del os.environ["MPLBACKEND"]
    if prompt is None:
        del sys.ps1


def speak_through(streams: Mapping[Any, Any]) -> None:
    """Let log handlers of libraries write to the kernel's streams; `streams` maps the old ones to them."""
    for reference in logging._handlerList:  # type: ignore[attr-defined]
        handler = reference()
        if isinstance(handler, logging.StreamHandler) and handler.stream in streams:
            handler.stream = streams[handler.stream]


class _Shelf:
    """Finds what was put away."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in _shelved:
            return None
        nearest = PathFinder.find_spec(name)
        if nearest is None or nearest.origin != _shelved[name][name].__file__:
            return None  # the notebook has a module of that name, which comes first in a cold kernel, too
        loader: Any = _Given()
        return ModuleSpec(name, loader, origin=_shelved[name][name].__file__, is_package=True)


class _Given:
    """Loads a package by giving it back as it is; then the hooks that waited for it or its modules run."""

    def create_module(self, spec: ModuleSpec) -> Any:
        is_everything = spec.name in _EVERYTHING
        brought = PACKAGES if is_everything else (*_BRINGS[spec.name], spec.name)
        modules: dict[str, Any] = {}
        for package in brought:
            modules |= _shelved.pop(package, {})
        module = modules.pop(spec.name)  # this one Python itself puts among the imported ones
        sys.modules.update(modules)
        if is_everything:
            warnings.filters[:0] = _filters  # type: ignore[index]
            os.environ.update(_variables)
            for name, level in _levels.items():
                logging.getLogger(name).setLevel(level)
        self._spec, self._names = module.__spec__, (*modules, spec.name)
        return module

    def exec_module(self, module: Any) -> None:
        module.__spec__ = self._spec
        for name in self._names:
            after_import.call_back(name)
