from datetime import UTC, datetime
from decimal import Decimal

import pytest
from markupsafe import escape

from grader.model import Override, Reason, Source, needs_review, not_met
from grader.report.allowance import REASONS
from grader.report.criteria import anchor, criteria_by_cell, tone, view_criteria, within
from grader.report.pictures.svg import Picture, element


def test_a_cell_leads_back_to_every_criterion_that_speaks_of_it(a_grade, a_criterion):
    def of(*cells):
        return a_criterion(needs_review(*[Reason(text="x", cell=cell) for cell in cells]))

    assert criteria_by_cell(a_grade(of(1, 2), of(2, 2), of(None))) == {1: [1], 2: [1, 2]}


@pytest.mark.parametrize(("points", "expected"), [(3, "met"), (1, "partly_met"), (0, "not_met")])
def test_a_decision_of_a_person_stands_above_the_verdict(a_criterion, points, expected):
    when = datetime(2026, 1, 1, tzinfo=UTC)
    decision = Override(submission="s", criterion="mlp", points=Decimal(points), who="TA", when=when)
    assert tone(a_criterion(not_met(Reason(text="no")), override=decision)) == expected


def test_the_check_of_a_criterion_decides_which_pictures_stand_below_it(full):
    first, second, *_ = view_criteria(full.grade, full.evidence)
    assert [picture.title for picture in first.pictures] == ["Accuracy: reported, run again, measured"]
    assert "asked for: at least 0.80" in first.pictures[0].description
    assert second.pictures == []


def test_reasons_of_megabytes_are_cut_and_say_so(a_grade, a_criterion, an_evidence):
    long = needs_review(*[Reason(text="<&> " * 200_000, source=Source.SOURCE) for _ in range(20)])
    views = view_criteria(a_grade(a_criterion(long), a_criterion()), an_evidence())
    assert sum(len(escape(reason.text)) for view in views for reason in view.reasons) <= REASONS
    assert views[0].reasons[0].left_out > 700_000
    assert views[0].reasons_left_out == 8
    assert views[1].reasons[0].left_out == 0


def test_an_anchor_is_a_plain_word_whatever_the_id():
    assert anchor('a "b"/é') == "criterion-a--b---"


def test_pictures_beyond_their_room_are_left_out():
    pictures = [Picture(title="t", description="d", height=1, body=element("g", "x" * 40)) for _ in range(9)]
    assert len(list(within(iter(pictures), room=120))) == 2
