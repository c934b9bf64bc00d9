"""Letters that a console does not know, written in those that it does: Windows' often have only 256."""

from __future__ import annotations

import codecs
import io
from typing import TextIO

_PLAIN = {
    **{"→": "->", "←": "<-", "–": "-", "—": "-", "…": "...", "×": "x", "·": "-", "−": "-", "✓": "+"},
    **{"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "≥": ">=", "≤": "<=", "\u00a0": " "},
}
_NAME = "grader-plain"


def write_plainly_where_needed(*streams: TextIO) -> None:
    """Make text streams write what their encoding lacks in plain letters, or as `?`, instead of failing."""
    codecs.register_error(_NAME, _plainly)
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_NAME)


def _plainly(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_PLAIN.get(letter, "?") for letter in lacking), error.end
