"""A table of separated values whose cells can be replaced without touching any other byte."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, Self

from grader.errors import UsageError
from grader.model import Record

MAX_BYTES = 20 * 1024**2
_DELIMITERS = ",;\t"
_MARKS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_OTHERWISE = "cp1252"  # what spreadsheets in Western Europe write where they do not write UTF-8


class Cell(NamedTuple):
    """One cell: what it says, and where it stands in the table's text, quotes included."""

    text: str
    start: int
    end: int


class Sheet(Record):
    """A table as it lies on disk: its text, byte-order mark aside, and its rows of cells.

    `mark` are the bytes before the text, `encoding` is how it was read and is written again.
    """

    mark: bytes
    encoding: str
    delimiter: str
    content: str
    rows: tuple[tuple[Cell, ...], ...]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the table at `path`; the delimiter is the one that is most frequent in its first line.

        Raises `UsageError` when it cannot be read, is empty or too large, or a quoted cell never ends.
        """
        try:
            raw = path.read_bytes()
        except OSError as error:
            raise UsageError(f"{path} cannot be read ({error.strerror}): name the file.") from error
        if len(raw) > MAX_BYTES:
            raise UsageError(f"{path} is larger than {MAX_BYTES // 1024**2} MiB: is it the worksheet?")
        mark, encoding, content = _decoded(raw, path)
        first = content.split("\n", 1)[0]
        if not first.strip():
            raise UsageError(f"{path} has no header in its first line: download the worksheet again.")
        delimiter = max(_DELIMITERS, key=first.count)
        rows = tuple(tuple(row) for row in _rows(content, delimiter, path))
        return cls(mark=mark, encoding=encoding, delimiter=delimiter, content=content, rows=rows)

    def replaced(self, cells: Mapping[tuple[int, int], str]) -> bytes:
        """The bytes of the table with other text in some cells, by row and column counted from 0.

        Cells that are not named keep their bytes. Raises `UsageError` where the table's encoding cannot hold
        the text.
        """
        pieces: list[str] = []
        position = 0
        for row, column in sorted(cells):
            cell = self.rows[row][column]
            pieces += [self.content[position : cell.start], self._quoted(cells[row, column])]
            position = cell.end
        text = "".join([*pieces, self.content[position:]])
        try:
            return self.mark + text.encode(self.encoding)
        except UnicodeEncodeError as error:
            letter = text[error.start]
            raise UsageError(
                f"The worksheet's encoding {self.encoding} has no {letter!r}, which stands in a comment: "
                "download the worksheet again as Moodle writes it (UTF-8)."
            ) from error

    def _quoted(self, text: str) -> str:
        if any(sign in text for sign in (self.delimiter, '"', "\n", "\r")):
            return '"' + text.replace('"', '""') + '"'
        return text


def _decoded(raw: bytes, path: Path) -> tuple[bytes, str, str]:
    for mark, encoding in _MARKS.items():
        if raw.startswith(mark):
            try:
                return mark, encoding, raw[len(mark) :].decode(encoding)
            except UnicodeDecodeError as error:
                raise UsageError(f"{path} is damaged ({error.reason}): download it again.") from error
    try:
        return b"", "utf-8", raw.decode("utf-8")
    except UnicodeDecodeError:
        pass
    try:
        return b"", _OTHERWISE, raw.decode(_OTHERWISE)
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no text ({error.reason}): is it the worksheet?") from error


def _rows(content: str, delimiter: str, path: Path) -> Iterator[list[Cell]]:
    """The rows of a table as RFC 4180 has them, with any line end; empty lines are no rows."""
    position = 0
    row: list[Cell] = []
    cell_end = re.compile(f"[{delimiter}\n\r]|\\Z")
    while position < len(content):
        cell = _cell(content, position, cell_end, path)
        row.append(cell)
        position = cell.end
        if content.startswith(delimiter, position):
            position += 1
            if position == len(content):
                row.append(Cell("", position, position))
            continue
        position = _after_line_end(content, position)
        if len(row) > 1 or row[0].text:
            yield row
        row = []
    if row:
        yield row


def _cell(content: str, start: int, cell_end: re.Pattern[str], path: Path) -> Cell:
    if not content.startswith('"', start):
        end = _end(cell_end, content, start)
        return Cell(content[start:end], start, end)
    close = start + 1
    while True:
        close = content.find('"', close)
        if close < 0:
            line = content.count("\n", 0, start) + 1
            raise UsageError(f"{path}, line {line}: a quoted cell never ends: download the worksheet again.")
        if not content.startswith('""', close):
            break
        close += 2
    end = _end(cell_end, content, close + 1)
    text = content[start + 1 : close].replace('""', '"') + content[close + 1 : end]
    return Cell(text, start, end)


def _end(cell_end: re.Pattern[str], content: str, start: int) -> int:
    found = cell_end.search(content, start)
    return found.start() if found else len(content)


def _after_line_end(content: str, position: int) -> int:
    return position + (2 if content.startswith("\r\n", position) else 1)
