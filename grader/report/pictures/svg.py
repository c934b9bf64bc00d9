"""What pictures are drawn with: elements, scales, ticks, and the frame that makes a picture accessible.

Colours and strokes are classes of the page's stylesheet, so that a picture follows light, dark and print.
Pictures are `WIDTH` units wide, about as many as a small phone has pixels: text in them stays legible there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH = 360

Scale = Callable[[float], float]
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A drawing of `WIDTH` × `height` units. `title` says what it shows, `description` what is seen."""

    title: str
    description: str
    height: float
    body: Markup

    def svg(self, name: str) -> Markup:
        """The picture as an `svg` element; `name` makes its ids unique on the page."""
        return element(
            "svg",
            element("title", self.title, id=f"{name}-title"),
            element("desc", self.description, id=f"{name}-text"),
            self.body,
            class_="picture",
            viewBox=f"0 0 {WIDTH} {_short(self.height)}",
            role="img",
            aria_labelledby=f"{name}-title {name}-text",
        )


def element(tag: str, *content: str, **attributes: str | float | None) -> Markup:
    """One element; text and attributes are escaped, numbers cut to two decimals, None left out.

    `class_` stands for `class`; other underscores become hyphens.
    """
    told = "".join(
        f' {key.rstrip("_").replace("_", "-") if key != "viewBox" else key}="{_value(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    inside = "".join(str(escape(piece)) for piece in content)
    return Markup(f"<{tag}{told}>{inside}</{tag}>" if content else f"<{tag}{told}/>")


def joined(pieces: Iterable[Markup]) -> Markup:
    """Elements one after the other."""
    return Markup("").join(pieces)


def linear(low: float, high: float, start: float, end: float) -> Scale:
    """The scale that takes `low` to `start` and `high` to `end`, in a straight line."""
    span = (high - low) or 1.0
    return lambda value: start + (value - low) / span * (end - start)


def ticks(low: float, high: float, about: int = 4) -> list[float]:
    """Round numbers from `low` to `high`, about so many: steps of 1, 2 or 5 times a power of ten."""
    span = high - low
    if not (span > 0 and math.isfinite(span)):
        return [low]
    rough = span / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(place * step, 12) for place in range(first, last + 1)]


def tick_label(value: float) -> str:
    """A tick's number as short as it can be: `0.25`, `1`, `20k`, `1e-05`."""
    if abs(value) >= 1000 and value % 100 == 0:
        return f"{value / 1000:g}k" if abs(value) < 1e6 else f"{value:.0e}".replace("e+0", "e")
    return f"{value:.3g}"


def power_label(value: float) -> str:
    """A power of ten: `0.1`, `1`, `100`, `10⁻⁵`."""
    power = round(math.log10(value))
    return f"{value:g}" if -2 < power < 3 else f"10{str(power).translate(_RAISED)}"


def _value(value: str | float) -> str:
    return str(escape(value)) if isinstance(value, str) else _short(value)


def _short(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
