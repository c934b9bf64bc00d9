"""Counting: verdicts that are not what they must be, verdicts that flip, mutations that survive."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

from grader.model import Outcome, Source, Verdict
from grader.reference_grading import Seen
from grader.references import LOST, Expected
from grader.validity.trials import Kind, Tried


class Found(StrEnum):
    """What a verdict comes to."""

    MET = "met"
    LOST = "lost"  # not met or partly met
    REVIEW = "left to a person"  # or not checked
    NONE = "not graded"


class Row(NamedTuple):
    """The verdicts on one criterion: how often each was found where each was due."""

    criterion: str
    counts: Counter[tuple[Expected, Found]]

    def due(self, *expected: Expected) -> int:
        """How many verdicts were due to be one of these."""
        return sum(count for (due, _), count in self.counts.items() if due in expected)

    def found(self, found: Found, *expected: Expected) -> int:
        """How many verdicts came to `found` where one of these was due."""
        return sum(self.counts[due, found] for due in expected)


class Deviation(NamedTuple):
    """A verdict that is not what was due: the repeats (from 1) that gave it, and the reason in the first."""

    name: str
    criterion: str
    due: Expected
    found: Found
    repeats: tuple[int, ...]
    why: str


class Flip(NamedTuple):
    """A verdict that is not the same in all repeats: how often each was seen."""

    name: str
    criterion: str
    due: Expected
    counts: Counter[Found]


class Operator(NamedTuple):
    """What came of the criteria that one kind of generated mutation must break, over all notebooks."""

    name: str
    notebooks: int
    counts: Counter[Found]


class Survivor(NamedTuple):
    """A criterion that was met though a generated mutation must break it, and the reason that was given."""

    name: str
    criterion: str
    why: str


class Gap(NamedTuple):
    """An accuracy as measured and as reported, where the two differ most over the repeats."""

    name: str
    measured: float
    reported: float


def found_in(seen: Seen, criterion: str) -> Found:
    """What the verdict on a criterion comes to."""
    verdict = seen.verdicts.get(criterion)
    if verdict is None:
        return Found.NONE
    if verdict.outcome is Outcome.MET:
        return Found.MET
    return Found.LOST if verdict.outcome in LOST else Found.REVIEW


def is_right(due: Expected, found: Found) -> bool:
    """Whether what was found is what was due."""
    outcomes = {Found.MET: Outcome.MET, Found.LOST: Outcome.NOT_MET, Found.REVIEW: Outcome.NEEDS_REVIEW}
    return found is not Found.NONE and due.fits(outcomes[found])


def count_rows(tried: Sequence[Tried], criteria: Iterable[str]) -> list[Row]:
    """The verdicts on all of the trials, by criterion."""
    return [
        Row(
            criterion,
            Counter((_due(one, criterion), found_in(seen, criterion)) for one in tried for seen in one.seen),
        )
        for criterion in criteria
    ]


def deviations(tried: Sequence[Tried], criteria: Sequence[str]) -> Iterator[Deviation]:
    """All verdicts that are not what was due, generated mutations aside."""
    for one, criterion in _by_hand(tried, criteria):
        due = _due(one, criterion)
        wrong: dict[Found, list[int]] = {}
        for number, seen in enumerate(one.seen, start=1):
            found = found_in(seen, criterion)
            if not is_right(due, found):
                wrong.setdefault(found, []).append(number)
        for found, numbers in wrong.items():
            why = why_of(one.seen[numbers[0] - 1], criterion)
            yield Deviation(one.trial.name, criterion, due, found, tuple(numbers), why)


def flips(tried: Sequence[Tried], criteria: Sequence[str]) -> Iterator[Flip]:
    """All verdicts that are not the same in all repeats."""
    for one, criterion in _by_hand(tried, criteria):
        counts = Counter(found_in(seen, criterion) for seen in one.seen)
        if len(counts) > 1:
            yield Flip(one.trial.name, criterion, _due(one, criterion), counts)


def operators(tried: Sequence[Tried]) -> list[Operator]:
    """What each operator's mutations came to, in the order in which they were tried."""
    generated = [one for one in tried if one.trial.kind is Kind.GENERATED]
    result = []
    for name in dict.fromkeys(one.trial.operator for one in generated):
        its = [one for one in generated if one.trial.operator == name]
        counts = Counter(
            found_in(seen, criterion) for one in its for criterion in one.trial.breaks for seen in one.seen
        )
        result.append(Operator(name, len(its), counts))
    return result


def survivors(tried: Sequence[Tried], criteria: Sequence[str]) -> Iterator[Survivor]:
    """All criteria that a generated mutation must break, and that were met or not graded at all."""
    for one in tried:
        for criterion in criteria if one.trial.kind is Kind.GENERATED else ():
            for seen in one.seen:
                if criterion in one.trial.breaks and found_in(seen, criterion) in (Found.MET, Found.NONE):
                    yield Survivor(one.trial.name, criterion, why_of(seen, criterion))


def gaps(tried: Sequence[Tried], criterion: str) -> list[Gap]:
    """For the solution and each variant the accuracy that it reports and the one that is measured."""
    result = []
    for one in tried:
        verdicts = [seen.verdicts[criterion] for seen in one.seen if criterion in seen.verdicts]
        pairs = [pair for verdict in verdicts if (pair := _measured_and_reported(verdict))]
        if one.trial.kind is Kind.HONEST and pairs:
            result.append(Gap(one.trial.name, *max(pairs, key=lambda pair: abs(pair[0] - pair[1]))))
    return result


def why_of(seen: Seen, criterion: str) -> str:
    """The reasons of a verdict in one line, or why there is none."""
    verdict = seen.verdicts.get(criterion)
    return seen.why_not if verdict is None else " ".join(reason.text for reason in verdict.reasons)


def _measured_and_reported(verdict: Verdict) -> tuple[float, float] | None:
    told = [(reason.source, reason.numbers[0]) for reason in verdict.reasons if reason.numbers]
    measured = [value for source, value in told if source is Source.MEASURED]
    reported = [value for source, value in told if source in (Source.SAVED, Source.RERUN)]
    return (measured[0], reported[0]) if measured and reported else None


def _due(one: Tried, criterion: str) -> Expected:
    return one.trial.reference.expected(criterion, is_real=True)


def _by_hand(tried: Sequence[Tried], criteria: Sequence[str]) -> Iterator[tuple[Tried, str]]:
    for one in tried:
        if one.trial.kind is not Kind.GENERATED:
            yield from ((one, criterion) for criterion in criteria)
