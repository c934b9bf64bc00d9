"""For how long things are kept: dates in `retention.yaml` beside `rubrics/`, and what is due by them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from grader.cleaning import free, inside, present, remove, run_key_of, runs_needed, size_of, submission_of
from grader.course import Course
from grader.errors import UsageError
from grader.gradebook.store import Gradebook
from grader.model import Record
from grader.strict_yaml import StrictYaml, read_yaml
from grader.trust import agreed_on

RETENTION = "retention.yaml"
EVERY = "every-assignment"
_FORM = "write `a1:` (or `every-assignment:`) and below it `evidence: 2027-03-31`."


class Kind(StrEnum):
    """What has a date of its own."""

    HAND_INS = "hand-ins"  # what people put into `submissions/`: theirs to remove, we only tell
    EVIDENCE = "evidence"  # notebooks, runs, evidence, reports, unpacked copies
    GRADES = "grades"  # grades, decisions, releases


class Due(Record):
    """Something of an assignment that is kept for longer than was set; `last_day` was the last it may be.

    `paths` are what to remove, `entries` is how many hand-ins the gradebook still knows.
    """

    assignment: str
    kind: Kind
    last_day: date
    paths: tuple[Path, ...] = ()
    entries: int = 0

    @property
    def bytes(self) -> int:
        """The size of all that lies in files."""
        return sum(size_of(path) for path in self.paths)


class _Dates(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    hand_ins: str | None = Field(default=None, alias="hand-ins")
    evidence: str | None = None
    grades: str | None = None

    @field_validator("hand_ins", "evidence", "grades")
    @classmethod
    def _is_a_day(cls, text: str | None) -> str | None:
        try:
            if text is not None:
                date.fromisoformat(text)
        except ValueError:
            raise ValueError("should be a day, as 2027-03-31") from None
        return text

    def by_kind(self) -> dict[Kind, date]:
        """The dates that are set."""
        given = {Kind.HAND_INS: self.hand_ins, Kind.EVIDENCE: self.evidence, Kind.GRADES: self.grades}
        return {kind: date.fromisoformat(text) for kind, text in given.items() if text is not None}


def read_retention(course: Course) -> dict[str, dict[Kind, date]]:
    """The dates by assignment, `EVERY` among them; nothing where there is no file.

    Raises `GraderError` with everything that is wrong, one line each, with file, line and mend.
    """
    path = course.root / RETENTION
    if not path.is_file():
        return {}
    file = read_yaml(path)
    if not isinstance(file.value, dict):
        raise UsageError(f"{path}: {_FORM}")
    found = dict(_parts(file, file.value))
    if file.problems:
        raise file.error()
    return found


def _parts(file: StrictYaml, parts: dict[str, Any]) -> Iterator[tuple[str, dict[Kind, date]]]:
    for assignment, value in parts.items():
        part = file.validated(_Dates, value, (assignment,))
        if part is None:
            continue
        dates = part.by_kind()
        if Kind.GRADES in dates and Kind.EVIDENCE in dates and dates[Kind.GRADES] < dates[Kind.EVIDENCE]:
            sentence = "grades are kept at least as long as the evidence that they rest on: set a later day"
            file.report((assignment, "grades"), sentence)
        yield assignment, dates


def what_is_due(course: Course, today: date) -> list[Due]:
    """What is still there though its last day is over, by assignment. Nothing is changed."""
    dates = read_retention(course)
    with Gradebook.open(course.state / "gradebook.sqlite") as gradebook:
        known = {name: len(gradebook.latest(name)) for name in gradebook.assignments()}
        names = {*known, *dates, *(rubric.stem for rubric in course.rubrics.glob("*.yaml"))} - {EVERY}
        found = []
        for assignment in sorted(names):
            own = {**dates.get(EVERY, {}), **dates.get(assignment, {})}
            for kind, last_day in own.items():
                if last_day >= today:
                    continue
                is_grades = kind is Kind.GRADES
                due = Due(
                    assignment=assignment,
                    kind=kind,
                    last_day=last_day,
                    paths=() if is_grades else tuple(_paths(course, gradebook, assignment, kind)),
                    entries=known.get(assignment, 0) if is_grades else 0,
                )
                if due.paths or due.entries:
                    found.append(due)
    return found


def remove_due(course: Course, due: Sequence[Due], *, now: datetime) -> None:
    """Remove what is due, hand-ins aside: they are the TA's. `StoreError` while a grading is at work."""
    with course.locked():
        for one in due:
            if one.kind is Kind.EVIDENCE:
                for path in present(one.paths):
                    remove(path)
        with Gradebook.open(course.state / "gradebook.sqlite") as gradebook:
            for one in due:
                names = gradebook.latest(one.assignment) if one.kind is Kind.GRADES else ()
                for submission in names:
                    agreed = agreed_on(gradebook, one.assignment, submission)
                    gradebook.erase(one.assignment, submission, now=now, agreed=agreed)
        free(course)


def _paths(course: Course, gradebook: Gradebook, assignment: str, kind: Kind) -> list[Path]:
    if kind is Kind.HAND_INS:
        return present([course.root / "submissions" / assignment])
    evidence = [
        file
        for file in inside(course.state / "evidence")
        if (found := submission_of(file)) is not None and found.assignment == assignment
    ]
    own = {(assignment, name) for name in gradebook.latest(assignment)}
    keys = {key for _, name in own for key in gradebook.entries(assignment, name).run_keys}
    keys |= {key for file in evidence if (key := run_key_of(file)) is not None}
    runs = [course.state / "runs" / key for key in sorted(keys - runs_needed(gradebook, but_of=own))]
    reports = course.reports / assignment
    copies = course.state / "intake"
    there = present([*evidence, *runs, reports])
    return [*there, *present([copies])] if there else []
