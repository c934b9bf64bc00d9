"""Python's own functions on abstract values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from grader.notebook.facts import Picked, StepKind
from grader.notebook.flow.binding import store_attribute
from grader.notebook.flow.containers import joined
from grader.notebook.flow.items import elements
from grader.notebook.flow.merging import as_data, merge, number_of, text_of, whole_number_of
from grader.notebook.flow.objects import attribute_of
from grader.notebook.flow.state import State
from grader.notebook.flow.values import (
    NONE,
    NUMBER,
    UNKNOWN,
    Bound,
    Class,
    Const,
    Data,
    Function,
    Instance,
    Items,
    Library,
    Stream,
    Table,
    Thing,
    Value,
)

Handler = Callable[[State, list[Value], dict[str, Value]], Value]

_MAX_RANGE = 12  # rounds of a counted loop that are gone through one by one
_OPAQUE = {"exec", "eval", "compile", "__import__", "globals", "locals", "vars", "execfile"}
_SILENT = {
    "print",
    "input",
    "open",
    "id",
    "hash",
    "help",
    "breakpoint",
    "exit",
    "quit",
    "nothing",
    "raw_input",
}


def call_builtin(state: State, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """Call Python's own function or class `name`."""
    handler = _BUILTINS.get(name)
    if handler is not None:
        return handler(state, args, kwargs)
    if name in _OPAQUE:
        state.unclear(f"what `{name}(…)` does is not known")
        return UNKNOWN
    if name in _SILENT:
        return NONE if name in ("print", "nothing") else NUMBER
    if name[:1].isupper():
        return Thing(f"builtins.{name}", args, kwargs)
    return merge([as_data(value) for value in (*args, *kwargs.values())])


def _first(args: list[Value]) -> Value:
    return args[0] if args else UNKNOWN


def _range(state: State, args: list[Value], kwargs: dict[str, Value]) -> Value:
    numbers = [whole_number_of(arg) for arg in args]
    if not numbers or any(number is None for number in numbers) or (len(numbers) == 3 and numbers[2] == 0):
        return Stream(NUMBER)
    count = range(*[number for number in numbers if number is not None])
    if count[_MAX_RANGE:]:
        return Stream(NUMBER, count=len(count) if abs(count[-1] - count[0]) < 1e12 else None)
    return Items([Const(number) for number in count])


def _length(state: State, args: list[Value], kwargs: dict[str, Value]) -> Value:
    value = _first(args)
    if isinstance(value, (Items, Table)) and not value.is_open:
        return Const(len(value.items))
    if isinstance(value, Const) and isinstance(value.value, str):
        return Const(len(value.value))
    return NUMBER


def _zip(state: State, args: list[Value], kwargs: dict[str, Value]) -> Value:
    parts = [elements(state, arg) for arg in args]
    lists = [inner for inner, _ in parts]
    if lists and all(inner is not None for inner in lists):
        rows = zip(*[inner for inner in lists if inner is not None], strict=False)
        return Items([Items(list(row), is_tuple=True) for row in rows])
    ones = [joined(inner) if inner is not None else one for inner, one in parts]
    return Stream(Items(ones, is_tuple=True))


def _enumerate(state: State, args: list[Value], kwargs: dict[str, Value]) -> Value:
    inner, one = elements(state, _first(args))
    if inner is None:
        return Stream(Items([NUMBER, one], is_tuple=True))
    start = whole_number_of(args[1] if len(args) > 1 else kwargs.get("start")) or 0
    return Items([Items([Const(start + i), item], is_tuple=True) for i, item in enumerate(inner)])


def _map(state: State, args: list[Value], kwargs: dict[str, Value]) -> Value:
    if len(args) < 2:
        return UNKNOWN
    rows, one = elements(state, args[1] if len(args) == 2 else _zip(state, args[1:], {}))
    if rows is None:
        return Stream(state.call(args[0], [one], {}))
    results: list[Value] = []
    for row in rows:
        given = row.items if len(args) > 2 and isinstance(row, Items) else [row]
        results.append(state.call(args[0], list(given), {}))
    return Items(results)


def _filter(state: State, args: list[Value], kwargs: dict[str, Value]) -> Value:
    inner, one = elements(state, args[1]) if len(args) > 1 else (None, UNKNOWN)
    items = inner if inner is not None else [one]
    marks = [state.call(_first(args), [item], {}) for item in items[:8]] if args else []
    picked = next(
        (as_data(mark).picked for mark in marks if as_data(mark).picked is not Picked.NO), Picked.NO
    )
    if picked is not Picked.NO:
        items = [replace(as_data(item), picked=picked) for item in items]
    return Items(items, is_open=True)


def _list(state: State, args: list[Value], kwargs: dict[str, Value]) -> Value:
    if not args:
        return Items([], depth=state.rough_depth)
    value = args[0]
    inner, one = elements(state, value)
    if inner is None and not isinstance(value, (Items, Stream)):
        return value
    return Items(inner if inner is not None else [one], is_open=inner is None, depth=state.rough_depth)


