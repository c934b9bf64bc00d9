"""The text of a stream as a terminal would leave it: colours gone, carriage returns played out.

Everything here is linear in its input, whatever the input is.
"""

from __future__ import annotations

import re

TRUNCATION_MARK = "\n[… {count:,} characters left out …]\n"

_ANSI = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours, cursor movements
    r"|\x1b\][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)"  # titles, links
    r"|\x1b[ -/]*[0-~]?"  # everything else that begins with an escape
)
_BACKSPACES_THEN_RETURN = re.compile(r"\x08+(\r?)")
_CONTROL = re.compile(r"[\x00-\x07\x0b\x0c\x0e-\x1f\x7f]")
_MOVES = re.compile(r"\r+|\x08+|[^\r\x08]+")


def strip_ansi(text: str) -> str:
    """`text` without ANSI escape sequences."""
    return _ANSI.sub("", text) if "\x1b" in text else text


def play_out(text: str) -> str:
    """What a terminal shows after `text`: a carriage return goes to the line's start, a backspace one back.

    ANSI sequences and control characters (newline and tab aside) are removed.
    """
    text = strip_ansi(text).replace("\r\n", "\n")
    if "\x08" in text:  # Keras goes back by backspaces before its carriage return
        text = _BACKSPACES_THEN_RETURN.sub(lambda move: move[1] or move[0], text)
    if "\r" in text or "\x08" in text:
        text = "\n".join(_play_out_line(line) for line in text.split("\n"))
    return _CONTROL.sub("", text)


def _play_out_line(line: str) -> str:
    if "\x08" in line:
        return _overwrite(line)
    if "\r" not in line:
        return line
    shown: list[str] = []
    width = 0
    for piece in reversed(line.split("\r")):
        if len(piece) > width:
            shown.append(piece[width:])
            width = len(piece)
    return "".join(shown)


def _overwrite(line: str) -> str:
    shown: list[str] = []
    position = 0
    for move in _MOVES.finditer(line):
        piece = move[0]
        if piece[0] == "\r":
            position = 0
        elif piece[0] == "\x08":
            position = max(0, position - len(piece))
        else:
            shown[position : position + len(piece)] = piece
            position += len(piece)
    return "".join(shown)


def shorten(text: str, limit: int) -> tuple[str, bool]:
    """`text` and False, or, above `limit` characters, its head and tail with a mark between, and True."""
    if len(text) <= limit:
        return text, False
    head, tail = limit // 2, limit - limit // 2
    mark = TRUNCATION_MARK.format(count=len(text) - limit)
    return text[:head] + mark + text[-tail:], True
