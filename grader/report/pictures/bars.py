"""Bars without text, for beside a text that says the same: they are hidden from screen readers."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup

from grader.report.pictures.svg import element, joined


def share_bar(parts: Iterable[tuple[str, float]], *, width: str = "100%", height: int = 8) -> Markup:
    """A bar of parts, each a class of the stylesheet and its share of the whole, in [0, 1], left to right."""
    pieces = [element("rect", class_="rest", width="100%", height=height)]
    start = 0.0
    for style, share in parts:
        share = min(max(share, 0.0), 1.0 - start)
        if share > 0:
            pieces.append(
                element("rect", class_=style, x=_percent(start), width=_percent(share), height=height)
            )
        start += share
    return element(
        "svg", joined(pieces), class_="bar", width=width, height=height, aria_hidden="true", focusable="false"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.2f}%"
