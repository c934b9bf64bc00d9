"""`gradebook.csv`: one row per hand-in, for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from decimal import Decimal

from grader.model import CriterionGrade, Grade, Participant, Rejected, Scale
from grader.report.order import natural
from grader.report.visible import show_hidden
from grader.report.wording import points

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def gradebook_csv(grades: Sequence[Grade], rejected: Sequence[Rejected]) -> str:
    """A table with a header, one row per hand-in, and one column of points per criterion.

    An empty cell is a criterion that waits for a person. What could not be graded has its reason
    in `remarks` and no points. Text that a spreadsheet would take for a formula begins with `'`.
    """
    columns = list(dict.fromkeys(criterion.id for grade in grades for criterion in grade.criteria))
    is_pass_fail = any(grade.scale is Scale.PASS_FAIL for grade in grades)
    head = ["submission", "participant", "name", "status", "score", "open_points", "max_points"]
    has_times = any(grade.late is not None for grade in grades)
    head += ["passed"] if is_pass_fail else []
    head += ["days_late", "final_score"] if has_times else []
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\n")
    writer.writerow([*head, *(harmless(column) for column in columns), "remarks"])
    rows = [(entry.id, _rejected_row(entry, len(head) - 4 + len(columns))) for entry in rejected]
    rows += [
        (grade.submission, _row(grade, columns, is_pass_fail=is_pass_fail, has_times=has_times))
        for grade in grades
    ]
    writer.writerows(row for _, row in sorted(rows, key=lambda pair: natural(pair[0])))
    return sheet.getvalue()


def harmless(text: str) -> str:
    """`text` as a spreadsheet may read it: never a formula, no hidden characters."""
    shown = show_hidden(text)
    return f"'{shown}" if shown.startswith(_STARTS_A_FORMULA) else shown


def _row(grade: Grade, columns: Sequence[str], *, is_pass_fail: bool, has_times: bool) -> list[str]:
    found = {criterion.id: criterion for criterion in grade.criteria}
    return [
        grade.submission,
        *_whose(grade.participant),
        "graded" if grade.is_settled else "open",
        *(points(amount) for amount in (grade.score, grade.open_points, grade.max_points)),
        *([{True: "yes", False: "no", None: ""}[grade.is_passed]] if is_pass_fail else []),
        *(_times(grade) if has_times else []),
        *(_awarded(found.get(column)) for column in columns),
        harmless(" ".join(grade.flags)),
    ]


def _times(grade: Grade) -> list[str]:
    days = "" if grade.late is None else str(grade.late.days)
    return [days, points(grade.final_score)]


def _rejected_row(entry: Rejected, blanks: int) -> list[str]:
    return [entry.id, *_whose(entry.participant), "not graded", *[""] * blanks, harmless(entry.reason)]


def _whose(participant: Participant) -> list[str]:
    return [harmless(participant.id or ""), harmless(participant.name or "")]


def _awarded(criterion: CriterionGrade | None) -> str:
    amount: Decimal | None = criterion.awarded if criterion is not None else None
    return "" if amount is None else points(amount)
