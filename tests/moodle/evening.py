"""The same made-up course with answers in words, errors and costs: what a grading evening looks like."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import yaml
from moodle.course import UNSAVED, NothingRuns, write_course
from nbformat import NotebookNode, v4

from grader.answers.examples import read_examples
from grader.execution.interface import Finished
from grader.execution.jobs import Job
from grader.model import CellRun, CellStatus, Run, RunStatus

TESTS = Path(__file__).parents[1]
RUBRIC = """
schema: 1
assignment: a1
title: Let the Tensors Flow
edition: 2026
scale: points
late: {penalty: per-day, percent_per_day: 10}
criteria:
  - {id: names, title: The names of all group members stand at the top., points: 1, check: names-given}
  - {id: outputs-saved, title: The notebook was saved with its outputs., points: 1, check: outputs-saved}
  - id: question-zeros
    title: You explain why initialising the variables to 0 does not work for a multilayer perceptron.
    points: 4
    check: question-answered
    with: {question: zeros}
  - id: question-interface
    title: You reflect on the low-level interface - what should be wrapped, what is missing.
    points: 4
    check: question-answered
    with: {question: interface, decide: false}
  - id: misclassified
    title: "Bonus: images that the model gets wrong were looked at."
    points: 1
    bonus: true
    check: misclassified-looked-at
"""
FAILING, STOPPED = (6, 9, 14), 11  # numbers of teams


class Evening(NothingRuns):
    """Cells print what they have between quotes; some teams' last cell fails, one uses up the memory."""

    def execute(self, jobs: list[Job]) -> Iterator[Finished]:
        """One run for each job, with times and sizes that differ."""
        for job in jobs:
            cells = [v4.new_code_cell(cell.source, id=f"cell-{cell.number}") for cell in job.cells]
            team = int(job.cells[0].source.split()[-1])
            ended = [CellRun(cell=cell.number, status=CellStatus.OK, seconds=2.0) for cell in job.cells]
            for cell in cells:
                cell.outputs = _printed(cell.source)
            status = RunStatus.OUT_OF_MEMORY if team == STOPPED else RunStatus.COMPLETED
            if team in FAILING:
                error = "NameError: name 'accuracies' is not defined"
                ended[-1] = CellRun(cell=ended[-1].cell, status=CellStatus.FAILED, error=error)
                cells[-1].outputs = [
                    v4.new_output("error", ename="NameError", evalue=error[11:], traceback=[error])
                ]
                status = RunStatus.CELL_FAILED
            run = Run(
                key=job.key,
                status=status,
                cells=tuple(ended),
                wall_seconds=30.0 + 17 * team % 90,
                peak_rss_bytes=(520 + 31 * team % 300) * 1024**2,
                seed=job.seed,
                limits=job.limits,
            )
            yield Finished(job, run, v4.new_notebook(cells=cells), ({"kind": "recorder"},))


def write_evening(root: Path) -> None:
    """The course's files below `root`, with the answer keys of the repository's own assignment 1."""
    write_course(root, RUBRIC, notebook_of)
    shutil.copytree(TESTS.parent / "rubrics" / "a1", root / "rubrics" / "a1")


def notebook_of(team: int) -> str:
    """The notebook of a team, as JSON: names, code with what it printed, answers to two questions."""
    zeros, interface = _answers("zeros"), _answers("interface")
    top = "# Assignment 1" if team % 8 == 7 else "# Assignment 1\n\nNames: Alex Example, Sam Sample"
    cells = [
        v4.new_markdown_cell(top),
        v4.new_code_cell(f"import numpy as np\n\nrng = np.random.default_rng(0)  # team {team}"),
        v4.new_code_cell(
            "def forward(x, w_1, w_2):\n    hidden = np.maximum(x @ w_1, 0)  # ReLU\n    return hidden @ w_2"
        ),
        _with_outputs(f"print('step 1000: loss 0.2{team}')\nprint('test accuracy: 0.9{team % 7}')", team),
        v4.new_markdown_cell(f"## Why not initialise with zeros?\n\n{zeros[5 * team % len(zeros)]}"),
        v4.new_markdown_cell(
            f"## Reflection on the TensorFlow interface\n\n{interface[7 * team % len(interface)]}"
        ),
    ]
    if team in FAILING:
        cells.append(_with_outputs("print('best: 0.95', max(accuracies))", team))
    return json.dumps(v4.new_notebook(cells=cells))


def _with_outputs(source: str, team: int) -> NotebookNode:
    return v4.new_code_cell(source, outputs=[] if team == UNSAVED else _printed(source))


def _printed(source: str) -> list[NotebookNode]:
    lines = [line.split("'")[1] for line in source.split("\n") if line.startswith("print(")]
    return [v4.new_output("stream", text="\n".join(lines) + "\n")] if lines else []


def _answers(question: str) -> list[str]:
    """Answers that the repository has with their labels, in English."""
    if question == "zeros":
        examples = read_examples((TESTS.parent / "rubrics" / "a1" / "zeros.jsonl").read_text("utf-8"))
        return [one.text for one in examples if one.language == "en" and one.set == "labelled"]
    file = TESTS / "answers" / "labelled" / f"{question}.yaml"
    every = yaml.safe_load(file.read_text("utf-8"))
    return [one["text"].strip() for one in every if one["language"] == "en"]
