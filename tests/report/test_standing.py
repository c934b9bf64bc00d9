"""How a class stands in its assignments, as a table and as a picture."""

from __future__ import annotations

from decimal import Decimal

from grader.model import Reason, Scale, needs_review, not_met, partly_met
from grader.report.pictures.standings import draw_standings
from grader.report.standing import standing_of


def test_the_quarters_are_of_settled_grades_only(a_grade, a_criterion):
    reason = Reason(text="x")
    verdicts = [None, not_met(reason), partly_met(Decimal("0.5"), reason), needs_review(reason)]
    found = standing_of("a1", [a_grade(a_criterion(verdict)) for verdict in verdicts])
    assert (found.hand_ins, found.settled, found.passed) == (4, 3, None)
    assert found.quarters == (0.25, 0.5, 0.75)


def test_who_passed_is_counted_where_grades_say_so(a_grade, a_criterion):
    options = {"scale": Scale.PASS_FAIL, "pass_points": Decimal(2)}
    grades = [a_grade(**options), a_grade(a_criterion(not_met(Reason(text="x"))), **options)]
    assert standing_of("a1", grades).passed == 1


def test_nothing_settled_has_no_quarters(a_grade, a_criterion):
    assert standing_of("a1", [a_grade(a_criterion(needs_review(Reason(text="x"))))]).quarters is None
    assert standing_of("a1", []).quarters is None


def test_the_picture_has_a_row_for_each_assignment_and_says_what_it_shows(a_grade):
    standings = [standing_of(name, [a_grade()]) for name in ("a1", "a2")]
    picture = draw_standings(standings)
    assert picture is not None
    assert picture.description == (
        "a1: median 100%, half of the class from 100% to 100%; a2: median 100%, half of the class from 100% "
        "to 100%."
    )
    assert draw_standings(standings[:1]) is None
