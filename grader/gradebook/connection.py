"""Connections to the SQLite file: one writer, nothing left half-done, errors told with their mend."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError, IntegrityError
from sqlalchemy.pool import NullPool

from grader.errors import StoreError
from grader.gradebook.schema import MIGRATIONS, migrate, version_of

BUSY_SECONDS = 10.0


def open_engine(path: Path, *, busy_seconds: float = BUSY_SECONDS) -> Engine:
    """An engine on the gradebook at `path`, which is made or migrated where necessary.

    No write-ahead log, so that it works on network file systems; foreign keys hold; a writer waits
    `busy_seconds` for another. Raises `StoreError`; a damaged file is left as it is.
    """
    engine = create_engine(
        URL.create("sqlite", database=str(path)), poolclass=NullPool, connect_args={"timeout": busy_seconds}
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    with told_with_mend(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"its folder cannot be made ({error.strerror}): make {path.parent} writable"
            ) from error
        with reading(engine) as connection:
            version = version_of(connection)
            damage = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
            if damage != "ok":
                raise StoreError(_DAMAGED.format(reason=" ".join(str(damage).split())))
        if version != len(MIGRATIONS):
            with writing(engine) as connection:
                migrate(connection)
    return engine


def change_counter(path: Path) -> bytes:
    """Bytes of the file at `path` that are other ones after every transaction that wrote to it.

    They are the counter that SQLite keeps in the header, at offset 24, where there is no write-ahead log.
    """
    with path.open("rb") as file:
        file.seek(24)
        return file.read(4)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection that sees one state of the file and changes nothing."""
    with engine.connect() as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction of the one writer: all of it is kept, or nothing."""
    with engine.connect() as connection:
        connection = connection.execution_options(is_writer=True)
        with connection.begin():
            yield connection


@contextmanager
def told_with_mend(path: Path) -> Iterator[None]:
    """Turn what SQLite says of the file at `path` into a `StoreError` with the mend."""
    try:
        yield
    except StoreError as error:
        raise StoreError(f"{path}: {error}") from error
    except IntegrityError:
        raise  # a bug of ours, not a fault of the file
    except DatabaseError as error:
        raise StoreError(f"{path}: {_mend(error.orig)}") from error


_DAMAGED = (
    "the gradebook is damaged ({reason}); nothing was changed: put back a copy of it, or move it aside and "
    "grade again (finished runs are kept, the history of grades and decisions is not)"
)


def _mend(error: BaseException | None) -> str:
    name = getattr(error, "sqlite_errorname", "") or ""
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return "another program is writing to the gradebook: wait until it is done, then try again"
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return _DAMAGED.format(reason=error)
    if name.startswith("SQLITE_FULL"):
        return "the disk is full: make room, then type the same command again"
    return f"the gradebook cannot be opened or written ({error}): see that file and folder are yours to write"


def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin where `_begin` says, DDL included
    try:
        for pragma in (
            "foreign_keys = ON",
            "journal_mode = DELETE",
            "synchronous = FULL",
            "secure_delete = ON",  # what an erasure removes is overwritten
        ):
            connection.execute(f"PRAGMA {pragma}")
    except sqlite3.Error:
        connection.close()
        raise


def _begin(connection: Connection) -> None:
    is_writer = connection.get_execution_options().get("is_writer", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writer else "BEGIN")
