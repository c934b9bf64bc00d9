"""What the outputs of a notebook say: numbers with their meaning, series over steps, figures, errors.

Precision goes before completeness: a number whose meaning is not told beside it is not read. A loss of
nan or inf is recorded as `DIVERGED` (the largest float), because JSON has neither; an accuracy of nan is
left out. All of it is bounded: long outputs, lines and lists are read at their head and tail.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from grader.notebook.measures import DIVERGED, Measured, read_line
from grader.notebook.mode_times import printed_times
from grader.notebook.reading import MAX_OUTPUT_CHARS
from grader.notebook.records import (
    Cell,
    Notebook,
    Number,
    Output,
    OutputKind,
    Quantity,
    Readings,
    Series,
    Split,
)
from grader.notebook.shown import is_plain_value, named_by_source, split_by_source
from grader.notebook.tables import read_table
from grader.notebook.terminal import shorten
from grader.notebook.tokens import Line
from grader.notebook.words import Label

__all__ = ["DIVERGED", "SHARE", "read_outputs"]

MAX_LINE_CHARS = 20_000
MAX_NUMBERS_PER_CELL = 4_000
MAX_JOINED_LINES = 100
MAX_SHARE_LINES = 500  # of one output, and of one cell
MAX_SHARE_CHARS = 500
_TEXT_CHARS = 200

SHARE = re.compile(r"(?<![\d.])0?\.\d{2,}|\d[.,]\d+ ?%")
"""A number as accuracies are written: 0.95, .951, 95.1 %."""

_MENTIONS = re.compile(
    r"acc|loss|genau|fehler|error.?rate|misclass|entropy|xent|cost|verlust|nll", re.IGNORECASE
)
_EPOCH_LINE = re.compile(r"^\s*epoch\s*:?\s*(\d{1,9})\s*/\s*\d{1,9}\s*:?\s*$", re.IGNORECASE)
_BAR = re.compile(r"^\s*(\d{1,9})/(\d{1,9}|unknown)\b", re.IGNORECASE)
_VALIDATION_NAME = re.compile(r"\bval_(?:loss|acc)", re.IGNORECASE)

_SYMBOLIC = re.compile(
    r'Tensor\("[^"\n]{0,200}"[^()\n]{0,60}(?:\([^()\n]{0,60}\)[^()\n]{0,60})?\)'
    r"|<tf\.Tensor '[^'\n]{0,200}'[^<>\n]{0,200}>"
)
_SHOWN_TENSOR = re.compile(r"<tf\.[^<>\n]{0,200}?numpy=([^<>]{1,20000})>")
_TENSOR = re.compile(r"tf\.Tensor\(([^()]{1,20000}), shape=\([^()]{0,80}\), dtype=\w{1,20}\)")
_SCALAR = re.compile(r"(?:np|numpy|jnp)\.float\d{0,3}\(([^()]{1,60})\)")
_ARRAY = re.compile(r"array\(([^()]{1,20000}?)(?:, dtype=\w{1,20})?\)")


def read_outputs(notebook: Notebook) -> Readings:
    """The numbers, series, figures and errors in the outputs of `notebook`, in the order of its cells.

    Accuracies are fractions: per cents are divided, error rates (only where they are called that) are
    taken from one. `figures` holds the cell of each image.
    """
    numbers: list[Number] = []
    series: list[Series] = []
    figures: list[int] = []
    errors: list[tuple[int, str]] = []
    for cell in notebook.code_cells:
        found = _capped(list(_numbers(cell)))
        numbers.extend(found)
        series.extend(_series(cell.number, found))
        for output in cell.outputs:
            if output.image is not None:
                figures.append(cell.number)
            if output.kind is OutputKind.ERROR:
                errors.append((cell.number, _error(output)))
    return Readings(
        numbers=tuple(numbers),
        series=tuple(series),
        figures=tuple(figures),
        errors=tuple(errors),
        lines=tuple((cell.number, line) for cell in notebook.code_cells for line in _lines_with_shares(cell)),
        times=tuple(time for cell in notebook.code_cells for time in printed_times(cell)),
        cells_with_output=sum(1 for cell in notebook.code_cells if cell.outputs),
        code_cells=len(notebook.code_cells),
    )


def _lines_with_shares(cell: Cell) -> Iterator[str]:
    """The different printed lines of a cell that hold a share, the first of them."""
    printed = (o.text for o in cell.outputs if o.kind is not OutputKind.ERROR and not o.is_stderr)
    heads = (line[:MAX_SHARE_CHARS] for text in printed for line in text.split("\n")[:MAX_SHARE_LINES])
    return islice(dict.fromkeys(line for line in heads if SHARE.search(line)), MAX_SHARE_LINES)


def _error(output: Output) -> str:
    first = (output.error_value or "").strip().split("\n", 1)[0]
    return f"{output.error_name or 'Error'}: {first}"[:300]


def _capped(numbers: list[Number]) -> list[Number]:
    half = MAX_NUMBERS_PER_CELL // 2
    return numbers if len(numbers) <= MAX_NUMBERS_PER_CELL else numbers[:half] + numbers[-half:]


def _series(cell: int, numbers: Sequence[Number]) -> Iterator[Series]:
    grouped: dict[tuple[Quantity, Split], list[Number]] = {}
    for number in numbers:
        grouped.setdefault((number.quantity, number.split), []).append(number)
    for (quantity, split), members in grouped.items():
        if len(members) > 1:
            yield Series(
                quantity=quantity,
                split=split,
                cell=cell,
                steps=tuple(member.step for member in members),
                values=tuple(member.value for member in members),
            )


def _numbers(cell: Cell) -> Iterator[Number]:
    for output in cell.outputs:
        if output.kind is OutputKind.ERROR or not output.text:
            continue
        text = _without_wrappers(shorten(output.text, MAX_OUTPUT_CHARS)[0])
        named = named_by_source(cell, text)
        if named is not None:
            text = named
        for line, measured in _TextReader(_lines(text)).read():
            split = measured.split
            if split is Split.UNKNOWN:
                split = split_by_source(cell, line)
            yield Number(
                quantity=measured.quantity,
                split=split,
                value=measured.value,
                cell=cell.number,
                step=measured.step,
                text=_around(line, measured.at),
            )


def _around(line: str, at: int) -> str:
    if len(line.strip()) <= _TEXT_CHARS:
        return line.strip()
    start = max(0, at - _TEXT_CHARS // 2)
    return line[start : start + _TEXT_CHARS].strip()


def _without_wrappers(text: str) -> str:
    """`tf.Tensor(0.95, shape=(), dtype=float32)` and its like become `0.95`; symbolic tensors a word."""
    if "ensor" in text or "tf." in text:
        text = _SHOWN_TENSOR.sub(r"\1", text)
        text = _TENSOR.sub(r"\1", text)
        text = _SYMBOLIC.sub(" symbolic ", text)
    if "float" in text:
        text = _SCALAR.sub(r"\1", text)
    return _ARRAY.sub(r"\1", text) if "array(" in text else text


def _lines(text: str) -> list[str]:
    """The lines of a text; an open list of numbers is one line, and no line is longer than the cap."""
    lines: list[str] = []
    pending: list[str] = []
    for line in text.split("\n"):
        if len(line) > MAX_LINE_CHARS:
            line = line[: MAX_LINE_CHARS // 2] + " ; " + line[-MAX_LINE_CHARS // 2 :]
        pending.append(line)
        depth = sum(part.count("[") - part.count("]") for part in pending[-1:])
        if len(pending) == 1 and not (depth > 0 and _MENTIONS.search(line)):
            lines.append(pending.pop())
        elif len(pending) > 1 and (depth < 0 or len(pending) > MAX_JOINED_LINES):
            closed = depth < 0 and sum(map(len, pending)) <= MAX_LINE_CHARS
            lines.extend([" ".join(pending)] if closed else pending)
            pending = []
    return lines + pending


class _TextReader:
    """Reads the lines of one output, with what earlier lines say of later ones."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.epoch: int | None = None  # of a Keras log, for its bars
        self.heading: Split | None = None  # of a line such as `Test set:`
        self.heading_holds = 0
        self.waiting: Label | None = None  # named at the end of the line before

    def read(self) -> Iterator[tuple[str, Measured]]:
        """The numbers in order, each with its line."""
        place = 0
        while place < len(self.lines):
            line = self.lines[place]
            if _MENTIONS.search(line):
                rows, after = read_table(self.lines, place)
                if rows:
                    yield from ((self.lines[row], measured) for row, measured in rows)
                    self.waiting, place = None, after
                    continue
            yield from ((line, measured) for measured in self._line(line))
            place += 1

    def _line(self, line: str) -> Iterator[Measured]:
        epoch = _EPOCH_LINE.match(line)
        if epoch:
            self.epoch = int(epoch[1])
            return
        bar = _BAR.match(line)
        is_bar = bar is not None
        if line.strip() and not is_bar:
            self.epoch = None
        waiting, self.waiting = self.waiting, None
        if not _MENTIONS.search(line):
            if waiting is not None and is_plain_value(line):
                part = "" if waiting.split is Split.UNKNOWN else f"{waiting.split.value} "
                for measured in read_line(f"{part}{waiting.quantity.value}: {line.strip()}").numbers:
                    yield measured._replace(at=0)
            elif not is_bar:
                self._heading(line)
            return
        step = self.epoch if is_bar else None
        reading = read_line(line, step)
        self.waiting = reading.waiting
        is_fit = bool(_VALIDATION_NAME.search(line)) or (is_bar and self.epoch is not None)
        if bar is not None and bar[1] == bar[2]:  # the epoch is over: a further bar is an evaluation's
            self.epoch = None
        for measured in reading.numbers:
            if measured.split is Split.UNKNOWN:
                split = Split.TRAIN if is_fit else self.heading or Split.UNKNOWN
                measured = measured._replace(split=split)
            yield measured
        self.heading_holds -= 1
        if self.heading_holds <= 0:
            self.heading = None

    def _heading(self, line: str) -> None:
        """`Test set:` and `--- Training ---` say which data the next lines speak of."""
        text = line.strip()
        if not text:
            self.heading = None
        elif len(text) <= 80 and (text.endswith(":") or text.startswith(("---", "===", "***", "##"))):
            tokens = Line(text)
            splits = {split for p in range(len(tokens)) if (split := tokens.split_at(p)) is not None}
            self.heading = splits.pop() if len(splits) == 1 else None
            self.heading_holds = 3
        else:
            self.heading = None
