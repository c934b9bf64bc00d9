"""Times as Moodle writes them in a worksheet, in English and German."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from grader.model import Participant
from grader.moodle.matching import match, members
from grader.moodle.worksheet import Worksheet

_MONTHS = {
    name: number
    for names in (
        "january february march april may june july august september october november december",
        "januar februar märz april mai juni juli august september oktober november dezember",
    )
    for number, name in enumerate(names.split(), start=1)
}
_TIME = re.compile(
    r"(?P<day>\d{1,2})\.?\s+(?P<month>[^\W\d_]+)\s+(?P<year>\d{4}),?\s+(?P<hour>\d{1,2}):(?P<minute>\d{2})"
    r"(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?"
)


def time_in(text: str, zone: ZoneInfo) -> datetime | None:
    """The time in a cell (`Tuesday, 10 November 2026, 6:03 PM`, `Dienstag, 10. November 2026, 18:03`).

    None for anything else, as the `-` of whoever handed nothing in. Seconds are not told.
    """
    found = _TIME.search(text)
    month = _MONTHS.get(found["month"].casefold()) if found else None
    if found is None or month is None:
        return None
    hour = int(found["hour"])
    if found["half"]:
        hour = hour % 12 + (12 if found["half"] in "pP" else 0)
    try:
        return datetime(int(found["year"]), month, int(found["day"]), hour, int(found["minute"]), tzinfo=zone)
    except ValueError:
        return None


def hand_in_times(
    worksheet: Path, hand_ins: Mapping[str, Participant], zone: ZoneInfo
) -> dict[str, datetime]:
    """When each hand-in came, by id, as far as the worksheet tells; a team's when its last member says.

    Raises `UsageError` when it is no worksheet.
    """
    sheet = Worksheet.read(worksheet)
    told = {entry.participant: time_in(entry.submitted, zone) for entry in sheet.entries}
    owners = members(sheet.entries, match(sheet.entries, hand_ins))
    times = {name: [told[number] for number in numbers] for name, numbers in owners.items()}
    return {
        name: max(moment for moment in found if moment is not None)
        for name, found in times.items()
        if any(moment is not None for moment in found)
    }
