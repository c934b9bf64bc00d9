"""Values taken as data, taken together, and told apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from grader.notebook.facts import Level, Picked, Start
from grader.notebook.flow.chains import Chain
from grader.notebook.flow.values import (
    NUMBER,
    UNKNOWN,
    Bound,
    Choice,
    Class,
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

_MAX_ITEMS = 64  # of a list that are looked at when it is taken as data
_MAX_CONTAINERS = 200  # lists in lists that are looked at then
_MAX_OPTIONS = 6  # values that a name may have at once before they are taken together


def as_data(value: Value) -> Data:
    """Any value taken as numbers, with all that it is made of taken together."""
    return value if isinstance(value, Data) else _as_data(value, 0, {})


def _as_data(value: Value, depth: int, seen: dict[int, Data]) -> Data:
    """`seen` holds what was already taken together: values can share parts, and hold themselves."""
    if isinstance(value, Data):
        return value
    if isinstance(value, Variable):
        weight = value.weight
        return Data(
            weights=(weight,), start=weight.start, how=weight.how, shape=weight.shape, level=weight.level
        )
    if isinstance(value, Const):
        return _constant(value.value)
    if depth > 6 or id(value) in seen or len(seen) > _MAX_CONTAINERS:
        return seen.get(id(value), UNKNOWN)
    seen[id(value)] = NUMBER
    if isinstance(value, Method):
        return _as_data(value.owner, depth + 1, seen)
    if isinstance(value, Stream):
        return _as_data(value.element, depth + 1, seen)
    parts: Iterable[Value] = ()
    if isinstance(value, Items):
        parts = value.items[:_MAX_ITEMS]
    elif isinstance(value, Table):
        parts = list(value.items.values())[:_MAX_ITEMS]
    elif isinstance(value, Choice):
        parts = value.options
    inner = [_as_data(part, depth + 1, seen) for part in parts]
    merged = merge(inner)
    if merged.start in (Start.CONSTANT, Start.ZEROS) and isinstance(value, (Items, Table)):
        merged = replace(merged, start=_filled(parts, inner), shape=None)
    seen[id(value)] = merged
    return merged


def _constant(value: object) -> Data:
    if isinstance(value, (bool, int, float, complex)):
        return Data(start=Start.CONSTANT if value else Start.ZEROS, how=str(value)[:30])
    return NUMBER


def _filled(parts: Iterable[Value], inner: list[Data]) -> Start:
    """What a list of written numbers is filled with; different numbers are UNKNOWN as a start."""
    starts = {data.start for data in inner}
    if len(starts) > 1 or None in starts:
        return Start.UNKNOWN
    seen = {str(part.value)[:30] if isinstance(part, Const) else "" for part in parts}
    return next(iter(starts), None) or Start.UNKNOWN if len(seen) == 1 else Start.UNKNOWN


def longer(first: Chain | None, second: Chain | None) -> Chain | None:
    """The chain with more products, then with more steps."""
    if first is None or second is None:
        return first or second
    return second if (second.products, second.length) > (first.products, first.length) else first


def merge(parts: Iterable[Data]) -> Data:
    """What is computed from all of `parts` by something that is linear in each of them."""
    parts = list(parts)
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return NUMBER
    chain: Chain | None = None
    for part in parts:
        chain = longer(chain, part.chain)
    scales = {part.scale for part in parts if part.scale is not None}
    picks = {part.picked for part in parts} - {Picked.NO}
    return Data(
        chain=chain,
        origins=frozenset().union(*(part.origins for part in parts)),
        weights=tuple(dict.fromkeys(weight for part in parts for weight in part.weights))[:_MAX_ITEMS],
        gradients=frozenset().union(*(part.gradients for part in parts)),
        start=_merged_start(parts),
        how=_merged_how(parts),
        shape=next((part.shape for part in parts if part.shape is not None), None),
        scale=scales.pop() if len(scales) == 1 else None,
        batch=next((part.batch for part in parts if part.batch is not None), None),
        picked=(picks.pop() if len(picks) == 1 else Picked.EITHER) if picks else Picked.NO,
        is_known=all(part.is_known for part in parts),
        level=next((part.level for part in parts if part.level is not Level.UNKNOWN), Level.UNKNOWN),
    )


def _merged_start(parts: list[Data]) -> Start | None:
    if any(part.origins or part.chain or part.gradients for part in parts):
        return None
    starts = {part.start for part in parts}
    if Start.RANDOM in starts:
        return Start.RANDOM
    if not all(part.is_known for part in parts):
        return Start.UNKNOWN
    starts.discard(None)
    if not starts:
        return None
    if len(starts) == 1:
        return starts.pop()
    return Start.UNKNOWN if Start.UNKNOWN in starts else Start.CONSTANT


def _merged_how(parts: list[Data]) -> str:
    ordered = sorted(parts, key=lambda part: part.start is not Start.RANDOM)
    return next((part.how for part in ordered if part.how), "")


def weight_of(value: Value) -> int:
    """About how much work it is to take a value as data."""
    if not isinstance(value, (Items, Table)):
        return 0
    inner = list(value.items if isinstance(value, Items) else value.items.values())[:_MAX_ITEMS]
    return len(inner) + sum(min(len(i.items), _MAX_ITEMS) for i in inner if isinstance(i, (Items, Table)))


def join(first: Value | None, second: Value | None) -> Value:
    """One of two values, from two ways that the code may take; None is a way that leaves it unset."""
    if first is None or second is None:
        return first or second or UNKNOWN
    options: list[Value] = []
    for value in (first, second):
        for option in value.options if isinstance(value, Choice) else (value,):
            if not any(is_same(option, other) for other in options):
                options.append(option)
    if len(options) == 1:
        return options[0]
    if len(options) > _MAX_OPTIONS:
        merged = merge([as_data(option) for option in options])
        chain = merged.chain.broken() if merged.chain is not None else None
        return replace(merged, chain=chain, is_known=False)
    return Choice(tuple(options))


def is_same(first: Value, second: Value) -> bool:
    """True when two values cannot be told apart by what is known of them."""
    if first is second:
        return True
    if isinstance(first, Const) and isinstance(second, Const):
        return type(first.value) is type(second.value) and bool(first.value == second.value)
    if isinstance(first, Library) and isinstance(second, Library):
        return first.name == second.name
    if isinstance(first, Bound) and isinstance(second, Bound):
        same = len(first.args) == len(second.args) and not first.kwargs and not second.kwargs
        return same and first.function is second.function and all(map(is_same, first.args, second.args))
    if isinstance(first, Data) and isinstance(second, Data):
        return (
            first.chain is second.chain
            and first.origins == second.origins
            and first.weights == second.weights
            and first.gradients == second.gradients
            and (first.start, first.how, first.shape) == (second.start, second.how, second.shape)
            and (first.scale, first.picked, first.is_known) == (second.scale, second.picked, second.is_known)
        )
    return False


def truth(value: Value) -> bool | None:
    """Whether a condition holds, None when the code does not tell."""
    if isinstance(value, Const):
        return bool(value.value)
    if isinstance(value, (Items, Table)) and not value.is_open:
        return bool(value.items)
    if isinstance(value, (Function, Bound, Library, Class, Instance, Thing)):
        return True
    return None


def number_of(value: Value | None) -> float | None:
    """The number that a value is known to be, else None."""
    if isinstance(value, Const) and isinstance(value.value, (int, float)) and abs(value.value) < 1e300:
        return float(value.value)
    return None


def whole_number_of(value: Value | None) -> int | None:
    """The whole number that a value is known to be, else None."""
    number = value.value if isinstance(value, Const) else None
    return number if isinstance(number, int) and not isinstance(number, bool) else None


def is_none(value: Value) -> bool:
    """True for a value that is known to be None."""
    return isinstance(value, Const) and value.value is None


def text_of(value: Value | None) -> str | None:
    """The string that a value is known to be, else None."""
    return value.value if isinstance(value, Const) and isinstance(value.value, str) else None
