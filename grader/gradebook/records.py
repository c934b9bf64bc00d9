"""What the gradebook tells of its history."""

from __future__ import annotations

from datetime import datetime

from grader.model import Grade, Override, Record


class GradeState(Record):
    """A grade as it was recorded; it stood until the next state of the same submission.

    `judged` is, per criterion id, the hash of the evidence that was judged.
    """

    recorded_at: datetime
    program: str
    judged: dict[str, str]
    grade: Grade


class DecisionEvent(Record):
    """A decision that was taken, or (`is_withdrawn`) one that was taken back."""

    recorded_at: datetime
    origin: str
    is_withdrawn: bool
    override: Override


class Release(Record):
    """A grade that students were told: by whom, when, and, where it changed an earlier one, why."""

    released_at: datetime
    who: str
    why: str
    grade: Grade


class Permission(Record):
    """Whether hand-ins may be compared with those of other years, by whom, and why."""

    is_allowed: bool
    who: str
    why: str
    when: datetime


class Entries(Record):
    """How much there is of one submission: states of its grade, decisions, releases.

    `run_keys` are the runs that those grades rested on; they lie elsewhere.
    """

    grades: int = 0
    decisions: int = 0
    releases: int = 0
    run_keys: frozenset[str] = frozenset()


class Agreed(Record):
    """How many decisions were taken beside a check, and how many of them agreed with it."""

    decided: int
    agreed: int


class AgreementsKept(Record):
    """What erased decisions said of one check; `at` is when they were erased."""

    at: datetime
    check: str
    counts: Agreed


class DecisionChanges(Record):
    """What one reading of a file of decisions changed."""

    added: tuple[Override, ...] = ()
    withdrawn: tuple[Override, ...] = ()
