"""Times in a worksheet."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from moodle.made_up import a_row

from grader.model import Participant
from grader.moodle.times import hand_in_times, time_in

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Tuesday, 10 November 2026, 6:03 PM", (2026, 11, 10, 18, 3)),
        ("Tuesday, 10 November 2026, 12:03 AM", (2026, 11, 10, 0, 3)),
        ("10 November 2026, 18:03", (2026, 11, 10, 18, 3)),
        ("Dienstag, 10. März 2026, 18:03", (2026, 3, 10, 18, 3)),
    ],
)
def test_english_and_german(text, moment):
    assert time_in(text, BERLIN) == datetime(*moment, tzinfo=BERLIN)


@pytest.mark.parametrize("text", ["-", "", "31 February 2026, 10:00", "10 Brumaire 2026, 10:00"])
def test_anything_else_is_no_time(text):
    assert time_in(text, BERLIN) is None


def test_a_team_handed_in_when_its_last_member_did(worksheet):
    path = worksheet(
        [
            a_row(12, group="Rockets", **{"last_modified_(submission)": "9 November 2026, 10:00"}),
            a_row(13, group="Rockets", **{"last_modified_(submission)": "10 November 2026, 10:00"}),
            a_row(14, **{"last_modified_(submission)": "-"}),
        ]
    )
    hand_ins = {
        "Rockets_900": Participant(id="900", name="Rockets", is_group=True),
        "Participant_14": Participant(id="14", is_blind=True),
    }
    assert hand_in_times(path, hand_ins, BERLIN) == {"Rockets_900": datetime(2026, 11, 10, 10, tzinfo=BERLIN)}
