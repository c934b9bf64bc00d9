"""What students are told is signed for, and does not change by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from grader.course import Course
from grader.errors import UsageError
from grader.gradebook import Gradebook
from grader.model import (
    CriterionGrade,
    Grade,
    Override,
    Participant,
    Reason,
    met,
    needs_review,
    not_met,
    partly_met,
)
from grader.releasing import Told, release

NOW = datetime(2026, 11, 25, tzinfo=UTC)
BECAUSE = Reason(text="Because.")
VERDICTS = {
    "full": met(BECAUSE),
    "half": partly_met(Decimal("0.5"), BECAUSE),
    "none": not_met(BECAUSE),
    "open": needs_review(BECAUSE),
}


def a_grade(name, verdict):
    criterion = CriterionGrade(id="a", title="A.", points=Decimal(2), verdict=VERDICTS[verdict])
    return Grade(
        submission=name,
        assignment="a1",
        participant=Participant(id=name, is_blind=True),
        run_key=None,
        rubric_sha256="d" * 64,
        criteria=(criterion,),
    )


@pytest.fixture
def course(tmp_path):
    return Course(root=tmp_path)


def graded(course, **verdicts):
    with Gradebook.open(course.state / "gradebook.sqlite") as gradebook:
        gradebook.record([a_grade(name, verdict) for name, verdict in verdicts.items()], now=NOW)


def told(course, **options):
    found = release(course, "a1", **{"who": "J. D.", "now": NOW, **options})
    return {one.submission: one.told for one in found}


def released(course):
    with Gradebook.open(course.state / "gradebook.sqlite") as gradebook:
        return {name: (told.grade.score, told.who) for name, told in gradebook.released("a1").items()}


def test_only_decided_grades_are_released(course):
    graded(course, x="full", y="open")
    assert told(course) == {"x": Told.NEW, "y": Told.OPEN}
    assert released(course) == {"x": (2, "J. D.")}


def test_releasing_again_changes_nothing(course):
    graded(course, x="full")
    told(course)
    assert told(course, who="Somebody else") == {"x": Told.SAME}
    assert released(course) == {"x": (2, "J. D.")}


def test_a_released_grade_is_raised_but_not_lowered_without_a_signature_and_a_reason(course):
    graded(course, x="half", y="half")
    told(course)
    graded(course, x="full", y="none")
    assert told(course) == {"x": Told.RAISED, "y": Told.KEPT}
    assert released(course) == {"x": (2, "J. D."), "y": (1, "J. D.")}
    with pytest.raises(UsageError, match="only with a reason"):
        told(course, may_lower=True)
    assert told(course, may_lower=True, why="copied", who="B. B.") == {"x": Told.SAME, "y": Told.LOWERED}
    assert released(course)["y"] == (0, "B. B.")


def test_the_history_of_what_was_told_is_kept(course):
    graded(course, x="half")
    told(course)
    graded(course, x="full")
    told(course, why="the appeal was right")
    with Gradebook.open(course.state / "gradebook.sqlite") as gradebook:
        history = gradebook.release_history("a1", "x")
    assert [(one.grade.score, one.why) for one in history] == [(1, ""), (2, "the appeal was right")]


@pytest.mark.parametrize(("options", "message"), [({"who": " "}, "--by NAME"), ({}, "Nothing of a1")])
def test_what_cannot_be_released_says_the_mend(course, options, message):
    with pytest.raises(UsageError, match=message):
        told(course, **options)


def test_what_a_check_decided_that_people_disagree_with_is_not_released(course):
    with Gradebook.open(course.state / "gradebook.sqlite") as gradebook:
        names = [f"s{number}" for number in range(51)]
        grades = [a_grade(name, "full") for name in names]
        checked = [
            grade.model_copy(
                update={"criteria": (grade.criteria[0].model_copy(update={"check": "counting"}),)}
            )
            for grade in grades
        ]
        gradebook.record(checked, now=NOW)
        later = NOW + timedelta(minutes=1)
        no = [
            Override(submission=name, criterion="a", points=Decimal(0), who="J. D.", when=later)
            for name in names[:50]
        ]
        gradebook.add_decisions("a1", no, now=later)
    with pytest.raises(UsageError, match="disagreed too often with counting"):
        told(course)
    with Gradebook.open(course.state / "gradebook.sqlite") as gradebook:
        gradebook.look_at("counting", who="J. D.", why="mended", now=later + timedelta(minutes=1))
    assert told(course)["s50"] is Told.NEW
