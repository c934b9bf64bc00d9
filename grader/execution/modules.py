"""Modules that a notebook asked for and did not get, and files of a hand-in that stand in a library's way."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from grader.model import Record
from grader.notebook.libraries import LIBRARIES

_MISSING = re.compile(r"^(?:ModuleNotFoundError|ImportError): No module named '?([\w.]+)'?")


class MissingModule(Record):
    """A module that could not be imported. `is_third_party`: a library (our fault), not a private file."""

    name: str
    is_third_party: bool


def missing_module(error: str) -> MissingModule | None:
    """The top-level module that `error` ("Name: message") says is missing, None when it says nothing."""
    found = _MISSING.match(error)
    if found is None:
        return None
    name = found[1].partition(".")[0]
    return MissingModule(name=name, is_third_party=name in LIBRARIES)


def shadowed_modules(files: Iterable[str], working_folder: str = ".") -> list[str]:
    """Those of the hand-in's `files` that hide a library: they lie beside the notebook with its name."""
    hidden = LIBRARIES | {"numpy", "ipykernel", "IPython", "sitecustomize", "usercustomize"}
    beside = PurePosixPath(working_folder)
    found = []
    for file in files:
        if not PurePosixPath(file).is_relative_to(beside):
            continue
        parts = PurePosixPath(file).relative_to(beside).parts
        name = parts[0].removesuffix(".py") if len(parts) == 1 else parts[0]
        if name in hidden and file.endswith(".py"):
            found.append(file)
    return sorted(found)
