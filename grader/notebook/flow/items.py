"""Items of values: what a loop goes through, what an index or a slice takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from grader.notebook.facts import Picked
from grader.notebook.flow.containers import joined
from grader.notebook.flow.layers import is_layer
from grader.notebook.flow.merging import as_data, is_none, join, whole_number_of
from grader.notebook.flow.state import State
from grader.notebook.flow.tensors import picked_from
from grader.notebook.flow.values import (
    NUMBER,
    UNKNOWN,
    Bound,
    Choice,
    Const,
    Data,
    Function,
    Instance,
    Items,
    Library,
    Method,
    Stream,
    Table,
    Thing,
    Value,
    Variable,
)

MAX_EXACT = 32  # items of a list that a loop goes through one by one


def elements(state: State, value: Value) -> tuple[list[Value] | None, Value]:
    """What a loop over `value` goes through: the items one by one, or None and what they are like."""
    if isinstance(value, Items):
        if not value.is_open and len(value.items) <= MAX_EXACT:
            return list(value.items), UNKNOWN
        _unclear_when_callable(state, value)
        return None, loosened(joined(value.items))
    if isinstance(value, Table) and not value.is_open:
        return [Const(key) for key in value.items], UNKNOWN
    if isinstance(value, Stream):
        return None, value.element
    if isinstance(value, Choice):
        return None, loosened(joined([elements(state, option)[1] for option in value.options]))
    if isinstance(value, Const) and isinstance(value.value, str):
        return None, NUMBER
    if isinstance(value, Method) and isinstance(value.owner, Thing):
        value = value.owner
    if isinstance(value, Thing):
        return None, Thing(value.name, [], {})
    return None, as_data(value)


def _unclear_when_callable(state: State, value: Items) -> None:
    """Layers in a list of unknown length, or taken by an unknown index: how many are used is not known."""
    callables = (Instance, Function, Bound)
    if any(isinstance(item, callables) or is_layer(item) for item in value.items[:20]):
        state.unclear("how many layers of a list are used is not known")


def loosened(value: Value, depth: int = 0) -> Value:
    """One of an unknown number of values: a weight among them is then not known to be any one weight."""
    if isinstance(value, (Variable, Choice)):
        return replace(as_data(value), is_known=not as_data(value).weights)
    if isinstance(value, Items) and depth < 3:
        inner = [loosened(item, depth + 1) for item in value.items[:20]]
        return Items(inner, value.is_tuple, value.is_open or len(value.items) > 20)
    return value


def sliced(owner: Value, bounds: list[Value]) -> Value:
    """`owner[a:b:c]`, with the bounds given as values."""
    numbers = [whole_number_of(bound) for bound in bounds]
    written = all(number is not None or is_none(bound) for number, bound in zip(numbers, bounds, strict=True))
    if isinstance(owner, Items):
        if written and not owner.is_open and numbers[2] != 0:
            return Items(owner.items[slice(*numbers)], owner.is_tuple)
        return Items(list(owner.items), owner.is_tuple, True)
    if isinstance(owner, Const):
        return NUMBER
    return owner if isinstance(owner, (Stream, Thing)) else replace(as_data(owner), shape=None)


def item_of(state: State, owner: Value, index: Value) -> Value:
    """`owner[index]`."""
    if isinstance(owner, Items):
        position = whole_number_of(index)
        if position is not None and -len(owner.items) <= position < len(owner.items):
            return owner.items[position]
        picked = as_data(index).picked
        found = joined(owner.items)
        if position is None and len(owner.items) > 1:
            _unclear_when_callable(state, owner)
        return found if picked is Picked.NO and not _holds_weights(owner) else _one_of(found, picked)
    if isinstance(owner, Table):
        key = index.value if isinstance(index, Const) else index.name if isinstance(index, Library) else None
        if isinstance(index, (Const, Library)) and key in owner.items:
            return owner.items[key]
        return joined(list(owner.items.values()))
    if isinstance(owner, Stream):
        return owner.element
    if isinstance(owner, (Thing, Library)):
        return owner
    data = as_data(owner)
    return picked_from(replace(data, shape=None), as_data(index))


def _holds_weights(owner: Items) -> bool:
    return len(owner.items) > 1 and any(isinstance(item, Variable) for item in owner.items)


def _one_of(found: Value, picked: Picked) -> Value:
    data = as_data(found)
    if isinstance(found, (Variable, Choice)) and data.weights:
        data = replace(data, is_known=False)
    elif not isinstance(found, (Data, Choice)):
        return found
    return data if picked is Picked.NO else replace(data, picked=picked)


def over(value: Value, use: Callable[[Value], Value]) -> Value:
    """`use` of each value that something may have, taken together again."""
    if not isinstance(value, Choice):
        return use(value)
    found: Value | None = None
    for option in value.options:
        found = join(found, use(option))
    return found if found is not None else UNKNOWN
