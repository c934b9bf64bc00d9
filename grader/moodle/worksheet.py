"""Moodle's offline grading worksheet: its columns in English and German, and what each row says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Self

from grader.errors import UsageError
from grader.model import Record
from grader.moodle.sheet import Cell, Sheet

# As Moodle's language packs for mod_assign and its feedback plugins call the columns, in English and German.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "identifier": ("Identifier", "ID"),
    "name": ("Full name", "Vollständiger Name"),
    "status": ("Status",),
    "group": ("Group", "Gruppe"),
    "grade": ("Grade", "Bewertung"),
    "maximum": ("Maximum Grade", "Bestwertung"),
    "scale": ("Scale", "Skala"),
    "may_change": ("Grade can be changed", "Bewertung kann geändert werden"),
    "submitted": ("Last modified (submission)", "Zuletzt geändert (Abgabe)"),
    "graded": ("Last modified (grade)", "Zuletzt geändert (Bewertung)"),
    "comments": ("Feedback comments", "Feedback als Kommentar"),
}
NEEDED = ("identifier", "grade", "graded")
"""Columns without which Moodle does not take the file back."""

_NUMBER_AT_END = re.compile(r"(\d+)\s*$", re.ASCII)
_NO = {"no", "nein"}


class Entry(Record):
    """One row: `row` counts from 0 with the header, `participant` is Moodle's number in this assignment.

    Texts are as they stand there, "" where there is no such column. `maximum` is None for a scale.
    """

    row: int
    participant: str
    name: str
    group: str
    status: str
    grade: str
    maximum: Decimal | None
    scale: str
    is_locked: bool
    submitted: str
    comments: str


class Worksheet(Record):
    """A worksheet that a TA downloaded: the table, where its columns are, and its entries.

    `has_decimal_comma` is True where Moodle's language writes `7,5`.
    """

    sheet: Sheet
    columns: dict[str, int]
    entries: tuple[Entry, ...]
    has_decimal_comma: bool

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the worksheet at `path`.

        Raises `UsageError` when it is none: a column that Moodle needs is missing or stands there twice, a
        row has no participant's number, or two rows have the same.
        """
        sheet = Sheet.read(path)
        if not sheet.rows:
            raise UsageError(f"{path} has no rows: download the worksheet again.")
        columns = _columns([cell.text for cell in sheet.rows[0]], path)
        entries = tuple(
            _entry(number, row, columns, path) for number, row in enumerate(sheet.rows) if number > 0
        )
        first: dict[str, int] = {}
        for entry in entries:
            if entry.participant in first:
                raise UsageError(
                    f"{path}: participant {entry.participant} stands in rows {first[entry.participant] + 1} "
                    f"and {entry.row + 1}: download the worksheet again."
                )
            first[entry.participant] = entry.row
        header = {cell.text.strip().casefold() for cell in sheet.rows[0]}
        return cls(
            sheet=sheet,
            columns=columns,
            entries=entries,
            has_decimal_comma=COLUMNS["grade"][1].casefold() in header,
        )

    def written(self, points: Decimal) -> str:
        """Points as this worksheet writes numbers: two decimals, as Moodle has them."""
        text = f"{points:.2f}"
        return text.replace(".", ",") if self.has_decimal_comma else text


def number_in(text: str) -> Decimal | None:
    """The number that a cell holds, `7.5` or `7,5`; None for anything else, as `-` or nothing."""
    try:
        number = Decimal(text.strip().replace(",", "."))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _columns(header: Sequence[str], path: Path) -> dict[str, int]:
    folded = [title.strip().casefold() for title in header]
    found: dict[str, int] = {}
    for column, titles in COLUMNS.items():
        places = [place for place, title in enumerate(folded) if title in {t.casefold() for t in titles}]
        if len(places) > 1:
            raise UsageError(f"{path} has the column {titles[0]!r} twice: download the worksheet again.")
        if places:
            found[column] = places[0]
    missing = [COLUMNS[column][0] for column in NEEDED if column not in found]
    if missing:
        raise UsageError(
            f"{path} is no grading worksheet of Moodle's in English or German: it lacks "
            f"{', '.join(missing)}; download it under “Grading actions › Download grading worksheet”."
        )
    return found


def _entry(number: int, row: Sequence[Cell], columns: Mapping[str, int], path: Path) -> Entry:
    def text(column: str) -> str:
        place = columns.get(column)
        return row[place].text.strip() if place is not None and place < len(row) else ""

    identifier = _NUMBER_AT_END.search(text("identifier"))
    if identifier is None or max(columns[column] for column in NEEDED) >= len(row):
        raise UsageError(
            f"{path}, row {number + 1}: it names no participant as Moodle does (`Participant 101`), or "
            "breaks off: download the worksheet again."
        )
    return Entry(
        row=number,
        participant=identifier.group(1),
        name=text("name"),
        group=text("group"),
        status=text("status"),
        grade=text("grade"),
        maximum=number_in(text("maximum")),
        scale=text("scale"),
        is_locked=text("may_change").casefold() in _NO,
        submitted=text("submitted"),
        comments=text("comments"),
    )
