"""Small pieces of text as pages set them: code between backticks, long reasons folded."""

from __future__ import annotations

import re
from datetime import datetime

from markupsafe import Markup

from grader.report.visible import show_hidden

_LEAD = 420  # characters of a reason before the rest is folded


def folded(text: str) -> tuple[str, str]:
    """A reason as (what is shown at once, what is folded away), cut at a blank; both shown as text."""
    shown = show_hidden(text)
    if len(shown) <= _LEAD * 1.3:
        return shown, ""
    place = max(shown.rfind(blank, _LEAD // 2, _LEAD) for blank in (" ", "\n"))
    place = place if place > 0 else _LEAD
    return shown[:place], shown[place:].strip()


def coded(text: str) -> Markup:
    """`text`, escaped, with what stands between backticks set as code."""
    parts = re.split(r"`([^`\n]+)`", text)
    marked = (
        Markup("<code>{}</code>").format(part) if i % 2 else Markup.escape(part)
        for i, part in enumerate(parts)
    )
    return Markup("").join(marked)


def date(when: datetime) -> str:
    """A moment as people write it: `3 June 2025, 14:05`."""
    return f"{when.day} {when:%B %Y, %H:%M}"
