"""`grade export`: released grades for Moodle (worksheet, feedback files), tables for other programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from grader.course import Course
from grader.errors import StoreError, UsageError
from grader.gradebook.store import Gradebook
from grader.model import Grade, Record
from grader.moodle.feedback import write_feedback
from grader.moodle.filling import RowTold, Wishes, fill
from grader.moodle.matching import match, members
from grader.moodle.worksheet import Worksheet
from grader.releasing import still_to_tell
from grader.report.grade_file import grade_json
from grader.report.table import gradebook_csv


class MoodleExport(Record):
    """What was made for Moodle: where the files are, what becomes of each row, what goes to nobody.

    `unclaimed` are hand-ins that no row of the worksheet fits, `without_report` those whose report on disk
    does not show the grade that was released, each with why. `people` is how many get a report.
    """

    worksheet: Path
    feedback: Path
    rows: tuple[RowTold, ...]
    unclaimed: tuple[str, ...]
    without_report: dict[str, str]
    people: int


def export_to_moodle(
    course: Course, assignment: str, worksheet: Path, to: Path, wishes: Wishes, *, now: datetime
) -> MoodleExport:
    """Fill a copy of the TA's worksheet with the released grades, and zip the reports, below the folder `to`.

    The worksheet itself is not touched. Raises `UsageError` when it is none, lies in `to` itself, or nothing
    was graded; `StoreError` when `to` cannot be written.
    """
    sheet = Worksheet.read(worksheet)
    with Gradebook.open(course.state / "gradebook.sqlite") as gradebook:
        latest = gradebook.latest(assignment)
        earlier = gradebook.told_so_far(assignment)
    released = {name: told[-1] for name, told in earlier.items()}
    if not latest:
        raise UsageError(f"Nothing of {assignment} was graded yet: grade it first.")
    matched = match(sheet.entries, {name: grade.participant for name, grade in latest.items()})
    filled = fill(sheet, released, still_to_tell(latest, released), matched, wishes, earlier)
    filled_path, zip_path = to / worksheet.name, to / f"{assignment}-feedback.zip"
    if filled_path.resolve() == worksheet.resolve():
        raise UsageError(f"{worksheet} would be overwritten: name another folder with --to.")
    reports, without = _reports(course.reports / assignment, released)
    try:
        to.mkdir(parents=True, exist_ok=True)
        draft = to / f".{worksheet.name}.draft"
        draft.write_bytes(filled.content)
        draft.replace(filled_path)
        people = write_feedback(zip_path, reports, members(sheet.entries, matched), now=now)
    except OSError as error:
        raise StoreError(f"{to} cannot be written ({error.strerror}): make room or name another.") from error
    return MoodleExport(
        worksheet=filled_path,
        feedback=zip_path,
        rows=filled.rows,
        unclaimed=matched.unclaimed,
        without_report=without,
        people=people,
    )


def export_table(course: Course, assignment: str, form: str) -> str:
    """The latest grades as a `csv` table (as gradebook.csv) or as `json` (a list of what grade.json holds).

    Raises `UsageError` when nothing was graded.
    """
    with Gradebook.open(course.state / "gradebook.sqlite") as gradebook:
        grades = list(gradebook.latest(assignment).values())
    if not grades:
        raise UsageError(f"Nothing of {assignment} was graded yet: grade it first.")
    if form == "csv":
        return gradebook_csv(grades, ())
    return json.dumps([grade_json(grade) for grade in grades], ensure_ascii=False, indent=1) + "\n"


def _reports(folder: Path, released: Mapping[str, Grade]) -> tuple[dict[str, bytes], dict[str, str]]:
    """The pages that show the grades as released, and of the others why there is none."""
    reports: dict[str, bytes] = {}
    without: dict[str, str] = {}
    for name, grade in released.items():
        try:
            shown = json.loads((folder / name / "grade.json").read_bytes())
            page = (folder / name / "index.html").read_bytes()
        except (OSError, ValueError):
            without[name] = "there is no report: grade again"
            continue
        if shown == grade_json(grade):
            reports[name] = page
        else:
            without[name] = (
                "its report shows another state than the one released: type the grade command again, and if "
                "it still does, release what it shows"
            )
    return reports, without
