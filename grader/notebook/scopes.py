"""Names that a notebook uses before they exist, when its cells run from top to bottom.

Only what surely runs is looked at: not the branches of an `if`, nor what a `try` may catch, nor functions
that no cell calls by name. Where names may come from elsewhere (`from x import *`, `exec`, `%run`), the rest
cannot be told.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from grader.notebook.code import CodeIndex, parameter_names
from grader.notebook.ipython import AUTOMAGICS
from grader.notebook.syntax import (
    Function,
    defaults_of,
    global_names,
    is_always,
    may_leave,
    may_suppress,
    names_set_by,
    names_set_in,
    own_nodes,
)

MOST = 20

_OF_IPYTHON = frozenset(
    {
        *("get_ipython", "display", "In", "Out", "exit", "quit", "_", "__", "___", "_i", "_ii", "_iii"),
        *("_ih", "_oh", "_dh", "__file__", "__builtins__", "__annotations__"),
    }
)
_HISTORY = re.compile(r"_i?\d+")
_BRINGS_NAMES = re.compile(
    r"^[ \t]*(?:%(?:pylab|run|load|loadpy|store|macro|reload|restore)\b|%%(?:cython|R|julia|sql|script)\b)",
    re.MULTILINE,
)
_CAPTURES = re.compile(r"^[ \t]*%%capture[ \t]+(?:-\S+[ \t]+)*([A-Za-z_]\w*)", re.MULTILINE)
_IDENTIFIER = re.compile(r"[^\W\d]\w*")
_OPAQUE_CALLS = frozenset(("exec", "globals", "locals", "vars", "execfile"))
_OPAQUE_METHODS = frozenset(("run_line_magic", "run_cell_magic", "magic", "run_cell", "ex", "push", "system"))


class Unbound(NamedTuple):
    """A name that does not exist yet where a cell uses it.

    `set_in` is the first cell that sets it, None when none does or it was set and deleted in `deleted_in`;
    `through` the function that uses it and that the cell calls, "" where the cell's own lines do.
    """

    name: str
    cell: int
    line: int
    set_in: int | None
    deleted_in: int | None = None
    through: str = ""


class NamesRead(NamedTuple):
    """The unbound names, each once, in order; from the cell `unknown_from` on nothing can be told."""

    unbound: tuple[Unbound, ...]
    unknown_from: int | None = None


def read_names(code: CodeIndex) -> NamesRead:
    """The names that are not there yet where they are used, going through the cells in order."""
    later: dict[str, int] = {}
    for cell, tree in code.trees.items():
        for name in names_set_in(tree):
            later.setdefault(name, cell)
    unparsed = {cell for cell, _ in code.unparsed}
    for cell in unparsed:
        for name in _IDENTIFIER.findall(code.source(cell)):
            later[name] = min(cell, later.get(name, cell))
    module = _Module(later)
    for cell, tree in code.trees.items():
        source = code.source(cell)
        module.enter(cell, source, is_parsed=cell not in unparsed)
        module.body(tree.body, sure=True)
        if module.is_opaque:
            return NamesRead(tuple(module.found), cell)
    return NamesRead(tuple(module.found))


class _Module:
    """The names that exist while the cells run, and what the functions among them need."""

    def __init__(self, later: dict[str, int]) -> None:
        self.later = later
        self.bound: set[str] = {*dir(builtins), *_OF_IPYTHON, "__name__", "__doc__"}
        self.deleted: dict[str, int] = {}
        self.functions: dict[str, Function] = {}
        self.found: list[Unbound] = []
        self.calls: list[str] = []
        self.is_opaque = False
        self._cell = 0
        self._told: set[str] = set()
        self._needs: dict[Function, tuple[list[str], list[str]]] = {}

    def enter(self, cell: int, source: str, *, is_parsed: bool) -> None:
        """Begin a cell; what its magics, or lines that are not Python, may set counts as set."""
        self._cell = cell
        self.is_opaque = _BRINGS_NAMES.search(source) is not None
        self.bound.update(_CAPTURES.findall(source))
        if not is_parsed:
            self.bound.update(_IDENTIFIER.findall(source))

    def body(self, statements: Iterable[ast.stmt], *, sure: bool) -> None:
        """Run statements one after the other."""
        for statement in statements:
            self._run(statement, sure=sure)
            sure = sure and not may_leave(statement)

    def _run(self, node: ast.stmt, *, sure: bool) -> None:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._expressions((*node.decorator_list, *defaults_of(node)), sure=sure)
                self._bind(global_names(node))
                self._bind([node.name])
                self.functions[node.name] = node
            case ast.ClassDef():
                self._expressions((*node.decorator_list, *node.bases, *node.keywords), sure=sure)
                self._of_class(node, sure=sure)
                self._bind([node.name])
                for inner in node.body:
                    if isinstance(inner, ast.FunctionDef) and inner.name == "__init__":
                        self.functions[node.name] = inner
            case ast.If():
                self._expressions([node.test], sure=sure)
                always = is_always(node.test)
                self.body(node.body, sure=sure and always)
                self.body(node.orelse, sure=False)
            case ast.While():
                self._expressions([node.test], sure=sure)
                self.body(node.body, sure=sure and is_always(node.test))
                self.body(node.orelse, sure=False)
            case ast.For() | ast.AsyncFor():
                self._expressions([node.iter], sure=sure)
                self._store(node.target, sure=sure)
                self.body(node.body, sure=sure)
                self.body(node.orelse, sure=False)
            case ast.Try() | ast.TryStar():
                self.body(node.body, sure=sure and not node.handlers)
                for handler in node.handlers:
                    self._bind(names_set_by(handler))
                    self.body(handler.body, sure=False)
                self.body(node.orelse, sure=False)
                self.body(node.finalbody, sure=sure)
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    self._expressions([item.context_expr], sure=sure)
                    if item.optional_vars is not None:
                        self._store(item.optional_vars, sure=sure)
                self.body(node.body, sure=sure and not any(may_suppress(item) for item in node.items))
            case ast.Match():
                self._expressions([node.subject], sure=sure)
                for case in node.cases:
                    self._bind(name for part in ast.walk(case.pattern) for name in names_set_by(part))
                    self.body(case.body, sure=False)
            case _:
                self._simple(node, sure=sure)

    def _simple(self, node: ast.stmt, *, sure: bool) -> None:
        match node:
            case ast.Assign(targets=targets, value=value):
                self._expressions([value], sure=sure)
                for target in targets:
                    self._store(target, sure=sure)
            case ast.AugAssign(target=target, value=value):
                self._expressions([value], sure=sure)
                if isinstance(target, ast.Name):
                    self._need(target.id, target.lineno, sure=sure)
                self._store(target, sure=sure)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._expressions([value], sure=sure)
                self._store(target, sure=sure)
            case ast.AnnAssign():
                pass
            case ast.Import() | ast.ImportFrom():
                self.is_opaque = self.is_opaque or any(alias.name == "*" for alias in node.names)
                self._bind(names_set_by(node))
            case ast.Delete(targets=targets):
                for target in targets:
                    if isinstance(target, ast.Name) and sure:
                        self.bound.discard(target.id)
                        self.deleted[target.id] = self._cell
            case ast.Expr(value=value) if _first_name(value) in AUTOMAGICS - self.bound:
                pass
            case _:
                self._expressions(ast.iter_child_nodes(node), sure=sure)

    def _store(self, target: ast.expr, *, sure: bool) -> None:
        """Give the names of a target values; what it is stored into has to exist."""
        self._expressions([target], sure=sure)
        self._bind(name for part in ast.walk(target) for name in names_set_by(part))

    def _bind(self, names: Iterable[str]) -> None:
        for name in names:
            self.bound.add(name)
            self.functions.pop(name, None)

    def _of_class(self, node: ast.ClassDef, *, sure: bool) -> None:
        """The statements of a class, whose names are seen in the class only."""
        outside, functions = set(self.bound), dict(self.functions)
        self.body(node.body, sure=sure)
        self.bound, self.functions = outside | set(global_names(node)), functions

    def _expressions(self, nodes: Iterable[ast.AST], *, sure: bool) -> None:
        for node in nodes:
            self._expression(node, sure=sure)

    def _expression(self, node: ast.AST, *, sure: bool) -> None:
        """Evaluate an expression: what it reads has to exist, what it calls needs what its body reads."""
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                self._need(name, node.lineno, sure=sure)
            case ast.Lambda():
                self._expressions(defaults_of(node), sure=sure)
            case ast.BoolOp(values=[first, *rest]):
                self._expression(first, sure=sure)
                self._expressions(rest, sure=False)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                self._expression(test, sure=sure)
                self._expressions((body, orelse), sure=False)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                self._comprehension(node, sure=sure)
            case ast.NamedExpr(target=target, value=value):
                self._expression(value, sure=sure)
                self._bind([target.id])
            case _:
                self._expressions(ast.iter_child_nodes(node), sure=sure)
                if isinstance(node, ast.Call):
                    self._call(node, sure=sure)

    def _comprehension(self, node: ast.expr, *, sure: bool) -> None:
        """The first iterable is read; the rest sees the comprehension's own names, and may never run."""
        generators: list[ast.comprehension] = node.generators  # type: ignore[attr-defined]
        self._expression(generators[0].iter, sure=sure)
        outside, functions = set(self.bound), dict(self.functions)
        for generator in generators:
            self._bind(name for part in ast.walk(generator.target) for name in names_set_by(part))
        is_lazy = isinstance(node, ast.GeneratorExp)
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, ast.comprehension):
                self._expression(child, sure=sure and not is_lazy and not any(g.ifs for g in generators))
        walrus = {n.target.id for n in ast.walk(node) if isinstance(n, ast.NamedExpr)}
        self.bound, self.functions = outside | walrus, functions

    def _call(self, node: ast.Call, *, sure: bool) -> None:
        match node.func:
            case ast.Name(id=name) if name in _OPAQUE_CALLS:
                self.is_opaque = True
            case ast.Attribute(attr=name, value=ast.Call(func=ast.Name(id="get_ipython"))):
                self.is_opaque = self.is_opaque or name in _OPAQUE_METHODS
            case ast.Name(id=name) if sure:
                self.calls.append(name)
                for needed, through in self._needs_of(name):
                    self._need(needed, node.lineno, sure=True, through=through)

    def _needs_of(self, name: str) -> Iterator[tuple[str, str]]:
        """The global names that a call of a function surely reads, by itself or in what it calls."""
        pending, seen = [name], {name}
        while pending:
            current = pending.pop()
            function = self.functions.get(current)
            if function is None:
                continue
            if function not in self._needs:
                self._needs[function] = _needs(function)
            needs, calls = self._needs[function]
            yield from ((needed, current) for needed in needs)
            pending += [called for called in dict.fromkeys(calls) if called not in seen]
            seen.update(calls)

    def _need(self, name: str, line: int, *, sure: bool, through: str = "") -> None:
        is_known = name in self.bound or name in self._told or _HISTORY.fullmatch(name)
        if is_known or not sure or self.is_opaque or len(self.found) == MOST:
            return
        self._told.add(name)
        deleted_in = self.deleted.get(name)
        set_in = None if deleted_in is not None else self.later.get(name)
        self.found.append(Unbound(name, self._cell, line, set_in, deleted_in, through))


def _needs(function: Function) -> tuple[list[str], list[str]]:
    """The global names that a call of `function` surely reads, and those of them that it calls."""
    if any(isinstance(node, ast.Yield | ast.YieldFrom) for node in own_nodes(function)):
        return [], []  # a generator runs when somebody asks for its items
    inner = _Module({})
    own = {name for node in own_nodes(function) for name in names_set_by(node)} | parameter_names(function)
    inner.bound |= own - set(global_names(function))
    inner.body(function.body, sure=True)
    return [unbound.name for unbound in inner.found], inner.calls


def _first_name(node: ast.expr) -> str:
    """The name that a line begins with: `ls` in `ls -l`."""
    while isinstance(node, ast.BinOp):
        node = node.left
    return node.id if isinstance(node, ast.Name) else ""
