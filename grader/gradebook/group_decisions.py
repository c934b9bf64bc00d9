"""People's decisions on groups in doubt, and on comparing hand-ins with those of other years."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import insert, select

from grader.gradebook.opened import OpenedFile, append
from grader.gradebook.records import Permission
from grader.gradebook.schema import group_decisions, submissions, year_permissions
from grader.model import GroupDecision, hand_in_mark


class GroupDecisions(OpenedFile):
    """Who decided which hand-ins are graded together; who allowed a comparison across years."""

    def decide_group(
        self, assignment: str, hand_ins: Iterable[str], mark: str, decision: GroupDecision
    ) -> None:
        """Append a decision on a group's hand-ins, as they are now (`mark`): a new version asks anew."""
        rows = [
            (
                assignment,
                name,
                {
                    "decided_at": decision.when.isoformat(),
                    "mark": mark,
                    "is_together": decision.is_together,
                    "is_head": hand_in_mark(name) == decision.head,
                    "who": decision.who,
                    "why": decision.why,
                },
            )
            for name in hand_ins
        ]
        with self._writing() as connection:
            append(connection, group_decisions, rows)

    def group_decisions(self, assignment: str) -> dict[str, GroupDecision]:
        """The newest decision on each group, by the group's mark."""
        query = (
            select(submissions.c.submission, group_decisions)
            .join(submissions, group_decisions.c.submission_id == submissions.c.id)
            .where(submissions.c.assignment == assignment, group_decisions.c.is_head)
            .order_by(group_decisions.c.id)
        )
        with self._reading() as connection:
            rows = connection.execute(query).mappings().all()
        return {
            row["mark"]: GroupDecision(
                is_together=row["is_together"],
                head=hand_in_mark(row["submission"]),
                who=row["who"],
                why=row["why"],
                when=datetime.fromisoformat(row["decided_at"]),
            )
            for row in rows
        }

    def permit_years(self, permission: Permission) -> None:
        """Append who allowed, or no longer allows, to compare with hand-ins of other years, and why."""
        row = {
            "decided_at": permission.when.isoformat(),
            "is_allowed": permission.is_allowed,
            "who": permission.who,
            "why": permission.why,
        }
        with self._writing() as connection:
            connection.execute(insert(year_permissions).values(**row))

    def years_permitted(self) -> Permission | None:
        """What was said last on comparing with other years, None where nobody has said anything."""
        query = select(year_permissions).order_by(year_permissions.c.id.desc()).limit(1)
        with self._reading() as connection:
            row = connection.execute(query).mappings().one_or_none()
        if row is None:
            return None
        when = datetime.fromisoformat(row["decided_at"])
        return Permission(is_allowed=row["is_allowed"], who=row["who"], why=row["why"], when=when)
