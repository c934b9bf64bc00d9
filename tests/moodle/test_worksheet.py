"""What a worksheet says, in English and German, and what is none."""

from __future__ import annotations

from decimal import Decimal

import pytest
from moodle.made_up import ENGLISH, GERMAN, a_row

from grader.errors import UsageError
from grader.moodle.worksheet import Worksheet


def test_an_english_worksheet(worksheet):
    read = Worksheet.read(worksheet([a_row(101, "Ada Example", group="Group 4", grade="7.50")]))
    (entry,) = read.entries
    assert (entry.participant, entry.name, entry.group) == ("101", "Ada Example", "Group 4")
    assert (entry.grade, entry.maximum, entry.is_locked) == ("7.50", Decimal(10), False)
    assert read.written(Decimal("7.5")) == "7.50"


def test_a_german_worksheet_writes_commas(worksheet):
    rows = [a_row(7, "Jürgen Beispiel", german=True, grade_can_be_changed="Nein")]
    read = Worksheet.read(worksheet(rows, header=GERMAN, delimiter=";", encoding="utf-8-sig"))
    (entry,) = read.entries
    assert (entry.participant, entry.maximum, entry.is_locked) == ("7", Decimal(10), True)
    assert read.written(Decimal("7.5")) == "7,50"


@pytest.mark.parametrize("missing", ["Identifier", "Grade", "Last modified (grade)"])
def test_without_a_column_that_moodle_needs_it_is_none(worksheet, missing):
    header = [title if title != missing else "Something" for title in ENGLISH]
    with pytest.raises(UsageError, match=rf"it lacks {missing}".replace("(", r"\(").replace(")", r"\)")):
        Worksheet.read(worksheet([a_row(1)], header=header))


def test_the_same_participant_twice_is_refused(worksheet):
    with pytest.raises(UsageError, match="participant 5 stands in rows 2 and 4"):
        Worksheet.read(worksheet([a_row(5), a_row(6), a_row(5)]))


def test_a_row_without_a_number_is_refused(worksheet):
    with pytest.raises(UsageError, match="row 2: it names no participant"):
        Worksheet.read(worksheet([["somebody", *a_row(5)[1:]]]))
