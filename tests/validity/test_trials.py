"""What is tried, and that it is tried with other seeds each time; rooms are only pretended."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from nbformat import v4

from grader.datasets.finding import dataset_names
from grader.execution.interface import Finished
from grader.execution.jobs import Job
from grader.model import CellRun, CellStatus, Outcome, Run, RunStatus
from grader.notebook.rebuilding import cell_id
from grader.references import Expected
from grader.rubric import Rubric, read_rubric
from grader.validity.trials import Kind, Trial, run_trials, trials_of

ROOT = Path(__file__).resolve().parents[2]
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


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A course with a solution, a variant without activation, and a mutant."""
    (tmp_path / "rubrics").mkdir()
    (tmp_path / "rubrics" / "a1.yaml").write_text(RUBRIC, "utf-8")
    folder = tmp_path / "reference_solutions" / "a1"
    for inner in ("variants", "mutants"):
        (folder / inner).mkdir(parents=True)
    names = v4.new_markdown_cell("# Assignment 1\n\nNames: Robin Example, Kim Sample")
    output = v4.new_output("stream", text="test accuracy: 0.91\n")
    for path, source in {"solution": SOLUTION, "variants/plain": "print(1)"}.items():
        notebook = v4.new_notebook(cells=[names, v4.new_code_cell(source, outputs=[output])])
        (folder / f"{path}.ipynb").write_text(json.dumps(notebook), "utf-8")
    (folder / "references.yaml").write_text("review: [activation]\n", "utf-8")
    mutant = "title: No outputs.\nedits: [{outputs: clear}]\nlose: [outputs]\n"
    (folder / "mutants" / "cleared.yaml").write_text(mutant, "utf-8")
    return tmp_path


def rubric_of(root: Path) -> Rubric:
    return read_rubric(root / "rubrics" / "a1.yaml", datasets=dataset_names())


def trials(root: Path) -> list[Trial]:
    return trials_of(root / "reference_solutions" / "a1", rubric_of(root))


def test_honest_work_comes_first_then_mutants_then_what_is_generated(root):
    (root / "reference_solutions" / "a1" / "references.yaml").write_text("", "utf-8")
    assert [(trial.kind, trial.name) for trial in trials(root)] == [
        (Kind.HONEST, "solution"),
        (Kind.HONEST, "plain"),
        (Kind.MUTANT, "cleared"),
        (Kind.GENERATED, "solution + activations-left-out"),
        (Kind.GENERATED, "solution + activations-are-identities"),
    ]
    assert {trial.breaks for trial in trials(root)[3:]} == {frozenset({"activation"})}


def test_what_the_reference_does_not_meet_anyway_cannot_be_broken(root):
    assert [trial for trial in trials(root) if trial.kind is Kind.GENERATED] == []


def test_generated_trials_of_what_we_ship_break_criteria_that_are_met_without_them():
    rubric = read_rubric(ROOT / "rubrics" / "a1.yaml", datasets=dataset_names())
    found = trials_of(ROOT / "reference_solutions" / "a1", rubric)
    generated = [trial for trial in found if trial.kind is Kind.GENERATED]
    assert len(generated) >= 100
    assert len({trial.name for trial in found}) == len(found)
    for trial in generated:
        assert trial.breaks
        assert trial.breaks <= {criterion.id for criterion in rubric.criteria}
        assert {trial.reference.expected(name, is_real=True) for name in trial.breaks} == {Expected.MET}


def tried(root: Path, executor: Pretending, honest: int = 2, mutant: int = 1):
    repeats = {Kind.HONEST: honest, Kind.MUTANT: mutant, Kind.GENERATED: 1}
    return run_trials(
        trials(root),
        repeats,
        rubrics=root / "rubrics",
        folder=root / "validity",
        executor=executor,
        data=root,
    )


def test_each_kind_is_tried_as_often_as_asked_for_with_other_seeds(root):
    executor = Pretending()
    found = tried(root, executor)
    assert {one.trial.name: len(one.seen) for one in found} == {"solution": 2, "plain": 2, "cleared": 1}
    assert len(executor.jobs) == 4, "the mutant shares its run with the solution"
    assert len({job.seed for job in executor.jobs}) == 4
    seeds = [job.cells[0].source for job in executor.jobs if "seed" in job.cells[0].source]
    assert ["seed(1)" in source for source in seeds] == [True, False]


def test_verdicts_are_those_of_the_repeat(root):
    outcomes = {
        one.trial.name: [seen.verdicts["outputs"].outcome for seen in one.seen]
        for one in tried(root, Pretending())
    }
    assert outcomes == {
        "solution": [Outcome.MET, Outcome.MET],
        "plain": [Outcome.MET, Outcome.MET],
        "cleared": [Outcome.NOT_MET],
    }


def test_what_was_run_is_not_run_again_and_more_repeats_are_only_the_new_ones(root):
    tried(root, Pretending())
    again = Pretending()
    assert len(tried(root, again)) == 3
    assert again.jobs == []
    tried(root, again, honest=3)
    assert [job.repeat for job in again.jobs] == [6, 6]
