"""The zip that Moodle's “Upload multiple feedback files in a zip” takes: one report for each person."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

# Moodle reads the folder's name up to the fourth `_`: anything, a participant's number, plugin type, plugin.
# It reads the number as a *participant's* also in team mode, so each member gets a folder of their own.
_FOLDER = "Participant_{number}_assignfeedback_file"
REPORT = "report.html"


def write_feedback(
    path: Path, reports: Mapping[str, bytes], members: Mapping[str, Sequence[str]], *, now: datetime
) -> int:
    """Write the zip to `path`, all of it or nothing; return how many people get a report.

    `reports` are pages by hand-in, `members` the participants' numbers to whom each belongs.
    """
    draft = path.with_name(f".{path.name}.draft")
    count = 0
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
        for submission, page in reports.items():
            for number in members.get(submission, ()):
                name = f"{_FOLDER.format(number=number)}/{REPORT}"
                info = zipfile.ZipInfo(name, date_time=now.timetuple()[:6])
                info.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(info, page)
                count += 1
    draft.replace(path)
    return count
