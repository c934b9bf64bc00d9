"""Late hand-ins: deadlines and extensions in a small file, penalties as the rubric says.

`deadlines.yaml` lies beside `rubrics/`. What lateness costs stands beside the score and is worked out anew at
every grading, so an extension that is added later undoes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_serializer, field_validator

from grader.errors import UsageError
from grader.model import Grade, Lateness, Participant, Record, plain_amount
from grader.moodle.times import hand_in_times
from grader.strict_yaml import did_you_mean, read_yaml

DEADLINES = "deadlines.yaml"
_UNKNOWN_TIME = (
    "When it was handed in is not known, so nothing is held against it: name Moodle's grading worksheet with "
    "--worksheet, and see that it has a row for this hand-in."
)


class Penalty(StrEnum):
    """What a late hand-in costs."""

    NONE = "none"
    PER_DAY = "per-day"
    REFUSE = "refuse"


class LatePolicy(Record):
    """What a rubric says of late hand-ins: each day begun costs `percent_per_day` of the points to be had.

    Within `grace_minutes` nothing is late. No penalty is higher than `at_most_percent`.
    """

    penalty: Penalty = Penalty.NONE
    percent_per_day: Decimal = Field(default=Decimal(0), ge=0, le=100)
    at_most_percent: Decimal = Field(default=Decimal(100), gt=0, le=100)
    grace_minutes: int = Field(default=0, ge=0)

    @field_serializer("percent_per_day", "at_most_percent")
    def _canonical(self, percent: Decimal) -> str:
        return plain_amount(percent)


class Deadlines(Record):
    """When an assignment is due, in its time zone; `extensions` by participant's number or hand-in's id."""

    deadline: datetime
    zone: str
    extensions: dict[str, datetime]

    def due(self, grade: Grade) -> datetime:
        """When this hand-in is due; the later one where an extension is given under both names."""
        names = (grade.submission, grade.participant.id)
        own = [self.extensions[name] for name in names if name is not None and name in self.extensions]
        return max(own, default=self.deadline)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    deadline: str
    time_zone: str
    extensions: dict[str, str] = Field(default_factory=dict)

    @field_validator("time_zone")
    @classmethod
    def _exists(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ValueError, OSError, LookupError):
            raise ValueError("should be the name of a time zone, as Europe/Berlin") from None
        return name

    @field_validator("deadline")
    @classmethod
    def _is_a_time(cls, text: str) -> str:
        return _checked(text)

    @field_validator("extensions")
    @classmethod
    def _are_times(cls, given: dict[str, str]) -> dict[str, str]:
        return {name: _checked(text) for name, text in given.items()}


def read_deadlines(folder: Path, assignment: str, known: Mapping[str, str | None]) -> Deadlines | None:
    """The deadlines of an assignment, from `deadlines.yaml` in `folder`; None where there are none.

    `known` are the participants' numbers by hand-in's id: an extension of somebody unknown is a mistake.
    Raises `GraderError` with everything that is wrong, one line each, with file, line and mend.
    """
    path = folder / DEADLINES
    if not path.is_file():
        return None
    file = read_yaml(path)
    if not isinstance(file.value, dict):
        raise UsageError(f"{path}: write `{assignment}:` and below it `deadline: 2026-11-10 23:59`.")
    if assignment not in file.value:
        return None
    part = file.validated(_Part, file.value[assignment], (assignment,))
    people = {*known, *(number for number in known.values() if number is not None)}
    for name in part.extensions if part is not None else ():
        if name not in people:
            file.report(
                (assignment, "extensions", name), f"nobody handed in as {name!r}{did_you_mean(name, people)}"
            )
    if file.problems or part is None:
        raise file.error()
    zone = ZoneInfo(part.time_zone)
    return Deadlines(
        deadline=datetime.fromisoformat(part.deadline).replace(tzinfo=zone),
        zone=part.time_zone,
        extensions={
            name: datetime.fromisoformat(text).replace(tzinfo=zone) for name, text in part.extensions.items()
        },
    )


class HandInTimes(Record):
    """When the hand-ins of one assignment came, by id, and when they were due; None where nothing is due."""

    policy: LatePolicy
    deadlines: Deadlines | None
    times: dict[str, datetime]

    @classmethod
    def read(
        cls,
        root: Path,
        assignment: str,
        policy: LatePolicy,
        whose: Mapping[str, Participant],
        worksheet: Path | None,
    ) -> Self:
        """What `deadlines.yaml` in `root` and Moodle's `worksheet` tell; `whose` is every hand-in known.

        Raises `GraderError` where one of them is wrong.
        """
        numbers = {name: participant.id for name, participant in whose.items()}
        deadlines = read_deadlines(root, assignment, numbers)
        times: dict[str, datetime] = {}
        if deadlines is not None and worksheet is not None:
            times = hand_in_times(worksheet, whose, ZoneInfo(deadlines.zone))
        return cls(policy=policy, deadlines=deadlines, times=times)

    @property
    def terms(self) -> str:
        """What holds for all: the policy and the deadlines."""
        return self.model_dump_json(exclude={"times"})

    def told(self, grade: Grade) -> Grade:
        """The grade, with when it was handed in; with a flag where that is not known though it may cost."""
        if self.deadlines is None:
            return grade
        return with_lateness(grade, self.policy, self.deadlines, self.times.get(grade.submission))


def with_lateness(
    grade: Grade, policy: LatePolicy, deadlines: Deadlines, handed_in: datetime | None
) -> Grade:
    """The grade with when it was handed in; a flag says where that may cost and is not known."""
    if handed_in is None and policy.penalty is Penalty.NONE:
        return grade
    if handed_in is None:
        return grade.model_copy(update={"flags": (*grade.flags, _UNKNOWN_TIME)})
    due = deadlines.due(grade)
    late = handed_in - due - timedelta(minutes=policy.grace_minutes)
    days = -(-late // timedelta(days=1)) if late > timedelta(0) else 0
    percent = min(policy.percent_per_day * days, policy.at_most_percent)
    is_refused = days > 0 and policy.penalty is Penalty.REFUSE
    lateness = Lateness(
        handed_in=handed_in,
        due=due,
        has_extension=due != deadlines.deadline,
        days=days,
        is_refused=is_refused,
        penalty=(grade.max_points * percent / 100).quantize(Decimal("0.01"))
        if policy.penalty is Penalty.PER_DAY
        else Decimal(0),
    )
    return grade.model_copy(update={"late": lateness})


def _checked(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is not None:
        raise ValueError("should be a day and a time, as 2026-11-10 23:59")
    return text
