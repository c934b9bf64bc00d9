"""What the class page tells: what waits for a person, what could not be checked, how criteria went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from statistics import median

from grader.model import CriterionGrade, Grade, Isolation, Outcome, Participant, Run, RunStatus
from grader.report.order import natural


@dataclass(frozen=True, kw_only=True)
class OpenItem:
    """One criterion of one hand-in that has no points yet, with what was found."""

    grade: Grade
    criterion: CriterionGrade


@dataclass(kw_only=True)
class CriterionTally:
    """How the hand-ins did on one criterion. `shares` are the shares of the points given so far."""

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
    def pass_percent(self) -> int | None:
        """How many of a hundred decided hand-ins have all points; None while none is decided."""
        return round(100 * self.met / len(self.shares)) if self.shares else None


@dataclass(frozen=True, kw_only=True)
class ClassView:
    """The class page's facts, in the order in which they are listed."""

    grades: Sequence[Grade]
    tallies: Sequence[CriterionTally]
    lost: Sequence[Grade]
    unlocked: Sequence[Grade]
    settled: Sequence[Grade]
    median_score: Decimal | None
    has_names: bool
    has_flags: bool


def view_class(grades: Sequence[Grade], runs: Mapping[str, Run]) -> ClassView:
    """Sort and count what the class page shows; `runs` is keyed by submission id."""
    ordered = sorted(grades, key=lambda grade: natural(grade.submission))
    tallies: dict[str, CriterionTally] = {}
    for grade in ordered:
        for criterion in grade.criteria:
            tally = tallies.get(criterion.id)
            if tally is None:
                tally = tallies[criterion.id] = CriterionTally(
                    id=criterion.id,
                    title=criterion.title,
                    points=criterion.points,
                    is_bonus=criterion.is_bonus,
                )
            tally.count(grade, criterion)
    settled = [grade for grade in ordered if all(c.awarded is not None for c in grade.criteria)]
    return ClassView(
        grades=ordered,
        tallies=list(tallies.values()),
        lost=[g for g in ordered if g.submission in runs and runs[g.submission].status is RunStatus.LOST],
        unlocked=[
            g for g in ordered if g.submission in runs and runs[g.submission].isolation is Isolation.NONE
        ],
        settled=settled,
        median_score=median(grade.score for grade in settled) if settled else None,
        has_names=any(grade.participant.name for grade in ordered),
        has_flags=any(grade.flags for grade in ordered),
    )


def label(participant: Participant, submission: str) -> str:
    """What to call whoever handed in: the name, else Moodle's number, else the hand-in's id."""
    if participant.name and not participant.is_blind:
        return participant.name
    if participant.id:
        return f"{'Group' if participant.is_group else 'Participant'} {participant.id}"
    return submission
