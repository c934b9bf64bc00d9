"""What every part of the gradebook stands on: an open file, rows appended, records read back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Self, TypeVar, cast

from pydantic import ValidationError
from sqlalchemy import Connection, Engine, insert, select

from grader.errors import StoreError
from grader.gradebook.connection import BUSY_SECONDS, open_engine, reading, told_with_mend, writing
from grader.gradebook.schema import submissions
from grader.model import Record

Parsed = TypeVar("Parsed", bound=Record)


class OpenedFile:
    """An open gradebook. Every method that writes is one transaction: all of it, or nothing."""

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

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with told_with_mend(self._path), reading(self._engine) as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with told_with_mend(self._path), writing(self._engine) as connection:
            yield connection


def append(connection: Connection, table: Any, rows: list[tuple[str, str, dict[str, Any]]]) -> None:
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


def parsed(record: type[Parsed], text: str) -> Parsed:
    """A record as it was written down; `StoreError` where this version cannot read it."""
    return cast(Parsed, _parsed(record, text))


@lru_cache(maxsize=2048)  # of a class, each grade once: it is read, and again when the next is recorded
def _parsed(record: type[Record], text: str) -> Record:
    try:
        return record.model_validate_json(text)
    except ValidationError as error:
        raise StoreError(_UNREADABLE) from error


_UNREADABLE = (
    "a record in the gradebook does not fit this version of the grader: use the version that wrote it, "
    "or move the file aside and grade again"
)
