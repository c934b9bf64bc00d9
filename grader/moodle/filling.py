"""Fills a worksheet in place, and says beforehand which rows Moodle will take and which it will skip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from grader.errors import UsageError
from grader.model import Grade, Record, Scale, plain_amount
from grader.moodle.matching import Matched
from grader.moodle.worksheet import Entry, Worksheet, number_in


class Fate(StrEnum):
    """What becomes of a row."""

    TAKEN = "taken"  # Moodle will take the grade
    COMMENT_ONLY = "comment_only"  # the grade is there already, the comment is new
    UNCHANGED = "unchanged"  # all of it is there already
    SKIPPED = "skipped"  # for the reason that is given


class RowTold(Record):
    """What becomes of one participant's row, and why; `submission` is the hand-in it stands for, if any."""

    participant: str
    name: str
    fate: Fate
    why: str = ""
    submission: str | None = None
    grade: str = ""


class Filled(NamedTuple):
    """A worksheet's bytes with grades and comments in their cells, and what becomes of each row."""

    content: bytes
    rows: tuple[RowTold, ...]


class Wishes(Record):
    """How grades are told. `is_capped` cuts what is above Moodle's maximum, `is_rescaled` stretches the
    rubric's points to it; `passed` and `failed` are the words of Moodle's scale.
    """

    is_capped: bool = False
    is_rescaled: bool = False
    passed: str | None = None
    failed: str | None = None
    has_comments: bool = True


def fill(
    worksheet: Worksheet,
    released: Mapping[str, Grade],
    open_ones: Mapping[str, str],
    matched: Matched,
    wishes: Wishes,
    earlier: Mapping[str, Sequence[Grade]] | None = None,
) -> Filled:
    """Put the released grades into the worksheet.

    `released` are grades by hand-in; `open_ones` says of every other hand-in why it has none. A higher grade
    that stands there is lowered only if it is one of the `earlier` released ones, by hand-in: that was signed
    for. A row that gets
    nothing keeps every byte; so does everything but the cells of grade and comment. A comment that somebody
    has written there stays. Raises `UsageError` when the worksheet goes by a scale and no words for it are
    given.
    """
    cells: dict[tuple[int, int], str] = {}
    rows = []
    for entry in worksheet.entries:
        told = _told(entry, worksheet, released, open_ones, matched, wishes, earlier or {})
        rows.append(told)
        if told.fate is Fate.TAKEN:
            cells[entry.row, worksheet.columns["grade"]] = told.grade
        if told.fate in (Fate.TAKEN, Fate.COMMENT_ONLY) and _wants_comment(entry, worksheet, wishes):
            assert told.submission is not None
            cells[entry.row, worksheet.columns["comments"]] = comment_on(released[told.submission])
    return Filled(worksheet.sheet.replaced(cells), tuple(rows))


def comment_on(grade: Grade) -> str:
    """The comment that goes with a grade: where it says why."""
    points = f"{plain_amount(grade.final_score)} of {plain_amount(grade.max_points)} points"
    return f"{points}. The file report.html says what for."


def _told(
    entry: Entry,
    worksheet: Worksheet,
    released: Mapping[str, Grade],
    open_ones: Mapping[str, str],
    matched: Matched,
    wishes: Wishes,
    earlier: Mapping[str, Sequence[Grade]],
) -> RowTold:
    def told(fate: Fate, why: str = "", submission: str | None = None, grade: str = "") -> RowTold:
        return RowTold(
            participant=entry.participant,
            name=entry.name,
            fate=fate,
            why=why,
            submission=submission,
            grade=grade,
        )

    theirs = matched.handed_in[entry.participant]
    if not theirs:
        return told(Fate.SKIPPED, "no hand-in of theirs was graded")
    if len(theirs) > 1:
        return told(Fate.SKIPPED, f"it is not clear which hand-in is theirs: {', '.join(theirs)}")
    submission = theirs[0]
    grade = released.get(submission)
    if grade is None:
        return told(Fate.SKIPPED, open_ones.get(submission, "it is not released"), submission)
    if entry.is_locked:
        return told(Fate.SKIPPED, "Moodle has the grade locked", submission)
    try:
        text = _text(grade, entry, worksheet, wishes)
    except _OutOfRangeError as why:
        return told(Fate.SKIPPED, str(why), submission)
    if _says(entry.grade, text):
        fate = Fate.COMMENT_ONLY if _wants_comment(entry, worksheet, wishes) else Fate.UNCHANGED
        return told(fate, "the grade is there already", submission, text)
    if _is_lower(text, entry.grade) and not _was_told(entry, worksheet, earlier.get(submission, ()), wishes):
        standing = f"Moodle has a higher grade, {entry.grade}, that was not released here"
        return told(Fate.SKIPPED, f"{standing}: lower it there, if at all", submission)
    return told(Fate.TAKEN, "", submission, text)


def _is_lower(text: str, cell: str) -> bool:
    new, old = number_in(text), number_in(cell)
    return new is not None and old is not None and new < old


def _was_told(entry: Entry, worksheet: Worksheet, grades: Sequence[Grade], wishes: Wishes) -> bool:
    """Whether what stands in the worksheet is one of these grades."""
    for grade in grades:
        with suppress(_OutOfRangeError):
            if _says(entry.grade, _text(grade, entry, worksheet, wishes)):
                return True
    return False


class _OutOfRangeError(Exception):
    """A grade that Moodle would not take; says why."""


def _text(grade: Grade, entry: Entry, worksheet: Worksheet, wishes: Wishes) -> str:
    """A grade as it stands in its cell."""
    if entry.maximum is None and entry.scale:
        return _in_words(grade, entry.scale, wishes)
    points = grade.final_score
    if wishes.is_rescaled and entry.maximum is not None and grade.max_points:
        points = (points * entry.maximum / grade.max_points).quantize(Decimal("0.01"))
    if entry.maximum is not None and points > entry.maximum:
        if not wishes.is_capped:
            most = plain_amount(entry.maximum)
            raise _OutOfRangeError(
                f"{plain_amount(points)} points are above Moodle's maximum of {most}: raise it in Moodle, "
                "or cut them with --cap"
            )
        points = entry.maximum
    return worksheet.written(points)


def _in_words(grade: Grade, scale: str, wishes: Wishes) -> str:
    shown = f"“{' '.join(scale.split())}”"
    if grade.scale is not Scale.PASS_FAIL or wishes.passed is None or wishes.failed is None:
        raise UsageError(
            f"The worksheet goes by the scale {shown}: for a rubric of pass and fail name its words with "
            "--passed WORD --failed WORD; else let the assignment go by points in Moodle."
        )
    for word in (wishes.passed, wishes.failed):
        if word not in scale:
            raise UsageError(f"“{word}” is not in the worksheet's scale {shown}: write it as there.")
    if grade.is_passed is None:
        raise _OutOfRangeError("whether it is passed is still open")
    return wishes.passed if grade.is_passed else wishes.failed


def _says(cell: str, text: str) -> bool:
    old, new = number_in(cell), number_in(text)
    return cell == text if old is None or new is None else old == new


def _wants_comment(entry: Entry, worksheet: Worksheet, wishes: Wishes) -> bool:
    return wishes.has_comments and "comments" in worksheet.columns and not entry.comments
