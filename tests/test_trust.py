"""A check that people overrule too often stops deciding alone, until somebody has looked at it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from grader.gradebook import Gradebook
from grader.model import CriterionGrade, Grade, Override, Participant, Reason, met, needs_review
from grader.trust import agreements, distrusted

START = datetime(2026, 11, 25, tzinfo=UTC)
BECAUSE = Reason(text="Because.")


@pytest.fixture
def gradebook(tmp_path):
    with Gradebook.open(tmp_path / "gradebook.sqlite") as opened:
        yield opened


def a_grade(name, verdict):
    criterion = CriterionGrade(id="a", title="A.", check="counting", points=Decimal(2), verdict=verdict)
    return Grade(
        submission=name,
        assignment="a1",
        participant=Participant(id=name, is_blind=True),
        run_key=None,
        rubric_sha256="d" * 64,
        criteria=(criterion,),
    )


def decided(gradebook, count, *, agreeing, verdict=None, first=0):
    names = [f"s{number}" for number in range(first, first + count)]
    gradebook.record([a_grade(name, verdict or met(BECAUSE)) for name in names], now=START)
    for number, name in enumerate(names):
        points = Decimal(2 if number < agreeing else 1)
        when = START + timedelta(minutes=1)
        override = Override(submission=name, criterion="a", points=points, who="J. D.", when=when)
        gradebook.add_decisions("a1", [override], now=when)


@pytest.mark.parametrize(
    ("count", "agreeing", "trusted"), [(49, 0, True), (50, 48, False), (50, 49, True), (100, 97, True)]
)
def test_agreement_below_97_of_100_in_50_decisions_ends_trust(gradebook, count, agreeing, trusted):
    decided(gradebook, count, agreeing=agreeing)
    found = agreements(gradebook)
    assert (found["counting"].decided, found["counting"].agreed) == (count, agreeing)
    assert distrusted(found) == (frozenset() if trusted else {"counting"})


def test_what_the_check_left_open_does_not_count(gradebook):
    decided(gradebook, 60, agreeing=0, verdict=needs_review(BECAUSE))
    assert agreements(gradebook) == {}


def test_distrust_lasts_though_the_verdicts_that_were_overruled_are_open_now(gradebook):
    decided(gradebook, 50, agreeing=10)
    later = START + timedelta(hours=1)
    gradebook.record([a_grade(f"s{number}", needs_review(BECAUSE)) for number in range(50)], now=later)
    assert distrusted(agreements(gradebook)) == {"counting"}


def test_it_decides_again_once_somebody_has_looked_at_it(gradebook):
    decided(gradebook, 50, agreeing=10)
    gradebook.look_at("counting", who="J. D.", why="the threshold was wrong", now=START + timedelta(hours=1))
    assert agreements(gradebook) == {}
