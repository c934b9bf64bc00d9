"""Decisions of people: appended, taken back by appending, and which of them are in force."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from grader.gradebook.grades import latest_rows
from grader.gradebook.opened import OpenedFile, append, parsed
from grader.gradebook.records import DecisionChanges, DecisionEvent
from grader.gradebook.schema import decision_events, submissions
from grader.model import Override

REVIEW = "review"
DECISIONS_CSV = "decisions.csv"


class Decisions(OpenedFile):
    """What people decided, by where it was written: on the review page or in `decisions.csv`."""

    def add_decisions(
        self, assignment: str, overrides: Iterable[Override], *, now: datetime, origin: str = REVIEW
    ) -> tuple[Override, ...]:
        """Append decisions; what is already in force in the same words is not appended again.

        A decision without `judged` gets the hash of what was last recorded for its criterion: that is
        what the person can have seen. Returns what was appended.
        """
        with self._writing() as connection:
            in_force = _in_force(connection, assignment)
            return _add(connection, assignment, overrides, in_force, now=now, origin=origin)

    def decide(self, assignment: str, override: Override, *, seen: str, now: datetime) -> bool:
        """Append a decision of the review page, unless somebody else decided since its author looked.

        `seen` is the `mark_of` the decision that was in force then. Returns whether it was appended.
        """
        with self._writing() as connection:
            in_force = _in_force(connection, assignment)
            key = (override.submission, override.criterion)
            present = [found for (*its, _), found in in_force.items() if tuple(its) == key]
            if mark_of(present[-1] if present else None) != seen:
                return False
            _add(connection, assignment, (override,), in_force, now=now, origin=REVIEW)
        return True

    def take_back(self, assignment: str, submission: str, criterion: str, *, who: str, now: datetime) -> bool:
        """Undo the last decision of the review page on a criterion, if it is by `who`.

        What it replaced stands again. Returns whether there was one; taking back is appended, too.
        """
        with self._writing() as connection:
            standing: list[Override] = []
            for row in _event_rows(connection, assignment):
                if (row["submission"], row["criterion"], row["origin"]) != (submission, criterion, REVIEW):
                    continue
                if row["is_withdrawn"]:
                    standing.clear()
                else:
                    standing.append(parsed(Override, row["override"]))
            if not standing or standing[-1].who != who:
                return False
            rows = [_event_row(assignment, standing[-1], now, REVIEW, is_withdrawn=True)]
            if len(standing) > 1:
                rows.append(_event_row(assignment, standing[-2], now, REVIEW, is_withdrawn=False))
            append(connection, decision_events, rows)
        return True

    def replace_decisions(
        self,
        assignment: str,
        overrides: Iterable[Override],
        *,
        among: Collection[str],
        now: datetime,
        origin: str = DECISIONS_CSV,
    ) -> DecisionChanges:
        """Make `overrides` the decisions that `origin` has in force on the submissions `among`.

        What is new or changed is appended as by `add_decisions`; what `origin` had decided before
        and no longer says is withdrawn, which is appended too. Other origins are left alone.
        """
        wanted = tuple(overrides)
        keys = {(override.submission, override.criterion) for override in wanted}
        with self._writing() as connection:
            in_force = _in_force(connection, assignment)
            added = _add(connection, assignment, wanted, in_force, now=now, origin=origin)
            withdrawn = tuple(
                override
                for (submission, criterion, its_origin), override in in_force.items()
                if its_origin == origin and submission in among and (submission, criterion) not in keys
            )
            rows = [
                _event_row(assignment, override, now, origin, is_withdrawn=True) for override in withdrawn
            ]
            append(connection, decision_events, rows)
        return DecisionChanges(added=added, withdrawn=withdrawn)

    def decisions(self, assignment: str) -> tuple[Override, ...]:
        """The decisions in force: the latest of each origin per submission and criterion, oldest first."""
        with self._reading() as connection:
            return tuple(_in_force(connection, assignment).values())

    def decision_history(self, assignment: str, submission: str) -> tuple[DecisionEvent, ...]:
        """Every decision on one submission, taken or taken back, oldest first."""
        with self._reading() as connection:
            return tuple(
                DecisionEvent(
                    recorded_at=datetime.fromisoformat(row["recorded_at"]),
                    origin=row["origin"],
                    is_withdrawn=row["is_withdrawn"],
                    override=parsed(Override, row["override"]),
                )
                for row in _event_rows(connection, assignment)
                if row["submission"] == submission
            )


def mark_of(decision: Override | None) -> str:
    """What tells a decision from every other, "" for none: nobody overwrites what they have not seen."""
    return "" if decision is None else f"{decision.when.isoformat()} {decision.points} {decision.who}"


def _event_rows(connection: Connection, assignment: str) -> Iterable[RowMapping]:
    query = (
        select(submissions.c.submission, decision_events)
        .join(submissions, decision_events.c.submission_id == submissions.c.id)
        .where(submissions.c.assignment == assignment)
        .order_by(decision_events.c.id)
    )
    return connection.execute(query).mappings()


def _in_force(connection: Connection, assignment: str) -> dict[tuple[str, str, str], Override]:
    """Decisions by submission, criterion and origin, in the order in which they were recorded."""
    found: dict[tuple[str, str, str], str] = {}
    for row in _event_rows(connection, assignment):
        key = (row["submission"], row["criterion"], row["origin"])
        found.pop(key, None)
        if not row["is_withdrawn"]:
            found[key] = row["override"]
    return {key: parsed(Override, text) for key, text in found.items()}


def _add(
    connection: Connection,
    assignment: str,
    overrides: Iterable[Override],
    in_force: Mapping[tuple[str, str, str], Override],
    *,
    now: datetime,
    origin: str,
) -> tuple[Override, ...]:
    present = dict(in_force)
    judged = {name: json.loads(row["judged"]) for name, row in latest_rows(connection, assignment).items()}
    added = []
    for override in overrides:
        key = (override.submission, override.criterion, origin)
        if key in present and _says_the_same(override, present[key]):
            continue
        if override.judged is None:
            seen = judged.get(override.submission, {}).get(override.criterion)
            override = override.model_copy(update={"judged": seen})
        present[key] = override
        added.append(override)
    rows = [_event_row(assignment, override, now, origin, is_withdrawn=False) for override in added]
    append(connection, decision_events, rows)
    return tuple(added)


def _says_the_same(new: Override, old: Override) -> bool:
    """Whether `new` repeats `old`; when it was said does not matter, on which evidence does if it is told."""
    if (new.points, new.comment, new.who) != (old.points, old.comment, old.who):
        return False
    return new.judged is None or new.judged == old.judged


def _event_row(
    assignment: str, override: Override, now: datetime, origin: str, *, is_withdrawn: bool
) -> tuple[str, str, dict[str, Any]]:
    row = {
        "criterion": override.criterion,
        "recorded_at": now.isoformat(),
        "origin": origin,
        "is_withdrawn": is_withdrawn,
        "override": override.model_dump_json(),
    }
    return assignment, override.submission, row
