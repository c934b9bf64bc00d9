from datetime import UTC, datetime
from decimal import Decimal

import pytest

from grader.model import (
    Isolation,
    Override,
    Reason,
    RunStatus,
    Scale,
    met,
    needs_review,
    not_checked,
    not_met,
)
from grader.report.class_view import Suspicion, view_class


def a_decision(points):
    return Override(
        submission="a", criterion="mlp", points=points, who="TA", when=datetime(2025, 1, 1, tzinfo=UTC)
    )


def test_what_waits_for_a_person_is_told_from_what_we_could_not_check(a_grade, a_criterion):
    waiting = a_grade(a_criterion(needs_review(Reason(text="?"))), submission="a")
    failed = a_grade(a_criterion(not_checked(Reason(text="a bug of ours"))), submission="b")
    (tally,) = view_class([waiting, failed], {}).tallies
    assert [item.grade.submission for item in tally.waiting] == ["a"]
    assert [item.grade.submission for item in tally.not_checked] == ["b"]
    assert tally.pass_percent is None


def test_the_pass_rate_counts_what_is_decided(a_grade, a_criterion):
    criteria = [
        a_criterion(),
        a_criterion(not_met(Reason(text="no"))),
        a_criterion(needs_review(Reason(text="?"))),
        a_criterion(needs_review(Reason(text="?")), override=a_decision(Decimal(3))),
    ]
    grades = [a_grade(criterion, submission=f"s{n}") for n, criterion in enumerate(criteria)]
    (tally,) = view_class(grades, {}).tallies
    assert (tally.met, tally.partly_met, tally.not_met, len(tally.waiting)) == (2, 0, 1, 1)
    assert tally.pass_percent == 67


def test_the_median_is_over_settled_hand_ins_only(a_grade, a_criterion):
    grades = [a_grade(submission="a"), a_grade(a_criterion(needs_review(Reason(text="?"))), submission="b")]
    assert view_class(grades, {}).median_score == 3
    assert view_class(grades[1:], {}).median_score is None


def test_lost_runs_are_listed(a_grade, a_run):
    view = view_class([a_grade()], {"Participant_101": a_run(status=RunStatus.LOST)})
    assert [grade.submission for grade in view.lost] == ["Participant_101"]


def test_hand_ins_that_ran_without_isolation_are_listed(a_grade, a_run):
    view = view_class([a_grade()], {"Participant_101": a_run(isolation=Isolation.NONE)})
    assert [grade.submission for grade in view.unlocked] == ["Participant_101"]
    assert view_class([a_grade()], {"Participant_101": a_run()}).unlocked == []


def test_what_the_script_filters_by_is_told(a_grade, a_criterion, a_run):
    waiting = a_grade(a_criterion(needs_review(Reason(text="?"))), submission="b", flags=("look",))
    view = view_class([a_grade(submission="a"), waiting], {"b": a_run(status=RunStatus.TIMED_OUT)})
    assert view.groups == {"a": ["settled"], "b": ["open", "flags", "trouble"]}


def test_the_shares_of_a_criterion_add_up(a_grade, a_criterion):
    verdicts = [
        not_met(Reason(text="no")),
        needs_review(Reason(text="?")),
        not_checked(Reason(text="bug")),
        None,
    ]
    grades = [a_grade(a_criterion(verdict), submission=f"s{n}") for n, verdict in enumerate(verdicts)]
    (tally,) = view_class(grades, {}).tallies
    assert tally.parts == [("met", 0.25), ("partly_met", 0), ("not_met", 0.25), ("needs_review", 0.5)]


@pytest.mark.parametrize(
    ("outcomes", "suspicion"),
    [
        ("mmmmm", Suspicion.EVERYBODY),
        ("nnnnn", Suspicion.NOBODY),
        ("?????", Suspicion.NEVER),
        ("mmmmn", None),
        ("mmmm", None),
        ("mmmm?", None),
    ],
)
def test_a_criterion_that_tells_nobody_apart_is_suspect(a_grade, a_criterion, outcomes, suspicion):
    reason = Reason(text="x")
    verdicts = {"m": met(reason), "n": not_met(reason), "?": needs_review(reason)}
    grades = [a_grade(a_criterion(verdicts[sign]), submission=f"s{n}") for n, sign in enumerate(outcomes)]
    (tally,) = view_class(grades, {}).tallies
    assert tally.suspicion is suspicion


def test_the_slowest_and_the_heaviest_come_first_and_are_few(a_grade, a_run):
    grades = [a_grade(submission=f"s{n}") for n in range(9)]
    runs = {f"s{n}": a_run(wall_seconds=n, peak_rss_bytes=None if n == 8 else n) for n in range(9)}
    view = view_class(grades, runs)
    assert [one.grade.submission for one in view.slowest] == ["s8", "s7", "s6", "s5", "s4"]
    assert [one.amount for one in view.heaviest] == [7, 6, 5, 4, 3]
    assert view.run_ends == [(RunStatus.COMPLETED, 9)]


def test_pass_or_fail_has_no_distribution_of_points(a_grade):
    assert view_class([a_grade(scale=Scale.PASS_FAIL, pass_points=Decimal(1))], {}).distribution is None
    assert view_class([a_grade()], {}).distribution is not None
