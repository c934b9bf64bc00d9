import csv
import io
from decimal import Decimal

import pytest

from grader.model import Participant, Reason, Rejected, Scale, needs_review
from grader.report.table import gradebook_csv


def read(text):
    return list(csv.DictReader(io.StringIO(text)))


def a_rejected(**changes):
    fields = {
        "id": "Participant_9",
        "assignment": "a1",
        "participant": Participant(id="9"),
        "reason": "Empty.",
    }
    return Rejected(**{**fields, **changes})


def test_one_row_per_hand_in_with_a_column_per_criterion(a_grade, a_criterion):
    open_criterion = a_criterion(needs_review(Reason(text="?")), id="why", points=Decimal("1.50"))
    (row,) = read(gradebook_csv([a_grade(a_criterion(), open_criterion)], []))
    assert row == {
        "submission": "Participant_101",
        "participant": "101",
        "name": "",
        "status": "open",
        "score": "3",
        "open_points": "1.5",
        "max_points": "4.5",
        "mlp": "3",
        "why": "",
        "remarks": "",
    }


def test_what_was_rejected_has_a_row_with_the_reason_and_no_points(a_grade):
    first, second = read(gradebook_csv([a_grade()], [a_rejected()]))
    assert (first["submission"], first["status"], first["remarks"]) == (
        "Participant_9",
        "not graded",
        "Empty.",
    )
    assert first["score"] == first["mlp"] == ""
    assert second["status"] == "graded"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "＝"])
def test_a_name_that_is_a_formula_is_only_text(a_grade, start):
    name = f'{start}HYPERLINK("https://evil.example","x")'
    (row,) = read(gradebook_csv([a_grade(participant=Participant(id="1", name=name))], []))
    assert row["name"].startswith(f"'{start}")


def test_a_formula_in_a_reason_or_a_flag_is_only_text(a_grade):
    first, second = read(
        gradebook_csv([a_grade(flags=("=1+1",))], [a_rejected(reason="-2+3 is no notebook")])
    )
    assert first["remarks"] == "'-2+3 is no notebook"
    assert second["remarks"] == "'=1+1"


def test_a_name_that_hides_characters_shows_them(a_grade):
    (row,) = read(gradebook_csv([a_grade(participant=Participant(id="1", name="\u200b=1+1"))], []))
    assert row["name"] == "‹U+200B›=1+1"


def test_hand_ins_are_in_the_order_of_their_numbers(a_grade):
    grades = [a_grade(submission=f"Participant_{n}") for n in (10, 9, 100)]
    rows = read(gradebook_csv(grades, []))
    assert [row["submission"] for row in rows] == ["Participant_9", "Participant_10", "Participant_100"]


def test_pass_or_fail_has_a_column_of_its_own(a_grade):
    grades = [a_grade(scale=Scale.PASS_FAIL, pass_points=Decimal(limit)) for limit in (2, 4)]
    assert [row["passed"] for row in read(gradebook_csv(grades, []))] == ["yes", "no"]


def test_a_class_of_rejected_hand_ins_has_a_table_too():
    (row,) = read(gradebook_csv([], [a_rejected()]))
    assert row["remarks"] == "Empty."
