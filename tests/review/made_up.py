"""A graded course in which much waits for a person, without running anything."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from nbformat import v4

from grader.course import Course
from grader.execution.interface import Finished
from grader.execution.jobs import Job
from grader.model import CPU, CellRun, CellStatus, Run, RunStatus
from grader.pipeline import grade

RUBRICS = Path(__file__).parents[2] / "rubrics"
RUBRIC = """
schema: 1
assignment: a1
title: A small assignment
edition: 2026
scale: points
criteria:
  - {id: names, title: Names are given., points: 1, check: names-given}
  - id: interface
    title: You reflect on the low-level interface.
    points: 2
    check: question-answered
    with: {question: interface, decide: false}
"""
ATTACK = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
ANSWERS = (
    "The training loop should be wrapped, since it is always the same.",
    "I think that the training loop should be wrapped, since it is always the same.",
    "It is redundant to give the shapes of all weights again in TensorFlow.",
    "It is redundant to give the shapes of all the weights once again in TensorFlow.",
    f"A higher-level interface for the evaluation is missing. {ATTACK}",
)


class NothingRuns:
    """An executor under which every cell ends well and prints nothing."""

    device = CPU
    at_once = 1

    def execute(self, jobs: Iterable[Job]) -> Iterator[Finished]:
        """Every cell ends well."""
        for job in jobs:
            cells = [v4.new_code_cell(cell.source, id=f"cell-{cell.number}") for cell in job.cells]
            ended = tuple(CellRun(cell=cell.number, status=CellStatus.OK) for cell in job.cells)
            run = Run(key=job.key, status=RunStatus.COMPLETED, cells=ended, seed=job.seed, limits=job.limits)
            yield Finished(job, run, v4.new_notebook(cells=cells))

    def remaining_seconds(self) -> float | None:
        """Nobody knows."""
        return None

    def close(self) -> None:
        """Nothing is kept."""


def a_graded_course(root: Path, size: int) -> Course:
    """`size` hand-ins of named people, each with one criterion that waits for a person."""
    (root / "rubrics").mkdir(parents=True)
    (root / "rubrics" / "a1.yaml").write_text(RUBRIC)
    shutil.copytree(RUBRICS / "a1", root / "rubrics" / "a1")
    for number in range(size):
        answer = ANSWERS[number % len(ANSWERS)]
        folder = root / "submissions" / "a1" / f"Robin Example{number}_{100 + number}_assignsubmission_file"
        folder.mkdir(parents=True)
        cells = [v4.new_markdown_cell("# Assignment 1\n\nNames: Alex Example, Sam Sample")]
        cells.append(v4.new_code_cell(f"print({number})"))
        cells.append(v4.new_markdown_cell(f"## Reflection on the TensorFlow interface\n\n{answer}"))
        (folder / "work.ipynb").write_text(json.dumps(v4.new_notebook(cells=cells)))
    course = Course(root=root)
    list(grade(root / "submissions", course, NothingRuns()))
    return course
