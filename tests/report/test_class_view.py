from datetime import UTC, datetime
from decimal import Decimal

from grader.model import (
    Isolation,
    Override,
    Participant,
    Reason,
    RunStatus,
    needs_review,
    not_checked,
    not_met,
)
from grader.report.class_view import label, view_class


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


def test_under_blind_marking_nobody_is_called_by_name():
    assert label(Participant(id="7", name="A. Name", is_blind=True), "x") == "Participant 7"
    assert label(Participant(id="7", is_group=True), "x") == "Group 7"
    assert label(Participant(name="A. Name"), "x") == "A. Name"
    assert label(Participant(), "homework") == "homework"
