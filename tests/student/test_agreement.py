"""What a student is told before handing in agrees with what the grading says, its hidden parts aside."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from student.conftest import REPOSITORY

from grader.assess import assess
from grader.checks.previews import Sight
from grader.datasets.finding import dataset_names
from grader.evidence.record import Evidence
from grader.model import Outcome
from grader.rubric import Rubric, read_rubric
from grader.student.findings import Looked
from grader.student.looking import look
from grader.student.own_work import read_own

HAND_INS = REPOSITORY / "tests" / "hand_ins"
FILE: dict[str, Any] = yaml.safe_load((HAND_INS / "labels.yaml").read_text("utf-8"))
LABELS: dict[str, Any] = FILE["hand_ins"]
NOTEBOOKS = sorted(
    [*REPOSITORY.glob("submissions/a1/*/*.ipynb"), *REPOSITORY.glob("reference_solutions/*/**/*.ipynb")]
)
TEXTS = sorted({label.get("text", name) for name, label in LABELS.items()})
MESSY_FOLDER = REPOSITORY / "tests" / "student" / "notebooks"
MESSY: dict[str, Any] = yaml.safe_load((MESSY_FOLDER / "told.yaml").read_text("utf-8"))

# What the grading may say where a student was told this.
AGREES = {
    Sight.FOUND: {Outcome.MET, Outcome.PARTLY_MET, Outcome.NEEDS_REVIEW, Outcome.NOT_CHECKED},
    Sight.MISSING: {Outcome.NOT_MET, Outcome.NEEDS_REVIEW, Outcome.NOT_CHECKED},
}
# A found answer may be wrong, and so may the words about an order: whether it is, is not looked at.
JUDGED_BY_A_KEY = {"question-answered", "order-described", "sensible-order", "accuracy-at-least"}


@pytest.fixture(scope="module")
def rubrics() -> dict[str, Rubric]:
    files = (REPOSITORY / "rubrics").glob("*.yaml")
    return {file.stem: read_rubric(file, datasets=dataset_names()) for file in files}


def disagreements(looked: Looked, evidence: Evidence, rubric: Rubric) -> dict[str, object]:
    grade = assess(evidence, rubric)
    checks = {criterion.id: criterion.check for criterion in grade.criteria}
    outcomes = {criterion.id: criterion.verdict.outcome for criterion in grade.criteria}
    found = {}
    for finding in looked.asked_for:
        agreed = AGREES.get(finding.sight)
        if agreed is not None and finding.sight is Sight.FOUND and checks[finding.id] in JUDGED_BY_A_KEY:
            agreed = set(Outcome)
        if agreed is not None and outcomes[finding.id] not in agreed:
            found[finding.id] = (finding.sight.value, outcomes[finding.id].value, finding.reasons)
    return found


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_samples_and_references_are_told_what_the_grading_says(path, editions, rubrics):
    assignment = path.relative_to(REPOSITORY).parts[1]
    evidence = read_own(path)
    looked = look(evidence, editions[assignment])
    assert disagreements(looked, evidence, rubrics[assignment]) == {}


@pytest.mark.parametrize("name", TEXTS)
def test_hand_ins_of_every_kind_are_told_what_the_grading_says(name, write, editions, rubrics):
    text = (HAND_INS / f"{name}.txt").read_text("utf-8")
    evidence = read_own(write(text))
    assert disagreements(look(evidence, editions["a1"]), evidence, rubrics["a1"]) == {}


@pytest.mark.parametrize("name", MESSY)
def test_messy_notebooks_are_told_what_the_grading_says(name, write, editions, rubrics):
    label = MESSY[name]
    assignment = label.get("as", label["for"])
    evidence = read_own(write((MESSY_FOLDER / f"{name}.txt").read_text("utf-8"), label["file"]))
    assert disagreements(look(evidence, editions[assignment]), evidence, rubrics[assignment]) == {}


@pytest.mark.parametrize("assignment", ["a1", "a2", "a3", "a4"])
def test_the_reference_misses_nothing(assignment, editions):
    path = REPOSITORY / "reference_solutions" / assignment / "solution.ipynb"
    looked = look(read_own(path), editions[assignment])
    assert looked.failures == ()
    assert looked.likely_faults == ()
    assert all(one.sight in (Sight.FOUND, Sight.LATER) for one in looked.findings), looked.findings


RUN = {name: label for name, label in LABELS.items() if "run" in label and "with" not in label}


@pytest.mark.parametrize("name", RUN)
def test_what_is_told_agrees_with_what_a_run_gets(name, write, editions):
    """The labels hold what the grading of a run in a real room must say (`tests/test_hand_ins.py`)."""
    label = RUN[name]
    text = (HAND_INS / f"{label.get('text', name)}.txt").read_text("utf-8")
    looked = look(read_own(write(text)), editions["a1"])
    checks = {item.id: item.check for item in editions["a1"].items}
    for one in looked.asked_for:
        if one.sight is Sight.MISSING:
            assert one.id not in named(label, "met", "half"), one
        if one.sight is Sight.FOUND and checks[one.id] not in JUDGED_BY_A_KEY:
            assert one.id not in named(label, "lost"), one
    [runs] = [one for one in looked.about_notebook if one.id == "runs"]
    if label["run"] == "completed":
        assert runs.sight is Sight.FOUND, runs.reasons
    if label["run"] == "cell_failed":
        assert runs.sight is Sight.MISSING, runs.reasons


def named(label: dict[str, Any], *words: str) -> set[str]:
    """The criteria that stand in a label below one of `words`."""
    names = [name for word in words for name in label.get(word, ())]
    return {criterion for name in names for criterion in FILE["groups"].get(name, [name])}
