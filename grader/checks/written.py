"""Numbers that stand in a notebook's own code: what its outputs show of them was not computed."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

from grader.evidence.record import Evidence

_NUMBER = re.compile(r"(?<![\w.])(?:\d{1,4}(?:\.\d{1,17})?|\.\d{1,17})")


def written_down(evidence: Evidence) -> Callable[[float], bool]:
    """Tells whether an accuracy stands as a number in the code, to the digits it was printed with."""
    literals = {value for found in _literals(evidence) for value in (found, found / 100) if 0 < value < 1}
    rounded = {digits: {f"{value:.{digits}f}" for value in literals} for digits in range(2, 9)}

    def is_written_down(value: float) -> bool:
        digits = min(8, max(2, len(f"{value:.8f}".rstrip("0").partition(".")[2])))
        return f"{value:.{digits}f}" in rounded[digits]

    return is_written_down


def _literals(evidence: Evidence) -> Iterator[float]:
    """Every number written in the code, also inside its strings; comments aside."""
    for tree in evidence.code.trees.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant):
                yield from _numbers_in(node.value)
    for cell in {cell for cell, _ in evidence.code.unparsed}:
        yield from _numbers_in(evidence.code.source(cell))


def _numbers_in(value: object) -> list[float]:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return [float(value)] if abs(value) < 1e6 else []
    return [float(text) for text in _NUMBER.findall(value[:100_000])] if isinstance(value, str) else []
