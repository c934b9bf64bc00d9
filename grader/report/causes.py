"""Why a cell failed in our run, where the error and the code tell."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from unicodedata import normalize

from grader.model import CellRun, CellStatus
from grader.notebook.code import CodeIndex
from grader.notebook.records import Cell

_NO_NAME = re.compile(r"NameError: (?:cannot access free variable|name) '([^']{1,80})'")
_NO_MODULE = re.compile(r"(?:ModuleNotFoundError|ImportError): No module named '([^']{1,80})'")
_NO_FILE = re.compile(r"FileNotFoundError: ")


def cause_of(
    run: CellRun, cells: Sequence[Cell], runs: Sequence[CellRun], missing_modules: Sequence[str]
) -> str:
    """A sentence on why `run` failed, "" when nothing is certain.

    `cells` are the notebook's code, `runs` those of all of them.
    """
    error = run.error or ""
    if name := _NO_NAME.match(error):
        return _why_no_name(name[1], run.cell, cells, runs)
    if module := _NO_MODULE.match(error):
        top = module[1].split(".")[0]
        if top in missing_modules:
            return f"Our environment lacks {top}: our fault, it costs you nothing."
        return f"No file that could be imported as {top} was handed in."
    if _NO_FILE.match(error):
        return "The file is not among those that were handed in."
    return ""


def _why_no_name(name: str, cell: int, cells: Sequence[Cell], runs: Sequence[CellRun]) -> str:
    naming = [one for one in cells if name in normalize("NFKC", one.source)]  # as Python reads names
    setters = [number for number, tree in CodeIndex(naming).trees.items() if name in _bound(tree)]
    unwell = {run.cell for run in runs if run.status is not CellStatus.OK}
    if not setters:
        return (
            f"No cell of the notebook sets `{name}`: it must have come from an earlier state of your session."
        )
    if min(setters) > cell:
        return (
            f"`{name}` is set only further down, in cell {min(setters)}: the cells were run in another order."
        )
    broken = [number for number in setters if number < cell and number in unwell]
    return f"`{name}` is set in cell {broken[-1]}, which did not run to its end." if broken else ""


def _bound(tree: ast.Module) -> Iterator[str]:
    """The names that code sets anywhere in it, by assignment, definition or import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name.split(".")[0] for alias in node.names)
