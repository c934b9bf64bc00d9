"""A made-up course of 60 people in 25 groups, as Moodle hands it over, and a machine that runs nothing."""

from __future__ import annotations

import json
import random
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from moodle.made_up import GERMAN, a_row, quoted
from nbformat import v4

from grader.execution.interface import Finished
from grader.execution.local import LocalExecutor
from grader.model import CellRun, CellStatus, Run, RunStatus

RUBRIC = """
schema: 1
assignment: a1
title: A small assignment
edition: 2026
scale: points
late: {penalty: per-day, percent_per_day: 10}
criteria:
  - {id: names, title: Names are given., points: 2, check: names-given}
  - {id: outputs, title: Outputs are saved., points: 8, check: outputs-saved}
"""
DEADLINES = """
a1:
  deadline: 2026-11-10 23:59
  time_zone: Europe/Berlin
  extensions: {Team-3_903: 2026-11-20 12:00}
"""
LATE, EXTENDED, UNSAVED, MISSING = 2, 3, 4, 5  # numbers of groups


class NothingRuns(LocalExecutor):
    """Every cell ends well, and says whose it is, as it was saved."""

    device = "cpu"

    def execute(self, jobs) -> Iterator[Finished]:
        for job in jobs:
            cells = [v4.new_code_cell(cell.source, id=f"cell-{cell.number}") for cell in job.cells]
            for cell in cells:
                cell.outputs = [v4.new_output("stream", text=cell.source[7:-2] + "\n")]
            ended = tuple(CellRun(cell=cell.number, status=CellStatus.OK) for cell in job.cells)
            run = Run(key=job.key, status=RunStatus.COMPLETED, cells=ended, seed=job.seed, limits=job.limits)
            yield Finished(job, run, v4.new_notebook(cells=cells))


def groups() -> dict[int, list[int]]:
    """25 groups of one to four people, 60 in all, whose numbers are mixed; some are groups', too."""
    sizes = [1, 2, 3, 4] * 5 + [1, 2, 2, 3, 2]
    people = [*range(1, 57), 903, 904, 905, 906]
    random.Random(5).shuffle(people)
    return {number: [people.pop() for _ in range(size)] for number, size in enumerate(sizes, start=1)}


def result_of(number: int) -> str:
    """What a team's notebook prints, unlike any other's."""
    return f"team {number} of the course: test accuracy: 0.91"


def a_notebook(number: int) -> str:
    """The notebook of a team, as JSON."""
    saved = [] if number == UNSAVED else [v4.new_output("stream", text=f"{result_of(number)}\n")]
    cells = [v4.new_markdown_cell("# Assignment 1\n\nNames: Alex Example, Sam Sample")]
    cells.append(v4.new_code_cell(f"print('{result_of(number)}')", outputs=saved))
    return json.dumps(v4.new_notebook(cells=cells))


def worksheet() -> bytes:
    """Moodle's worksheet in German, one row for each person, in no order."""
    rows = []
    for number, members in groups().items():
        day = "12" if number in (LATE, EXTENDED) else "10"
        for person in members:
            row = a_row(
                person,
                f"Jörg Example {person}",
                german=True,
                group=f"Team {number}",
                status='Zur Bewertung abgegeben – "spät"; ja',
                **{
                    "last_modified_(submission)": f"Dienstag, {day}. November 2026, 12:00",
                    "feedback_comments": "=kept" if person % 7 == 0 else "",
                },
            )
            rows.append(row)
    random.Random(6).shuffle(rows)
    lines = [";".join(map(quoted, row)) + "\r\n" for row in (GERMAN, *rows)]
    return "".join(lines).encode("utf-8-sig")


def write_course(root: Path, rubric: str = RUBRIC, notebook: Callable[[int], str] = a_notebook) -> None:
    """The course's files below `root`: rubric, deadlines, Moodle's download and worksheet."""
    (root / "rubrics").mkdir(parents=True)
    (root / "rubrics" / "a1.yaml").write_text(rubric)
    (root / "deadlines.yaml").write_text(DEADLINES)
    with zipfile.ZipFile(root / "download.zip", "w") as archive:
        for number in groups():
            if number != MISSING:
                name = f"Team {number}_{900 + number}_assignsubmission_file/work.ipynb"
                archive.writestr(name, notebook(number))
    (root / "grades.csv").write_bytes(worksheet())