def _dict(state: State, args: list[Value], kwargs: dict[str, Value]) -> Value:
    made = Table({})
    made.items.update(kwargs)
    for value in args[:1]:
        inner, _ = elements(state, value)
        if isinstance(value, Table):
            made.items.update(value.items)
            made.is_open = value.is_open
        elif inner is not None:
            for pair in inner:
                if isinstance(pair, Items) and len(pair.items) == 2 and isinstance(pair.items[0], Const):
                    made.items[pair.items[0].value] = pair.items[1]
                else:
                    made.is_open = True
        else:
            made.is_open = True
    return made


def _next(state: State, args: list[Value], kwargs: dict[str, Value]) -> Value:
    inner, one = elements(state, _first(args))
    return joined(inner) if inner else one


def _get(state: State, args: list[Value], kwargs: dict[str, Value]) -> Value:
    name = text_of(args[1]) if len(args) > 1 else None
    if name is not None:
        return attribute_of(state, args[0], name)
    if args and isinstance(args[0], Library):
        return UNKNOWN
    return merge([as_data(arg) for arg in args[:1]])


def _set(state: State, args: list[Value], kwargs: dict[str, Value]) -> Value:
    name = text_of(args[1]) if len(args) > 2 else None
    if name is not None:
        store_attribute(args[0], name, args[2])
    elif len(args) > 2:
        state.unclear("the name that `setattr` sets is not known")
    return NONE


def _is_instance(state: State, args: list[Value], kwargs: dict[str, Value]) -> Value:
    value = _first(args)
    kind = args[1] if len(args) > 1 else UNKNOWN
    if isinstance(kind, Library) and kind.name.startswith("builtins."):
        name = kind.name.removeprefix("builtins.")
        if isinstance(value, Const):
            return Const(type(value.value).__name__ == name)
        if isinstance(value, (Function, Library, Bound, Class, Instance)):
            return Const(False)
        if isinstance(value, (Items, Table)):
            own = "dict" if isinstance(value, Table) else "tuple" if value.is_tuple else "list"
            return Const(own == name)
    return NUMBER


def _is_callable(state: State, args: list[Value], kwargs: dict[str, Value]) -> Value:
    value = _first(args)
    if isinstance(value, (Function, Library, Bound, Class)):
        return Const(True)
    return Const(False) if isinstance(value, (Const, Items, Table)) else NUMBER


def _text(state: State, args: list[Value], kwargs: dict[str, Value]) -> Value:
    value = _first(args)
    return Const(str(value.value)[:500]) if isinstance(value, Const) else NUMBER


def _number(convert: Callable[[float], object]) -> Handler:
    def handle(state: State, args: list[Value], kwargs: dict[str, Value]) -> Value:
        number = number_of(_first(args))
        if number is not None and abs(number) < 1e12:
            return Const(convert(number))
        return replace(as_data(_first(args)), shape=None)

    return handle


def _extreme(state: State, args: list[Value], kwargs: dict[str, Value]) -> Value:
    merged = merge([as_data(arg) for arg in args])
    is_pair = len(args) > 1 and merged.chain is not None
    return state.step(merged, StepKind.ACTIVATION, "max") if is_pair else merged


def _absolute(state: State, args: list[Value], kwargs: dict[str, Value]) -> Value:
    data = as_data(_first(args))
    return state.step(data, StepKind.ACTIVATION, "abs") if data.chain is not None else data


def _reversed(state: State, args: list[Value], kwargs: dict[str, Value]) -> Value:
    value = _first(args)
    if isinstance(value, Items):
        return Items(value.items[::-1], value.is_tuple, value.is_open)
    return value


def _sorted(state: State, args: list[Value], kwargs: dict[str, Value]) -> Value:
    value = _first(args)
    if isinstance(value, Table):
        return Items([Const(key) for key in value.items], is_open=value.is_open)
    return Items(list(value.items), is_open=value.is_open) if isinstance(value, Items) else value


def _iterator(state: State, args: list[Value], kwargs: dict[str, Value]) -> Value:
    return _first(args)


def _unordered(state: State, args: list[Value], kwargs: dict[str, Value]) -> Value:
    return Data()


def _truth(state: State, args: list[Value], kwargs: dict[str, Value]) -> Value:
    return Data() if args else Const(False)


_BUILTINS: dict[str, Handler] = {
    "range": _range,
    "xrange": _range,
    "len": _length,
    "zip": _zip,
    "enumerate": _enumerate,
    "map": _map,
    "filter": _filter,
    "list": _list,
    "tuple": _list,
    "set": _list,
    "dict": _dict,
    "next": _next,
    "iter": _iterator,
    "getattr": _get,
    "setattr": _set,
    "hasattr": _unordered,
    "isinstance": _is_instance,
    "callable": _is_callable,
    "str": _text,
    "int": _number(int),
    "float": _number(float),
    "round": _number(round),
    "bool": _truth,
    "max": _extreme,
    "min": _extreme,
    "abs": _absolute,
    "reversed": _reversed,
    "sorted": _sorted,
    "record": _unordered,
}
