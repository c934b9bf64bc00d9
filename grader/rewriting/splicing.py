"""Putting text into code at places that its syntax tree names, everything else kept byte for byte."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import NamedTuple

Place = tuple[int, int]  # a line, from 1, and a column in bytes of UTF-8, as syntax trees count them


class Splice(NamedTuple):
    """`text` in place of what stands from `start` up to `end`."""

    start: Place
    end: Place
    text: str


def start_of(node: ast.expr | ast.stmt) -> Place:
    """Where a node begins."""
    return node.lineno, node.col_offset


def end_of(node: ast.expr | ast.stmt) -> Place:
    """Where a node ends."""
    return node.end_lineno or node.lineno, node.end_col_offset or node.col_offset


def replaced(node: ast.expr | ast.stmt, text: str) -> Splice:
    """Another text in place of a node."""
    return Splice(start_of(node), end_of(node), text)


def inserted(place: Place, text: str) -> Splice:
    """A text put in at a place."""
    return Splice(place, place, text)


def line_after(node: ast.stmt, text: str, like: ast.stmt | None = None) -> Splice:
    """A line put in below a statement, indented like it (or `like` another)."""
    indent = " " * (like or node).col_offset
    below = (end_of(node)[0] + 1, 0)
    return Splice(below, below, f"{indent}{text}\n")


def spliced(source: str, splices: Iterable[Splice]) -> str:
    """`source` with all of the splices, whose places are those of `source`.

    Splices at one place keep their order. Raises ValueError when two overlap.
    """
    data = source.encode() if source.endswith("\n") else source.encode() + b"\n"
    offsets = [0]
    for line in data.split(b"\n"):
        offsets.append(offsets[-1] + len(line) + 1)
    parts, at = [], 0
    for start, end, text in sorted(splices, key=lambda splice: (splice.start, splice.end)):
        begin = offsets[start[0] - 1] + start[1]
        if begin < at:
            raise ValueError(f"two changes overlap in line {start[0]}")
        parts += [data[at:begin], text.encode()]
        at = offsets[end[0] - 1] + end[1]
    result = b"".join([*parts, data[at:]]).decode()
    return result if source.endswith("\n") else result.removesuffix("\n")
