"""What the class page tells: what waits for a person, how criteria went, what went wrong and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from statistics import median

from grader.evidence.record import Evidence
from grader.model import CriterionGrade, Grade, Isolation, Outcome, Rejected, Run, RunStatus, Scale
from grader.report.examples import ExampleTaker, everybodys_names
from grader.report.failures import FailureGroup, failures_by_cause
from grader.report.order import natural
from grader.report.pictures.distribution import draw_distribution
from grader.report.pictures.svg import Picture
from grader.report.shared_mistakes import SharedMistake, shared_mistakes
from grader.report.texts import folded

_HEAVIEST_SHOWN = 5
_LEADS = 100_000  # characters of what was found, on one page
_SHORTEST_LEAD = 80
_FEWEST_FOR_SUSPICION = 5  # hand-ins


class Suspicion(StrEnum):
    """Why a criterion looks as if it, or its check, were wrong."""

    NOBODY = "nobody"  # has any points
    EVERYBODY = "everybody"  # has all points
    NEVER = "never"  # the program decided it for nobody


@dataclass(frozen=True, kw_only=True)
class OpenItem:
    """One criterion of one hand-in that has no points yet, with the beginning of what was found."""

    grade: Grade
    criterion: CriterionGrade

    @property
    def lead(self) -> str:
        """The beginning of the first reason, as text."""
        lead, rest = folded(self.criterion.verdict.reasons[0].text)
        return f"{lead} …" if rest else lead


@dataclass(kw_only=True)
class CriterionTally:
    """How the hand-ins did on one criterion. `shares` are the shares of the points given so far."""

    number: int
    id: str
    title: str
    points: Decimal
    is_bonus: bool
    met: int = 0
    partly_met: int = 0
    not_met: int = 0
    waiting: list[OpenItem] = field(default_factory=list)
    not_checked: list[OpenItem] = field(default_factory=list)
    shares: list[Decimal] = field(default_factory=list)
    by_program: int = 0

    def count(self, grade: Grade, criterion: CriterionGrade) -> None:
        """Add what one hand-in got."""
        self.by_program += criterion.verdict.fraction is not None
        if criterion.awarded is None:
            item = OpenItem(grade=grade, criterion=criterion)
            is_ours = criterion.verdict.outcome is Outcome.NOT_CHECKED
            (self.not_checked if is_ours else self.waiting).append(item)
            return
        share = criterion.awarded / criterion.points if criterion.points else Decimal(1)
        self.shares.append(share)
        if share >= 1:
            self.met += 1
        elif share > 0:
            self.partly_met += 1
        else:
            self.not_met += 1

    @property
    def waiting_count(self) -> int:
        """How many hand-ins wait for a person."""
        return len(self.waiting)

    @property
    def not_checked_count(self) -> int:
        """How many hand-ins could not be checked."""
        return len(self.not_checked)

    @property
    def pass_percent(self) -> int | None:
        """How many of a hundred decided hand-ins have all points; None while none is decided."""
        return round(100 * self.met / len(self.shares)) if self.shares else None

    @property
    def suspicion(self) -> Suspicion | None:
        """Why it looks wrong, None where it does not or too few hand-ins tell."""
        hand_ins = len(self.shares) + self.waiting_count + self.not_checked_count
        if hand_ins >= _FEWEST_FOR_SUSPICION and not self.by_program:
            return Suspicion.NEVER
        if len(self.shares) < _FEWEST_FOR_SUSPICION:
            return None
        if self.not_met == len(self.shares):
            return Suspicion.NOBODY
        return Suspicion.EVERYBODY if self.met == len(self.shares) else None

    @property
    def parts(self) -> list[tuple[str, float]]:
        """The shares of the hand-ins that met it, met it partly, did not meet it, and are open."""
        counts = {
            Outcome.MET: self.met,
            Outcome.PARTLY_MET: self.partly_met,
            Outcome.NOT_MET: self.not_met,
            Outcome.NEEDS_REVIEW: self.waiting_count + self.not_checked_count,
        }
        whole = sum(counts.values()) or 1
        return [(outcome.value, count / whole) for outcome, count in counts.items()]


@dataclass(frozen=True, kw_only=True)
class HeavyRun:
    """One run that took much of something; `amount` in seconds or bytes."""

    grade: Grade
    run: Run
    amount: float


@dataclass(frozen=True, kw_only=True)
class ClassView:
    """The class page's facts, in the order in which they are listed.

    `groups` are, by submission, those that the page's script can filter by; `lead_limit` is how many
    characters of what waits are shown.
    """

    grades: Sequence[Grade]
    groups: Mapping[str, Sequence[str]]
    tallies: Sequence[CriterionTally]
    lost: Sequence[Grade]
    unlocked: Sequence[Grade]
    settled: Sequence[Grade]
    median_score: Decimal | None
    distribution: Picture | None
    lead_limit: int
    mistakes: Sequence[SharedMistake]
    failures: Sequence[FailureGroup]
    run_ends: Sequence[tuple[RunStatus, int]]
    slowest: Sequence[HeavyRun]
    heaviest: Sequence[HeavyRun]


def view_class(
    grades: Sequence[Grade],
    runs: Mapping[str, Run],
    rejected: Sequence[Rejected] = (),
    evidence: Mapping[str, Evidence] | None = None,
) -> ClassView:
    """Sort and count what the class page shows; `runs` and `evidence` are keyed by submission id.

    Of hand-ins whose evidence is not at hand there are no examples.
    """
    people = [*(grade.participant for grade in grades), *(item.participant for item in rejected)]
    everybody = everybodys_names(person.name for person in people)
    taker = ExampleTaker(evidence or {}, everybody)
    ordered = sorted(grades, key=lambda grade: natural(grade.submission))
    settled = [grade for grade in ordered if grade.is_settled]
    tallies = _tallies(ordered)
    waiting = sum(tally.waiting_count + tally.not_checked_count for tally in tallies)
    ends = Counter(runs[grade.submission].status for grade in ordered if grade.submission in runs)
    return ClassView(
        grades=ordered,
        groups={grade.submission: list(_groups(grade, runs.get(grade.submission))) for grade in ordered},
        tallies=tallies,
        lost=[g for g in ordered if g.submission in runs and runs[g.submission].status is RunStatus.LOST],
        unlocked=[
            g for g in ordered if g.submission in runs and runs[g.submission].isolation is Isolation.NONE
        ],
        settled=settled,
        median_score=median(grade.score for grade in settled) if settled else None,
        distribution=_distribution(ordered),
        lead_limit=max(_SHORTEST_LEAD, _LEADS // max(waiting, 1)),
        mistakes=shared_mistakes(ordered, runs, taker),
        failures=failures_by_cause(ordered, runs, rejected, taker),
        run_ends=[(status, ends[status]) for status in RunStatus if ends[status]],
        slowest=_most(ordered, runs, lambda run: run.wall_seconds),
        heaviest=_most(ordered, runs, lambda run: run.peak_rss_bytes or 0),
    )


def _groups(grade: Grade, run: Run | None) -> Iterator[str]:
    yield "settled" if grade.is_settled else "open"
    if grade.flags:
        yield "flags"
    if run is not None and run.status is not RunStatus.COMPLETED:
        yield "trouble"


def _tallies(grades: Sequence[Grade]) -> list[CriterionTally]:
    tallies: dict[str, CriterionTally] = {}
    for grade in grades:
        for criterion in grade.criteria:
            tally = tallies.get(criterion.id)
            if tally is None:
                tally = tallies[criterion.id] = CriterionTally(
                    number=len(tallies) + 1,
                    id=criterion.id,
                    title=criterion.title,
                    points=criterion.points,
                    is_bonus=criterion.is_bonus,
                )
            tally.count(grade, criterion)
    return list(tallies.values())


def _distribution(grades: Sequence[Grade]) -> Picture | None:
    if not grades or grades[0].scale is Scale.PASS_FAIL:
        return None
    return draw_distribution(
        [float(grade.score) for grade in grades if grade.is_settled],
        [float(grade.score) for grade in grades if not grade.is_settled],
        float(max(grade.max_points for grade in grades)),
    )


def _most(grades: Sequence[Grade], runs: Mapping[str, Run], amount: Callable[[Run], float]) -> list[HeavyRun]:
    """The runs with the most of something, first the most."""
    found = [
        HeavyRun(grade=grade, run=runs[grade.submission], amount=amount(runs[grade.submission]))
        for grade in grades
        if grade.submission in runs
    ]
    return sorted((one for one in found if one.amount), key=lambda one: -one.amount)[:_HEAVIEST_SHOWN]
