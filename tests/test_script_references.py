"""Broken scripts run for real, on stand-in data: one that fails as described, one that has a second bug."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from nbformat import v4
from typer.testing import CliRunner

from grader.cli import app
from grader.course import Course
from grader.evidence.mended import SEEDS
from grader.evidence.scripts import Trial
from grader.execution.local import LocalExecutor
from grader.fixes.records import Symptom
from grader.model import Outcome, Source
from grader.pipeline import grade
from grader.script_references import check_scripts, proposed_bar

RUBRICS = Path(__file__).resolve().parents[1] / "rubrics"
STEPS = 120
WIDE = ("W_RANGE = 1.0", "W_RANGE = 10.0")
SCRIPTS = """
schema: 1
scripts:
  - file: broken.py
    causes: [weights-too-large]
    fails: [gradients-explode]
    fixes:
      smaller: {code: W_RANGE = 0.1}
    bar: {accuracy: 0.5}
"""
RUBRIC = """
schema: 1
assignment: a2
title: Scripts
edition: 2026
scale: points
datasets: [mnist]
limits: {wall_seconds: 60, reserve_seconds: 10}
criteria:
  - {id: one, title: The script is mended., points: 1, check: script-mended, with: {script: broken}}
"""


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    root = tmp_path_factory.mktemp("course")
    (root / "rubrics" / "a2" / "scripts").mkdir(parents=True)
    (root / "rubrics" / "a2.yaml").write_text(RUBRIC)
    (root / "rubrics" / "a2" / "scripts.yaml").write_text(SCRIPTS)
    source = (RUBRICS / "a2" / "scripts" / "fail1.py").read_text()
    for old, new in (("STEPS = 2000", f"STEPS = {STEPS}"), ("LAYERS = 6", "LAYERS = 2"), (WIDE[0], WIDE[1])):
        source = source.replace(old, new)
    (root / "rubrics" / "a2" / "scripts" / "broken.py").write_text(source)
    return Course(root=root)


@pytest.fixture(scope="module")
def executor():
    executor = LocalExecutor(1)
    yield executor
    executor.close()


@pytest.fixture(scope="module")
def checked(course, executor):
    [script] = check_scripts("a2", course, executor, data=None, progress=lambda *_: None)
    return script


def test_a_script_that_fails_as_described_has_no_faults(checked):
    assert checked.faults == ()
    assert len(checked.broken) == SEEDS
    assert all(Symptom.GRADIENTS_EXPLODE in run.symptoms.shown for run in checked.broken)
    [fix] = checked.fixes
    assert fix.trial is Trial.MENDED
    assert all(run.symptoms.steps == STEPS for run in fix.runs)
    assert fix.runs[0].accuracy_from is Source.MEASURED
    assert fix.runs[0].watched.layers == ("", "Relu", "Relu")


def test_a_bar_is_proposed_between_the_broken_and_the_mended_runs(checked):
    best = max(run.symptoms.accuracy or 0 for run in checked.broken)
    assert best < checked.proposed.accuracy < checked.fixes[0].runs[checked.fixes[0].best].symptoms.accuracy
    assert proposed_bar(checked.broken, checked.broken[:1]) is None


def test_the_command_shows_it_and_runs_nothing_again(course, checked):
    ended = CliRunner().invoke(app, ["references", "a2", "--course", str(course.root), "--calibrate"])
    assert ended.exit_code == 0, ended.output
    assert "fails as described, every listed fix mends it" in ended.output
    assert "bar: {accuracy:" in ended.output
    assert "running" not in ended.output


def test_a_symptom_that_is_not_there_and_a_fix_that_mends_nothing_are_told(course, checked):
    file = course.rubrics / "a2" / "scripts.yaml"
    wrong = SCRIPTS.replace("gradients-explode", "inputs-swamped").replace("accuracy: 0.5", "accuracy: 0.98")
    file.write_text(wrong)
    ended = CliRunner().invoke(app, ["references", "a2", "--course", str(course.root)])
    file.write_text(SCRIPTS)
    assert ended.exit_code == 1
    assert "inputs-swamped is not there" in ended.output
    assert "is there a second, unplanned bug?" in ended.output


def test_an_assignment_without_scripts_says_so(course):
    (course.rubrics / "a1.yaml").write_text(RUBRIC.replace("a2", "a1"))
    ended = CliRunner().invoke(app, ["references", "a1", "--course", str(course.root)])
    (course.rubrics / "a1.yaml").unlink()
    assert ended.exit_code == 0
    assert "has no broken scripts" in ended.output


def test_a_mended_script_that_was_handed_in_is_run_and_met(course, executor, checked):
    mended = (course.rubrics / "a2" / "scripts" / "broken.py").read_text().replace(WIDE[1], "W_RANGE = 0.1")
    text = "## broken.py\n\nThe weights of broken.py are initialised far too large: the gradients explode."
    notebook = v4.new_notebook(cells=[v4.new_markdown_cell(text), v4.new_code_cell("print(1)")])
    folder = course.root / "submissions" / "a2" / "Participant_101_assignsubmission_file"
    folder.mkdir(parents=True)
    (folder / "work.ipynb").write_text(json.dumps(notebook))
    (folder / "broken.py").write_text(mended)
    [graded] = grade(course.root / "submissions", course, executor)
    [criterion] = graded.grades[0].criteria
    shutil.rmtree(folder)
    assert criterion.verdict.outcome in (Outcome.MET, Outcome.NEEDS_REVIEW)
    assert criterion.verdict.reasons[0].source is Source.MEASURED
    page = (course.reports / "a2" / "Participant_101" / "index.html").read_text("utf-8")
    assert "the loss over its steps" in page
    assert "size of the gradients, layer by layer" in page
