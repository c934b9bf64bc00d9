"""`decisions.csv`: what a TA decided, written in a spreadsheet beside the hand-ins.

One row per decision, with the columns submission, criterion, points, comment and who, in any order.
The file is the present state of its decisions: a row that is added or changed is a new decision, a
row that is removed withdraws its own, and the gradebook keeps the history of all of it
(`Gradebook.replace_decisions`). Deleting the whole file withdraws nothing: a file that was moved must
not cost anybody a decision; a file with only its header withdraws all of them.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path

from rapidfuzz import process

from grader.errors import UsageError
from grader.model import Override, Participant

COLUMNS = ("submission", "criterion", "points", "comment", "who")
MAX_BYTES = 5 * 1024**2
_SPREADSHEET = "save it as “CSV UTF-8”"

Row = tuple[int, dict[str, str]]  # the line it starts in, its cells by column


def read_decisions(
    path: Path, points: Mapping[str, Decimal], submissions: Mapping[str, Participant], *, now: datetime
) -> tuple[Override, ...]:
    """The decisions in the file at `path`, all of them right, in the order of their rows.

    `points` is the most that each criterion can give, by id (`Rubric.points_by_criterion`);
    `submissions` are the submissions that a row may speak of, by id, those graded before included.
    A submission is named by its id (`Participant_101`) or its participant's number (`101`). Comma,
    semicolon or tab, UTF-8 with or without a byte-order mark, `7.5` or `7,5`. `now` becomes the
    decisions' time; the gradebook keeps the first one for a row that stays as it is.

    Raises `UsageError` with everything that is wrong, one line each, with file, line and mend.
    """
    problems: list[str] = []
    overrides: list[Override] = []
    first_lines: dict[tuple[str, str], int] = {}
    for line, row in _rows(path):
        try:
            override = _override(row, points, submissions, now)
            key = (override.submission, override.criterion)
            if key in first_lines:
                raise UsageError(f"line {first_lines[key]} already decides this: remove one of the two")
            first_lines[key] = line
            overrides.append(override)
        except UsageError as error:
            problems.append(f"{path}, line {line}: {error}")
    if problems:
        raise UsageError("\n".join(problems))
    return tuple(overrides)


def _override(
    row: dict[str, str], points: Mapping[str, Decimal], submissions: Mapping[str, Participant], now: datetime
) -> Override:
    """One row as a decision; `UsageError` with all that is wrong with it, in one sentence."""
    wrong: list[str] = []
    submission = criterion = who = ""
    given = Decimal(0)
    try:
        submission = _submission(row["submission"], submissions)
    except UsageError as error:
        wrong.append(str(error))
    criterion = row["criterion"]
    if criterion not in points:
        wrong.append(f"there is no criterion {criterion!r}{_did_you_mean(criterion, points)}")
    try:
        given = _points(row["points"], points.get(criterion))
    except UsageError as error:
        wrong.append(str(error))
    who = row["who"]
    if not who:
        wrong.append("the column `who` is empty: write who decided")
    if wrong:
        raise UsageError("; ".join(wrong))
    return Override(
        submission=submission, criterion=criterion, points=given, comment=row["comment"], who=who, when=now
    )


def _submission(text: str, submissions: Mapping[str, Participant]) -> str:
    if text in submissions:
        return text
    wanted = text.replace(" ", "_").casefold()
    fitting = [name for name in submissions if name.casefold() == wanted]
    if text.isascii() and text.isdigit():
        fitting += [name for name, whose in submissions.items() if whose.id == text]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise UsageError(f"the submission {text!r} may be any of {', '.join(sorted(fitting))}: write which")
    if not text:
        raise UsageError("the column `submission` is empty: write its id, as on the class page")
    raise UsageError(f"there is no submission {text!r}{_did_you_mean(text, submissions)}")


def _points(text: str, most: Decimal | None) -> Decimal:
    if not text:
        raise UsageError("the column `points` is empty: write a number, or remove the row")
    if re.fullmatch(r"[-+]?\d{1,6}([.,]\d*)?", text, re.ASCII) is None:
        raise UsageError(f"the points {text[:20]!r} are not a number: write them like 0.5")
    points = Decimal(text.replace(",", "."))
    if points < 0 or (most is not None and points > most):
        raise UsageError(
            f"{text} points are out of range: from 0 to {most if most is not None else 'the maximum'}"
        )
    if points != points.quantize(Decimal("0.01")):
        raise UsageError(f"the points {text[:20]!r} are too fine: at most two decimals")
    return points


def _rows(path: Path) -> Iterator[Row]:
    """The rows below the header that say anything; `UsageError` when it is no such table."""
    text = _text(path)
    lines = text.splitlines(keepends=True)
    skipped = 0
    while lines and (not lines[0].strip() or lines[0].lower().startswith("sep=")):
        lines.pop(0)
        skipped += 1
    if not lines:
        raise UsageError(f"{path}: the file is empty: its first line is {','.join(COLUMNS)}")
    delimiter = max(",;\t", key=lines[0].count)
    reader = csv.reader(StringIO("".join(lines), newline=""), delimiter=delimiter, strict=True)
    try:
        header = _header(next(reader), path, skipped + 1)
        before = reader.line_num
        for cells in reader:
            line, before = skipped + before + 1, reader.line_num
            cells = [cell.strip() for cell in cells]
            if not any(cells):
                continue
            if len(cells) > len(header) and any(cells[len(header) :]):
                raise UsageError(
                    f"{path}, line {line}: {len(cells)} cells, but the header has {len(header)}: put text or "
                    f"numbers that contain {delimiter!r} in double quotes"
                )
            cells += [""] * (len(header) - len(cells))
            yield line, {name: cell for name, cell in zip(header, cells, strict=False) if name in COLUMNS}
    except csv.Error as error:
        line = skipped + reader.line_num
        raise UsageError(f"{path}, line {line}: this is not a CSV row ({error}): {_SPREADSHEET}") from error


def _header(cells: Iterable[str], path: Path, line: int) -> list[str]:
    header = [cell.strip().casefold() for cell in cells]
    for column in COLUMNS:
        if header.count(column) > 1:
            raise UsageError(f"{path}, line {line}: the column {column!r} stands there twice: remove one")
        if column not in header:
            others = [name for name in header if name not in COLUMNS]
            hint = process.extractOne(column, others, score_cutoff=60)
            instead = f", {hint[0]!r} does" if hint else ""
            raise UsageError(
                f"{path}, line {line}: the column {column!r} is missing{instead}: the first line must name "
                f"{', '.join(COLUMNS)}"
            )
    return header


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path}: the decisions cannot be read ({error.strerror})") from error
    if len(raw) > MAX_BYTES:
        raise UsageError(f"{path}: this file is larger than {MAX_BYTES // 1024**2} MiB: is it the right one?")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise UsageError(f"{path}, line {line}: this is not UTF-8 text: {_SPREADSHEET}") from error


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    nearest = process.extractOne(word, list(known), score_cutoff=60)
    return f": did you mean {nearest[0]!r}?" if nearest else ""
