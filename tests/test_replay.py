"""Trainings that are longer than their run may be, the whole way: a real room, stored evidence, the pages."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from nbformat import v4

from grader.course import Course
from grader.evidence.record import Evidence
from grader.evidence.replay import Likeness
from grader.execution.local import LocalExecutor
from grader.pipeline import Graded, grade

RUBRIC = """
schema: 1
assignment: a1
title: A long training
edition: 2026
scale: points
datasets: []
limits: {wall_seconds: 4, reserve_seconds: 5}
criteria:
  - {id: outputs, title: Outputs are saved., points: 1, check: outputs-saved}
"""
TRAINING = """import random, time
for epoch in range(1, 2001):
    loss = 0.8 * epoch ** -0.6 * (1 + random.gauss(0, 0.01))
    print(f"epoch {epoch}: loss {loss:.5f}", flush=True)
    time.sleep(0.05)
"""


def saved_log(exponent: float) -> str:
    draw = random.Random(5)
    return "".join(
        f"epoch {n}: loss {0.8 * n**exponent * (1 + draw.gauss(0, 0.01)):.5f}\n" for n in range(1, 2001)
    )


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Course, Graded]:
    root = tmp_path_factory.mktemp("course")
    (root / "rubrics").mkdir()
    (root / "rubrics" / "a1.yaml").write_text(RUBRIC)
    for name, exponent in {"Participant_101": -0.6, "Participant_102": -0.3}.items():
        cell = v4.new_code_cell(TRAINING, outputs=[v4.new_output("stream", text=saved_log(exponent))])
        folder = root / "submissions" / "a1" / f"{name}_assignsubmission_file"
        folder.mkdir(parents=True)
        notebook = v4.new_notebook(cells=[cell, v4.new_markdown_cell(name)])
        (folder / "work.ipynb").write_text(json.dumps(notebook))
    course = Course(root=root)
    [result] = grade(root / "submissions", course, LocalExecutor(1))
    return course, result


def evidence_of(course: Course) -> dict[str, Evidence]:
    stored = (Evidence.model_validate_json(file.read_bytes()) for file in evidence_files(course))
    return {evidence.submission.id: evidence for evidence in stored}


def evidence_files(course: Course) -> list[Path]:
    return sorted((course.state / "evidence").glob("*.json"))


def test_the_beginning_of_a_training_that_was_cut_short_tells_one_saved_log_from_another(graded):
    course, result = graded
    found = {name: evidence.replays for name, evidence in evidence_of(course).items()}
    [alike], [apart] = found["Participant_101"], found["Participant_102"]
    assert alike.comparison.likeness is Likeness.ALIKE
    assert apart.comparison.likeness is Likeness.APART
    assert alike.reached < alike.last == 2000
    assert result.executed == 1, "their code is equal, so one run is held against both logs"


def test_a_mismatch_is_flagged_and_drawn_for_whoever_decides(graded):
    course, _ = graded
    report = course.reports / "a1" / "Participant_102"
    [flag] = [
        flag for flag in json.loads((report / "grade.json").read_text())["flags"] if "does not go" in flag
    ]
    assert flag.startswith("Our run of cell 1 was cut short at step")
    page = (report / "index.html").read_text()
    assert "Cell 1: the loss over its steps" in page
    assert "loss, as saved" in page
    assert "loss, in our run" in page
    other = json.loads((course.reports / "a1" / "Participant_101" / "grade.json").read_text())
    assert not any("does not go" in flag for flag in other["flags"])
