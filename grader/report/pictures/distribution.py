"""How scores are spread over a class: one column per stretch of points."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from markupsafe import Markup

from grader.report.pictures.svg import WIDTH, Picture, Scale, element, joined, linear, tick_label, ticks

_LEFT, _RIGHT, _TOP, _PLOT, _AXIS = 10, WIDTH - 10, 22, 120, 40
_COLUMNS = 12


def draw_distribution(settled: Sequence[float], unsettled: Sequence[float], most: float) -> Picture | None:
    """Scores from 0 to `most` in columns: those that are final below, those that can still rise above.

    Scores beyond `most` (bonus) widen the axis. None without any score.
    """
    scores = [*settled, *unsettled]
    if not scores:
        return None
    width = _width(max(most, *scores, 1.0))
    columns = max(1, math.ceil(max(most, *scores) / width - 1e-9))
    final, rising = _counts(settled, width, columns), _counts(unsettled, width, columns)
    highest = max(map(sum, zip(final, rising, strict=True)))
    x = linear(0, columns * width, _LEFT, _RIGHT)
    y = linear(0, highest, _TOP + _PLOT, _TOP)
    parts = [
        part
        for place in range(columns)
        for part in _column(x, y, place * width, width, final[place], rising[place])
    ]
    return Picture(
        title="How many hand-ins have how many points",
        description=_description(final, rising, width),
        height=_TOP + _PLOT + _AXIS,
        body=joined([*parts, *_axis(x, columns * width)]),
    )


def _width(whole: float) -> float:
    """Points per column: a half, one, two, five or so, for at most about `_COLUMNS` columns."""
    return next(
        step
        for power in (0.5, 5, 50, 500)
        for step in (power, 2 * power, 4 * power)
        if whole / step <= _COLUMNS
    )


def _counts(scores: Sequence[float], width: float, columns: int) -> list[int]:
    counts = [0] * columns
    for score in scores:
        counts[min(columns - 1, max(0, int(score / width + 1e-9)))] += 1
    return counts


def _description(final: Sequence[int], rising: Sequence[int], width: float) -> str:
    told = []
    for place, (done, still) in enumerate(zip(final, rising, strict=True)):
        if done or still:
            open_ones = f", {still} of them still open" if still else ""
            told.append(f"{place * width:g} to {(place + 1) * width:g} points: {done + still}{open_ones}")
    return "; ".join(told) + "."


def _column(x: Scale, y: Scale, start: float, width: float, final: int, rising: int) -> Iterator[Markup]:
    left, wide = x(start) + 2, x(start + width) - x(start) - 4
    for style, base, count in (("final", 0, final), ("rising", final, rising)):
        if count:
            tall = y(base) - y(base + count)
            yield element("rect", class_=style, x=left, y=y(base + count), width=wide, height=tall, rx=1.5)
    if final + rising:
        yield element(
            "text",
            str(final + rising),
            class_="value",
            x=left + wide / 2,
            y=y(final + rising) - 6,
            text_anchor="middle",
        )


def _axis(x: Scale, end: float) -> Iterator[Markup]:
    bottom = _TOP + _PLOT
    yield element("line", class_="track", x1=_LEFT, x2=_RIGHT, y1=bottom, y2=bottom)
    for value in ticks(0, end, 6):
        yield element(
            "text", tick_label(value), class_="tick", x=x(value), y=bottom + 17, text_anchor="middle"
        )
    yield element("text", "points", class_="tick", x=_RIGHT, y=bottom + 33, text_anchor="end")
