"""A builder for what was seen of a notebook, a small course, and an executor that only pretends to run."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from nbformat import v4

from grader.execution.interface import Finished
from grader.execution.jobs import Job
from grader.model import CellRun, CellStatus, Run, RunStatus, Verdict
from grader.notebook.rebuilding import cell_id
from grader.reference_grading import Seen
from grader.references import Reference
from grader.validity.trials import Kind, Trial, Tried

RUBRIC = """
schema: 1
assignment: a1
title: A small assignment
edition: 2026
scale: points
criteria:
  - {id: names, title: Names are given., points: 1, check: names-given}
  - {id: outputs, title: Outputs are saved., points: 1, check: outputs-saved}
  - {id: activation, title: An activation., points: 1, check: nonlinear-activation}
"""
SOLUTION = """import numpy as np
import tensorflow as tf
np.random.seed(1)
h = tf.nn.relu(x)
"""


class Pretending:
    """Gives every cell an accuracy as output, and keeps the jobs."""

    device = "cpu"
    at_once = 1

    def __init__(self) -> None:
        self.jobs: list[Job] = []

    def execute(self, jobs: Iterable[Job]) -> Iterator[Finished]:
        for job in jobs:
            self.jobs.append(job)
            cells = [
                v4.new_code_cell(
                    cell.source,
                    id=cell_id(cell.number),
                    outputs=[v4.new_output("stream", text="test accuracy: 0.91\n")],
                )
                for cell in job.cells
            ]
            ran = tuple(CellRun(cell=cell.number, status=CellStatus.OK, seconds=2) for cell in job.cells)
            run = Run(key=job.key, status=RunStatus.COMPLETED, seed=job.seed, limits=job.limits, cells=ran)
            yield Finished(job, run, v4.new_notebook(cells=cells))

    def remaining_seconds(self) -> None:
        """Nobody knows."""

    def close(self) -> None:
        """There is nothing to end."""


@pytest.fixture
def pretending() -> type[Pretending]:
    """The executor that pretends."""
    return Pretending


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A course with a solution, a variant without activation, and a mutant."""
    (tmp_path / "rubrics").mkdir()
    (tmp_path / "rubrics" / "a1.yaml").write_text(RUBRIC, "utf-8")
    folder = tmp_path / "reference_solutions" / "a1"
    for inner in ("variants", "mutants"):
        (folder / inner).mkdir(parents=True)
    names = v4.new_markdown_cell("# Assignment 1\n\nNames: Robin Example, Kim Sample")
    output = v4.new_output("stream", text="of another run\n")
    for path, source in {"solution": SOLUTION, "variants/plain": "print(1)"}.items():
        notebook = v4.new_notebook(cells=[names, v4.new_code_cell(source, outputs=[output])])
        (folder / f"{path}.ipynb").write_text(json.dumps(notebook), "utf-8")
    (folder / "references.yaml").write_text("review: [activation]\n", "utf-8")
    mutant = "title: No outputs.\nedits: [{outputs: clear}]\nlose: [outputs]\n"
    (folder / "mutants" / "cleared.yaml").write_text(mutant, "utf-8")
    return tmp_path


@pytest.fixture
def tried() -> Callable[..., Tried]:
    """Builds what was seen of a notebook, a dictionary for each repeat, and what it must `lose` and so on."""

    def build(
        name: str,
        *seen: dict[str, Verdict],
        kind: Kind = Kind.HONEST,
        breaks: tuple[str, ...] = (),
        **expected: list[str],
    ) -> Tried:
        path = Path(f"{name}.ipynb")
        sets = {key: frozenset(names) for key, names in expected.items()}
        reference = Reference(name=name, title=name, assignment="a1", origin=path, notebook=path, **sets)
        operator = "one-step" if kind is Kind.GENERATED else ""
        trial = Trial(kind=kind, reference=reference, operator=operator, breaks=frozenset(breaks))
        return Tried(trial, tuple(Seen(verdicts, 3600.0) for verdicts in seen))

    return build
