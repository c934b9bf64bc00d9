"""Who gets which grade, what Moodle skips and why, and that nothing else in the worksheet changes."""

from __future__ import annotations

from decimal import Decimal

import pytest
from moodle.made_up import ENGLISH, GERMAN, a_row

from grader.errors import UsageError
from grader.model import Scale
from grader.moodle.filling import Fate, Wishes, fill
from grader.moodle.matching import match, members
from grader.moodle.worksheet import Worksheet

WISHES = Wishes()


def filled(path, grades, *, released=None, open_ones=None, wishes=WISHES, earlier=None):
    sheet = Worksheet.read(path)
    by_id = {grade.submission: grade for grade in grades}
    matched = match(sheet.entries, {name: grade.participant for name, grade in by_id.items()})
    told = fill(sheet, by_id if released is None else released, open_ones or {}, matched, wishes, earlier)
    return told, sheet, matched


def cells(content, row, delimiter=","):
    return content.decode("utf-8-sig").splitlines()[row].split(delimiter)


def test_a_grade_and_a_comment_go_into_their_cells(worksheet, a_grade):
    path = worksheet([a_row(101), a_row(102)])
    told, _, _ = filled(path, [a_grade("Participant_101", is_blind=True)])
    assert [row.fate for row in told.rows] == [Fate.TAKEN, Fate.SKIPPED]
    assert told.rows[1].why == "no hand-in of theirs was graded"
    before, after = path.read_bytes().splitlines(), told.content.splitlines()
    assert (after[0], after[2]) == (before[0], before[2])
    assert b",7.50,10.00," in after[1]
    assert after[1].endswith(b",7.5 of 10 points. The file report.html says what for.")


def test_a_german_worksheet_gets_a_comma(worksheet, a_grade):
    path = worksheet([a_row(101, german=True)], header=GERMAN, delimiter=";", encoding="utf-8-sig")
    told, _, _ = filled(path, [a_grade("Participant_101", is_blind=True)], wishes=Wishes(has_comments=False))
    assert told.content == path.read_bytes().replace(b';;"10,00"', b';7,50;"10,00"')


def test_a_higher_grade_in_moodle_is_lowered_only_where_that_was_signed_for(worksheet, a_grade):
    path = worksheet([a_row(101, grade="9.00")])
    now, before = a_grade("Participant_101", is_blind=True), a_grade("Participant_101", "9", is_blind=True)
    by_hand, _, _ = filled(path, [now])
    assert by_hand.rows[0].fate is Fate.SKIPPED
    assert "Moodle has a higher grade, 9.00" in by_hand.rows[0].why
    assert by_hand.content == path.read_bytes()
    signed, _, _ = filled(path, [now], earlier={"Participant_101": [before, now]})
    assert signed.rows[0].fate is Fate.TAKEN
    lower = worksheet([a_row(101, grade="3.00")])
    assert filled(lower, [now])[0].rows[0].fate is Fate.TAKEN


@pytest.mark.parametrize(
    ("cells", "score", "why"),
    [
        ({"grade_can_be_changed": "No"}, "7.5", "Moodle has the grade locked"),
        ({"maximum_grade": "5.00"}, "7.5", "7.5 points are above Moodle's maximum of 5"),
    ],
)
def test_what_moodle_would_skip_is_said_and_left_alone(worksheet, a_grade, cells, score, why):
    path = worksheet([a_row(101, **cells)])
    told, _, _ = filled(path, [a_grade("Participant_101", score, is_blind=True)])
    assert told.rows[0].fate is Fate.SKIPPED
    assert why in told.rows[0].why
    assert told.content == path.read_bytes()


def test_a_grade_that_is_not_released_stays_here(worksheet, a_grade):
    path = worksheet([a_row(101)])
    grade = a_grade("Participant_101", None, is_blind=True)
    told, _, _ = filled(path, [grade], released={}, open_ones={grade.submission: "10 points wait"})
    assert (told.rows[0].fate, told.rows[0].why) == (Fate.SKIPPED, "10 points wait")
    assert told.content == path.read_bytes()


