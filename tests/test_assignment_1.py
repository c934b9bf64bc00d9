"""Assignment 1 from end to end: the sample hand-ins and the reference solution, with the real rubric.

They are graded once per test run, on the stand-ins, in real rooms with the real TensorFlow.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from grader.course import Course
from grader.execution.local import LocalExecutor
from grader.pipeline import Graded, grade
from grader.sandbox.sources import ForkedRooms

REPOSITORY = Path(__file__).resolve().parents[1]
AUTOMATIC = {
    *("names", "outputs-saved", "hidden-layer", "activation", "random-initialisation", "low-level"),
    *("evaluation", "accuracy", "experiments", "more-layers", "misclassified", "fashion-mnist"),
    *("question-zeros", "question-interface"),
}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    root = tmp_path_factory.mktemp("course")
    shutil.copytree(REPOSITORY / "rubrics", root / "rubrics")
    shutil.copytree(REPOSITORY / "submissions" / "a1", root / "submissions" / "a1")
    reference = root / "submissions" / "a1" / "Participant_100_assignsubmission_file"
    reference.mkdir()
    shutil.copy(REPOSITORY / "reference_solutions" / "a1" / "solution.ipynb", reference)
    return Course(root=root)


@pytest.fixture(scope="module")
def graded(course: Course, kernel_parent: ForkedRooms) -> Graded:
    [result] = grade(course.root / "submissions", course, LocalExecutor(rooms=kernel_parent))
    return result


@pytest.fixture(scope="module")
def outcomes(course: Course, graded: Graded) -> dict[str, dict[str, Any]]:
    """By participant's number: the outcome of every criterion, as told in grade.json."""
    found = {}
    for file in (course.reports / "a1").glob("*/grade.json"):
        told = json.loads(file.read_text("utf-8"))
        number = told["submission"].removeprefix("Participant_")
        found[number] = {entry["id"]: entry["outcome"] for entry in told["criteria"]}
    return found


def lost(outcomes: dict[str, Any]) -> set[str]:
    return {name for name, outcome in outcomes.items() if outcome in ("not_met", "partly_met")}


def test_the_reference_earns_full_marks_on_everything_automatic(outcomes):
    assert {name for name, outcome in outcomes["100"].items() if outcome == "met"} == AUTOMATIC


@pytest.mark.parametrize("question", ["question-zeros", "question-interface"])
def test_answers_are_met_or_left_to_a_person(outcomes, question):
    assert {outcomes[number][question] for number in outcomes} == {"met", "needs_review"}


BONUS = {"more-layers", "misclassified", "fashion-mnist"}


@pytest.mark.parametrize(
    ("number", "loses"),
    [
        ("101", set()),
        ("102", set()),
        ("103", set()),
        ("104", {"outputs-saved"}),
        ("105", set()),
        (
            "106",
            {*("hidden-layer", "activation", "random-initialisation", "low-level", "evaluation")},
        ),
        ("107", {"low-level"}),
        ("109", set()),
        ("110", set()),
        ("111", {"activation"}),
    ],
)
def test_each_sample_loses_what_it_must_and_nothing_else(outcomes, number, loses):
    assert lost(outcomes[number]) - BONUS == loses


@pytest.mark.parametrize("number", ["101", "102", "103", "104", "107", "109"])
def test_good_work_is_settled_but_for_the_answers_that_a_person_reads(outcomes, number):
    waiting = {name for name, outcome in outcomes[number].items() if outcome == "needs_review"}
    assert waiting - BONUS <= {"question-zeros", "question-interface"}


def test_the_hopeless_one_gets_nothing_for_the_model(outcomes):
    met = {name for name, outcome in outcomes["108"].items() if outcome == "met"}
    assert not met & {"hidden-layer", "activation", "low-level", "evaluation", "accuracy", "experiments"}


def test_failing_to_run_again_costs_nothing_by_itself(course, outcomes):
    told = json.loads((course.reports / "a1" / "Participant_105" / "grade.json").read_text("utf-8"))
    assert any("NameError: name 'h_1' is not defined" in flag for flag in told["flags"])
    assert lost(outcomes["105"]) <= BONUS


def test_what_has_no_notebook_is_rejected_and_listed(course, graded):
    assert [item.id for item in graded.rejected] == ["Participant_112"]
    assert "mlp.py" in (course.reports / "a1" / "index.html").read_text("utf-8")


def test_a_report_says_that_the_data_was_a_stand_in_and_what_was_mended(course, graded):
    page = (course.reports / "a1" / "Participant_109" / "index.html").read_text("utf-8")
    assert "stand-ins that we generated" in page
    assert "reset_states" in page
    assert "learning_rate" in page


def test_everybody_was_run_and_nobody_lost(graded):
    assert graded.executed == 12
    assert graded.lost == ()
