"""`Gradebook`: the store of grades and decisions. History is appended to, never overwritten."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, insert, select

from grader.gradebook.decisions import Decisions
from grader.gradebook.grades import Grades
from grader.gradebook.group_decisions import GroupDecisions
from grader.gradebook.records import Erased
from grader.gradebook.releases import Releases
from grader.gradebook.schema import (
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

    def erase(self, assignment: str, submission: str, *, now: datetime) -> Erased:
        """Remove every grade and decision of a submission for good; that it happened is kept, of whom not."""
        run_keys = {state.grade.run_key for state in self.history(assignment, submission)}
        with self._writing() as connection:
            of_it = (submissions.c.assignment == assignment, submissions.c.submission == submission)
            number = connection.execute(select(submissions.c.id).where(*of_it)).scalar_one_or_none()
            if number is None:
                return Erased(grades=0, decisions=0, run_keys=frozenset())
            connection.execute(insert(erasing).values(id=number))
            counts = {}
            for table in (decision_events, grade_states, releases, group_decisions):
                gone = connection.execute(delete(table).where(table.c.submission_id == number))
                counts[table] = gone.rowcount
            connection.execute(delete(submissions).where(submissions.c.id == number))
            connection.execute(
                insert(erasures).values(
                    erased_at=now.isoformat(),
                    assignment=assignment,
                    grades=counts[grade_states],
                    decisions=counts[decision_events],
                )
            )
            connection.execute(delete(erasing))
        return Erased(
            grades=counts[grade_states],
            decisions=counts[decision_events],
            run_keys=frozenset(key for key in run_keys if key is not None),
        )