def test_what_is_there_already_is_not_written_again(worksheet, a_grade):
    path = worksheet([a_row(101, grade="7.5", feedback_comments="seen")])
    told, _, _ = filled(path, [a_grade("Participant_101", is_blind=True)])
    assert told.rows[0].fate is Fate.UNCHANGED
    assert told.content == path.read_bytes()


def test_a_comment_that_somebody_wrote_stays(worksheet, a_grade):
    path = worksheet([a_row(101, feedback_comments="Come to my office.")])
    told, _, _ = filled(path, [a_grade("Participant_101", is_blind=True)])
    assert told.rows[0].fate is Fate.TAKEN
    assert b"Come to my office." in told.content
    assert b"report.html" not in told.content


def test_cap_and_rescale(worksheet, a_grade):
    grade = a_grade("Participant_101", is_blind=True)
    small = worksheet([a_row(101, maximum_grade="5.00")], name="small.csv")
    large = worksheet([a_row(101, maximum_grade="100.00")], name="large.csv")
    assert filled(small, [grade], wishes=Wishes(is_capped=True))[0].rows[0].grade == "5.00"
    assert filled(large, [grade], wishes=Wishes(is_rescaled=True))[0].rows[0].grade == "75.00"


def test_a_scale_needs_its_words(worksheet, a_grade):
    header = [title if title != "Maximum Grade" else "Scale" for title in ENGLISH]
    path = worksheet([a_row(101, maximum_grade="failed, passed")], header=header)
    passed = {"scale": Scale.PASS_FAIL, "pass_points": Decimal(5)}
    grade = a_grade("Participant_101", is_blind=True).model_copy(update=passed)
    with pytest.raises(UsageError, match="--passed WORD --failed WORD"):
        filled(path, [grade])
    with pytest.raises(UsageError, match="“okay” is not in the worksheet's scale"):
        filled(path, [grade], wishes=Wishes(passed="okay", failed="failed"))
    told, _, _ = filled(path, [grade], wishes=Wishes(passed="passed", failed="failed"))
    assert told.rows[0].grade == "passed"


def test_a_team_s_grade_goes_to_each_member_by_their_own_number(worksheet, a_grade):
    path = worksheet([a_row(12, "Ada Example", group="Rockets"), a_row(13, "Bo Example", group="Rockets")])
    told, sheet, matched = filled(path, [a_grade("Rockets_900", id="900", name="Rockets", is_group=False)])
    assert [row.fate for row in told.rows] == [Fate.TAKEN, Fate.TAKEN]
    assert members(sheet.entries, matched) == {"Rockets_900": ("12", "13")}


def test_a_team_s_number_that_is_somebody_else_s_reaches_only_the_team(worksheet, a_grade):
    path = worksheet([a_row(12, "Ada Example", group="Comets"), a_row(13, "Bo Example", group="Rockets")])
    told, sheet, matched = filled(path, [a_grade("Rockets_12", id="12", name="Rockets")])
    assert [row.fate for row in told.rows] == [Fate.SKIPPED, Fate.TAKEN]
    assert members(sheet.entries, matched) == {"Rockets_12": ("13",)}


def test_two_hand_ins_of_one_person_are_in_doubt(worksheet, a_grade):
    path = worksheet([a_row(12, "Ada Example", group="Rockets")])
    grades = [
        a_grade("Rockets_900", id="900", name="Rockets"),
        a_grade("Ada_12", id="12", name="Ada Example"),
    ]
    told, _, _ = filled(path, grades)
    assert told.rows[0].fate is Fate.SKIPPED
    assert "not clear which hand-in is theirs" in told.rows[0].why
    assert told.content == path.read_bytes()


def test_a_hand_in_that_fits_no_row_is_named(worksheet, a_grade):
    _, _, matched = filled(worksheet([a_row(1)]), [a_grade("Participant_9", is_blind=True)])
    assert matched.unclaimed == ("Participant_9",)


def test_names_that_file_names_have_changed_still_match(worksheet, a_grade):
    path = worksheet([a_row(12, "Zoë O'Example-Müller")])
    told, _, _ = filled(path, [a_grade("Zoe_12", id="12", name="Zoe OExample Muller")])
    assert told.rows[0].fate is Fate.TAKEN
