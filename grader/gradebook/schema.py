"""The tables of the gradebook, and the migrations that lead to them.

`PRAGMA user_version` holds how many migrations a file has seen. A migration, once released, is never
changed; a new one is added at the end. History is append-only: triggers refuse to change it. The one way
out is an erasure, for the sake of a person's data: whom it removes stands in `erasing` while it is at work,
and `erasures` keeps that there was one, and of whom nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from sqlalchemy import Boolean, Column, Connection, ForeignKey, Integer, MetaData, Table, Text

from grader.errors import StoreError

APPLICATION_ID = 0x67726164  # "grad": marks the file as ours

metadata = MetaData()

submissions = Table(
    "submissions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("assignment", Text, nullable=False),
    Column("submission", Text, nullable=False),
)

grade_states = Table(
    "grade_states",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("submission_id", Integer, ForeignKey("submissions.id"), nullable=False),
    Column("recorded_at", Text, nullable=False),  # ISO 8601 with the offset
    Column("program", Text, nullable=False),  # the grader's version
    Column("judged", Text, nullable=False),  # JSON: criterion id → hash of what was judged
    Column("grade", Text, nullable=False),  # JSON of a Grade; rubric hash and run key are in it
)

decision_events = Table(
    "decision_events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("submission_id", Integer, ForeignKey("submissions.id"), nullable=False),
    Column("criterion", Text, nullable=False),
    Column("recorded_at", Text, nullable=False),
    Column("origin", Text, nullable=False),  # where the decision was written: decisions.csv, review
    Column("is_withdrawn", Boolean, nullable=False),
    Column("override", Text, nullable=False),  # JSON of an Override
)

erasing = Table(
    "erasing",  # empty but inside the transaction of an erasure
    metadata,
    Column("id", Integer, primary_key=True),  # of `submissions`
)

erasures = Table(
    "erasures",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("erased_at", Text, nullable=False),  # ISO 8601 with the offset
    Column("assignment", Text, nullable=False),
    Column("grades", Integer, nullable=False),  # how many states of a grade
    Column("decisions", Integer, nullable=False),
    Column("releases", Integer, nullable=False),
)

agreements_kept = Table(
    "agreements_kept",  # what erased decisions said of a check, without whose they were
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Text, nullable=False),  # of the erasure; ISO 8601 with the offset
    Column("check_name", Text, nullable=False),
    Column("decided", Integer, nullable=False),
    Column("agreed", Integer, nullable=False),
)

releases = Table(
    "releases",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("submission_id", Integer, ForeignKey("submissions.id"), nullable=False),
    Column("released_at", Text, nullable=False),  # ISO 8601 with the offset
    Column("who", Text, nullable=False),
    Column("why", Text, nullable=False),  # "" but where a released grade was changed
    Column("grade", Text, nullable=False),  # JSON of the Grade that was released
)

checks_looked_at = Table(
    "checks_looked_at",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Text, nullable=False),  # ISO 8601 with the offset
    Column("check_name", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("why", Text, nullable=False),
)

group_decisions = Table(
    "group_decisions",  # one row for each hand-in of a group
    metadata,
    Column("id", Integer, primary_key=True),
    Column("submission_id", Integer, ForeignKey("submissions.id"), nullable=False),
    Column("decided_at", Text, nullable=False),  # ISO 8601 with the offset
    Column("mark", Text, nullable=False),  # of the group as the person saw it
    Column("is_together", Boolean, nullable=False),
    Column("is_head", Boolean, nullable=False),  # the copy that counts for all
    Column("who", Text, nullable=False),
    Column("why", Text, nullable=False),
)

year_permissions = Table(
    "year_permissions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("decided_at", Text, nullable=False),  # ISO 8601 with the offset
    Column("is_allowed", Boolean, nullable=False),
    Column("who", Text, nullable=False),
    Column("why", Text, nullable=False),
)

Migration = Callable[[Connection], None]


def _append_only(table: str, *, but_for: str | None = None) -> list[str]:
    """What refuses to change and remove rows of a table; an erasure may, by the column `but_for`."""
    refuse = " BEGIN SELECT RAISE(ABORT, 'the history of grades is append-only'); END"
    unless = "" if but_for is None else f" WHEN OLD.{but_for} NOT IN (SELECT id FROM erasing)"
    return [
        f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table}{refuse}",
        f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table}{unless}{refuse}",
    ]


def _execute(connection: Connection, statements: Iterable[str]) -> None:
    for statement in statements:
        connection.exec_driver_sql(statement)


def _first_tables(connection: Connection) -> None:
    """Version 1: submissions, grade states, decision events."""
    statements = [
        "CREATE TABLE submissions (id INTEGER PRIMARY KEY, assignment TEXT NOT NULL, submission TEXT"
        " NOT NULL, UNIQUE (assignment, submission))",
        "CREATE TABLE grade_states (id INTEGER PRIMARY KEY,"
        " submission_id INTEGER NOT NULL REFERENCES submissions (id), recorded_at TEXT NOT NULL,"
        " program TEXT NOT NULL, judged TEXT NOT NULL, grade TEXT NOT NULL)",
        "CREATE INDEX grade_states_of_submission ON grade_states (submission_id, id)",
        "CREATE TABLE decision_events (id INTEGER PRIMARY KEY,"
        " submission_id INTEGER NOT NULL REFERENCES submissions (id), criterion TEXT NOT NULL,"
        " recorded_at TEXT NOT NULL, origin TEXT NOT NULL, is_withdrawn BOOLEAN NOT NULL,"
        " override TEXT NOT NULL)",
        "CREATE INDEX decision_events_of_submission ON decision_events (submission_id, id)",
    ]
    for table in ("submissions", "grade_states", "decision_events"):
        statements += _append_only(table)
    _execute(connection, statements)


def _erasures(connection: Connection) -> None:
    """Version 2: what an erasure names may be removed; that there was one cannot."""
    statements = [
        "CREATE TABLE erasing (id INTEGER PRIMARY KEY)",
        "CREATE TABLE erasures (id INTEGER PRIMARY KEY, erased_at TEXT NOT NULL, assignment TEXT NOT NULL,"
        " grades INTEGER NOT NULL, decisions INTEGER NOT NULL)",
        *_append_only("erasures"),
    ]
    keys = {"submissions": "id", "grade_states": "submission_id", "decision_events": "submission_id"}
    for table, key in keys.items():
        statements += [f"DROP TRIGGER {table}_no_delete", _append_only(table, but_for=key)[1]]
    _execute(connection, statements)


def _releases(connection: Connection) -> None:
    """Version 3: which grades students were told, by whom; as append-only as the rest."""
    statements = [
        "CREATE TABLE releases (id INTEGER PRIMARY KEY,"
        " submission_id INTEGER NOT NULL REFERENCES submissions (id), released_at TEXT NOT NULL,"
        " who TEXT NOT NULL, why TEXT NOT NULL, grade TEXT NOT NULL)",
        "CREATE INDEX releases_of_submission ON releases (submission_id, id)",
        *_append_only("releases", but_for="submission_id"),
    ]
    _execute(connection, statements)


def _checks_looked_at(connection: Connection) -> None:
    """Version 4: who looked at a check that people had overruled, so that it may decide again."""
    statements = [
        "CREATE TABLE checks_looked_at (id INTEGER PRIMARY KEY, at TEXT NOT NULL, check_name TEXT NOT NULL,"
        " who TEXT NOT NULL, why TEXT NOT NULL)",
        *_append_only("checks_looked_at"),
    ]
    _execute(connection, statements)


def _what_erasures_keep(connection: Connection) -> None:
    """Version 5: an erasure keeps how many releases went, and how often people had agreed with checks."""
    statements = [
        "ALTER TABLE erasures ADD COLUMN releases INTEGER NOT NULL DEFAULT 0",
        "CREATE TABLE agreements_kept (id INTEGER PRIMARY KEY, at TEXT NOT NULL, check_name TEXT NOT NULL,"
        " decided INTEGER NOT NULL, agreed INTEGER NOT NULL)",
        *_append_only("agreements_kept"),
    ]
    _execute(connection, statements)


def _group_decisions(connection: Connection) -> None:
    """Version 6: people's decisions on groups in doubt, and on comparing with other years."""
    statements = [
        "CREATE TABLE group_decisions (id INTEGER PRIMARY KEY,"
        " submission_id INTEGER NOT NULL REFERENCES submissions (id), decided_at TEXT NOT NULL,"
        " mark TEXT NOT NULL, is_together BOOLEAN NOT NULL, is_head BOOLEAN NOT NULL, who TEXT NOT NULL,"
        " why TEXT NOT NULL)",
        *_append_only("group_decisions", but_for="submission_id"),
        "CREATE TABLE year_permissions (id INTEGER PRIMARY KEY, decided_at TEXT NOT NULL,"
        " is_allowed BOOLEAN NOT NULL, who TEXT NOT NULL, why TEXT NOT NULL)",
        *_append_only("year_permissions"),
    ]
    _execute(connection, statements)


MIGRATIONS: Sequence[Migration] = (
    _first_tables,
    _erasures,
    _releases,
    _checks_looked_at,
    _what_erasures_keep,
    _group_decisions,
)


def version_of(connection: Connection) -> int:
    """How many migrations the file has seen; `StoreError` when it is not a gradebook at all."""
    version = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
    mark = int(connection.exec_driver_sql("PRAGMA application_id").scalar_one())
    objects = int(connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one())
    if mark != APPLICATION_ID and (mark or version or objects):
        raise StoreError("it is a database of another program: move it aside, and a new gradebook is made")
    return version


def migrate(connection: Connection, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Bring the file up to date, inside the caller's write transaction.

    Raises `StoreError` when it was written by a newer program.
    """
    version = version_of(connection)
    if version > len(migrations):
        raise StoreError(
            f"it was written by a newer grader (version {version} of the file, this program knows "
            f"{len(migrations)}): update the program"
        )
    for migration in migrations[version:]:
        migration(connection)
    connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.exec_driver_sql(f"PRAGMA user_version = {len(migrations)}")
