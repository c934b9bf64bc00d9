"""Methods of lists and dicts."""

from __future__ import annotations

from dataclasses import replace

from grader.notebook.facts import Picked
from grader.notebook.flow.merging import as_data, is_same, join, whole_number_of
from grader.notebook.flow.state import State
from grader.notebook.flow.values import NONE, NUMBER, UNKNOWN, Const, Data, Items, Table, Value


def items_method(state: State, owner: Items, name: str, args: list[Value]) -> Value:
    """A method of a list, tuple or set."""
    first: Value = args[0] if args else UNKNOWN
    if name in ("append", "add"):
        add_item(state, owner, first)
        return NONE
    if name in ("insert", "appendleft"):
        position = whole_number_of(first) if name == "insert" else 0
        item = args[1] if name == "insert" and len(args) > 1 else first
        if position is None or owner.is_open or state.rough_depth > owner.depth:
            add_item(state, owner, item)
            owner.is_open = True
        else:
            owner.items.insert(position, item)
        return NONE
    if name in ("extend", "update"):
        inner = first.items if isinstance(first, Items) else [as_data(first)]
        for item in inner[:200]:
            add_item(state, owner, item)
        owner.is_open = owner.is_open or not isinstance(first, Items) or first.is_open
        return NONE
    if name == "pop":
        position = whole_number_of(first) if args else -1
        in_range = position is not None and -len(owner.items) <= position < len(owner.items)
        if position is not None and in_range and not owner.is_open:
            return owner.items.pop(position)
        owner.is_open = True
        return joined(owner.items)
    if name == "reverse":
        owner.items.reverse()
    elif name == "clear":
        owner.items.clear()
    elif name == "copy":
        return Items(list(owner.items), owner.is_tuple, owner.is_open, state.rough_depth)
    elif name in ("remove", "sort"):
        owner.is_open = owner.is_open or name == "remove"
    elif name not in ("index", "count", "discard"):
        return as_data(owner)
    return NONE if name != "index" else NUMBER


def add_item(state: State, owner: Items, item: Value) -> None:
    """Append to a list; in a loop that is only roughly followed the list may then hold more."""
    if state.rough_depth > owner.depth:
        owner.is_open = True
        if any(is_same(item, other) for other in owner.items[-8:]):
            return
    marks = state.picked()
    data = item if isinstance(item, Data) else NUMBER
    if marks is not Picked.NO and data.picked is Picked.NO and isinstance(item, (Data, Const)):
        item = replace(as_data(item), picked=marks)
    if len(owner.items) < 2000:
        owner.items.append(item)
    else:
        owner.is_open = True


def joined(items: list[Value]) -> Value:
    """Any one of the items of a list."""
    if not items:
        return UNKNOWN
    found: Value | None = None
    for item in items[:12]:
        found = join(found, item)
    return found if found is not None else UNKNOWN


def table_method(state: State, owner: Table, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """A method of a dict."""
    if name in ("get", "pop", "setdefault") and args:
        key = args[0].value if isinstance(args[0], Const) else None
        if isinstance(args[0], Const) and key in owner.items:
            return owner.items[key]
        default: Value = args[1] if len(args) > 1 else NONE
        if name == "setdefault" and isinstance(args[0], Const):
            owner.items[key] = default
        is_missing = isinstance(args[0], Const) and not owner.is_open
        return default if is_missing else join(joined(list(owner.items.values())), default)
    if name == "values":
        return Items(list(owner.items.values()), is_open=owner.is_open)
    if name == "keys":
        return Items([Const(key) for key in owner.items], is_open=owner.is_open)
    if name == "items":
        pairs: list[Value] = [Items([Const(key), value], is_tuple=True) for key, value in owner.items.items()]
        return Items(pairs, is_open=owner.is_open)
    if name == "update":
        given = args[0] if args else None
        if isinstance(given, Table):
            owner.items.update(given.items)
        owner.is_open = owner.is_open or (given is not None and not isinstance(given, Table))
        owner.items.update(kwargs)
        return NONE
    if name == "copy":
        return Table(dict(owner.items), owner.is_open)
    return NONE if name == "clear" else as_data(owner)
