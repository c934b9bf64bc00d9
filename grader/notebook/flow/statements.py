"""What a block of statements does, and each statement that holds blocks, one function per kind of node."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from grader.notebook.facts import Picked
from grader.notebook.flow import tables
from grader.notebook.flow.binding import bind, bind_name
from grader.notebook.flow.expressions import evaluate, make_function
from grader.notebook.flow.items import elements
from grader.notebook.flow.merging import as_data, join, truth
from grader.notebook.flow.objects import attribute_of, found_in
from grader.notebook.flow.simple_statements import SIMPLE_STATEMENTS, Signal
from grader.notebook.flow.state import State
from grader.notebook.flow.tensors import flipped
from grader.notebook.flow.values import (
    UNKNOWN,
    Class,
    Data,
    Function,
    Instance,
    Items,
    Library,
    Scope,
    Stream,
    Thing,
    Value,
)

_MAX_ROUNDS = 16  # of a `while` loop whose condition is known


def run_body(state: State, body: Sequence[ast.stmt]) -> Signal | None:
    """Go through the statements of a block, until one of them leaves it."""
    for statement in body:
        state.tick(statement)
        handler = _STATEMENTS.get(type(statement))
        signal = handler(state, statement) if handler is not None else None
        if signal is not None:
            return signal
    return None


def define(state: State, cell: int, statement: ast.stmt) -> None:
    """Go through a definition of the notebook that stands further down than its first use."""
    frames, state.frames = state.frames, state.frames[:1]
    before = state.frame.cell
    state.frame.cell = cell
    try:
        run_body(state, [statement])
    finally:
        state.frame.cell = before
        state.frames = frames


def _if(state: State, node: ast.If) -> Signal | None:
    condition = evaluate(state, node.test)
    known = truth(condition)
    if known is not None:
        return run_body(state, node.body if known else node.orelse)
    picked = condition.picked if isinstance(condition, Data) else Picked.NO
    return _either(state, [(node.body, picked), (node.orelse, flipped(picked))])


def _either(state: State, branches: Sequence[tuple[Sequence[ast.stmt], Picked]]) -> Signal | None:
    """Go through each of several blocks of which one happens, and take their outcomes together."""
    scope = state.frame.scope
    before = dict(scope.names)
    outcomes: list[dict[str, Value]] = []
    signals: list[Signal | None] = []
    state.rough_depth += 1
    for body, picked in branches:
        scope.names = dict(before)
        state.frame.picked.append(picked)
        try:
            signals.append(run_body(state, body))
        finally:
            state.frame.picked.pop()
        if signals[-1] is None:
            outcomes.append(scope.names)
    state.rough_depth -= 1
    scope.names = _joined_names(outcomes) if outcomes else dict(before)
    if all(signal is not None for signal in signals):
        return signals[0] if len(set(signals)) == 1 else None
    return None


def _joined_names(outcomes: list[dict[str, Value]]) -> dict[str, Value]:
    names = dict(outcomes[0])
    for other in outcomes[1:]:
        for name in {*names, *other}:
            if names.get(name) is not other.get(name):
                names[name] = join(names.get(name), other.get(name))
    return names


def _for(state: State, node: ast.For | ast.AsyncFor) -> Signal | None:
    iterable = evaluate(state, node.iter)
    exact, one = elements(state, iterable)
    counts = state.frame.loops
    counts.append(_count(node.iter, iterable))
    try:
        if exact is None:
            signal = _once(state, node.target, one, node.body)
            return signal
        for element in exact:
            bind(state, node.target, element)
            signal = run_body(state, node.body)
            if signal is Signal.RETURN:
                return signal
            if signal is Signal.BREAK:
                return None
    finally:
        counts.pop()
    return run_body(state, node.orelse)


def _count(node: ast.expr, iterable: Value) -> int | None:
    """How often a loop over a range goes round; a loop over written values is no such count (0)."""
    text = ast.dump(node.func) if isinstance(node, ast.Call) else ""
    if "range" not in text and not isinstance(iterable, Stream):
        return 0
    if isinstance(iterable, Stream):
        return iterable.count
    return len(iterable.items) if isinstance(iterable, Items) else None


def _once(state: State, target: ast.expr | None, element: Value, body: Sequence[ast.stmt]) -> Signal | None:
    """One round for a loop whose number of rounds is large or not known."""
    scope = state.frame.scope
    before = dict(scope.names)
    state.rough_depth += 1
    if target is not None:
        bind(state, target, element)
    signal = run_body(state, body)
    state.rough_depth -= 1
    _mark_grown(scope, before)
    return signal if signal is Signal.RETURN else None


def _mark_grown(scope: Scope, before: dict[str, Value]) -> None:
    """What went through layers in one round of a loop may go through more of them in the next rounds."""
    for name, old in before.items():
        new = scope.names.get(name)
        if new is old or not isinstance(new, Data) or new.chain is None:
            continue
        start = as_data(old)
        is_input = start.chain is None and bool(start.origins) and new.chain.products > 0
        if is_input or (start.chain is not None and new.chain.comes_from(start.chain)):
            scope.names[name] = replace(new, chain=new.chain.broken())


def _while(state: State, node: ast.While) -> Signal | None:
    counts = state.frame.loops
    counts.append(None)
    before = dict(state.frame.scope.names)
    try:
        for _ in range(_MAX_ROUNDS):
            condition = evaluate(state, node.test)
            known = truth(condition)
            if known is False:
                break
            if known is None or isinstance(node.test, ast.Constant):
                return _once(state, None, UNKNOWN, node.body)
            signal = run_body(state, node.body)
            if signal is Signal.RETURN:
                return signal
            if signal is Signal.BREAK:
                break
        else:
            _mark_grown(state.frame.scope, before)
    finally:
        counts.pop()
    return None


def _with(state: State, node: ast.With | ast.AsyncWith) -> Signal | None:
    for item in node.items:
        value = evaluate(state, item.context_expr)
        if isinstance(value, Instance) and found_in(value.cls, "__enter__") is not None:
            value = state.call(attribute_of(state, value, "__enter__"), [], {})
        if item.optional_vars is not None:
            bind(state, item.optional_vars, value)
    return run_body(state, node.body)


def _try(state: State, node: ast.Try) -> Signal | None:
    signal = run_body(state, [*node.body, *node.orelse])
    for handler in node.handlers:
        if handler.name is not None:
            bind_name(state, handler.name, Thing("builtins.Exception", [], {}))
    if node.handlers:
        _either(state, [([], Picked.NO), *((handler.body, Picked.NO) for handler in node.handlers)])
    return run_body(state, node.finalbody) or signal


def _function(state: State, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    owner = state.frame.owner if state.frame.scope.is_class else None
    name = f"{owner.name}.{node.name}" if owner is not None else node.name
    function = make_function(state, node, name)
    function.owner = owner
    value: Value = function
    for decorator in reversed(node.decorator_list):
        found = evaluate(state, decorator)
        if isinstance(found, Library):
            kinds = {"staticmethod": "static", "classmethod": "class", "property": "property"}
            last = tables.last_of(found.name)
            function.kind = kinds.get(last, "property" if last == "cached_property" else function.kind)
        elif isinstance(found, Function):
            value = state.call(found, [value], {})
    state.frame.scope.names[node.name] = value


def _class(state: State, node: ast.ClassDef) -> None:
    bases = [evaluate(state, base) for base in node.bases]
    frame = state.frame
    outer, owner_before = frame.scope, frame.owner
    scope = Scope({}, outer, is_class=True)
    made = Class(node.name, bases, scope.names, state.cell)
    made.fields = [
        statement.target.id
        for statement in node.body
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
    ]
    frame.scope, frame.owner = scope, made
    try:
        run_body(state, node.body)
    finally:
        frame.scope, frame.owner = outer, owner_before
        made.names = scope.names
    state.classes.append(made)
    outer.names[node.name] = made


def _match(state: State, node: ast.Match) -> Signal | None:
    evaluate(state, node.subject)
    return _either(state, [*((case.body, Picked.NO) for case in node.cases), ([], Picked.NO)])


_STATEMENTS: dict[type[ast.stmt], Callable[[State, Any], Signal | None]] = {
    **SIMPLE_STATEMENTS,
    ast.If: _if,
    ast.For: _for,
    ast.AsyncFor: _for,
    ast.While: _while,
    ast.With: _with,
    ast.AsyncWith: _with,
    ast.Try: _try,
    ast.FunctionDef: _function,
    ast.AsyncFunctionDef: _function,
    ast.ClassDef: _class,
    ast.Match: _match,
}
