"""Grades as they were recorded: appended where they differ, never changed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from importlib.metadata import version
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select

from grader.gradebook.changes import GradeChange, change_between
from grader.gradebook.opened import OpenedFile, append, parsed
from grader.gradebook.records import GradeState
from grader.gradebook.schema import grade_states, submissions
from grader.model import Grade


class Grades(OpenedFile):
    """The states of every submission's grade."""

    def record(
        self,
        grades: Iterable[Grade],
        *,
        now: datetime,
        program: str = version("grader"),
        judged: Mapping[str, Mapping[str, str]] | None = None,
    ) -> list[GradeChange]:
        """Append each grade that differs from the latest of its submission; tell whose grade moved.

        `judged` gives, per submission id and criterion id, the hash of the evidence that was judged
        (`grader.assess.judged_by_criterion`). A first grade is no move.
        """
        changes: list[GradeChange] = []
        with self._writing() as connection:
            known: dict[str, dict[str, RowMapping | dict[str, Any]]] = {}
            rows = []
            for grade in grades:
                if grade.assignment not in known:
                    known[grade.assignment] = dict(latest_rows(connection, grade.assignment))
                latest = known[grade.assignment]
                row = {
                    "recorded_at": now.isoformat(),
                    "program": program,
                    "judged": json.dumps(dict((judged or {}).get(grade.submission, {})), sort_keys=True),
                    "grade": grade.model_dump_json(),
                }
                before = latest.get(grade.submission)
                if before and (before["grade"], before["judged"]) == (row["grade"], row["judged"]):
                    continue
                if before and (change := change_between(parsed(Grade, before["grade"]), grade)):
                    changes.append(change)
                latest[grade.submission] = row
                rows.append((grade.assignment, grade.submission, row))
            append(connection, grade_states, rows)
        return changes

    def assignments(self) -> tuple[str, ...]:
        """Every assignment that has a grade, in name order."""
        query = select(submissions.c.assignment).distinct().order_by(submissions.c.assignment)
        with self._reading() as connection:
            return tuple(connection.execute(query).scalars())

    def latest(self, assignment: str) -> dict[str, Grade]:
        """The latest grade of every submission ever recorded for `assignment`, by submission id."""
        with self._reading() as connection:
            rows = latest_rows(connection, assignment)
            return {submission: parsed(Grade, row["grade"]) for submission, row in rows.items()}

    def history(self, assignment: str, submission: str) -> tuple[GradeState, ...]:
        """All states of one submission's grade, oldest first."""
        query = (
            select(grade_states)
            .join(submissions)
            .where(submissions.c.assignment == assignment, submissions.c.submission == submission)
            .order_by(grade_states.c.id)
        )
        with self._reading() as connection:
            return tuple(
                GradeState(
                    recorded_at=datetime.fromisoformat(row["recorded_at"]),
                    program=row["program"],
                    judged=json.loads(row["judged"]),
                    grade=parsed(Grade, row["grade"]),
                )
                for row in connection.execute(query).mappings()
            )

    def changes_since(self, assignment: str, since: datetime) -> tuple[GradeChange, ...]:
        """What moved between the grades as they stood at `since` (with a time zone) and the latest."""
        before: dict[str, Grade] = {}
        now: dict[str, Grade] = {}
        query = (
            select(submissions.c.submission, grade_states.c.recorded_at, grade_states.c.grade)
            .join(submissions, grade_states.c.submission_id == submissions.c.id)
            .where(submissions.c.assignment == assignment)
            .order_by(grade_states.c.id)
        )
        with self._reading() as connection:
            for row in connection.execute(query).mappings():
                grade = parsed(Grade, row["grade"])
                now[row["submission"]] = grade
                if datetime.fromisoformat(row["recorded_at"]) <= since:
                    before[row["submission"]] = grade
        found = (change_between(grade, now[name]) for name, grade in before.items())
        return tuple(change for change in found if change is not None)


def latest_rows(connection: Connection, assignment: str) -> dict[str, RowMapping]:
    """The newest state of every submission's grade, by submission id."""
    newest = select(func.max(grade_states.c.id)).group_by(grade_states.c.submission_id)
    query = (
        select(submissions.c.submission, grade_states.c.grade, grade_states.c.judged)
        .join(submissions, grade_states.c.submission_id == submissions.c.id)
        .where(submissions.c.assignment == assignment, grade_states.c.id.in_(newest))
        .order_by(submissions.c.id)
    )
    return {row["submission"]: row for row in connection.execute(query).mappings()}
