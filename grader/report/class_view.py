"""What the class page tells: what waits for a person or could not be checked, how criteria and runs went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from statistics import median

from grader.model import CriterionGrade, Grade, Isolation, Outcome, Run, RunStatus, Scale
from grader.report.order import natural
from grader.report.pictures.distribution import draw_distribution
from grader.report.pictures.svg import Picture
from grader.report.shared_mistakes import SharedMistake, shared_mistakes
from grader.report.texts import folded

_HEAVIEST_SHOWN = 5
_LEADS = 100_000  # characters of what was found, on one page
_SHORTEST_LEAD = 80


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

    def count(self, grade: Grade, criterion: CriterionGrade) -> None:
        """Add what one hand-in got."""
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
    run_ends: Sequence[tuple[RunStatus, int]]
    slowest: Sequence[HeavyRun]
    heaviest: Sequence[HeavyRun]


def view_class(grades: Sequence[Grade], runs: Mapping[str, Run]) -> ClassView:
    """Sort and count what the class page shows; `runs` is keyed by submission id."""
    ordered = sorted(grades, key=lambda grade: natural(grade.submission))
    settled = [grade for grade in ordered if is_settled(grade)]
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
        mistakes=shared_mistakes(ordered, runs),
        run_ends=[(status, ends[status]) for status in RunStatus if ends[status]],
        slowest=_most(ordered, runs, lambda run: run.wall_seconds),
        heaviest=_most(ordered, runs, lambda run: run.peak_rss_bytes or 0),
    )


def is_settled(grade: Grade) -> bool:
    """Whether nothing of the grade waits for a person."""
    return all(criterion.awarded is not None for criterion in grade.criteria)


def _groups(grade: Grade, run: Run | None) -> Iterator[str]:
    yield "settled" if is_settled(grade) else "open"
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
        [float(grade.score) for grade in grades if is_settled(grade)],
        [float(grade.score) for grade in grades if not is_settled(grade)],
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
