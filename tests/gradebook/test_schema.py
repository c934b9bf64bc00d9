"""Migrations: they lead to the tables that the program speaks of, wholly or not at all."""

from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, inspect

from grader.gradebook import Gradebook
from grader.gradebook.connection import open_engine, reading, writing
from grader.gradebook.schema import MIGRATIONS, metadata, migrate, version_of


def test_the_migrations_lead_to_the_tables_of_the_program(book_file: Path, book: Gradebook) -> None:
    engine = create_engine(f"sqlite:///{book_file}")
    try:
        tables = inspect(engine)
        assert set(tables.get_table_names()) == set(metadata.tables)
        for name, table in metadata.tables.items():
            found = {(c["name"], c["nullable"]) for c in tables.get_columns(name)}
            expected = {(c.name, c.nullable) for c in table.columns}
            assert {name for name, _ in found} == {name for name, _ in expected}
            assert {c for c in found if c[0] != "id"} == {c for c in expected if c[0] != "id"}
    finally:
        engine.dispose()


def test_a_later_migration_runs_once_and_keeps_what_is_there(book_file: Path) -> None:
    engine = open_engine(book_file)
    ran = []

    def second(connection: Connection) -> None:
        ran.append(version_of(connection))
        connection.exec_driver_sql("CREATE TABLE notes (text TEXT)")

    for _ in range(2):
        with writing(engine) as connection:
            migrate(connection, (*MIGRATIONS, second))
    with reading(engine) as connection:
        assert version_of(connection) == len(MIGRATIONS) + 1
        assert connection.exec_driver_sql("SELECT count(*) FROM notes").scalar_one() == 0
    assert ran == [len(MIGRATIONS)]


def test_a_migration_that_fails_changes_nothing(book_file: Path) -> None:
    engine = open_engine(book_file)

    def half(connection: Connection) -> None:
        connection.exec_driver_sql("CREATE TABLE notes (text TEXT)")
        raise RuntimeError("half-way")

    with pytest.raises(RuntimeError, match="half-way"), writing(engine) as connection:
        migrate(connection, (*MIGRATIONS, half))
    with reading(engine) as connection:
        assert version_of(connection) == len(MIGRATIONS)
        assert "notes" not in inspect(connection).get_table_names()
