"""What arithmetic, comparisons and matrix products do to abstract values."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from grader.notebook.facts import Level, Picked, Start, StepKind
from grader.notebook.flow.chains import Chain, WeightInfo
from grader.notebook.flow.merging import as_data, merge, number_of
from grader.notebook.flow.state import State, Test
from grader.notebook.flow.values import (
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
    Variable,
)

_MAX_TEXT = 2000
MAX_LENGTH = 2000  # items of a list that are kept

_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_ORDER: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}


def flows(data: Data) -> bool:
    """True for data on its way through a model: from a data set, a layer, or from something unknown."""
    return data.chain is not None or bool(data.origins) or not data.is_known


def is_weight(data: Data) -> bool:
    """True for what is computed from variables alone."""
    return bool(data.weights) and data.chain is None and not data.origins


def product(state: State, left: Value, right: Value, name: str, level: Level) -> Value:
    """A matrix product: a step of a forward pass when one side is a weight and data flows in the other."""
    first, second = as_data(left), as_data(right)
    if is_weight(first) and is_weight(second):
        return merge([first, second])
    if is_weight(second):
        return _layer(state, first, second, name, level, is_transposed=False)
    if is_weight(first):
        return _layer(state, second, first, name, level, is_transposed=True)
    if not flows(first) and not flows(second):
        return merge([first, second])
    if not flows(second):
        return _layer(state, first, second, name, level, is_transposed=False)
    if not flows(first):
        return _layer(state, second, first, name, level, is_transposed=True)
    if not second.is_known and second.chain is None and not second.origins:
        return _layer(state, first, second, name, level, is_transposed=False)
    merged = merge([first, second])
    return state.step(merged, StepKind.OTHER, name, level=level, is_complete=merged.is_known)


def _layer(state: State, x: Data, w: Data, name: str, level: Level, *, is_transposed: bool) -> Data:
    weight: WeightInfo | None = None
    if w.weights and w.is_known:
        weight = w.weights[0]
    elif w.is_known:
        weight = state.new_weight(w, how="", level=w.level, is_variable=False)
    if level is Level.UNKNOWN and weight is not None:
        level = weight.level
    shape = w.shape
    width = (shape[0] if is_transposed else shape[-1]) if shape else None
    done = state.step(
        x,
        StepKind.PRODUCT,
        name,
        level=level,
        weight=weight,
        width=width,
        is_complete=weight is not None,
    )
    return replace(done, is_known=x.is_known or x.chain is not None or bool(x.origins))


def binary(state: State, op: ast.operator, left: Value, right: Value) -> Value:
    """`left op right`."""
    state.charge(left, right)
    folded = _folded(op, left, right)
    if folded is not None:
        return folded
    if isinstance(op, ast.MatMult):
        return product(state, left, right, "@", Level.UNKNOWN)
    if isinstance(left, Items) and isinstance(right, Items) and isinstance(op, ast.Add):
        items = (left.items + right.items)[:MAX_LENGTH]
        is_open = left.is_open or right.is_open or len(items) == MAX_LENGTH
        return Items(items, left.is_tuple, is_open, state.rough_depth)
    if isinstance(left, Items) and isinstance(op, ast.Mult):
        return _repeated(left, right)
    first, second = as_data(left), as_data(right)
    if isinstance(op, ast.Mult):
        return times(state, left, right)
    if isinstance(op, ast.Pow):
        return _power(state, first, right)
    if isinstance(op, ast.Sub) and second.picked is not Picked.NO and number_of(left) == 1:
        return replace(second, picked=flipped(second.picked))
    merged = merge([first, second])
    if isinstance(op, ast.Div) and merged.chain is not None and _scales_itself(first, second):
        return replace(merged, chain=merged.chain.broken())
    return merged


def _scales_itself(numerator: Data, denominator: Data) -> bool:
    """True for `h / std(h)`: not linear, and no activation either unless one stands in it (`1 + exp(-h)`)."""
    if numerator.chain is None or denominator.chain is None:
        return False
    kinds = [step.kind for chain in (numerator.chain, denominator.chain) for step in chain.steps()[-1:]]
    return all(kind is StepKind.PRODUCT for kind in kinds)


def _folded(op: ast.operator, left: Value, right: Value) -> Const | None:
    if not isinstance(left, Const) or not isinstance(right, Const):
        return None
    first, second = left.value, right.value
    numbers = all(isinstance(v, (int, float)) and abs(v) < 1e12 for v in (first, second))
    texts = isinstance(first, str) and isinstance(second, str) and len(first) + len(second) < _MAX_TEXT
    try:
        if isinstance(op, ast.Pow) and numbers and abs(number_of(right) or 0) <= 16:
            return Const(operator.pow(first, second))
        if type(op) in _ARITHMETIC and (numbers or (texts and isinstance(op, ast.Add))):
            return Const(_ARITHMETIC[type(op)](first, second))
    except (ArithmeticError, ValueError, TypeError):
        return None
    return None


def _repeated(items: Items, times_: Value) -> Items:
    count = times_.value if isinstance(times_, Const) else None
    if isinstance(count, int) and 0 <= count * len(items.items) <= 200:
        return Items(items.items * count, items.is_tuple, items.is_open)
    return Items(list(items.items), items.is_tuple, True)


def times(state: State, left: Value, right: Value) -> Data:
    """Multiplication number by number."""
    first, second = as_data(left), as_data(right)
    merged = merge([first, second])
    for number, other in ((number_of(left), second), (number_of(right), first)):
        if number is not None:
            how = f"{other.how} * {number:g}" if other.how else ""
            start = Start.ZEROS if number == 0 and other.start is not None else other.start
            scale = number * (1.0 if other.scale is None else other.scale)
            return replace(other, scale=scale, how=how, start=start)
    if Start.ZEROS in (first.start, second.start) and merged.start is not None:
        merged = replace(merged, start=Start.ZEROS)
    if first.chain is not None and second.chain is not None:
        return state.step(merged, StepKind.ACTIVATION, "multiply")
    for weight, data in ((first, second), (second, first)):
        is_matrix = weight.shape is None or len(weight.shape) > 1
        if is_weight(weight) and is_matrix and not data.gradients and (data.chain or data.origins):
            return state.step(merged, StepKind.OTHER, "multiply by a weight")
    return merged


def _power(state: State, base: Data, exponent: Value) -> Data:
    if base.chain is not None and number_of(exponent) != 1:
        return state.step(base, StepKind.ACTIVATION, "**")
    return base


_STATISTICS = {
    "mean", "std", "var", "max", "min", "amax", "amin", "average", "median", "percentile", "ptp",
    "reduce_mean", "reduce_std", "reduce_variance", "reduce_max", "reduce_min",
}  # fmt: skip


def is_statistic(name: str, data: Data, axis: Value | None) -> bool:
    """True for a mean, a maximum or the like over the examples of a data set: that is no data any more."""
    if name not in _STATISTICS or data.chain is not None or data.gradients or data.picked is not Picked.NO:
        return False
    over = axis.value if isinstance(axis, Const) else 0 if axis is None else 1
    return bool(data.origins) and over in (0, None)


def flipped(picked: Picked) -> Picked:
    """What is left over: the wrong ones of all when the right ones were picked, and the other way round."""
    return {Picked.RIGHT: Picked.WRONG, Picked.WRONG: Picked.RIGHT}.get(picked, picked)


def unary(state: State, op: ast.unaryop, value: Value) -> Value:
    """`-x`, `+x`, `~x`, `not x`."""
    if isinstance(value, Const):
        number = number_of(value)
        if isinstance(op, ast.USub) and number is not None:
            return Const(-value.value)  # type: ignore[operator]
        if isinstance(op, ast.Not):
            return Const(not value.value)
        return value
    data = as_data(value)
    if isinstance(op, (ast.Not, ast.Invert)):
        return replace(data, picked=flipped(data.picked), chain=None)
    return data


_PLAIN = (Function, Bound, Class, Instance, Thing, Variable, Stream, Library, Items, Table)


def compare(state: State, op: ast.cmpop, left: Value, right: Value) -> Value:
    """`left op right`; predictions held against labels are noted as an evaluation."""
    state.charge(left, right)
    if isinstance(left, Const) and isinstance(right, Const) and type(op) in _ORDER:
        try:
            return Const(bool(_ORDER[type(op)](left.value, right.value)))
        except TypeError:
            return Data()
    is_equality = isinstance(op, (ast.Eq, ast.NotEq, ast.Is, ast.IsNot))
    wants_equal = isinstance(op, (ast.Eq, ast.Is))
    if is_equality and isinstance(left, Library) and isinstance(right, Library):
        return Const((left.name == right.name) == wants_equal)
    if is_equality and isinstance(left, (Function, Library)) and isinstance(right, (Function, Library)):
        return Const((left is right) == wants_equal)
    for one, other in ((left, right), (right, left)):
        if is_equality and isinstance(one, Const) and isinstance(other, _PLAIN):
            if one.value is None or isinstance(other, (Function, Library, Class)):
                return Const(not wants_equal)
            if isinstance(op, (ast.Is, ast.IsNot)) and as_data(other).is_known:
                return Const(not wants_equal)
    if isinstance(op, (ast.In, ast.NotIn)):
        return _contains(left, right, isinstance(op, ast.In))
    if is_equality:
        return equality(state, left, right, "==" if wants_equal else "!=", wants_equal=wants_equal)
    merged = merge([as_data(left), as_data(right)])
    if merged.chain is not None:
        return state.step(merged, StepKind.ACTIVATION, "compare")
    return merged


def _contains(item: Value, container: Value, wanted: bool) -> Value:
    if isinstance(item, Const):
        if isinstance(container, Table) and not container.is_open:
            return Const((item.value in container.items) == wanted)
        if isinstance(container, Items) and not container.is_open:
            if all(isinstance(other, Const) for other in container.items):
                values = [other.value for other in container.items if isinstance(other, Const)]
                return Const((item.value in values) == wanted)
        elif isinstance(container, Const) and isinstance(container.value, str):
            return Const((str(item.value) in container.value) == wanted)
    return Data()


def equality(state: State, left: Value, right: Value, how: str, *, wants_equal: bool) -> Data:
    """Two things held against each other, number by number."""
    first, second = as_data(left), as_data(right)
    picked = Picked.RIGHT if wants_equal else Picked.WRONG
    for mark, other in ((first, right), (second, left)):
        number = number_of(other)
        if mark.picked is not Picked.NO and number is not None:
            keeps = bool(number) == wants_equal
            return replace(mark, picked=mark.picked if keeps else flipped(mark.picked))
    for predictions, labels, value in ((first, second, right), (second, first, left)):
        if _is_prediction(predictions.chain) and not isinstance(value, Const) and labels.chain is None:
            tested(state, predictions, labels, how)
            return Data(origins=predictions.origins, picked=picked)
    return Data(is_known=first.is_known and second.is_known)


def _is_prediction(chain: Chain | None) -> bool:
    return chain is not None and chain.length > 0


def tested(state: State, predictions: Data, labels: Data, how: str) -> None:
    """Note that predictions were held against labels."""
    if predictions.chain is not None:
        predictions.chain.is_used = True
    if not state.room_for_event():
        return
    frame = state.frame
    state.tests.append(
        Test(
            cell=state.cell,
            line=state.line,
            function=frame.function,
            run_cell=state.run_cell,
            is_called=state.is_called,
            how=how,
            predictions=predictions,
            labels=labels,
        )
    )


def picked_from(data: Data, index: Data) -> Data:
    """`data[index]`: what is taken keeps its origin, and is picked as the index is."""
    if index.picked is Picked.NO:
        return data
    return replace(data, picked=index.picked)
