"""Colours code by a handful of classes, in as little markup as will do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from grader.report.visible import show_hidden

if TYPE_CHECKING:
    from pygments.lexer import Lexer
    from pygments.token import _TokenType

HIGHLIGHT_LIMIT = 20_000  # characters; beyond it, or with a line of more than 2,000, code stays plain
_LONG_LINE = re.compile(r"[^\n]{2001}")
_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n){4,}")  # the lexer's time grows with their square
_MAGIC = re.compile(r"[ \t]*(?:!|%%?[A-Za-z])")
_FOREIGN_CELL = re.compile(r"\s*%%(?!time|timeit|capture|prun)\w")


@lru_cache(maxsize=4096)  # members of a group hand in the same cells
def highlight(code: str) -> Markup:
    """`code` escaped, with spans of the classes k (keyword), s (string), c (comment), n (number),
    b (built-in or decorator) and m (magic or shell line).

    Hidden characters are written out, more than three blank lines in a row become three. Cells in
    another language (`%%bash`) and code too large to colour are only escaped.
    """
    shown = show_hidden(code)
    if len(shown) > HIGHLIGHT_LIMIT or _LONG_LINE.search(shown) or _FOREIGN_CELL.match(shown):
        return escape(shown)
    shown = _BLANK_LINES.sub("\n\n\n\n", "\n" + shown)[1:]
    spans = []
    for style, tokens in groupby(_styled(shown), key=lambda pair: pair[0]):
        text = "".join(value for _, value in tokens)
        spans.append(f'<span class="{style}">{escape(text)}</span>' if style else str(escape(text)))
    return Markup("".join(spans))


def _styled(code: str) -> Iterator[tuple[str, str]]:
    """Pieces of `code` with their class; magics and shell lines are kept out of the lexer."""
    for is_magic, lines in groupby(code.splitlines(keepends=True), key=_is_magic):
        text = "".join(lines)
        if is_magic:
            yield "m", text
            continue
        styles = _styles()
        for kind, value in _lexer().get_tokens(text):
            while kind not in styles and kind.parent is not None:
                kind = kind.parent
            yield ("" if not value.strip() else styles.get(kind, "")), value


def _is_magic(line: str) -> bool:
    return _MAGIC.match(line) is not None


@cache
def _lexer() -> Lexer:
    from pygments.lexers.python import PythonLexer

    return PythonLexer(stripnl=False, ensurenl=False)


@cache
def _styles() -> dict[_TokenType, str]:
    from pygments.token import Comment, Keyword, Name, Number, Operator, String

    return {
        Keyword: "k",
        Operator.Word: "k",
        String: "s",
        Comment: "c",
        Number: "n",
        Name.Builtin: "b",
        Name.Decorator: "b",
    }
