"""`Gradebook`: the store of grades and decisions. History is appended to, never overwritten."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import ValidationError
from sqlalchemy import Connection, Engine, RowMapping, delete, func, insert, select

from grader.errors import StoreError
from grader.gradebook.changes import GradeChange, change_between
from grader.gradebook.connection import BUSY_SECONDS, open_engine, reading, told_with_mend, writing
from grader.gradebook.records import DecisionChanges, DecisionEvent, Erased, GradeState, Release
from grader.gradebook.schema import (
    checks_looked_at,
    decision_events,
    erasing,
    erasures,
    grade_states,
    releases,
    submissions,
)
from grader.model import Grade, Override, Record

Parsed = TypeVar("Parsed", bound=Record)

REVIEW = "review"
DECISIONS_CSV = "decisions.csv"


class Gradebook:
    """The gradebook of a course. Every method that writes is one transaction: all of it, or nothing."""

    def __init__(self, path: Path, engine: Engine) -> None:
        self._path = path
        self._engine = engine

    @classmethod
    @contextmanager
    def open(cls, path: Path, *, busy_seconds: float = BUSY_SECONDS) -> Iterator[Self]:
        """Open the gradebook at `path`, making or migrating it where necessary.

        `busy_seconds` is how long to wait for another writer. Raises `StoreError` with the mend; a
        file that is damaged, newer than the program or somebody else's is left as it is.
        """
        engine = open_engine(path, busy_seconds=busy_seconds)
        try:
            yield cls(path, engine)
        finally:
            engine.dispose()

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
                    known[grade.assignment] = dict(_latest_rows(connection, grade.assignment))
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
                if before and (change := change_between(_parsed(Grade, before["grade"]), grade)):
                    changes.append(change)
                latest[grade.submission] = row
                rows.append((grade.assignment, grade.submission, row))
            _append(connection, grade_states, rows)
        return changes

    def assignments(self) -> tuple[str, ...]:
        """Every assignment that has a grade, in name order."""
        query = select(submissions.c.assignment).distinct().order_by(submissions.c.assignment)
        with self._reading() as connection:
            return tuple(connection.execute(query).scalars())

    def latest(self, assignment: str) -> dict[str, Grade]:
        """The latest grade of every submission ever recorded for `assignment`, by submission id."""
        with self._reading() as connection:
            rows = _latest_rows(connection, assignment)
            return {submission: _parsed(Grade, row["grade"]) for submission, row in rows.items()}

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
                    grade=_parsed(Grade, row["grade"]),
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
                grade = _parsed(Grade, row["grade"])
                now[row["submission"]] = grade
                if datetime.fromisoformat(row["recorded_at"]) <= since:
                    before[row["submission"]] = grade
        found = (change_between(grade, now[name]) for name, grade in before.items())
        return tuple(change for change in found if change is not None)

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
                    standing.append(_parsed(Override, row["override"]))
            if not standing or standing[-1].who != who:
                return False
            rows = [_event_row(assignment, standing[-1], now, REVIEW, is_withdrawn=True)]
            if len(standing) > 1:
                rows.append(_event_row(assignment, standing[-2], now, REVIEW, is_withdrawn=False))
            _append(connection, decision_events, rows)
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
            _append(connection, decision_events, rows)
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
                    override=_parsed(Override, row["override"]),
                )
                for row in _event_rows(connection, assignment)
                if row["submission"] == submission
            )

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
            _append(connection, releases, rows)

    def released(self, assignment: str) -> dict[str, Release]:
        """What students were told last, by submission id."""
        found = {}
        with self._reading() as connection:
            for row in _release_rows(connection, assignment):
                found[row["submission"]] = _release(row)
        return found

    def release_history(self, assignment: str, submission: str) -> tuple[Release, ...]:
        """Everything that one student was told, oldest first."""
        with self._reading() as connection:
            rows = _release_rows(connection, assignment)
            return tuple(_release(row) for row in rows if row["submission"] == submission)

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
            for table in (decision_events, grade_states, releases):
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

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with told_with_mend(self._path), reading(self._engine) as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with told_with_mend(self._path), writing(self._engine) as connection:
            yield connection


def mark_of(decision: Override | None) -> str:
    """What tells a decision from every other, "" for none: nobody overwrites what they have not seen."""
    return "" if decision is None else f"{decision.when.isoformat()} {decision.points} {decision.who}"


def _latest_rows(connection: Connection, assignment: str) -> dict[str, RowMapping]:
    newest = select(func.max(grade_states.c.id)).group_by(grade_states.c.submission_id)
    query = (
        select(submissions.c.submission, grade_states.c.grade, grade_states.c.judged)
        .join(submissions, grade_states.c.submission_id == submissions.c.id)
        .where(submissions.c.assignment == assignment, grade_states.c.id.in_(newest))
        .order_by(submissions.c.id)
    )
    return {row["submission"]: row for row in connection.execute(query).mappings()}


def _event_rows(connection: Connection, assignment: str) -> Iterable[RowMapping]:
    query = (
        select(submissions.c.submission, decision_events)
        .join(submissions, decision_events.c.submission_id == submissions.c.id)
        .where(submissions.c.assignment == assignment)
        .order_by(decision_events.c.id)
    )
    return connection.execute(query).mappings()


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
        grade=_parsed(Grade, row["grade"]),
    )


def _in_force(connection: Connection, assignment: str) -> dict[tuple[str, str, str], Override]:
    """Decisions by submission, criterion and origin, in the order in which they were recorded."""
    found: dict[tuple[str, str, str], str] = {}
    for row in _event_rows(connection, assignment):
        key = (row["submission"], row["criterion"], row["origin"])
        found.pop(key, None)
        if not row["is_withdrawn"]:
            found[key] = row["override"]
    return {key: _parsed(Override, text) for key, text in found.items()}


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
    judged = {name: json.loads(row["judged"]) for name, row in _latest_rows(connection, assignment).items()}
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
    _append(connection, decision_events, rows)
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


def _append(connection: Connection, table: Any, rows: list[tuple[str, str, dict[str, Any]]]) -> None:
    """Append `rows` of (assignment, submission, columns), making the submissions known first."""
    if not rows:
        return
    every = select(submissions.c.assignment, submissions.c.submission, submissions.c.id)
    ids = {(assignment, name): number for assignment, name, number in connection.execute(every)}
    for assignment, name, _ in rows:
        if (assignment, name) not in ids:
            new = (
                insert(submissions).values(assignment=assignment, submission=name).returning(submissions.c.id)
            )
            ids[assignment, name] = connection.execute(new).scalar_one()
    values = [{**row, "submission_id": ids[assignment, name]} for assignment, name, row in rows]
    connection.execute(insert(table), values)


def _parsed(record: type[Parsed], text: str) -> Parsed:
    try:
        return record.model_validate_json(text)
    except ValidationError as error:
        raise StoreError(_UNREADABLE) from error


_UNREADABLE = (
    "a record in the gradebook does not fit this version of the grader: use the version that wrote it, "
    "or move the file aside and grade again"
)
