"""Hand-ins as they really come (`hand_ins/`), each with what it must get.

They are handed in through Moodle's folders and read as any hand-in is. Those that show something only when
they are run are run once, in real rooms on the stand-ins; the others are judged by what was handed in.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from grader.assess import assess
from grader.course import Course
from grader.datasets.finding import dataset_names
from grader.evidence.collect import collect
from grader.execution.local import LocalExecutor
from grader.intake.submissions import read_submissions
from grader.model import Grade, Rejected, Submission
from grader.notebook.reading import read_notebook
from grader.pipeline import Graded, grade
from grader.rubric import read_rubric
from grader.sandbox.sources import ForkedRooms

NotebookOf = Callable[[str], dict[str, Any]]
Label = dict[str, Any]

HERE = Path(__file__).parent / "hand_ins"
REPOSITORY = Path(__file__).resolve().parents[1]
FILE: dict[str, Any] = yaml.safe_load((HERE / "labels.yaml").read_text("utf-8"))
LABELS: dict[str, Label] = FILE["hand_ins"]
RUBRIC = read_rubric(REPOSITORY / "rubrics" / "a1.yaml", datasets=dataset_names())

# What a word in a label allows.
ALLOWED = {
    "met": {"met"},
    "half": {"partly_met"},
    "lost": {"not_met"},
    "open": {"needs_review", "not_checked"},
    "met_or_open": {"met", "needs_review", "not_checked"},
    "lost_or_open": {"not_met", "partly_met", "needs_review", "not_checked"},
}


def expected_of(label: Label) -> dict[str, set[str]]:
    """By criterion, the outcomes that are right; groups of criteria are written by one name."""
    expected = {}
    for word, outcomes in ALLOWED.items():
        for name in label.get(word, ()):
            for criterion in FILE["groups"].get(name, [name]):
                assert criterion not in expected, f"{criterion} is named twice"
                expected[criterion] = outcomes
    return expected


def write_hand_in(name: str, label: Label, folder: Path, notebook_of: NotebookOf) -> None:
    """Put one hand-in into `folder`, as Moodle's download would."""
    number = 101 + list(LABELS).index(name)
    own = folder / f"{label.get('by', 'Alex Example')}_{number}_assignsubmission_file"
    own.mkdir(parents=True)
    for beside, content in label.get("beside", {}).items():
        (own / beside).parent.mkdir(parents=True, exist_ok=True)
        (own / beside).write_text(content, "utf-8")
    text = (HERE / f"{label.get('text', name)}.txt").read_text("utf-8")
    for short, meant in label.get("with", {}).items():
        assert short in text, short
        text = text.replace(short, meant)
    file = label.get("file", "assignment1.ipynb")
    if file.endswith(".py"):
        (own / file).write_text(text, "utf-8")
        return
    notebook = SAVED_AS[label.get("saved_as", "nbformat 4")](notebook_of(text))
    (own / file).write_text(json.dumps(notebook), "utf-8")


