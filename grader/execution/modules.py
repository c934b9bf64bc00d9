"""Modules that a notebook asked for and did not get, and files of a hand-in that stand in a library's way."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import PurePosixPath

from grader.model import Record
from grader.notebook.libraries import LIBRARIES

_MISSING = re.compile(r"^(?:ModuleNotFoundError|ImportError): No module named '?([\w.]+)'?")

# Variables that libraries look at once, when they are imported.
_READ_AT_IMPORT = re.compile(
    r"\b(?:KERAS_BACKEND|KERAS_HOME|TF_USE_LEGACY_KERAS|TF_ENABLE_ONEDNN_OPTS|TF2_BEHAVIOR|MPLBACKEND|"
    r"MPLCONFIGDIR|(?:OMP|MKL|OPENBLAS)_NUM_THREADS)\b"
)


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
    hidden = LIBRARIES | {"sitecustomize", "usercustomize"}
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


def wants_fresh_process(sources: Iterable[str], files: Iterable[str]) -> bool:
    """Whether code or files of a hand-in decide how libraries are imported, so that none may be there before.

    Code does by variables that libraries read when they are imported, a file by a module's name.
    """
    return any(_READ_AT_IMPORT.search(source) for source in sources) or any(map(_hides_module, files))


def _hides_module(file: str) -> bool:
    """Whether a file, wherever it lies, would be imported in place of an installed module."""
    path = PurePosixPath(file)
    name = path.parent.name if path.name == "__init__.py" else path.stem
    return path.suffix == ".py" and name.isidentifier() and find_spec(name) is not None
