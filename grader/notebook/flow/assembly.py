"""Turns what was noted while going through code into the records of `facts`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from grader.notebook.facts import (
    CodeFacts,
    Configuration,
    Display,
    Evaluation,
    ForwardPass,
    Part,
    Step,
    StepKind,
    Training,
    Weight,
)
from grader.notebook.flow.chains import Chain, RawStep, WeightInfo
from grader.notebook.flow.state import Gradient, State, Test, Update
from grader.notebook.flow.values import Data

MAX_RECORDS = 200

Key = tuple[object, ...]
T = TypeVar("T", Training, Evaluation, Display)


class Passes:
    """Forward passes as records, each made once."""

    def __init__(self) -> None:
        self._known: dict[Key, ForwardPass] = {}
        self._weights: dict[int, Weight] = {}

    def of(self, chain: Chain | None) -> ForwardPass | None:
        """The record of a chain; None for a chain without steps."""
        if chain is None or not chain.length:
            return None
        raw = chain.steps()
        key: Key = (chain.is_complete, *((*step[:5], step.weight and step.weight.id) for step in raw))
        if key not in self._known:
            steps = tuple(self._step(step) for step in raw)
            self._known[key] = ForwardPass(
                steps=steps, function=_function_of(raw), is_complete=chain.is_complete
            )
        return self._known[key]

    def _step(self, raw: RawStep) -> Step:
        return Step(
            kind=raw.kind,
            name=raw.name,
            cell=raw.cell,
            line=max(0, raw.line),
            level=raw.level,
            weight=self._weight(raw.weight) if raw.weight is not None else None,
            width=raw.width,
        )

    def _weight(self, info: WeightInfo) -> Weight:
        if info.id not in self._weights:
            self._weights[info.id] = Weight(
                id=info.id,
                name=info.name,
                cell=info.cell,
                line=info.line,
                start=info.start,
                how=info.how[:200],
                shape=info.shape,
                is_variable=info.is_variable,
                is_one=info.is_one,
            )
        return self._weights[info.id]


def _function_of(steps: Iterable[RawStep]) -> str:
    names = [step.function for step in steps if step.kind is StepKind.PRODUCT]
    return names[-1] if names else ""


def facts_of(state: State) -> CodeFacts:
    """All that was found, as records; equal things are told once."""
    passes = Passes()
    events: list[Gradient | Update] = [*state.gradients.values(), *state.updates]
    trainings = _unique([_training(event, passes) for event in events])
    evaluations = _unique([_evaluation(test, passes) for test in state.tests])
    shown = _unique(
        [
            Display(
                cell=s.cell,
                line=s.line,
                run_cell=s.run_cell,
                how=s.how,
                picked=s.picked,
                is_called=s.is_called,
            )
            for s in state.shown
        ]
    )
    models: list[ForwardPass] = []
    for chain in state.chains:
        is_end = not chain.is_extended and not chain.is_used
        found = passes.of(chain) if is_end and len(models) < MAX_RECORDS else None
        if found is not None:
            models.append(found)
    tied = [training.model for training in trainings] + [test.model for test in evaluations]
    return CodeFacts(
        loads=tuple(state.loads.values())[:MAX_RECORDS],
        models=tuple(dict.fromkeys([*(model for model in tied if model is not None), *models])),
        trainings=trainings,
        evaluations=evaluations,
        displays=shown,
        parts_seen=tuple(sorted(state.parts_seen)),
        unresolved=tuple(state.unresolved.values()),
        is_complete=not state.unresolved,
    )


def _unique(records: list[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(records))[:MAX_RECORDS]


def _training(event: Gradient | Update, passes: Passes) -> Training:
    data = event.loss if isinstance(event, Gradient) else event.data
    model = passes.of(data.chain)
    return Training(
        kind=event.kind,
        cell=event.cell,
        line=max(0, event.line),
        run_cell=event.run_cell,
        function=event.function,
        model=model,
        datasets=_datasets(data),
        parts=_parts(data),
        configuration=_configuration(event, data),
        is_called=event.is_called,
    )


def _datasets(*all_data: Data) -> tuple[str, ...]:
    return tuple(sorted({origin.dataset for data in all_data for origin in data.origins if origin.dataset}))


def _parts(data: Data) -> tuple[Part, ...]:
    return tuple(sorted({origin.part for origin in data.origins}))


def _configuration(event: Gradient | Update, data: Data) -> Configuration:
    steps = data.chain.steps() if data.chain is not None else ()
    products = [step for step in steps if step.kind is StepKind.PRODUCT]
    last = max((i for i, step in enumerate(steps) if step.kind is StepKind.PRODUCT), default=0)
    activations = [step.name for step in steps[:last] if step.kind is not StepKind.PRODUCT]
    rest = list(event.rest) if isinstance(event, Update) else []
    if data.batch:
        rest.append(f"batch {data.batch}")
    rounds = [str(count) for count in event.loops if count]
    if rounds:
        rest.append(f"rounds {' x '.join(rounds)}")
    return Configuration(
        sizes=tuple(step.width for step in products[:-1]),
        activations=tuple(activations),
        starts=tuple(step.weight.how if step.weight is not None else "" for step in products),
        optimizer=event.optimizer,
        learning_rate=event.learning_rate,
        dataset=" + ".join(_datasets(data)),
        rest=tuple(dict.fromkeys(rest)),
    )


def _evaluation(test: Test, passes: Passes) -> Evaluation:
    parts = set(_parts(test.predictions))
    labels = set(_parts(test.labels))
    agree = not parts or not labels or parts == labels
    return Evaluation(
        cell=test.cell,
        line=max(0, test.line),
        run_cell=test.run_cell,
        how=test.how,
        model=passes.of(test.predictions.chain),
        datasets=_datasets(test.predictions, test.labels),
        parts=tuple(sorted(parts | labels if agree else {Part.UNKNOWN})),
        is_called=test.is_called,
    )
