"""What a page says of when a hand-in came."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from grader.model import Lateness
from grader.report.pages import render_class, render_submission

DUE = datetime(2026, 11, 10, 23, 59, tzinfo=UTC)


def late(**fields):
    given = {"handed_in": datetime(2026, 11, 12, 12, 0, tzinfo=UTC), "due": DUE, "has_extension": False}
    return Lateness(**{**given, "days": 2, "penalty": Decimal("0.2"), "is_refused": False, **fields})


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "That costs 0.2 points: the final score is 0.8 points."),
        ({"penalty": Decimal(0)}, "That costs nothing."),
        ({"is_refused": True}, "Late hand-ins do not count: the final score is 0 points."),
        ({"days": 0, "penalty": Decimal(0)}, "before the deadline 10 November 2026, 23:59."),
        ({"has_extension": True}, "after the extended deadline 10 November 2026, 23:59 (2 days begun)."),
    ],
)
def test_the_page_says_when_it_came_and_what_that_costs(a_grade, a_criterion, an_evidence, fields, told):
    grade = a_grade(a_criterion(points=Decimal(1))).model_copy(update={"late": late(**fields)})
    assert told in render_submission(grade, an_evidence(), None, rubric_title="A1")


def test_the_class_page_shows_the_final_score_beside_the_other(a_grade, a_criterion):
    grade = a_grade(a_criterion(points=Decimal(1))).model_copy(update={"late": late()})
    assert '0.8 / 1 <span class="quiet">(1, late)</span>' in render_class([grade], [], {}, title="A1")
