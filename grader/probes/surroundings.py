"""What student code replaced of what it ran with: the shell's hooks, clocks, comparisons, whole libraries."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

AfterImport = Callable[[str, Callable[[Any], None]], None]

_WATCHED = {
    "builtins": (
        "print",
        "open",
        "isinstance",
        "abs",
        "len",
        "max",
        "min",
        "round",
        "sum",
        "float",
        "__import__",
    ),
    "time": ("time", "monotonic", "perf_counter", "perf_counter_ns", "process_time", "sleep", "thread_time"),
    "json": ("dumps", "loads"),
    "numpy": (
        "allclose",
        "argmax",
        "array_equal",
        "asarray",
        "equal",
        "frombuffer",
        "isclose",
        "load",
        "mean",
    ),
}
_SHELL = (
    *("ast_transformers", "input_transformers_cleanup", "input_transformers_post", "showtraceback"),
    *("_showtraceback", "run_cell", "run_cell_async", "run_code", "run_ast_nodes", "transform_cell"),
    *("kernel.do_execute", "kernel.execute_request", "kernel.shell_handlers", "kernel.session.send"),
)
_NOT_OURS = ("/room", "/harness")  # the course's own modules may be replaced by those of a hand-in


class Surroundings:
    """Names and what they stood for before any code of the notebook ran, libraries just after their import.

    `content` is the folder in which the hand-in's files lie.
    """

    def __init__(self, shell: Any, content: str, after_import: AfterImport) -> None:
        self._shell = shell
        self._content = content
        self._before = {f"IPython's {name}": _parts(_attribute(shell, name)) for name in _SHELL}
        for module in _WATCHED:
            after_import(module, self._remember)

    def replaced(self) -> list[str]:
        """The names that stand for something else now, and the libraries that came from the hand-in."""
        now = {f"IPython's {name}": _parts(_attribute(self._shell, name)) for name in _SHELL}
        for name in _WATCHED:
            now |= _standing(name, sys.modules.get(name))
        names = [name for name, before in self._before.items() if not _are_same(before, now[name])]
        return names + self._libraries_of_the_hand_in()

    def _remember(self, module: ModuleType) -> None:
        self._before |= _standing(module.__name__, module)

    def _libraries_of_the_hand_in(self) -> list[str]:
        """Modules that were imported from the hand-in though there is a library of their name."""
        places = [
            Path(place) for place in sys.path if place and not place.startswith((self._content, *_NOT_OURS))
        ]
        found = []
        inside = self._content + os.sep
        for name, module in list(sys.modules.items()):
            file = str(getattr(module, "__file__", None))
            is_of_hand_in = file.startswith(inside)
            if is_of_hand_in and any((p / name).is_dir() or (p / f"{name}.py").is_file() for p in places):
                found.append(f"{name} (by {file.removeprefix(inside)})")
        return found


def _standing(name: str, module: ModuleType | None) -> dict[str, list[Any]]:
    """What the watched names of a module consist of, to be compared by identity."""
    return {f"{name}.{watched}": _parts(getattr(module, watched, None)) for watched in _WATCHED[name]}


def _attribute(start: Any, dotted: str) -> Any:
    found = start
    for part in dotted.split("."):
        found = getattr(found, part, None)
    return found


def _parts(value: Any) -> list[Any]:
    """A list's members, a table's values, a method's function and object; anything else by itself."""
    if type(value) is list:
        return list(value)
    if type(value) is dict:
        return [part for member in value.values() for part in _parts(member)]
    function = getattr(value, "__func__", None)
    return [value] if function is None else [function, value.__self__]


def _are_same(before: list[Any], now: list[Any]) -> bool:
    return len(before) == len(now) and all(a is b for a, b in zip(before, now, strict=True))
