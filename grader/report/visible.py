"""Makes text from a hand-in harmless: hidden characters shown, markup escaped, long text cut with a mark."""

from __future__ import annotations

import re
from typing import NamedTuple

from markupsafe import Markup

from grader.report.allowance import size_of

# Characters that can reorder, overwrite or hide what stands beside them, or that no font shows.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff]"
)
# The two joiners belong between letters of Arabic and Indic scripts and in emoji, and nowhere else.
_STRAY_JOINER = re.compile("(?<![^\x00-\u05ff])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\u05ff])")
_STACKED_MARKS = re.compile(
    "([\u0300-\u036f\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]{3})"
    "[\u0300-\u036f\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]+"
)


def show_hidden(text: str) -> str:
    """`text` with control, zero-width and direction-changing characters written out as `‹U+202E›`.

    Line feeds, tabs and carriage returns stay; of combining marks no more than three stay in a row.
    Safe for code, prose and names; the result can always be encoded as UTF-8.
    """
    if text.isascii() and text.isprintable():
        return text
    shown = _HIDDEN.sub(_written_out, text)
    return _STACKED_MARKS.sub(r"\1", _STRAY_JOINER.sub(_written_out, shown))


def _written_out(match: re.Match[str]) -> str:
    return f"‹U+{ord(match.group()):04X}›"


def short_name(text: str, limit: int = 120) -> str:
    """A name of a person or a file on one line, hidden characters shown, cut to `limit` characters."""
    shown = " ".join(show_hidden(text).split())
    return shown if len(shown) <= limit else f"{shown[: limit - 1]}…"


class Shown(NamedTuple):
    """Text as it is shown: its beginning, how many characters are left out, and its end."""

    head: str
    left_out: int = 0
    tail: str = ""


def cut(text: str, limit: int, *, keep_end: bool = True) -> Shown:
    """At most about `limit` characters of `text`, cut at line ends where there are some near.

    With `keep_end` a quarter of the room is kept for the last lines, where results tend to stand.
    """
    if len(text) <= limit:
        return Shown(text)
    end = limit // 4 if keep_end else 0
    head = text[: limit - end]
    tail = text[len(text) - end :] if end else ""
    head_break, tail_break = head.rfind("\n"), tail.find("\n")
    if head_break > len(head) // 2:
        head = head[:head_break]
    if 0 <= tail_break < len(tail) // 2:
        tail = tail[tail_break + 1 :]
    return Shown(head, len(text) - len(head) - len(tail), tail)


def escape_text(text: str) -> str:
    """`text` escaped for the inside of an element; quotes stay, which saves a tenth of a page."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def cut_to_fit(text: str, limit: int, *, keep_end: bool = True) -> Shown:
    """`text` cut so that it takes no more than `limit` bytes, hidden characters shown and escaped."""
    room = limit
    while True:
        shown = cut(text, room, keep_end=keep_end)
        size = sum(size_of(escape_text(show_hidden(piece))) for piece in (shown.head, shown.tail))
        if room <= 0 or size <= limit:
            return shown
        room //= 2


def escaped_within(text: str, limit: int, *, keep_end: bool = True) -> Shown:
    """`text`, escaped and with hidden characters shown, cut so that this takes no more than `limit` bytes."""
    shown = cut_to_fit(text, limit, keep_end=keep_end)
    head, tail = (Markup(escape_text(show_hidden(piece))) for piece in (shown.head, shown.tail))
    return Shown(head, shown.left_out, tail)
