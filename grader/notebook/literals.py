"""Numbers that stand in a notebook's code, also inside its strings."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from grader.notebook.code import CodeIndex
from grader.notebook.ipython import clean_source

_NUMBER = re.compile(r"(?<![\w.])(?:\d{1,4}(?:\.\d{1,17})?|\.\d{1,17})")
_LINE_END = re.compile(r"\r\n|\r|\n")
_MOST_READ = 100_000  # characters of one string


def shares_in(code: CodeIndex) -> tuple[float, ...]:
    """The numbers in code between 0 and 100, that may be a share or as many per cent, each once, in order.

    Those in comments are left out, where that can be told: not in what is no Python.
    """
    return tuple(sorted({number for number in _numbers(code) if 0 < number < 100}))


def _numbers(code: CodeIndex) -> Iterator[float]:
    for _, node in code.nodes:
        if isinstance(node, ast.Constant):
            yield from _numbers_in(node.value)
    for cell in {cell for cell, _ in code.unparsed}:
        yield from _numbers_in(code.source(cell))
    for one in code.cells:
        as_python = clean_source(one.source).split("\n")
        for line, python in zip(_LINE_END.split(one.source), as_python, strict=True):
            if line != python:  # a magic, or a command of the shell
                yield from _numbers_in(line)


def _numbers_in(value: object) -> list[float]:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return [float(value)] if abs(value) < 100 else []
    return [float(text) for text in _NUMBER.findall(value[:_MOST_READ])] if isinstance(value, str) else []
