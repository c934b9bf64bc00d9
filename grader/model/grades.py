"""What a hand-in was given: verdicts, people's decisions, lateness."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from grader.model.groups import Group
from grader.model.hand_ins import Participant
from grader.model.record import Record
from grader.model.verdicts import Verdict

_CENT = Decimal("0.01")


class Visibility(StrEnum):
    """Who may see a criterion before grading."""

    PUBLIC = "public"
    STAFF = "staff"


class OnRerunFailure(StrEnum):
    """What counts for a criterion where our run fails though the saved outputs show success."""

    REVIEW = "review"  # a person decides, with both sides laid out
    SAVED = "saved"  # the saved outputs may meet it
    PARTLY = "partly"  # the same, for half of the points


class Scale(StrEnum):
    """How a grade is told: in points, or only as passed and not passed."""

    POINTS = "points"
    PASS_FAIL = "pass_fail"


class Override(Record):
    """A person's decision on one criterion of one submission.

    `judged` is the hash of the evidence the person saw, None when it was not known.
    """

    submission: str
    criterion: str
    points: Annotated[Decimal, Field(ge=0)]
    comment: str = ""
    who: Annotated[str, Field(min_length=1)]
    when: datetime
    judged: str | None = None


class CriterionGrade(Record):
    """One criterion of one grade: the verdict, and the person's decision where there is one.

    `check` is the name of the check that judged, "" in grades of before it was kept.
    """

    id: str
    title: str
    check: str = ""
    points: Annotated[Decimal, Field(ge=0)]
    is_bonus: bool = False
    visibility: Visibility = Visibility.PUBLIC
    verdict: Verdict
    override: Override | None = None

    @property
    def awarded(self) -> Decimal | None:
        """Points given, None while a person has to decide."""
        if self.override is not None:
            return self.override.points
        if self.verdict.fraction is None:
            return None
        return (self.points * self.verdict.fraction).quantize(_CENT)

    @property
    def is_open(self) -> bool:
        """Whether a person still has to decide, so that no points are given yet."""
        return self.override is None and self.verdict.fraction is None


class Findings(Record):
    """What was found about one hand-in: `flags` on its evidence, and verdicts by the ids of criteria."""

    flags: tuple[str, ...]
    verdicts: dict[str, Verdict]


class Lateness(Record):
    """When a hand-in came and when it was due; `days` are the days begun after that, grace aside.

    `penalty` is what that costs in points, `is_refused` that it counts for nothing at all.
    """

    handed_in: datetime
    due: datetime
    has_extension: bool
    days: Annotated[int, Field(ge=0)]
    penalty: Annotated[Decimal, Field(ge=0)]
    is_refused: bool


class Grade(Record):
    """The grade of one submission. `flags` are sentences for the TA, never points.

    `late` is None where nobody knows when it was handed in, or no deadline is set.
    """

    submission: str
    assignment: str
    participant: Participant
    run_key: str | None
    rubric_sha256: str
    scale: Scale = Scale.POINTS
    pass_points: Decimal | None = None
    criteria: tuple[CriterionGrade, ...]
    flags: tuple[str, ...] = ()
    late: Lateness | None = None
    group: Group | None = None

    @property
    def is_judged_itself(self) -> bool:
        """Whether this hand-in was judged, rather than its group's copy that counts for all."""
        return self.group is None or self.group.stands_in_for(self.submission) is None

    @property
    def is_settled(self) -> bool:
        """Whether nothing of it waits for a person."""
        return not any(criterion.is_open for criterion in self.criteria)

    @property
    def final_score(self) -> Decimal:
        """The score less what lateness costs, never below 0: what students are told in the end."""
        if self.late is None:
            return self.score
        return Decimal(0) if self.late.is_refused else max(Decimal(0), self.score - self.late.penalty)

    @property
    def score(self) -> Decimal:
        """Points that are settled, bonus included; what lateness costs stands in `late`."""
        return sum((c.awarded for c in self.criteria if c.awarded is not None), Decimal(0))

    @property
    def open_points(self) -> Decimal:
        """Points (bonus aside) that still wait for a person."""
        return sum((c.points for c in self.criteria if c.is_open and not c.is_bonus), Decimal(0))

    @property
    def max_points(self) -> Decimal:
        """Points that can be had, bonus aside."""
        return sum((c.points for c in self.criteria if not c.is_bonus), Decimal(0))

    @property
    def is_passed(self) -> bool | None:
        """For `pass_fail`: True or False once it cannot change any more, None while it can."""
        if self.pass_points is None:
            return None
        if self.final_score >= self.pass_points:
            return True
        if self.late is not None and self.late.is_refused:
            return False
        penalty = self.late.penalty if self.late is not None else Decimal(0)
        open_bonus = sum((c.points for c in self.criteria if c.is_open and c.is_bonus), Decimal(0))
        best = self.score + self.open_points + open_bonus - penalty
        return False if best < self.pass_points else None


def plain_amount(amount: Decimal) -> str:
    """An amount of points without needless zeros: `7.5`, `10`, `0`."""
    return f"{amount.normalize():f}"
