"""`grade release`: a named person tells students their grades; what was told does not change by itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from grader.course import Course
from grader.datasets.withheld import course_secret
from grader.errors import UsageError
from grader.gradebook.changes import change_between
from grader.gradebook.store import Gradebook
from grader.model import Grade, Record, plain_amount
from grader.trust import agreements, distrusted, is_drawn


class Told(StrEnum):
    """What a release did with one hand-in."""

    NEW = "new"
    RAISED = "raised"
    LOWERED = "lowered"
    REWORDED = "reworded"  # the same points, other reasons or another split
    SAME = "same"
    OPEN = "open"  # points wait for a person
    KEPT = "kept"  # lower than what was told, and nobody signed for that


class ReleasedGrade(Record):
    """One hand-in in a release: what became of it, the grade told before, and the one of today."""

    submission: str
    told: Told
    before: Grade | None
    now: Grade


def release(
    course: Course, assignment: str, *, who: str, why: str = "", may_lower: bool = False, now: datetime
) -> tuple[ReleasedGrade, ...]:
    """Fix the latest grades of an assignment as what students are told, in the gradebook's order.

    A grade with open points is not released, and one that would be lower than what was told only where
    `may_lower`, which needs `why`. `who` signs. Raises `UsageError` when `who` or a needed `why` is empty or
    nothing was graded, or where a check that people disagreed with too often decided; `StoreError` while a
    grading is at work.
    """
    if not who.strip():
        raise UsageError("Nobody signs for this release: name who does with --by NAME.")
    if may_lower and not why.strip():
        raise UsageError("A grade that was told is lowered only with a reason: say it with --why TEXT.")
    with course.locked(), Gradebook.open(course.state / "gradebook.sqlite") as gradebook:
        latest = gradebook.latest(assignment)
        if not latest:
            raise UsageError(f"Nothing of {assignment} was graded yet: grade it first.")
        _refuse_distrusted(gradebook, latest)
        before = {name: told.grade for name, told in gradebook.released(assignment).items()}
        found = tuple(
            _compared(name, before.get(name), grade, may_lower=may_lower) for name, grade in latest.items()
        )
        changed = [one for one in found if one.told not in (Told.SAME, Told.OPEN, Told.KEPT)]
        reasons = {one.submission: why for one in changed if one.told is not Told.NEW}
        gradebook.release([one.now for one in changed], who=who, now=now, why=reasons)
    return found


def spot_checks_left(course: Course, assignment: str) -> int:
    """How many automatic verdicts chance put before a person, and nobody has looked at."""
    secret = course_secret(course.state)
    with Gradebook.open(course.state / "gradebook.sqlite") as gradebook:
        latest = gradebook.latest(assignment).values()
    return sum(
        criterion.override is None
        and criterion.verdict.fraction is not None
        and is_drawn(grade, criterion, secret)
        for grade in latest
        for criterion in grade.criteria
    )


def still_to_tell(latest: Mapping[str, Grade], released: Mapping[str, Grade]) -> dict[str, str]:
    """Why hand-ins have no released grade of today, by id: sentences for whoever exports."""
    found = {}
    for name, grade in latest.items():
        if not grade.is_settled:
            found[name] = f"{plain_amount(grade.open_points)} points wait for a person"
        elif name not in released:
            found[name] = "its grade is not released: `grade release` does that"
    return found


def _refuse_distrusted(gradebook: Gradebook, latest: Mapping[str, Grade]) -> None:
    """Stop where a check that may not decide alone any more has decided a grade of today."""
    not_trusted = distrusted(agreements(gradebook))
    deciding = {
        criterion.check
        for grade in latest.values()
        for criterion in grade.criteria
        if criterion.override is None and criterion.verdict.fraction is not None
    }
    if found := sorted(not_trusted & deciding):
        raise UsageError(
            f"People disagreed too often with {', '.join(found)}, which decided here. Type the grade "
            "command again, and these verdicts wait for a person; or look at it and say so: `grade trust`."
        )


def _compared(name: str, before: Grade | None, now: Grade, *, may_lower: bool) -> ReleasedGrade:
    return ReleasedGrade(submission=name, told=_kind(before, now, may_lower), before=before, now=now)


def _kind(before: Grade | None, now: Grade, may_lower: bool) -> Told:
    if not now.is_settled:
        return Told.OPEN
    if before is None:
        return Told.NEW
    if now.final_score < before.final_score:
        return Told.LOWERED if may_lower else Told.KEPT
    if now.final_score > before.final_score:
        return Told.RAISED
    return Told.SAME if change_between(before, now) is None else Told.REWORDED
