"""Assignments to attributes and items: `a.b = c`, `a[i] = c`."""

from __future__ import annotations

import ast
from dataclasses import replace

from grader.notebook.facts import Start, StepKind
from grader.notebook.flow.binding import bind_name, store_attribute, store_item
from grader.notebook.flow.expressions import evaluate
from grader.notebook.flow.items import elements
from grader.notebook.flow.merging import as_data, is_none, merge, whole_number_of
from grader.notebook.flow.objects import attribute_of
from grader.notebook.flow.state import State
from grader.notebook.flow.trainings import applied
from grader.notebook.flow.values import UNKNOWN, Data, Items, Table, Value


def store(state: State, target: ast.Attribute | ast.Subscript, value: Value) -> None:
    """`owner.name = value` or `owner[index] = value`."""
    owner = evaluate(state, target.value)
    if isinstance(target, ast.Attribute):
        if as_data(value).gradients and as_data(attribute_of(state, owner, target.attr)).weights:
            applied(state, value)
        store_attribute(owner, target.attr, value)
        return
    index = UNKNOWN if isinstance(target.slice, ast.Slice) else evaluate(state, target.slice)
    if isinstance(value, Data) and value.gradients and as_data(owner).weights:
        applied(state, value)
        if value.weights:
            return
    if isinstance(owner, Items) and isinstance(target.slice, ast.Slice):
        _store_slice(state, owner, target.slice, value)
    elif isinstance(owner, (Items, Table)):
        if not isinstance(target.slice, ast.Slice):
            store_item(owner, index, value)
    elif isinstance(owner, Data) and isinstance(target.value, ast.Name):
        bind_name(state, target.value.id, _partly_filled(state, owner, value))


def _store_slice(state: State, owner: Items, target: ast.Slice, value: Value) -> None:
    """`owner[a:b] = values`; which items are there afterwards is known only when all of it is written."""
    inner, one = elements(state, value)
    bounds = [evaluate(state, part) for part in (target.lower, target.upper, target.step)]
    numbers = [whole_number_of(bound) for bound in bounds]
    written = all(number is not None or is_none(bound) for number, bound in zip(numbers, bounds, strict=True))
    if inner is None or not written or owner.is_open or state.rough_depth > owner.depth or target.step:
        owner.items.extend(inner if inner is not None else [one])
        owner.is_open = True
    else:
        owner.items[slice(*numbers)] = inner


def _partly_filled(state: State, owner: Data, value: Value) -> Data:
    """An array after some of its numbers were set."""
    merged = merge([owner, as_data(value)])
    if owner.chain is not None:
        return state.step(merged, StepKind.OTHER, "numbers set one by one", is_complete=False)
    if merged.start is not None and merged.start is not Start.RANDOM:
        merged = replace(merged, start=Start.UNKNOWN)
    return replace(merged, shape=owner.shape)
