"""The template: empty it holds no answer, and what is written below its headings is found for sure."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from student.conftest import REPOSITORY, finding

from grader.assess import assess
from grader.checks.previews import Sight
from grader.datasets.finding import dataset_names
from grader.evidence.record import Evidence
from grader.model import Grade, Outcome
from grader.rubric import read_rubric
from grader.student.edition import Edition
from grader.student.looking import look
from grader.student.own_work import read_own
from grader.student.skeleton import skeleton

ANSWERS = {
    "question-zeros": "All units of a layer would get the same gradient and so learn the same thing.",
    "question-interface": "The training loop should be wrapped in a function; giving shapes is redundant.",
    "order-shuffle-batch-repeat": "Every epoch has other batches, and each stays within its epoch.",
    "order-shuffle-repeat-batch": "Batches may hold elements of two epochs at once.",
    "order-batch-shuffle-repeat": "Whole batches change places, with the same elements in them every time.",
    "order-batch-repeat-shuffle": "Batches of different epochs are mixed with each other.",
    "order-repeat-shuffle-batch": "Elements of epochs are mixed: one may come twice before another.",
    "order-repeat-batch-shuffle": "Whole batches of several epochs are put into another order.",
    "sensible-order": "shuffle, batch, repeat: every epoch sees each example once, in new batches.",
}


def evidence_of(edition: Edition, folder: Path, *, is_filled: bool) -> Evidence:
    notebook = json.loads(skeleton(edition))
    for cell in notebook["cells"] if is_filled else ():
        if cell["id"] == "names":
            cell["source"] += "Alex Example, Sam Sample"
        cell["source"] += ANSWERS.get(cell["id"], "")
    path = folder / "filled.ipynb"
    path.write_text(json.dumps(notebook), "utf-8")
    return read_own(path)


def graded(evidence: Evidence, assignment: str) -> Grade:
    path = REPOSITORY / "rubrics" / f"{assignment}.yaml"
    return assess(evidence, read_rubric(path, datasets=dataset_names()))


@pytest.mark.parametrize("assignment", ["a1", "a2"])
def test_an_empty_template_has_no_name_and_no_answer(assignment, editions, tmp_path):
    evidence = evidence_of(editions[assignment], tmp_path, is_filled=False)
    looked = look(evidence, editions[assignment])
    asked = [item.id for item in editions[assignment].items if item.id in ANSWERS]
    assert {finding(looked, name).sight for name in asked} == {Sight.MISSING}
    assert finding(looked, "names").sight is not Sight.FOUND
    assert finding(looked, "right-assignment").sight is Sight.FOUND
    outcomes = {one.id: one.verdict.outcome for one in graded(evidence, assignment).criteria}
    assert Outcome.MET not in {outcomes[name] for name in asked}


@pytest.mark.parametrize("assignment", ["a1", "a2"])
def test_what_is_filled_in_is_found_by_the_check_and_by_the_grading(assignment, editions, tmp_path):
    evidence = evidence_of(editions[assignment], tmp_path, is_filled=True)
    looked = look(evidence, editions[assignment])
    places = {cell.source: cell.number for cell in evidence.notebook.cells}
    assert finding(looked, "names").sight is Sight.FOUND
    grade = {one.id: one.verdict for one in graded(evidence, assignment).criteria}
    assert grade["names"].outcome is Outcome.MET
    for item in editions[assignment].items:
        if item.id in ANSWERS:
            own = places[ANSWERS[item.id]]
            assert finding(looked, item.id).sight is Sight.FOUND, item.id
            assert own in {reason.cell for reason in finding(looked, item.id).reasons}, item.id
            if item.check == "question-answered":
                assert own in {reason.cell for reason in grade[item.id].reasons}, item.id


def test_every_answer_of_a_rubric_has_a_heading(editions):
    for edition in editions.values():
        texts = {cell["id"] for cell in json.loads(skeleton(edition))["cells"]}
        assert {item.id for item in edition.items if item.id in ANSWERS} <= texts
