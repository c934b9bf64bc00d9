"""What is kept for longer than was set is told, and removed where somebody says so; nothing else is."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from review.made_up import a_graded_course
from typer.testing import CliRunner

from grader.cli import app
from grader.errors import GraderError
from grader.gradebook import Gradebook
from grader.retention import Kind, read_retention, remove_due, what_is_due

DAY = date(2027, 4, 1)


@pytest.fixture
def course(tmp_path):
    return a_graded_course(tmp_path / "course", 2)


def set_to(course, text):
    (course.root / "retention.yaml").write_text(text)


def kinds(course, today=DAY):
    return [(one.assignment, one.kind) for one in what_is_due(course, today)]


def test_nothing_is_due_where_no_dates_are_set(course):
    assert kinds(course) == []


def test_what_is_set_for_every_assignment_gives_way_to_its_own_dates(course):
    set_to(
        course, "every-assignment: {hand-ins: 2027-03-31, evidence: 2027-03-31}\na1: {evidence: 2027-05-01}\n"
    )
    assert kinds(course) == [("a1", Kind.HAND_INS)]


def test_on_the_last_day_nothing_is_due_yet(course):
    set_to(course, "a1: {evidence: 2027-03-31}\n")
    assert kinds(course, date(2027, 3, 31)) == []
    assert kinds(course, DAY) == [("a1", Kind.EVIDENCE)]


def test_evidence_goes_and_grades_stay(course):
    set_to(course, "a1: {hand-ins: 2027-03-31, evidence: 2027-03-31, grades: 2028-09-30}\n")
    remove_due(course, what_is_due(course, DAY), now=datetime.now(UTC))
    state = course.state
    assert [*state.glob("evidence/*"), *state.glob("runs/*"), *course.reports.glob("a1/*")] == []
    assert len(list((course.root / "submissions" / "a1").iterdir())) == 2
    with Gradebook.open(state / "gradebook.sqlite") as gradebook:
        assert len(gradebook.latest("a1")) == 2
    assert kinds(course) == [("a1", Kind.HAND_INS)]


def test_what_is_no_assignment_s_stays(course):
    (course.reports / "sample").mkdir()
    (course.root / "submissions" / "notes").mkdir()
    set_to(course, "every-assignment: {hand-ins: 2027-03-31, evidence: 2027-03-31}\n")
    due = what_is_due(course, DAY)
    assert {one.assignment for one in due} == {"a1"}
    remove_due(course, due, now=datetime.now(UTC))
    assert (course.reports / "sample").is_dir()


def test_grades_go_when_they_are_due(course):
    set_to(course, "a1: {grades: 2027-03-31}\n")
    [due] = what_is_due(course, DAY)
    assert due.entries == 2
    remove_due(course, [due], now=datetime.now(UTC))
    with Gradebook.open(course.state / "gradebook.sqlite") as gradebook:
        assert gradebook.latest("a1") == {}
    assert kinds(course) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a1: {evidence: soon}", "line 1: .*should be a day, as 2027-03-31"),
        ("a1: {grades: 2027-01-01, evidence: 2027-02-01}", "set a later day"),
        ("a1: {evidense: 2027-01-01}", "did you mean"),
        ("- a1", "write `a1:`"),
    ],
)
def test_a_mistake_is_told_with_its_mend(course, text, told):
    set_to(course, text)
    with pytest.raises(GraderError, match=told):
        read_retention(course)


def test_the_command_tells_asks_and_removes_only_what_is_ours(course):
    set_to(course, "a1: {hand-ins: 2020-01-01, evidence: 2020-01-01}\n")
    words = ["forget", "--due", "--course", str(course.root)]
    said = CliRunner().invoke(app, words, input="n\n").output
    assert "a1: runs, evidence, reports" in said
    assert "kept until 2020-01-01" in said
    assert "Nothing was removed." in said
    assert list(course.state.glob("evidence/*.json"))
    CliRunner().invoke(app, [*words, "--yes"])
    assert not list(course.state.glob("evidence/*.json"))
    assert (course.root / "submissions" / "a1").is_dir()
