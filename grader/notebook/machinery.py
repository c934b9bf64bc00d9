"""Code that reaches into what runs it: the interpreter's modules and frames, the kernel, what watches a run.

Homework needs none of this. Somebody who wants to forge what a run tells needs some of it; whoever hides it
well is not found here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from grader.errors import NotebookError
from grader.model import Record
from grader.notebook.code import CodeIndex, canonical, dotted_name, imported_names
from grader.notebook.reading import read_notebook
from grader.notebook.records import Cell, CellKind

MOST = 20

_ATTRIBUTES = frozenset(
    {
        *(
            "_getframe",
            "f_back",
            "f_globals",
            "f_locals",
            "currentframe",
            "settrace",
            "setprofile",
            "tb_frame",
        ),
        *("get_objects", "get_referrers", "get_referents", "meta_path", "path_hooks", "__subclasses__"),
        *("__globals__", "__code__", "__closure__", "__builtins__", "__reduce__", "__reduce_ex__"),
        *(
            "ast_transformers",
            "input_transformers_cleanup",
            "input_transformers_post",
            "input_transformer_manager",
        ),
        *("showtraceback", "_showtraceback", "run_cell", "run_cell_async", "do_execute", "execute_request"),
        *("shell_handlers", "control_handlers", "iopub_socket", "shell_stream", "displayhook", "display_pub"),
        *("add_op_callback", "op_callbacks", "quick_execute", "memfd_create", "dup2"),
    }
)
_MODULES = frozenset({"ctypes", "_ctypes", "builtins", "marshal", "probes", "wire", "after_import"})
_CALLED = frozenset({"exec", "eval", "compile", "__import__"})
_DESCRIPTORS = frozenset(
    {"os.write", "os.writev", "os.pwrite", "os.fdopen", "os.dup", "os.sendfile", "os.splice", "io.FileIO"}
)  # files by their numbers: nobody but who looks for the grader's own has any
_OF_SYS_MODULES = frozenset({"get", "items", "values", "pop", "setdefault", "update", "copy"})
_TEXTS = re.compile(
    r"/proc/(?!cpuinfo|meminfo|version)|/harness\b|/run/(?:settings|kernel)\b|^probes(?:\.|$)"
)
_LIBRARIES = ("tf", "np", "time", "json", "builtins", "IPython", "ipykernel")
_OLD_NAMES = frozenset(
    {"bool", "complex", "float", "int", "object", "str", "logging"}
)  # given back to libraries
_RUNS = re.compile(r"^[ \t]*%run\b(.*)$", re.MULTILINE)
_WRITES_MODULE = re.compile(r"\s*%%(?:writefile|file)\b[^\n]*\.py\s*\n")


class Reach(Record):
    """One such thing: `what` it is in a few words, and where: in a cell, or in a file that was handed in."""

    what: str
    cell: int | None = None
    file: str = ""

    @property
    def place(self) -> str:
        """`cell 3` or `helper.py`."""
        return self.file or f"cell {self.cell}"


def reaches_of_cells(cells: Sequence[Cell]) -> tuple[Reach, ...]:
    """What code cells reach into, in modules that they write as files too; each thing once a cell."""
    index = CodeIndex([_with_written_module(cell) for cell in cells])
    aliases = {name: target for tree in index.trees.values() for name, target in _aliases(tree)}
    found = [
        Reach(what=what, cell=cell)
        for cell, tree in index.trees.items()
        for what in _reaches_of(tree, aliases)
    ]
    return tuple(found[:MOST])


def files_run(cells: Sequence[Cell]) -> str:
    """All that stands behind `%run` in code cells: names of files whose code runs with theirs."""
    return "\n".join(found for cell in cells for found in _RUNS.findall(cell.source))


def reaches_of_file(name: str, text: str) -> tuple[Reach, ...]:
    """What a file that was handed in reaches into: Python, or a notebook whose code cells are run."""
    cells: Sequence[Cell] = [Cell(number=1, kind=CellKind.CODE, source=text)]
    if name.endswith(".ipynb"):
        try:
            cells = read_notebook(text.encode("utf-8", "replace")).code_cells
        except NotebookError:  # what it does is not known, and IPython may run it all the same
            return (Reach(what="a notebook that cannot be read", file=name),)
    found = {reach.what: Reach(what=reach.what, file=name) for reach in reaches_of_cells(cells)}
    return tuple(found.values())


def _with_written_module(cell: Cell) -> Cell:
    """The cell; of one that writes a Python module, that module's code."""
    written = _WRITES_MODULE.match(cell.source)
    return cell if written is None else cell.model_copy(update={"source": cell.source[written.end() :]})


def _aliases(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        yield from imported_names(node)


def _reaches_of(tree: ast.Module, aliases: dict[str, str]) -> list[str]:
    """Each thing once, in the order of the code."""
    return list(dict.fromkeys(what for node in ast.walk(tree) for what in _reaches_in(node, aliases)))


def _reaches_in(node: ast.AST, aliases: dict[str, str]) -> Iterator[str]:
    match node:
        case ast.Attribute(attr=name) if name in _ATTRIBUTES:
            yield name
        case ast.Subscript(value=ast.Attribute(attr="modules")):
            yield "sys.modules"
        case ast.Attribute(value=ast.Attribute(attr="modules"), attr=name) if name in _OF_SYS_MODULES:
            yield "sys.modules"
        case ast.Name(id="__builtins__"):
            yield "__builtins__"
        case ast.Call(func=ast.Name(id=name), args=[first, *_]) if name in _CALLED:
            if not (name == "eval" and isinstance(first, ast.Constant)):
                yield f"{name}(…)"
        case ast.Call(func=ast.Name(id="open"), args=[ast.Constant(value=int()), *_]):
            yield "open of a number"
        case ast.Call(func=function) if (name := _library_name(function, aliases)) in _DESCRIPTORS:
            yield name
        case ast.Call(func=ast.Name(id="setattr"), args=[ast.expr() as owner, *_]):
            if _is_library(owner, aliases):
                yield f"setattr on {_library_name(owner, aliases)}"
        case ast.Import() | ast.ImportFrom():
            yield from _imported(node)
        case ast.Constant(value=str(text)) if _TEXTS.search(text[:1000]):
            yield repr(text[:40])
        case ast.Assign(targets=targets):
            for target in targets:
                yield from _replaced(target, aliases)


def _replaced(target: ast.expr, aliases: dict[str, str]) -> Iterator[str]:
    """An attribute of a library that is given another value."""
    if (
        isinstance(target, ast.Attribute)
        and target.attr not in _OLD_NAMES
        and _is_library(target.value, aliases)
    ):
        yield f"{_library_name(target.value, aliases)}.{target.attr} = …"


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    names = [alias.name for alias in node.names]
    modules = names if isinstance(node, ast.Import) else [node.module or ""]
    yield from (f"import {name}" for name in modules if name.split(".")[0] in _MODULES)
    if isinstance(node, ast.ImportFrom):
        yield from (name for name in names if name in _ATTRIBUTES)
        if node.module == "sys" and "modules" in names:
            yield "sys.modules"


def _library_name(node: ast.expr, aliases: dict[str, str]) -> str:
    """The canonical name of a library or a part of it, "" for anything else."""
    parts = dotted_name(node)
    if parts is None or parts[0] not in aliases:
        return ""
    return canonical(".".join([aliases[parts[0]], *parts[1]]))


def _is_library(node: ast.expr, aliases: dict[str, str]) -> bool:
    return _library_name(node, aliases).split(".")[0] in _LIBRARIES
