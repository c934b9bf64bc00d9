"""`Gradebook`: the store of grades and decisions. History is appended to, never overwritten."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete, insert, select

from grader.gradebook.decisions import Decisions
from grader.gradebook.grades import Grades
from grader.gradebook.group_decisions import GroupDecisions
from grader.gradebook.records import Agreed, AgreementsKept, Entries
from grader.gradebook.releases import Releases
from grader.gradebook.schema import (
    agreements_kept,
    checks_looked_at,
    decision_events,
    erasing,
    erasures,
    grade_states,
    group_decisions,
    releases,
    submissions,
)


class Gradebook(Grades, Decisions, Releases, GroupDecisions):
    """The gradebook of a course."""

    def look_at(self, check: str, *, who: str, why: str, now: datetime) -> None:
        """Append that somebody has looked at a check: no earlier decision counts against it."""
        row = {"at": now.isoformat(), "check_name": check, "who": who, "why": why}
        with self._writing() as connection:
            connection.execute(insert(checks_looked_at).values(**row))

    def looked_at(self) -> dict[str, datetime]:
        """When somebody last looked at each check, by its name."""
        query = select(checks_looked_at).order_by(checks_looked_at.c.id)
        with self._reading() as connection:
            rows = connection.execute(query).mappings().all()
        return {row["check_name"]: datetime.fromisoformat(row["at"]) for row in rows}

    def entries(self, assignment: str, submission: str) -> Entries:
        """How much is kept of one submission."""
        states = self.history(assignment, submission)
        run_keys = {state.grade.run_key for state in states}
        return Entries(
            grades=len(states),
            decisions=len(self.decision_history(assignment, submission)),
            releases=len(self.release_history(assignment, submission)),
            run_keys=frozenset(key for key in run_keys if key is not None),
        )

    def erase(
        self, assignment: str, submission: str, *, now: datetime, agreed: Mapping[str, Agreed] | None = None
    ) -> Entries:
        """Remove every grade, decision and release of a submission for good; return how much that was.

        That it happened is kept, of whom not; `agreed`, what its decisions said of each check, is kept too.
        """
        entries = self.entries(assignment, submission)
        with self._writing() as connection:
            of_it = (submissions.c.assignment == assignment, submissions.c.submission == submission)
            number = connection.execute(select(submissions.c.id).where(*of_it)).scalar_one_or_none()
            if number is None:
                return Entries()
            connection.execute(insert(erasing).values(id=number))
            for table in (decision_events, grade_states, releases, group_decisions):
                connection.execute(delete(table).where(table.c.submission_id == number))
            connection.execute(delete(submissions).where(submissions.c.id == number))
            told = entries.model_dump(exclude={"run_keys"})
            row = {"erased_at": now.isoformat(), "assignment": assignment, **told}
            connection.execute(insert(erasures).values(**row))
            for check, counts in (agreed or {}).items():
                kept = {"at": now.isoformat(), "check_name": check, **counts.model_dump()}
                connection.execute(insert(agreements_kept).values(**kept))
            connection.execute(delete(erasing))
        return entries

    def agreements_kept(self) -> tuple[AgreementsKept, ...]:
        """What erased decisions said of checks, oldest first."""
        with self._reading() as connection:
            rows = connection.execute(select(agreements_kept).order_by(agreements_kept.c.id)).mappings()
            return tuple(
                AgreementsKept(
                    at=datetime.fromisoformat(row["at"]),
                    check=row["check_name"],
                    counts=Agreed(decided=row["decided"], agreed=row["agreed"]),
                )
                for row in rows
            )
