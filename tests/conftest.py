"""Fixtures for the whole test run: a job builder, one notebook runner, notebooks written as plain text."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from grader.execution.jobs import CodeCell, Job
from grader.execution.room_run import run_in_room
from grader.model import KerasFlavour, Limits, Run
from grader.sandbox.rooms import OpenRooms
from grader.sandbox.sources import ForkedRooms, RoomSource

RunCells = Callable[..., tuple[Run, nbformat.NotebookNode]]


CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
_OUTPUT = re.compile(r"^#(?P<mark>>|2>|=|!) ?(?P<text>.*)$")
_BAR = "".join(f"\r{percent:3}%|{'█' * (percent // 10)} | {percent * 10}/1000" for percent in range(101))
_STANDS_FOR = {
    "<bar>": _BAR,
    "<picture of 30 kB>": f"![](data:image/png;base64,{'A' * 30_000})",
    "<picture of 100 kB>": f"![](data:image/png;base64,{'A' * 100_000})",
}


@pytest.fixture(scope="session")
def notebook_of() -> Callable[[str], dict[str, Any]]:
    """Makes a notebook (as JSON) of a text: cells after `# %%` or `# %% [markdown]`, with saved outputs.

    In a code cell `#> ` begins a line that was printed, `#2> ` one on stderr, `#= ` a line of the cell's
    value, `#! Name: message` an error; `#> <figure>` is an image. `<bar>` stands for a progress bar,
    `<picture of 30 kB>` and `<picture of 100 kB>` for pictures in Markdown.
    """

    def build(text: str) -> dict[str, Any]:
        for short, meant in _STANDS_FOR.items():
            text = text.replace(short, meant)
        parts = re.split(r"^# %%", text, flags=re.MULTILINE)[1:]
        return {
            "cells": [_cell(*part.split("\n", 1)) for part in parts],
            "metadata": {},
            "nbformat": 4,
            "nbformat_minor": 2,
        }

    return build


def _cell(first: str, body: str) -> dict[str, Any]:
    if "markdown" in first:
        return {"cell_type": "markdown", "metadata": {}, "source": body.rstrip("\n")}
    lines = [(line, _OUTPUT.match(line)) for line in body.rstrip("\n").split("\n")]
    source = "\n".join(line for line, output in lines if output is None)
    outputs = list(_outputs([(found["mark"], found["text"]) for _, found in lines if found is not None]))
    return {
        "cell_type": "code",
        "metadata": {},
        "source": source,
        "outputs": outputs,
        "execution_count": None,
    }


def _outputs(lines: list[tuple[str, str]]) -> Iterator[dict[str, Any]]:
    """Lines of one kind that follow each other are one output."""
    while lines:
        mark, text = lines.pop(0)
        if (mark, text) == (">", "<figure>"):
            data = {"image/png": PIXEL, "text/plain": "<Figure>"}
            yield {"output_type": "display_data", "metadata": {}, "data": data}
            continue
        if mark == "!":
            name, _, message = text.partition(": ")
            yield {
                "output_type": "error",
                "ename": name.rstrip(":"),
                "evalue": message,
                "traceback": [text],
            }
            continue
        said = [text]
        while lines and lines[0][0] == mark and lines[0][1] != "<figure>":
            said.append(lines.pop(0)[1])
        if mark == "=":
            value = {"text/plain": "\n".join(said)}
            yield {"output_type": "execute_result", "metadata": {}, "data": value, "execution_count": None}
        else:
            name = "stderr" if mark == "2>" else "stdout"
            yield {"output_type": "stream", "name": name, "text": "\n".join(said) + "\n"}


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


@pytest.fixture(scope="module")  # while Playwright is there, nothing else can run an event loop
def browser() -> Iterator[Any]:
    """A headless Chromium, driven by Playwright; its tests are skipped where there is none."""
    if not CHROMIUM.exists():
        pytest.skip(f"there is no browser at {CHROMIUM}")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield launched
        launched.close()
