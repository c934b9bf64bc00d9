"""Deadlines, extensions, penalties: shown apart from the score, undone by an extension."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from grader.errors import GraderError
from grader.lateness import HandInTimes, LatePolicy, Penalty, read_deadlines, with_lateness
from grader.model import CriterionGrade, Grade, Participant, Reason, Scale, needs_review, partly_met

BERLIN = ZoneInfo("Europe/Berlin")
KNOWN = {"Participant_101": "101", "Group_4": None}
PER_DAY = LatePolicy(penalty=Penalty.PER_DAY, percent_per_day=Decimal(10), at_most_percent=Decimal(25))


def a_grade(score="8", **fields):
    reason = Reason(text="Because.")
    verdict = needs_review(reason) if score is None else partly_met(Decimal(score) / 10, reason)
    criterion = CriterionGrade(id="a", title="A.", points=Decimal(10), verdict=verdict)
    return Grade(
        submission="Participant_101",
        assignment="a1",
        participant=Participant(id="101", is_blind=True),
        run_key=None,
        rubric_sha256="d" * 64,
        criteria=(criterion,),
        **fields,
    )


def deadlines(tmp_path, extension=""):
    text = "a1:\n  deadline: 2026-11-10 23:59\n  time_zone: Europe/Berlin\n"
    if extension:
        text += f"  extensions:\n    {extension}\n"
    (tmp_path / "deadlines.yaml").write_text(text)
    found = read_deadlines(tmp_path, "a1", KNOWN)
    assert found is not None
    return found


def at(day, hour, minute):
    return datetime(2026, 11, day, hour, minute, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("handed_in", "days", "penalty", "final"),
    [
        (at(10, 23, 59), 0, 0, 8),
        (at(11, 0, 0), 1, 1, 7),
        (at(11, 23, 59), 1, 1, 7),
        (at(12, 0, 0), 2, 2, 6),
        (at(20, 0, 0), 10, Decimal("2.5"), Decimal("5.5")),  # no more than 25 %
    ],
)
def test_each_day_begun_costs_its_share(tmp_path, handed_in, days, penalty, final):
    late = with_lateness(a_grade(), PER_DAY, deadlines(tmp_path), handed_in)
    assert late.late is not None
    assert (late.late.days, late.late.penalty) == (days, penalty)
    assert (late.score, late.final_score) == (8, final)


def test_grace_comes_before_the_first_day(tmp_path):
    policy = PER_DAY.model_copy(update={"grace_minutes": 15})
    assert with_lateness(a_grade(), policy, deadlines(tmp_path), at(11, 0, 14)).final_score == 8
    assert with_lateness(a_grade(), policy, deadlines(tmp_path), at(11, 0, 15)).final_score == 7


@pytest.mark.parametrize("who", ['"101"', "Participant_101"])
def test_an_extension_undoes_the_penalty(tmp_path, who):
    before = with_lateness(a_grade(), PER_DAY, deadlines(tmp_path), at(12, 12, 0))
    after = with_lateness(a_grade(), PER_DAY, deadlines(tmp_path, f"{who}: 2026-11-13 12:00"), at(12, 12, 0))
    assert (before.final_score, after.final_score) == (6, 8)
    assert after.late is not None
    assert after.late.has_extension


def test_what_comes_too_late_is_refused_and_keeps_its_score(tmp_path):
    late = with_lateness(a_grade(), LatePolicy(penalty=Penalty.REFUSE), deadlines(tmp_path), at(11, 0, 0))
    assert (late.score, late.final_score) == (8, 0)


def test_nothing_is_held_against_whose_time_nobody_knows_and_a_flag_says_so(tmp_path):
    grade = with_lateness(a_grade(), PER_DAY, deadlines(tmp_path), None)
    assert (grade.late, grade.final_score) == (None, 8)
    assert "is not known" in grade.flags[-1]
    assert with_lateness(a_grade(), LatePolicy(), deadlines(tmp_path), None).flags == ()


def test_an_extension_of_somebody_who_is_not_graded_now_is_no_mistake(tmp_path):
    deadlines(tmp_path, '"101": 2026-11-13 12:00')
    whose = {"Participant_101": Participant(id="101"), "Participant_102": Participant(id="102")}
    found = HandInTimes.read(tmp_path, "a1", PER_DAY, whose, None)
    assert found.deadlines is not None
    assert found.deadlines.extensions.keys() == {"101"}


def test_no_score_falls_below_zero(tmp_path):
    late = with_lateness(a_grade("0.5"), PER_DAY, deadlines(tmp_path), at(20, 0, 0))
    assert late.final_score == 0


@pytest.mark.parametrize(
    ("score", "passed"),
    [("9", True), ("7", False), (None, None)],  # 2.5 points of penalty, 5 are needed
)
def test_passing_goes_by_the_final_score(tmp_path, score, passed):
    fields = {"scale": Scale.PASS_FAIL, "pass_points": Decimal(5)}
    late = with_lateness(a_grade(score, **fields), PER_DAY, deadlines(tmp_path), at(20, 0, 0))
    assert late.is_passed is passed


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a1: soon\n", "line 1"),
        ("a1:\n  deadline: tomorrow\n  time_zone: Europe/Berlin\n", "line 2: .*2026-11-10 23:59"),
        ("a1:\n  deadline: 2026-11-10 23:59\n  time_zone: Berlin\n", "line 3: .*Europe/Berlin"),
        (
            "a1:\n  deadline: 2026-11-10 23:59\n  time_zone: Europe/Berlin\n  extensions:\n"
            '    "102": 2026-11-12 10:00\n',
            "line 5: nobody handed in as '102': did you mean '101'",
        ),
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_line(tmp_path, text, message):
    (tmp_path / "deadlines.yaml").write_text(text)
    with pytest.raises(GraderError, match=message):
        read_deadlines(tmp_path, "a1", KNOWN)


def test_without_the_file_or_the_assignment_there_are_no_deadlines(tmp_path):
    assert read_deadlines(tmp_path, "a1", KNOWN) is None
    deadlines(tmp_path)
    assert read_deadlines(tmp_path, "a2", KNOWN) is None
