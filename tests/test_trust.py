"""A check that people overrule too often stops deciding alone, until somebody has looked at it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from grader.gradebook import Gradebook
from grader.gradebook.records import Agreed
from grader.model import CriterionGrade, Grade, Override, Participant, Reason, met, needs_review, not_met
from grader.trust import agreed_on, agreements, distrusted, is_drawn

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
    found = agreements(gradebook)
    assert (found["counting"].decided, distrusted(found)) == (0, frozenset())
    assert found["counting"].ever == Agreed(decided=50, agreed=10)


def test_a_key_that_was_hit_by_mistake_and_taken_back_does_not_count(gradebook):
    decided(gradebook, 1, agreeing=0)
    later = START + timedelta(minutes=2)
    gradebook.take_back("a1", "s0", "a", who="J. D.", now=later)
    assert agreements(gradebook) == {}
    right = Override(submission="s0", criterion="a", points=Decimal(2), who="J. D.", when=later)
    gradebook.add_decisions("a1", [right], now=later, origin="review")
    assert agreements(gradebook)["counting"].ever == Agreed(decided=1, agreed=1)


def test_a_second_look_after_the_check_was_distrusted_takes_nothing_back(gradebook):
    decided(gradebook, 50, agreeing=10)
    later = START + timedelta(hours=1)
    names = [f"s{number}" for number in range(50)]
    gradebook.record([a_grade(name, needs_review(BECAUSE)) for name in names], now=later)
    again = [
        Override(submission=name, criterion="a", points=Decimal(1), who="B. B.", when=later) for name in names
    ]
    gradebook.add_decisions("a1", again, now=later + timedelta(minutes=1))
    assert distrusted(agreements(gradebook)) == {"counting"}


def test_what_erased_decisions_said_of_a_check_is_kept_without_whose_they_were(gradebook):
    decided(gradebook, 50, agreeing=10)
    before = agreements(gradebook)
    for number in range(50):
        agreed = agreed_on(gradebook, "a1", f"s{number}")
        gradebook.erase("a1", f"s{number}", now=START + timedelta(hours=1), agreed=agreed)
    assert agreements(gradebook) == before
    gradebook.look_at("counting", who="J. D.", why="mended", now=START + timedelta(hours=2))
    assert distrusted(agreements(gradebook)) == frozenset()


def test_one_in_twenty_verdicts_is_drawn_whatever_it_says_and_always_the_same():
    grades = [a_grade(f"s{number}", met(BECAUSE)) for number in range(4000)]
    drawn = [grade.submission for grade in grades if is_drawn(grade, grade.criteria[0], b"secret")]
    assert 150 <= len(drawn) <= 250
    others = [a_grade(grade.submission, not_met(BECAUSE)) for grade in grades]
    assert [g.submission for g in others if is_drawn(g, g.criteria[0], b"secret")] == drawn
    assert [g.submission for g in grades if is_drawn(g, g.criteria[0], b"another")] != drawn
