"""The sentences that the room has for mending older code, read from its source: no others are believed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from grader.notebook.syntax import syntax_tree
from grader.sandbox.staging import ROOM

_TELLS = "said"  # the function of `drift.py` that tells of a mend: its name and a sentence
_PART = r"[\w.\-]{1,60}"  # what may stand where a sentence names something of the notebook's


def is_known_mend(name: Any, text: Any) -> bool:
    """Whether a mend's name and sentence, as they came through the wire, are ones that the room can tell."""
    if not isinstance(name, str) or not isinstance(text, str):
        return False
    return any(re.fullmatch(n, name) and re.fullmatch(t, text) for n, t in _known_mends())


@cache
def _known_mends() -> tuple[tuple[str, str], ...]:
    """Patterns of name and sentence of each mend in the room's code."""
    tree = syntax_tree((ROOM / "drift.py").read_text("utf-8"))
    return tuple(_told(tree))


def _told(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == _TELLS:
            name, text = node.args
            yield _pattern(name), _pattern(text)


def _pattern(expression: ast.expr) -> str:
    """A pattern for what a string, plain or formatted, can be."""
    if isinstance(expression, ast.JoinedStr):
        return "".join(map(_pattern, expression.values))
    if isinstance(expression, ast.Constant) and isinstance(expression.value, str):
        return re.escape(expression.value)
    return _PART
