"""What students were told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import Connection, RowMapping, select

from grader.gradebook.opened import OpenedFile, append, parsed
from grader.gradebook.records import Release
from grader.gradebook.schema import releases, submissions
from grader.model import Grade


class Releases(OpenedFile):
    """The grades that were released, each with who, when and why."""

    def release(
        self, grades: Iterable[Grade], *, who: str, now: datetime, why: Mapping[str, str] | None = None
    ) -> None:
        """Append that students were told these grades; `why` gives the reason by submission, if any."""
        rows = [
            (
                grade.assignment,
                grade.submission,
                {
                    "released_at": now.isoformat(),
                    "who": who,
                    "why": (why or {}).get(grade.submission, ""),
                    "grade": grade.model_dump_json(),
                },
            )
            for grade in grades
        ]
        with self._writing() as connection:
            append(connection, releases, rows)

    def released(self, assignment: str) -> dict[str, Release]:
        """What students were told last, by submission id."""
        found = {}
        with self._reading() as connection:
            for row in _release_rows(connection, assignment):
                found[row["submission"]] = _release(row)
        return found

    def told_so_far(self, assignment: str) -> dict[str, list[Grade]]:
        """Every grade that each student was told, by submission id, oldest first."""
        found: dict[str, list[Grade]] = {}
        with self._reading() as connection:
            for row in _release_rows(connection, assignment):
                found.setdefault(row["submission"], []).append(_release(row).grade)
        return found

    def release_history(self, assignment: str, submission: str) -> tuple[Release, ...]:
        """Everything that one student was told, oldest first."""
        with self._reading() as connection:
            rows = _release_rows(connection, assignment)
            return tuple(_release(row) for row in rows if row["submission"] == submission)


def _release_rows(connection: Connection, assignment: str) -> Iterable[RowMapping]:
    query = (
        select(submissions.c.submission, releases)
        .join(submissions, releases.c.submission_id == submissions.c.id)
        .where(submissions.c.assignment == assignment)
        .order_by(releases.c.id)
    )
    return connection.execute(query).mappings()


def _release(row: RowMapping) -> Release:
    return Release(
        released_at=datetime.fromisoformat(row["released_at"]),
        who=row["who"],
        why=row["why"],
        grade=parsed(Grade, row["grade"]),
    )
