"""Times that say whether they are of graphs or of eager steps: printed, and typed in the text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from grader.notebook.mode_tables import may_begin_table, read_mode_table
from grader.notebook.modes import (
    OF_ELSE,
    Duration,
    Mode,
    durations_in,
    is_per_step,
    mentions_in,
    mode_of,
    names_mode,
    without_spreads,
)
from grader.notebook.prose import Origin, Prose
from grader.notebook.records import Cell, ModeTime, OutputKind

_MOST_LINES = 500  # of one output, and of one cell
_MOST_CHARS = 500
_MOST_TABLES = 50  # in the outputs of one cell; lines that only look like a header are among them
_HEADING_CHARS = 80
_BAR = re.compile(r"^\s*\d{1,9}/\d{1,9}\b.*?(?P<each>\d+ ?(?:ms|us|µs|s)/(?:step|epoch))")
_PROCESSOR = re.compile(r"^\s*CPU times:")
_BARE = re.compile(r"[:=]\s*(?P<number>\d{1,6}\.\d{1,20}(?:e-?\d{1,2})?)\s*$")
_CLOCK = re.compile(r"\bperf_counter|\btime\.time\b|\btimeit\b|\btime\(\)|\bmonotonic\b|\bprocess_time\b")
_SENTENCE = re.compile(r"(?<=[.!?;])\s+(?=\S)")


class _Told(NamedTuple):
    """A time in a line, before its cell is known."""

    seconds: float
    mode: Mode | None
    is_per_step: bool
    label: str = ""


def printed_times(cell: Cell) -> Iterator[ModeTime]:
    """The times in what a cell printed: in lines, below headings that name a mode, and in tables."""
    is_timed = _CLOCK.search(cell.source) is not None
    printed = (out.text for out in cell.outputs if out.kind is not OutputKind.ERROR and not out.is_stderr)
    lines = islice((line for text in printed for line in text.split("\n")), _MOST_LINES)
    for told in _of_lines([line[:_MOST_CHARS] for line in lines], is_timed=is_timed):
        yield _with_cell(told, cell.number)


def typed_times(prose: Prose) -> Iterator[ModeTime]:
    """The times that say which mode they are of in text cells: in tables, lists and sentences."""
    above = ""
    for passage in prose.passages:
        if passage.origin is not Origin.MARKDOWN:
            continue
        lines = passage.text.split("\n")[:_MOST_LINES]
        around = " ".join((above, *passage.headings[-1:]))
        if names_mode(f"{passage.text} {around}"):  # bare `with` may be about anything
            for told in _of_passage(lines, around):
                if told.mode is not None:
                    yield _with_cell(told, passage.cell)
        above = passage.text[-_MOST_CHARS:]


def takes_times(sources: Sequence[str]) -> bool:
    """Whether code reads a clock."""
    return any(_CLOCK.search(source) or re.search(r"^\s*%%?time", source, re.M) for source in sources)


def _of_lines(lines: Sequence[str], *, is_timed: bool) -> Iterator[_Told]:
    """The times in printed lines; equal lines once."""
    seen: set[str] = set()
    above: Mode | None = None
    place = 0
    tables = _MOST_TABLES if mentions_in("\n".join(lines)) else 0
    while place < len(lines):
        line = lines[place]
        if tables and may_begin_table(line):
            tables -= 1
            times, after = read_mode_table(lines, place, "time" if is_timed else "")
            yield from (_Told(time.seconds, time.mode, time.is_per_step, time.label) for time in times)
            if times:
                place = after
                continue
        place += 1
        if line in seen or _PROCESSOR.match(line):
            continue
        seen.add(line)
        found = list(_of_line(line, is_timed=is_timed))
        if not found and len(line) <= _HEADING_CHARS and mentions_in(line):
            above = mode_of(line)
        for told in found:
            yield told if told.mode else told._replace(mode=above)


def _of_line(line: str, *, is_timed: bool) -> Iterator[_Told]:
    """The times in one printed line; of a bar that of a step. Bare numbers only where a clock was read."""
    bar = _BAR.match(line)
    text = bar["each"] if bar else without_spreads(line)
    times = durations_in(text)
    bare = _BARE.search(line)
    if not times and bare and is_timed and mode_of(line) and not OF_ELSE.search(line):
        times = [Duration(float(bare["number"]), bare.start("number"), bare.end("number"))]
    yield from _with_modes(text, times, is_per=is_per_step(text))


def _with_modes(text: str, times: Sequence[Duration], *, is_per: bool) -> Iterator[_Told]:
    """Each time with the mode that stands before it, or where none does, after it; else with none."""
    if len(times) < 2:
        yield from (_Told(time.seconds, mode_of(text), is_per) for time in times)
        return
    starts, ends = [time.start for time in times], [time.end for time in times]
    before = [text[a:b] for a, b in zip([0, *ends], starts, strict=False)]
    after = [text[a:b] for a, b in zip(ends, [*starts[1:], len(text)], strict=True)]
    for parts in (before, after):
        modes = [mode_of(part) for part in parts]
        if all(modes):
            for time, mode in zip(times, modes, strict=True):
                yield _Told(time.seconds, mode, is_per)
            return
    yield from (_Told(time.seconds, None, is_per) for time in times)


def _of_passage(lines: Sequence[str], around: str) -> Iterator[_Told]:
    """The times of a table with the text around it, or of each line of a list, or of the sentences."""
    for place in range(len(lines)):
        times, after = read_mode_table(lines, place, around) if " | " in lines[place] else ([], place)
        if times:
            yield from (_Told(time.seconds, time.mode, time.is_per_step, time.label) for time in times)
            yield from _of_passage(lines[after:], around) if after < len(lines) else ()
            return
    is_per = is_per_step(" ".join((*lines, around)))
    in_lines = [list(_with_modes(line, durations_in(without_spreads(line)), is_per=is_per)) for line in lines]
    if all(told and all(time.mode for time in told) for told in in_lines):
        yield from (time for told in in_lines for time in told)
        return
    for sentence in _SENTENCE.split(" ".join(lines)):
        yield from _with_modes(sentence, durations_in(without_spreads(sentence)), is_per=is_per)


def _with_cell(told: _Told, cell: int) -> ModeTime:
    return ModeTime(cell=cell, **told._asdict())
