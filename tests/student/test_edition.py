"""The student edition holds what everybody may read, and `grade check` depends on nothing else."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml
from student.conftest import REPOSITORY
from typer.testing import CliRunner

from grader.cli import app
from grader.course import Course
from grader.datasets.finding import dataset_names
from grader.errors import RubricError
from grader.model import Visibility
from grader.rubric import read_rubric
from grader.student.choosing import course_edition, course_editions
from grader.student.edition import edition_in_yaml, read_edition, student_edition

ASSIGNMENTS = ("a1", "a2")
SAMPLE = REPOSITORY / "submissions/a1/Participant_102_assignsubmission_file/IDL_Assignment_1.ipynb"
REFERENCE = REPOSITORY / "reference_solutions" / "a2" / "solution.ipynb"


def a_course(folder: Path) -> Path:
    shutil.copytree(REPOSITORY / "rubrics", folder / "rubrics")
    return folder


def with_other_secrets(course: Path) -> None:
    """Give a course other thresholds, keys, right answers and sources; nothing of that is public."""
    changes = {
        r"full: 0\.\d+": "full: 0.99",
        r"partly: 0\.\d+": "partly: 0.01",
        r"band: 0\.\d+": "band: 0.15",
        r"at_least: 3": "at_least: 7",
        r"decide: false": "decide: true",
        r"right: \[.*\]": "right: [repeat-batch-shuffle]",
        r"accepts: \[.*\]": "accepts: [source]",
    }
    for file in (course / "rubrics").glob("*.yaml"):
        text = file.read_text("utf-8")
        for old, new in changes.items():
            text = re.sub(old, new, text)
        staff = "\n  - {id: trap, title: A trap., points: 3, check: names-given, visibility: staff}\n"
        file.write_text(text + staff, "utf-8")
    for file in (course / "rubrics").glob("*/answers.yaml"):
        text = re.sub(r"says: .*", "says: Something else.", file.read_text("utf-8"))
        text = re.sub(r"words: \[.*\]", "words: [banana]", text)
        file.write_text(re.sub(r"met: \[.*\]", "met: []", text), "utf-8")
    (course / ".grader").mkdir()
    (course / ".grader" / "split-secret").write_bytes(b"x" * 32)


@pytest.mark.parametrize("notebook", [SAMPLE, REFERENCE], ids=lambda path: path.stem)
def test_hidden_parts_change_not_one_byte_of_what_is_told(notebook, tmp_path):
    told = []
    for name, change in (("one", lambda course: None), ("other", with_other_secrets)):
        course = a_course(tmp_path / name)
        change(course)
        command = ["check", str(notebook), "--course", str(course), "--html", str(tmp_path / "page.html")]
        shown, as_json = (CliRunner().invoke(app, [*command, *more]) for more in ((), ("--json",)))
        assert shown.exception is None or isinstance(shown.exception, SystemExit), shown.output
        told.append((shown.output, as_json.output, (tmp_path / "page.html").read_bytes(), shown.exit_code))
    assert told[0] == told[1]
    assert "hidden-layer" in told[0][1] or "order-" in told[0][1]


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_the_changed_secrets_were_secrets_that_grading_reads(assignment, tmp_path):
    """Otherwise the test above would show nothing."""
    course = a_course(tmp_path)
    path = course / "rubrics" / f"{assignment}.yaml"
    before = read_rubric(path, datasets=dataset_names()).sha256
    with_other_secrets(course)
    assert read_rubric(path, datasets=dataset_names()).sha256 != before


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_the_edition_is_the_same_whatever_is_hidden(assignment, tmp_path):
    course = a_course(tmp_path)
    before = edition_in_yaml(course_edition(Course(root=course), assignment))
    with_other_secrets(course)
    assert edition_in_yaml(course_edition(Course(root=course), assignment)) == before


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_no_secret_of_the_rubric_stands_in_the_edition(assignment):
    text = edition_in_yaml(course_edition(Course(root=REPOSITORY), assignment))
    for word in ("threshold", "full:", "partly", "band", "decide:", "right:", "claims", "said", "accepts"):
        assert word not in text, word
    keys = (REPOSITORY / "rubrics" / assignment / "answers.yaml").read_text("utf-8")
    claims = [claim.strip() for claim in re.findall(r"^\s+says: (.+)$", keys, re.MULTILINE)]
    assert len(claims) > 5
    assert [claim for claim in claims if claim in text] == []


def test_what_is_to_be_found_out_about_a_script_does_not_stand_in_the_edition(editions):
    scripts = yaml.safe_load((REPOSITORY / "rubrics/a2/scripts.yaml").read_text("utf-8"))["scripts"]
    told = " ".join(f"{item.id} {item.title}" for item in editions["a2"].items).lower()
    said = " ".join([*(script["title"] for script in scripts), *(c for s in scripts for c in s["causes"])])
    words = {word[:6].lower() for word in re.findall(r"[A-Za-z]{4,}", said)}
    telling = words - {"traini", "images"}
    assert len(telling) > 15
    assert [word for word in sorted(telling) if word in told] == []


def test_criteria_of_the_staff_are_left_out(tmp_path):
    rubric = read_rubric(REPOSITORY / "rubrics" / "a1.yaml", datasets=dataset_names())
    hidden, *rest = rubric.criteria
    staff = hidden.model_copy(update={"visibility": Visibility.STAFF})
    edition = student_edition(rubric.model_copy(update={"criteria": (staff, *rest)}), {})
    assert [item.id for item in edition.items] == [criterion.id for criterion in rest]


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_an_edition_that_is_written_is_read_back(assignment, tmp_path, editions):
    path = tmp_path / f"{assignment}.student.yaml"
    path.write_text(edition_in_yaml(editions[assignment]), "utf-8")
    assert read_edition(path) == editions[assignment]


def test_a_check_without_a_public_side_tells_nothing_of_its_parameters(editions):
    """All parameters that get into an edition are named as public by their check."""
    known = {"asks", "order", "datasets", "dataset", "at_least", "buffer", "kind", "script"}
    given = {key for edition in editions.values() for item in edition.items for key in item.public}
    assert given <= known
    [experiments] = [item for item in editions["a1"].items if item.id == "experiments"]
    assert experiments.public == {}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("- 1\n", "this is no student edition"),
        ('{"cells": []}', "this is no student edition"),
        ("schema: 1\nassignment: a1\ncriteria: []\n", "this is no student edition"),
        ("schema: 2\nassignment: a1\nitems: []\nhints: 3\n", "has the format 2, and this program reads 1"),
        ("schema: 1\nassignment: a1\n", "title"),
        ("schema: 1\nassignment: a1\ntitle: T\nedition: 2026\nitems: []\npoints: 3\n", "points"),
    ],
)
def test_what_is_no_edition_is_told_in_a_sentence(content, sentence, tmp_path):
    path = tmp_path / "a1.student.yaml"
    path.write_text(content, "utf-8")
    with pytest.raises(RubricError, match=sentence):
        read_edition(path)


def test_a_course_has_an_edition_of_each_rubric():
    assert set(ASSIGNMENTS) <= set(course_editions(Course(root=REPOSITORY)))