def as_nbformat_3(notebook: dict[str, Any]) -> dict[str, Any]:
    kinds = {"execute_result": "pyout", "error": "pyerr"}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["input"] = cell.pop("source")
            for output in cell["outputs"]:
                output["output_type"] = kinds.get(output["output_type"], output["output_type"])
                data = output.pop("data", {})
                output |= {name: data[mime] for name, mime in V3.items() if mime in data}
    return {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": notebook["cells"]}]}


def as_nbformat_4_0(notebook: dict[str, Any]) -> dict[str, Any]:
    return notebook | {"nbformat_minor": 0, "metadata": {"kernelspec": {"name": "python2"}}}


def with_large_pages(notebook: dict[str, Any]) -> dict[str, Any]:
    page = {"text/html": "<iframe srcdoc='" + "x" * 6_000_000 + "'></iframe>", "text/plain": "<page>"}
    first = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    first["outputs"].append({"output_type": "display_data", "metadata": {}, "data": page})
    return notebook | {"metadata": {"widgets": {"state": {"abc": {"model_name": "FloatProgressModel"}}}}}


V3 = {"text": "text/plain", "png": "image/png"}
SAVED_AS = {
    "nbformat 4": lambda notebook: notebook,
    "nbformat 3": as_nbformat_3,
    "nbformat 4.0": as_nbformat_4_0,
    "with widgets and large pages": with_large_pages,
}


def submission_of(name: str, tmp_path: Path, notebook_of: NotebookOf) -> Submission | Rejected:
    write_hand_in(name, LABELS[name], tmp_path / "submissions" / "a1", notebook_of)
    [item] = read_submissions(tmp_path / "submissions", workspace=tmp_path / "workspace")
    return item


def graded_as_handed_in(submission: Submission) -> Grade:
    notebook = read_notebook((submission.folder / submission.notebook).read_bytes())
    return assess(collect(submission, notebook, None, None), RUBRIC)


def assert_is_as_labelled(grade: Grade, label: Label) -> None:
    expected = expected_of(label)
    assert set(expected) == set(RUBRIC.points_by_criterion), "every criterion must be labelled"
    wrong = {
        f"{c.id}: {c.verdict.outcome.value}": [reason.text for reason in c.verdict.reasons]
        for c in grade.criteria
        if c.verdict.outcome.value not in expected[c.id]
    }
    assert wrong == {}
    for words in label.get("flags", ()):
        assert any(words in flag for flag in grade.flags), (words, grade.flags)


READ_ONLY = [name for name, label in LABELS.items() if "run" not in label and "rejected" not in label]
RUN = [name for name, label in LABELS.items() if "run" in label]


@pytest.mark.parametrize("name", READ_ONLY)
def test_a_hand_in_is_judged_right_by_what_was_handed_in(name, tmp_path, notebook_of):
    submission = submission_of(name, tmp_path, notebook_of)
    assert isinstance(submission, Submission), submission
    assert_is_as_labelled(graded_as_handed_in(submission), LABELS[name])


@pytest.mark.parametrize("name", [name for name, label in LABELS.items() if "rejected" in label])
def test_what_cannot_be_graded_is_rejected_with_a_sentence(name, tmp_path, notebook_of):
    item = submission_of(name, tmp_path, notebook_of)
    assert isinstance(item, Rejected)
    assert LABELS[name]["rejected"] in item.reason


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory, notebook_of: NotebookOf) -> Course:
    root = tmp_path_factory.mktemp("course")
    shutil.copytree(REPOSITORY / "rubrics", root / "rubrics")
    for name in RUN:
        write_hand_in(name, LABELS[name], root / "submissions" / "a1", notebook_of)
    return Course(root=root)


@pytest.fixture(scope="module")
def graded(course: Course, kernel_parent: ForkedRooms) -> Graded:
    [result] = grade(course.root / "submissions", course, LocalExecutor(rooms=kernel_parent))
    return result


def grade_of(name: str, graded: Graded) -> Grade:
    number = str(101 + list(LABELS).index(name))
    return next(grade for grade in graded.grades if grade.participant.id == number)


@pytest.mark.parametrize("name", RUN)
def test_a_hand_in_is_judged_right_when_it_was_run(name, graded, course):
    grade = grade_of(name, graded)
    run = json.loads((course.state / "runs" / str(grade.run_key) / "run.json").read_text("utf-8"))
    failed = [f"cell {cell['cell']}: {cell['error']}" for cell in run["cells"] if cell["error"]]
    assert run["status"] == LABELS[name]["run"], failed
    assert_is_as_labelled(grade, LABELS[name])


def test_nothing_is_lost_or_rejected_among_those_that_run(graded):
    assert graded.lost == ()
    assert graded.rejected == ()


def test_members_of_a_group_who_hand_in_the_same_share_one_run(graded):
    group = [name for name in RUN if LABELS[name].get("text") == "of_a_group"]
    assert len(group) == 3
    assert len({grade_of(name, graded).run_key for name in group}) == 1


def test_every_hand_in_has_a_label_and_says_what_it_shows():
    used = {label.get("text", name) for name, label in LABELS.items()}
    assert used == {file.stem for file in HERE.glob("*.txt")}
    assert all(label["shows"] for label in LABELS.values())


def test_no_more_notebooks_are_run_than_needed():
    distinct = {hashlib.sha256(LABELS[name].get("text", name).encode()).digest() for name in RUN}
    assert len(distinct) <= 9
