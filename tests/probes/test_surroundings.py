"""What a notebook replaces of what it runs with, in this process and a module of its own."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest

from grader.probes import surroundings


@pytest.fixture
def library(monkeypatch):
    """A watched library that is imported only after the kernel stands, as numpy is in a fork."""
    waiting = {}
    monkeypatch.setattr(surroundings, "_WATCHED", {"json": ("dumps",), "a_library": ("mean",)})

    def after_import(name, callback):
        if name in sys.modules:
            callback(sys.modules[name])
        else:
            waiting[name] = callback

    def imported():
        module = ModuleType("a_library")
        module.mean = sum
        monkeypatch.setitem(sys.modules, "a_library", module)
        waiting["a_library"](module)
        return module

    shell = SimpleNamespace(ast_transformers=[])
    return SimpleNamespace(
        seen=surroundings.Surroundings(shell, "/content", after_import), imported=imported, shell=shell
    )


def test_a_library_that_is_only_imported_is_not_replaced(library):
    assert library.seen.replaced() == []
    library.imported()
    assert library.seen.replaced() == []


def test_what_is_replaced_is_named(library, monkeypatch):
    module = library.imported()
    module.mean = max
    monkeypatch.setattr("json.dumps", str)
    library.shell.ast_transformers.append(object())
    assert set(library.seen.replaced()) == {"IPython's ast_transformers", "json.dumps", "a_library.mean"}
