"""Colours code by a handful of classes, in as little markup and time as will do."""

from __future__ import annotations

import builtins
import keyword
import re
from functools import lru_cache

from markupsafe import Markup

from grader.report.visible import escape_text, show_hidden

_FOREIGN_CELL = re.compile(r"\s*%%(?!time|timeit|capture|prun)\w")
_KEYWORDS = frozenset(keyword.kwlist)
_BUILTINS = frozenset(name for name in dir(builtins) if not name.startswith("_")) - _KEYWORDS
# Every alternative takes what it begins, an open string up to its line's or the cell's end: no backtracking.
_TOKEN = re.compile(
    r"""
    (?P<m> ^[ \t]*(?:!|%%?[A-Za-z])[^\n]* )
  | (?P<d> ^[ \t]*@[^\W\d][\w.]* )
  | (?P<c> \#[^\n]* )
  | (?P<s> [rRbBfFuU]{0,2} (?: '''(?:[^\\']|\\.|'(?!''))*(?:''')? | \"\"\"(?:[^\\"]|\\.|"(?!""))*(?:\"\"\")?
                             | '(?:[^'\\\n]|\\.)*'?            | "(?:[^"\\\n]|\\.)*"? ) )
  | (?P<n> (?:\d|\.\d)[\w.]*(?:(?<=[eE])[+-]\d+)? )
  | (?P<a> \.[ \t]*[^\W\d]\w* )
  | (?P<w> [^\W\d]\w* )
    """,
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)


def without_comments(code: str) -> str:
    """`code` without its comments, and without the lines that this leaves empty."""
    bare = _TOKEN.sub(lambda found: "" if found.lastgroup == "c" else found.group(), code)
    return "\n".join(line.rstrip() for line in bare.split("\n") if line.strip())


@lru_cache(maxsize=4096)  # members of a group hand in the same cells; excerpts repeat them
def highlight(code: str) -> Markup:
    """`code` escaped, with elements of the classes k (keyword), s (string), c (comment), n (number),
    b (built-in or decorator) and m (magic or shell line).

    No element goes over a line's end, so lines can be cut out. Hidden characters are written out. Cells
    in another language (`%%bash`) are only escaped.
    """
    shown = show_hidden(code)
    if _FOREIGN_CELL.match(shown):
        return Markup(escape_text(shown))
    pieces: list[str] = []
    done = 0
    for token in _TOKEN.finditer(shown):
        style = _style(token)
        if style:
            pieces += [escape_text(shown[done : token.start()]), _marked(style, token.group())]
            done = token.end()
    return Markup("".join([*pieces, escape_text(shown[done:])]))


def _style(token: re.Match[str]) -> str:
    kind, text = token.lastgroup or "", token.group()
    if kind == "w":
        return "k" if text in _KEYWORDS else "b" if text in _BUILTINS else ""
    return {"a": "", "d": "b"}.get(kind, kind)


def _marked(style: str, text: str) -> str:
    """`text` in elements of one class, one for each line that is not blank."""
    lines = escape_text(text).split("\n")
    return "\n".join(f"<i class={style}>{line}</i>" if line.strip() else line for line in lines)
