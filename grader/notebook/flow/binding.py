"""Binding names, attributes and items to values, tuples taken apart."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from grader.notebook.flow.loading import named
from grader.notebook.flow.merging import as_data, join, whole_number_of
from grader.notebook.flow.state import State
from grader.notebook.flow.trainings import applied
from grader.notebook.flow.values import (
    UNKNOWN,
    Choice,
    Const,
    Data,
    Instance,
    Items,
    Stream,
    Table,
    Thing,
    Value,
    Variable,
)


def bind(state: State, target: ast.expr, value: Value) -> None:
    """Bind one target of an assignment, a loop or a `with` (subscripts and attributes are in `store`)."""
    if isinstance(target, ast.Name):
        bind_name(state, target.id, value)
    elif isinstance(target, (ast.Tuple, ast.List)):
        parts = unpacked(value, len(target.elts), _star_position(target.elts))
        for element, part in zip(target.elts, parts, strict=True):
            bind(state, element.value if isinstance(element, ast.Starred) else element, part)
    elif isinstance(target, (ast.Attribute, ast.Subscript)):
        state.store(target, value)


def bind_name(state: State, name: str, value: Value) -> None:
    """Bind a name where Python would: in the function, or in the notebook when it is declared global."""
    scope = state.frame.scope
    if name in scope.globals_:
        scope = state.globals
    before = scope.names.get(name)
    if isinstance(value, Data) and value.gradients and _is_changed(before, value):
        applied(state, value)
        return
    if isinstance(value, Variable) and not value.weight.name:
        value.weight.name = name
    scope.names[name] = named(name, value)


def _is_changed(before: Value | None, value: Data) -> bool:
    """True for `w = w - rate * gradient`: the weight stays what it was."""
    if before is None:
        return False
    old = as_data(before)
    is_filled = isinstance(before, Data) and old.start is not None and bool(old.shape)
    return is_filled or (bool(old.weights) and set(old.weights) <= set(value.weights))


def _star_position(elements: Sequence[ast.expr]) -> int | None:
    return next((i for i, element in enumerate(elements) if isinstance(element, ast.Starred)), None)


def unpacked(value: Value, count: int, star: int | None = None) -> list[Value]:
    """A value taken apart into `count` parts; the part at `star` takes all that is left over."""
    if isinstance(value, Items):
        items = value.items
        if star is not None and len(items) >= count - 1 and not value.is_open:
            after = count - star - 1
            middle = Items(items[star : len(items) - after])
            return [*items[:star], middle, *items[len(items) - after :]]
        if len(items) == count:
            return list(items)
        merged = as_data(value)
        return [items[i] if i < len(items) and value.is_open else merged for i in range(count)]
    if isinstance(value, Choice):
        found: list[Value | None] = [None] * count
        for option in value.options:
            found = [join(old, new) for old, new in zip(found, unpacked(option, count, star), strict=True)]
        return [part if part is not None else UNKNOWN for part in found]
    if isinstance(value, Stream):
        return [value.element] * count
    if isinstance(value, Thing):
        return [Thing(value.name, [], {}) for _ in range(count)]
    if isinstance(value, Table):
        keys: list[Value] = [Const(key) for key in list(value.items)[:count]]
        return [*keys, *[UNKNOWN] * (count - len(keys))]
    return [as_data(value)] * count


def store_item(owner: Value, index: Value, value: Value) -> None:
    """`owner[index] = value`."""
    if isinstance(owner, Table):
        if isinstance(index, Const):
            owner.items[index.value] = value
        else:
            owner.items[f"?{len(owner.items)}"] = value
            owner.is_open = True
    elif isinstance(owner, Items):
        position = whole_number_of(index)
        if position is not None and -len(owner.items) <= position < len(owner.items):
            owner.items[position] = value
        elif len(owner.items) < 2000:
            owner.items.append(value)
            owner.is_open = True


def store_attribute(owner: Value, name: str, value: Value) -> None:
    """`owner.name = value`."""
    if isinstance(value, Variable) and not value.weight.name:
        value.weight.name = name
    if isinstance(owner, Instance):
        if isinstance(value, Data) and value.gradients and _is_changed(owner.attributes.get(name), value):
            return
        owner.attributes[name] = named(name, value)
    elif isinstance(owner, Thing):
        owner.state[name] = value
    elif isinstance(owner, Choice):
        for option in owner.options:
            store_attribute(option, name, value)
