"""What a statement does that holds no other statements: one function per kind of syntax node."""

from __future__ import annotations

import ast
from collections.abc import Callable
from enum import Enum, auto
from typing import Any

from grader.notebook.code import canonical, imported_names
from grader.notebook.flow import tables
from grader.notebook.flow.binding import bind, bind_name
from grader.notebook.flow.expressions import evaluate
from grader.notebook.flow.items import elements
from grader.notebook.flow.merging import as_data
from grader.notebook.flow.state import State
from grader.notebook.flow.tensors import binary
from grader.notebook.flow.trainings import applied
from grader.notebook.flow.values import (
    NUMBER,
    Const,
    Data,
    Items,
    Library,
    Variable,
)


class Signal(Enum):
    """How a block ends when it does not simply come to its end."""

    BREAK = auto()
    CONTINUE = auto()
    RETURN = auto()


def _assign(state: State, node: ast.Assign) -> None:
    value = evaluate(state, node.value)
    for target in node.targets:
        bind(state, target, value)


def _annotated(state: State, node: ast.AnnAssign) -> None:
    if node.value is not None:
        bind(state, node.target, evaluate(state, node.value))


def _augmented(state: State, node: ast.AugAssign) -> None:
    before = evaluate(state, _as_read(node.target))
    change = evaluate(state, node.value)
    state.line = node.lineno
    if isinstance(before, (Variable, Data)) and as_data(change).gradients:
        applied(state, change)
        return
    if isinstance(before, Items) and isinstance(node.op, ast.Add) and isinstance(node.target, ast.Name):
        inner, one = elements(state, change)
        before.items.extend(inner if inner is not None else [one])
        before.is_open = before.is_open or inner is None or state.rough_depth > before.depth
        return
    result = binary(state, node.op, before, change)
    if state.rough_depth and isinstance(result, Const):
        result = NUMBER  # a counter in a loop that is gone through only once
    bind(state, node.target, result)


def _as_read(target: ast.Name | ast.Attribute | ast.Subscript) -> ast.expr:
    if isinstance(target, ast.Name):
        return ast.copy_location(ast.Name(target.id, ast.Load()), target)
    return target


def _expression(state: State, node: ast.Expr) -> None:
    evaluate(state, node.value)


def _return(state: State, node: ast.Return) -> Signal:
    state.frame.returns.append(evaluate(state, node.value))
    return Signal.RETURN


def _raise(state: State, node: ast.Raise) -> Signal:
    return Signal.RETURN


def _break(state: State, node: ast.Break) -> Signal:
    return Signal.BREAK


def _continue(state: State, node: ast.Continue) -> Signal:
    return Signal.CONTINUE


def _import(state: State, node: ast.Import | ast.ImportFrom) -> None:
    for name, target in imported_names(node):
        bind_name(state, name, Library(target))
    if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
        module = canonical(node.module or "")
        if tables.root_of(module) in tables.HARMLESS and not node.level:
            state.stars.append(module)
        else:
            state.unclear(f"what `from {module} import *` brings in is not known")
    elif isinstance(node, ast.ImportFrom) and node.level:
        for alias in node.names:
            bind_name(state, alias.asname or alias.name, Library(f"local.{alias.name}"))


def _global(state: State, node: ast.Global) -> None:
    state.frame.scope.globals_.update(node.names)


def _nonlocal(state: State, node: ast.Nonlocal) -> None:
    scope = state.frame.scope
    outer = scope.parent
    while outer is not None:
        for name in node.names:
            if name in outer.names:
                scope.names.setdefault(name, outer.names[name])
        outer = outer.parent


def _assert(state: State, node: ast.Assert) -> None:
    evaluate(state, node.test)


def _delete(state: State, node: ast.Delete) -> None:
    for target in node.targets:
        if isinstance(target, ast.Name):
            state.frame.scope.names.pop(target.id, None)


SIMPLE_STATEMENTS: dict[type[ast.stmt], Callable[[State, Any], Signal | None]] = {
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.Expr: _expression,
    ast.Return: _return,
    ast.Raise: _raise,
    ast.Break: _break,
    ast.Continue: _continue,
    ast.Import: _import,
    ast.ImportFrom: _import,
    ast.Global: _global,
    ast.Nonlocal: _nonlocal,
    ast.Assert: _assert,
    ast.Delete: _delete,
}
