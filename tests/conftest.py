"""Fixtures for the whole test run: a job builder and one notebook runner."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest

from grader.execution.jobs import CodeCell, Job
from grader.execution.room_run import run_in_room
from grader.model import KerasFlavour, Limits, Run
from grader.sandbox.rooms import OpenRooms
from grader.sandbox.sources import ForkedRooms, RoomSource

RunCells = Callable[..., tuple[Run, nbformat.NotebookNode]]


@pytest.fixture(autouse=True)
def no_data_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests give the same on every machine: they do not grade with whatever GRADER_DATA points to."""
    monkeypatch.delenv("GRADER_DATA", raising=False)


@pytest.fixture
def a_job(tmp_path: Path) -> Callable[..., Job]:
    """Builds a job from the sources of its cells."""

    def build(*sources: str, keras: KerasFlavour = KerasFlavour.KERAS_3, **fields: object) -> Job:
        limits = fields.pop("limits", Limits(wall_seconds=60, reserve_seconds=10))
        cells = tuple(
            CodeCell(number=number, source=source) for number, source in enumerate(sources, start=1)
        )
        return Job.model_validate(
            {"submission": "s1", "cells": cells, "folder": tmp_path, "limits": limits, "keras": keras}
            | fields
        )

    return build


@pytest.fixture(scope="session")
def kernel_parent() -> Iterator[ForkedRooms]:
    """The one kernel parent of the whole test run; it starts with the first room that is asked for."""
    rooms = ForkedRooms()
    yield rooms
    rooms.close()


@pytest.fixture
def rooms(kernel_parent: ForkedRooms) -> RoomSource:
    """Where the rooms of a test come from; modules that try every kind give it parameters."""
    return kernel_parent


@pytest.fixture
def run_cells(a_job: Callable[..., Job], rooms: RoomSource) -> RunCells:
    """Runs cells in a real room: `run, executed = run_cells("x = 1", "print(x)")`."""

    def run(*sources: str, **fields: object) -> tuple[Run, nbformat.NotebookNode]:
        finished = asyncio.run(run_in_room(a_job(*sources, **fields), rooms, OpenRooms()))
        return finished.run, finished.notebook

    return run


def text_of(executed: nbformat.NotebookNode, cell: int) -> str:
    """All text that one cell (counted from 1) put out."""
    outputs = executed.cells[cell - 1].outputs
    return "".join(
        str(output.get("text") or output.get("data", {}).get("text/plain", "")) for output in outputs
    )
