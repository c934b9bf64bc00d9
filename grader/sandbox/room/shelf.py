"""Libraries that are imported already, and put out of sight until a notebook imports them.

A forked kernel must not differ from one that was started cold: hooks wait for the notebook's own import of
TensorFlow, and nothing is in `sys.modules` that the notebook did not ask for.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
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
PACKAGES = (*_BRINGS, "keras", "tensorflow")

_INLINE_FIGURES = "module://matplotlib_inline.backend_inline"  # as ipykernel has it

_shelved: dict[str, dict[str, Any]] = {}


def fill() -> None:
    """Import what most notebooks need and put it away, unless that was done; no TensorFlow operation is run.

    To be called after `after_import.install`.
    """
    if _shelved:
        return
    backend = os.environ.get("MPLBACKEND")
    os.environ["MPLBACKEND"] = _INLINE_FIGURES
    for name in ("numpy", "matplotlib.pyplot", "tensorflow"):
        importlib.import_module(name)
    if backend is None:
        del os.environ["MPLBACKEND"]
    for name in tuple(sys.modules):
        package = name.partition(".")[0]
        if package in PACKAGES:
            _shelved.setdefault(package, {})[name] = sys.modules.pop(name)
    sys.meta_path.insert(0, _Shelf())


class _Shelf:
    """Finds what was put away."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in _shelved:
            return None
        loader: Any = _Given()
        return ModuleSpec(name, loader, origin=_shelved[name][name].__file__, is_package=True)


class _Given:
    """Loads a package by giving it back as it is; then the hooks that waited for it or its modules run."""

    def create_module(self, spec: ModuleSpec) -> Any:
        brought = (*_BRINGS[spec.name], spec.name) if spec.name in _BRINGS else PACKAGES
        modules: dict[str, Any] = {}
        for package in brought:
            modules |= _shelved.pop(package, {})
        module = modules.pop(spec.name)  # this one Python itself puts among the imported ones
        sys.modules.update(modules)
        self._spec, self._names = module.__spec__, (*modules, spec.name)
        return module

    def exec_module(self, module: Any) -> None:
        module.__spec__ = self._spec
        for name in self._names:
            after_import.call_back(name)
