"""Notes the trainings: gradient calls and what is done with the gradients, and trainings by one call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from grader.notebook.facts import TrainingKind
from grader.notebook.flow.merging import as_data, number_of, text_of
from grader.notebook.flow.state import Gradient, State, Update
from grader.notebook.flow.tables import last_of
from grader.notebook.flow.values import UNKNOWN, Choice, Data, Items, Table, Thing, Value


def options_of(value: Value) -> Iterator[Data]:
    """The values that something may have, each as data."""
    for option in value.options if isinstance(value, Choice) else (value,):
        yield as_data(option)


def gradient(state: State, loss: Value, sources: Value) -> Value:
    """The gradients of `loss` with respect to `sources`, in the structure of `sources`."""
    ids: set[int] = set()
    for option in options_of(loss):
        if option.chain is not None:
            option.chain.is_used = True
        if not state.room_for_event():
            break
        number = len(state.gradients) + 1
        state.gradients[number] = Gradient(
            id=number,
            cell=state.cell,
            line=state.line,
            function=state.frame.function,
            run_cell=state.run_cell,
            is_called=state.is_called,
            loss=option,
            loops=state.loops(),
        )
        ids.add(number)
    return _like(sources, Data(gradients=frozenset(ids)))


def _like(structure: Value, gradients: Data, depth: int = 0) -> Value:
    if depth > 3:
        return gradients
    if isinstance(structure, Items):
        items = [_like(item, gradients, depth + 1) for item in structure.items[: 200 if not depth else 12]]
        return Items(items or [gradients], structure.is_tuple, structure.is_open or not items)
    if isinstance(structure, Table):
        inner = {
            key: _like(value, gradients, depth + 1)
            for key, value in list(structure.items.items())[: 200 if not depth else 12]
        }
        return Table(inner, structure.is_open)
    if isinstance(structure, Data) and not structure.weights:
        return Items([gradients], is_open=True)
    return gradients


def applied(state: State, change: Value) -> bool:
    """A variable is changed by `change`; True when that comes from gradients."""
    data = as_data(change)
    for number in data.gradients:
        found = state.gradients.get(number)
        if found is not None and found.kind is TrainingKind.GRADIENTS_ONLY:
            found.kind = TrainingKind.TAPE_ASSIGN
            found.learning_rate = abs(data.scale) if data.scale is not None else None
    return bool(data.gradients)


def applied_by(state: State, optimizer: Value, change: Value) -> None:
    """An optimiser applies gradients."""
    name, rate = optimizer_of(optimizer)
    data = as_data(change)
    for number in data.gradients:
        found = state.gradients.get(number)
        if found is not None:
            found.kind = TrainingKind.TAPE_OPTIMIZER
            found.optimizer, found.learning_rate = name, rate
    if not data.gradients:
        trained(state, TrainingKind.TAPE_OPTIMIZER, UNKNOWN, optimizer=optimizer)


def optimizer_of(optimizer: Value | None) -> tuple[str, float | None]:
    """An optimiser's name and learning rate, as far as they are written."""
    text = text_of(optimizer)
    if text is not None:
        return text.lower(), None
    if not isinstance(optimizer, Thing):
        return "", None
    first: Value | None = optimizer.args[0] if optimizer.args else None
    rate = optimizer.kwargs.get("learning_rate", optimizer.kwargs.get("lr", first))
    return last_of(optimizer.name).lower(), number_of(rate)


def minimized(state: State, optimizer: Thing, args: Sequence[Value], kwargs: Mapping[str, Value]) -> None:
    """`optimizer.minimize(loss, …)`, where the loss is a tensor or a function that gives one."""
    loss: Value = args[0] if args else kwargs.get("loss", UNKNOWN)
    if not isinstance(loss, Data):
        loss = state.call(loss, [], {})
    is_old = optimizer.name.startswith(("tf.train.", "tf.compat.v1.", "tf.v1."))
    kind = TrainingKind.TF1_SESSION if is_old else TrainingKind.MINIMIZE
    for option in options_of(loss):
        trained(state, kind, option, optimizer=optimizer)


def trained(
    state: State,
    kind: TrainingKind,
    data: Data,
    *,
    optimizer: Value | None = None,
    rest: tuple[str, ...] = (),
) -> None:
    """Note a training that is done by one call, of the model that `data` came through."""
    if data.chain is not None:
        data.chain.is_used = True
    if not state.room_for_event():
        return
    name, rate = optimizer_of(optimizer)
    state.updates.append(
        Update(
            kind=kind,
            cell=state.cell,
            line=state.line,
            function=state.frame.function,
            run_cell=state.run_cell,
            is_called=state.is_called,
            data=data,
            loops=state.loops(),
            optimizer=name,
            learning_rate=rate,
            rest=rest,
        )
    )
