"""What an expression stands for: one function per kind of syntax node."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from grader.notebook.code import canonical
from grader.notebook.facts import Picked
from grader.notebook.flow.binding import bind
from grader.notebook.flow.containers import joined
from grader.notebook.flow.items import elements, item_of, over, sliced
from grader.notebook.flow.merging import as_data, join, text_of, truth
from grader.notebook.flow.objects import attribute_of
from grader.notebook.flow.state import State
from grader.notebook.flow.tables import may_come_from
from grader.notebook.flow.tensors import binary, compare, unary
from grader.notebook.flow.values import (
    NONE,
    NUMBER,
    UNKNOWN,
    Const,
    Data,
    Function,
    FunctionNode,
    Items,
    Library,
    Method,
    Scope,
    Table,
    Thing,
    Value,
)

_MAX_TEXT = 500
_HOLE = re.compile(r"%[sdi]|\{\}")
_BUILTINS = frozenset(dir(__builtins__) if not isinstance(__builtins__, dict) else __builtins__)


def evaluate(state: State, node: ast.expr | None) -> Value:
    """The abstract value of an expression; UNKNOWN for syntax that says nothing to us."""
    if node is None:
        return NONE
    state.tick(node)
    handler = _EVALUATORS.get(type(node))
    return UNKNOWN if handler is None else handler(state, node)


def look_up(state: State, name: str) -> Value:
    """What a name holds; where it is bound only further down (cells run out of order), what it gets there."""
    scope: Scope | None = state.frame.scope
    while scope is not None:
        if name in scope.names:
            return scope.names[name]
        scope = scope.parent
    if name in state.later:
        cell, statement = state.later.pop(name)
        if isinstance(statement, ast.Assign):
            state.unclear(f"`{name}` gets its value only in cell {cell}, after it is used")
        state.define(cell, statement)
        if name in state.globals.names:
            return state.globals.names[name]
    if name == "__name__":
        return Const("__main__")
    if name in _BUILTINS:
        return Library(f"builtins.{name}")
    if name in ("get_ipython", "display"):
        return Library(f"IPython.{name}")
    for module in reversed(state.stars):
        if may_come_from(module, name):
            return Library(canonical(f"{module}.{name}"))
    if name != "__file__":
        state.unclear(f"the name `{name}` is not defined in the notebook")
    return UNKNOWN


def make_function(state: State, node: FunctionNode, name: str) -> Function:
    """A function as it is defined, its defaults evaluated now."""
    scope = state.frame.scope
    while scope.is_class and scope.parent is not None:
        scope = scope.parent
    defaults = [evaluate(state, default) for default in node.args.defaults]
    keywords = {
        argument.arg: evaluate(state, default)
        for argument, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
        if default is not None
    }
    function = Function(node, scope, state.cell, name, defaults, keywords)
    if not isinstance(node, ast.Lambda):
        state.functions.append(function)
    return function


def _name(state: State, node: ast.Name) -> Value:
    return look_up(state, node.id)


def _attribute(state: State, node: ast.Attribute) -> Value:
    return attribute_of(state, evaluate(state, node.value), node.attr)


def _constant(state: State, node: ast.Constant) -> Value:
    return Const(node.value)


def _sequence(state: State, node: ast.List | ast.Tuple | ast.Set) -> Value:
    made = Items([], isinstance(node, ast.Tuple), depth=state.rough_depth)
    for element in node.elts[:2000]:
        if isinstance(element, ast.Starred):
            inner, one = elements(state, evaluate(state, element.value))
            made.items.extend(inner if inner is not None else [one])
            made.is_open = made.is_open or inner is None
        else:
            made.items.append(evaluate(state, element))
    made.is_open = made.is_open or len(node.elts) > 2000
    return made


def _dict(state: State, node: ast.Dict) -> Value:
    made = Table({})
    for key, value in zip(node.keys, node.values, strict=True):
        inner = evaluate(state, value)
        if key is None:
            if isinstance(inner, Table):
                made.items.update(inner.items)
            made.is_open = made.is_open or not isinstance(inner, Table) or inner.is_open
            continue
        name = evaluate(state, key)
        if isinstance(name, Const):
            made.items[name.value] = inner
        elif isinstance(name, Library):
            made.items[name.name] = inner
        else:
            made.items[f"?{len(made.items)}"] = inner
            made.is_open = True
    return made


def _binary(state: State, node: ast.BinOp) -> Value:
    left, right = evaluate(state, node.left), evaluate(state, node.right)
    state.line = node.lineno
    if isinstance(node.op, ast.Mod) and isinstance(left, Const) and isinstance(left.value, str):
        inner: list[Value] = right.items if isinstance(right, Items) else [right]
        return _filled_in(left.value, inner)
    return over(left, lambda a: over(right, lambda b: binary(state, node.op, a, b)))


def _filled_in(text: str, values: list[Value]) -> Value:
    """`"w%d" % 1` and `"w{}".format(1)` where all is written; anything fancier is just some text."""
    if len(_HOLE.findall(text)) != len(values) or text.count("%") + text.count("{") != len(values):
        return NUMBER
    for value in values:
        if not isinstance(value, Const) or len(str(value.value)) > _MAX_TEXT or len(text) > _MAX_TEXT:
            return NUMBER
        text = _HOLE.sub(lambda _, shown=str(value.value): shown, text, count=1)  # type: ignore[misc]
    return Const(text)


def _unary(state: State, node: ast.UnaryOp) -> Value:
    return over(evaluate(state, node.operand), lambda value: unary(state, node.op, value))


def _boolean(state: State, node: ast.BoolOp) -> Value:
    wanted = isinstance(node.op, ast.Or)
    found: Value | None = None
    for operand in node.values:
        value = evaluate(state, operand)
        known = truth(value)
        if known is wanted:
            return join(found, value) if found is not None else value
        if known is None or operand is node.values[-1]:
            found = join(found, value)
    return found if found is not None else NUMBER


def _compare(state: State, node: ast.Compare) -> Value:
    left = evaluate(state, node.left)
    result: Value = NUMBER
    for op, comparator in zip(node.ops, node.comparators, strict=True):
        right = evaluate(state, comparator)
        state.line = node.lineno
        result = _compare_once(state, op, left, right)
        if truth(result) is False:
            return result
        left = right
    return result


def _compare_once(state: State, op: ast.cmpop, left: Value, right: Value) -> Value:
    return over(left, lambda a: over(right, lambda b: compare(state, op, a, b)))


def _conditional(state: State, node: ast.IfExp) -> Value:
    known = truth(evaluate(state, node.test))
    if known is not None:
        return evaluate(state, node.body if known else node.orelse)
    return join(evaluate(state, node.body), evaluate(state, node.orelse))


def _call(state: State, node: ast.Call) -> Value:
    if isinstance(node.func, ast.Name) and node.func.id == "super":
        frame = next((frame for frame in reversed(state.frames) if frame.owner is not None), state.frame)
        return Thing("builtins.super", [], {}, {"me": frame.me or UNKNOWN, "class": frame.owner or UNKNOWN})
    function = evaluate(state, node.func)
    args: list[Value] = []
    for argument in node.args:
        if isinstance(argument, ast.Starred):
            inner, one = elements(state, evaluate(state, argument.value))
            args.extend(inner if inner is not None else [one])
        else:
            args.append(evaluate(state, argument))
    kwargs: dict[str, Value] = {}
    for keyword in node.keywords:
        value = evaluate(state, keyword.value)
        if keyword.arg is not None:
            kwargs[keyword.arg] = value
        elif isinstance(value, Table):
            kwargs.update({str(key): inner for key, inner in value.items.items()})
    state.line = node.lineno
    if isinstance(function, Method) and function.name == "format":
        template = text_of(function.owner)
        if template is not None:
            return _filled_in(template, args)
    result = state.call(function, args, kwargs)
    state.line = node.lineno
    return result


def _subscript(state: State, node: ast.Subscript) -> Value:
    owner = evaluate(state, node.value)
    if isinstance(node.slice, ast.Slice):
        bounds = [evaluate(state, part) for part in (node.slice.lower, node.slice.upper, node.slice.step)]
        return over(owner, lambda value: sliced(value, bounds))
    index = evaluate(state, node.slice)
    return over(owner, lambda value: item_of(state, value, index))


def _text(state: State, node: ast.JoinedStr) -> Value:
    parts: list[str] = []
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            value = evaluate(state, part.value)
            if not isinstance(value, Const) or part.format_spec is not None or len(parts) > 50:
                parts.append("\0")
                continue
            parts.append(str(value.value)[:_MAX_TEXT])
        elif isinstance(part, ast.Constant):
            parts.append(str(part.value)[:_MAX_TEXT])
    return NUMBER if "\0" in parts else Const("".join(parts))


def _lambda(state: State, node: ast.Lambda) -> Value:
    return make_function(state, node, "lambda")


def _walrus(state: State, node: ast.NamedExpr) -> Value:
    value = evaluate(state, node.value)
    bind(state, node.target, value)
    return value


def _comprehension(state: State, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Value:
    made = Items([], depth=state.rough_depth)
    table = Table({})
    frame = state.frame
    outer = frame.scope
    frame.scope = Scope({}, outer)
    try:
        for picked, is_sure in _rounds(state, node.generators, 0):
            made.is_open = made.is_open or not is_sure
            if isinstance(node, ast.DictComp):
                key, value = evaluate(state, node.key), evaluate(state, node.value)
                table.items[key.value if isinstance(key, Const) else f"?{len(table.items)}"] = value
                table.is_open = table.is_open or not is_sure or not isinstance(key, Const)
                continue
            item = evaluate(state, node.elt)
            if picked is not Picked.NO and isinstance(item, (Data, Const)):
                item = replace(as_data(item), picked=picked)
            made.items.append(item)
    finally:
        frame.scope = outer
    return table if isinstance(node, ast.DictComp) else made


def _rounds(state: State, generators: list[ast.comprehension], depth: int) -> Iterator[tuple[Picked, bool]]:
    """Go through the rounds of a comprehension: how each is picked, and whether it surely happens once."""
    if depth == len(generators):
        yield Picked.NO, True
        return
    generator = generators[depth]
    inner, one = elements(state, evaluate(state, generator.iter))
    is_exact = inner is not None
    state.rough_depth += not is_exact
    for element in inner if inner is not None else [one]:
        bind(state, generator.target, element)
        picked, is_sure, is_skipped = Picked.NO, is_exact, False
        for condition in generator.ifs:
            value = evaluate(state, condition)
            known = truth(value)
            is_skipped = is_skipped or known is False
            is_sure = is_sure and known is not None
            mark = value.picked if isinstance(value, Data) else Picked.NO
            picked = mark if mark is not Picked.NO else picked
        if is_skipped:
            continue
        for deeper, is_deeper_sure in _rounds(state, generators, depth + 1):
            yield (deeper if deeper is not Picked.NO else picked), is_sure and is_deeper_sure
    state.rough_depth -= not is_exact


def _yield(state: State, node: ast.Yield | ast.YieldFrom) -> Value:
    value = evaluate(state, node.value)
    if isinstance(node, ast.YieldFrom):
        inner, one = elements(state, value)
        value = joined(inner) if inner else one
    state.frame.yields.append(value)
    return UNKNOWN


def _await(state: State, node: ast.Await) -> Value:
    return evaluate(state, node.value)


def _starred(state: State, node: ast.Starred) -> Value:
    return evaluate(state, node.value)


_EVALUATORS: dict[type[ast.expr], Callable[[State, Any], Value]] = {
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Constant: _constant,
    ast.List: _sequence,
    ast.Tuple: _sequence,
    ast.Set: _sequence,
    ast.Dict: _dict,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.BoolOp: _boolean,
    ast.Compare: _compare,
    ast.IfExp: _conditional,
    ast.Call: _call,
    ast.Subscript: _subscript,
    ast.JoinedStr: _text,
    ast.Lambda: _lambda,
    ast.NamedExpr: _walrus,
    ast.ListComp: _comprehension,
    ast.SetComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.DictComp: _comprehension,
    ast.Yield: _yield,
    ast.YieldFrom: _yield,
    ast.Await: _await,
    ast.Starred: _starred,
}
