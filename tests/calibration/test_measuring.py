"""Calibrating with an executor that only pretends to run: its rooms answer with a chosen accuracy."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nbformat import v4

from grader.calibration.measuring import calibrate
from grader.calibration.writing import write_thresholds
from grader.course import Course
from grader.datasets.withheld import read_key
from grader.errors import RubricError, UsageError
from grader.execution.interface import Finished
from grader.execution.jobs import Job
from grader.model import DatasetOrigin, Run, RunStatus

RUBRIC = """# The rubric: comments stay, 0.80 too
schema: 1
assignment: a1
title: One
edition: 2026
scale: points
datasets: [mnist]
criteria:
  - id: names
    title: Names.
    points: 1
    check: names-given
  - id: accuracy
    title: It learns.   # kept
    points: 1
    check: accuracy-at-least
    with:
      thresholds:
        mnist: {full: 0.60, partly: 0.30}   # kept as well
      band: 0.1
"""
SOURCE = """import numpy as np
import tensorflow as tf
np.random.seed(1)
(x, y), (u, v) = tf.keras.datasets.mnist.load_data()
"""
FORWARD = [{"op": "MatMul", "weight": 0}, {"op": "Relu"}, {"op": "MatMul", "weight": 1}]


class Pretending:
    """Answers each job with one trained model whose accuracy is that of the job's repeat, None for none."""

    device = "cpu"

    def __init__(self, accuracies: Iterable[float | None], status: RunStatus = RunStatus.COMPLETED) -> None:
        self.accuracies = list(accuracies)
        self.status = status
        self.jobs: list[Job] = []

    def execute(self, jobs: Iterable[Job]) -> Iterator[Finished]:
        for job in jobs:
            self.jobs.append(job)
            run = Run(key=job.key, status=self.status, seed=job.seed, limits=job.limits)
            facts = tuple(self.facts(job, self.accuracies[job.repeat]))
            yield Finished(job, run, v4.new_notebook(), facts)

    def facts(self, job: Job, accuracy: float | None) -> Iterator[dict[str, Any]]:
        yield {"kind": "recorder", "version": 2}
        yield {"kind": "training", "id": 1, "updates": 500, "gradients": 500, "forward": FORWARD}
        [(name, inputs)] = job.probe_inputs
        if accuracy is not None:
            labels, kinds = read_key(inputs.parent / "outside" / "key.npz")
            for moment, share in (("before", 0.1), ("after", accuracy)):
                classes = (labels + 1) % 10
                for kind in range(4):
                    right = np.flatnonzero(kinds == kind)
                    right = right[: round(share * len(right))]
                    classes[right] = labels[right]
                encoded = base64.b64encode(classes.astype(np.uint8).tobytes()).decode()
                yield {
                    "kind": "predictions",
                    "training": 1,
                    "dataset": name,
                    "moment": moment,
                    "classes": encoded,
                }


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A course with a solution and no real data."""
    root = tmp_path_factory.mktemp("course")
    (root / "rubrics").mkdir()
    (root / "rubrics" / "a1.yaml").write_text(RUBRIC, "utf-8")
    folder = root / "reference_solutions" / "a1"
    folder.mkdir(parents=True)
    notebook = v4.new_notebook(cells=[v4.new_code_cell(SOURCE)])
    (folder / "solution.ipynb").write_text(json.dumps(notebook), "utf-8")
    return Course(root=root)


@pytest.fixture
def fresh(course: Course) -> Course:
    """The course without runs, and with its rubric as it was."""
    shutil.rmtree(course.state / "runs", ignore_errors=True)
    course.rubric_path("a1").write_text(RUBRIC, "utf-8")
    return course


def test_what_was_measured_with_each_seed_is_told(fresh):
    executor = Pretending([0.94, 0.96, 0.95])
    found = calibrate("a1", fresh, executor, seeds=3)
    [reached] = found.reached
    assert reached.accuracies == (0.94, 0.96, 0.95)
    assert (reached.dataset, reached.notebook, reached.origin) == (
        *("mnist", "solution.ipynb"),
        DatasetOrigin.STAND_IN,
    )
    assert (reached.now.full, found.band, found.criterion) == (0.6, 0.1, "accuracy")


def test_every_seed_is_another_one_though_the_notebook_fixes_its_own(fresh):
    executor = Pretending([0.94, 0.96])
    calibrate("a1", fresh, executor, seeds=2)
    assert [job.repeat for job in executor.jobs] == [0, 1]
    assert ["seed(1)" in job.cells[0].source for job in executor.jobs] == [True, False]


def test_runs_are_kept(fresh):
    calibrate("a1", fresh, Pretending([0.94, 0.96]), seeds=2)
    again = Pretending([0.1, 0.1, 0.9])
    found = calibrate("a1", fresh, again, seeds=3)
    assert [job.repeat for job in again.jobs] == [2]
    assert found.reached[0].accuracies == (0.94, 0.96, 0.9)


def test_a_seed_that_could_not_be_measured_is_left_out(fresh):
    assert len(calibrate("a1", fresh, Pretending([0.94, None, 0.96]), seeds=3).reached[0].accuracies) == 2


@pytest.mark.parametrize(
    ("executor", "sentence"),
    [
        (Pretending([0.94, None]), "measured on mnist with 1 seeds only"),
        (Pretending([0.94, 0.2]), "measured on mnist with 1 seeds only"),
        (Pretending([0.94, 0.95], RunStatus.CUT_SHORT), "measured on mnist with 0 seeds only"),
    ],
)
def test_too_little_to_go_by_is_an_error(fresh, executor, sentence):
    with pytest.raises(UsageError, match=sentence):
        calibrate("a1", fresh, executor, seeds=2)


def test_stand_ins_are_refused_for_writing_before_anything_is_run(fresh):
    executor = Pretending([])
    with pytest.raises(UsageError, match="Only a stand-in was found for mnist"):
        calibrate("a1", fresh, executor, needs_real_data=True)
    assert executor.jobs == []


def with_rubric(course: Course, change: Callable[[str], str]) -> Course:
    course.rubric_path("a1").write_text(change(RUBRIC), "utf-8")
    return course


def test_a_rubric_without_accuracy_or_a_data_set_without_reference_is_an_error(fresh):
    with_rubric(fresh, lambda text: text[: text.index("  - id: accuracy")])
    with pytest.raises(UsageError, match="nothing to calibrate"):
        calibrate("a1", fresh, Pretending([]))
    other = "      thresholds:\n        fashion_mnist: {full: 0.6, partly: 0.5}\n"
    with_rubric(fresh, lambda text: text.replace("      thresholds:\n", other))
    with pytest.raises(UsageError, match="fashion_mnist, which is not in its `datasets`"):
        calibrate("a1", fresh, Pretending([]))
    both = "datasets: [mnist, fashion_mnist]"
    with_rubric(
        fresh, lambda text: text.replace("      thresholds:\n", other).replace("datasets: [mnist]", both)
    )
    with pytest.raises(UsageError, match="loads fashion_mnist"):
        calibrate("a1", fresh, Pretending([]))


def on_real_data(course: Course) -> Any:
    found = calibrate("a1", course, Pretending([0.94, 0.96]), seeds=2)
    real = tuple(reached.model_copy(update={"origin": DatasetOrigin.REAL}) for reached in found.reached)
    return found.model_copy(update={"reached": real})


def test_thresholds_are_written_with_their_figures_and_nothing_else_changes(fresh):
    path = fresh.rubric_path("a1")
    write_thresholds(on_real_data(fresh), path, date(2026, 2, 1))
    figures = "2026-02-01: solution.ipynb on real data, 2 seeds: 0.940 to 0.960, median 0.950"
    written = path.read_text("utf-8")
    notes = [line for line in written.splitlines() if "grade calibrate" in line]
    assert notes == [
        f"        # grade calibrate, {figures}",
        "      # grade calibrate, 2026-02-01: the standard deviation over seeds is 0.014",
    ]
    without = "".join(line for line in written.splitlines(keepends=True) if "grade calibrate" not in line)
    expected = RUBRIC.replace("full: 0.60, partly: 0.30", "full: 0.80, partly: 0.50")
    assert without == expected.replace("band: 0.1", "band: 0.02")


def test_writing_again_replaces_the_figures(fresh):
    path = fresh.rubric_path("a1")
    for day in (1, 2):
        write_thresholds(on_real_data(fresh), path, date(2026, 2, day))
    notes = [line for line in path.read_text("utf-8").splitlines() if "grade calibrate" in line]
    assert ["2026-02-02" in note for note in notes] == [True, True]


def test_figures_of_stand_ins_are_never_written(fresh):
    found = calibrate("a1", fresh, Pretending([0.94, 0.96]), seeds=2)
    with pytest.raises(ValueError, match="real data only"):
        write_thresholds(found, fresh.rubric_path("a1"), date(2026, 2, 1))
    assert fresh.rubric_path("a1").read_text("utf-8") == RUBRIC


def test_a_rubric_that_cannot_be_written_is_an_error_and_stays(fresh, monkeypatch):
    found, path = on_real_data(fresh), fresh.rubric_path("a1")

    def refuse(self: Path, target: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(RubricError, match="make it writable"):
        write_thresholds(found, path, date(2026, 2, 1))
    assert path.read_text("utf-8") == RUBRIC
    assert [file.name for file in path.parent.iterdir()] == ["a1.yaml"]
