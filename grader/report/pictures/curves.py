"""Curves over steps: what a training printed, what our run of it printed, what was measured on the way."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from grader.report.pictures.svg import (
    WIDTH,
    Picture,
    Scale,
    element,
    joined,
    linear,
    power_label,
    tick_label,
    ticks,
)

_LEFT, _RIGHT, _PLOT, _AXIS = 38, WIDTH - 10, 132, 40
_LEGEND_ROW = 19
_MOST = 1e12  # a number beyond it is of a training that blew up, and would flatten everything else
_LEAST = 1e-9  # on a logarithmic axis; what is smaller, zero too, is drawn there
_MOST_POINTS = 80
_FEW_POINTS = 12  # are marked one by one: what lies between them is not known
Point = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Points (step, value) in the order in which they came; `style` is a class of the stylesheet.

    Where the steps begin anew, so does the line. An unnamed curve is not in the legend.
    """

    name: str
    points: Sequence[Point]
    style: str


def draw_curves(
    curves: Sequence[Curve], *, title: str, across: str, is_share: bool, is_logarithmic: bool = False
) -> Picture | None:
    """All `curves` in one frame; `across` says what the steps are. None when there is nothing to draw.

    `is_share` means values in [0, 1], on an axis up to 1; there, points beyond `_MOST` are left out.
    `is_logarithmic` means an axis of powers of ten, on which they are drawn at its top.
    """
    drawable = [_drawable(curve, math.inf if is_logarithmic else _MOST) for curve in curves]
    drawn = [curve for curve in drawable if len(curve.points) > (0 if is_logarithmic else 1)]
    if not drawn:
        return None
    named = [curve for curve in drawn if curve.name]
    top = 8 + _LEGEND_ROW * len(named)
    xs, ys = zip(*(point for curve in drawn for point in curve.points), strict=True)
    x = linear(min(xs), max(xs), _LEFT + 4, _RIGHT - 4)
    if is_logarithmic:
        marks = _powers(ys)
        least, most = marks[0], marks[-1]
        powers = linear(math.log10(least), math.log10(most), top + _PLOT, top + 4)
        y: Scale = lambda value: powers(math.log10(min(max(value, least), most)))  # noqa: E731 - a scale is a function
    else:
        low, high = _range(ys, is_share=is_share)
        y, marks = linear(low, high, top + _PLOT, top + 4), ticks(low, high, 5)
    labels = [(value, power_label(value) if is_logarithmic else tick_label(value)) for value in marks]
    parts = [*_legend(named), *_frame(x, y, (min(xs), max(xs)), labels, top, across)]
    for curve in drawn:
        parts += _lines(curve, x, y)
    return Picture(
        title=title, description=_description(named or drawn), height=top + _PLOT + _AXIS, body=joined(parts)
    )


def _clipped(value: float) -> float:
    return min(max(value, _LEAST), _MOST)


def _drawable(curve: Curve, most: float) -> Curve:
    points = [point for point in curve.points if all(abs(part) <= most for part in point)]
    stride = math.ceil(len(points) / _MOST_POINTS) or 1
    last = points[-1:] if (len(points) - 1) % stride else []
    return Curve(name=curve.name, points=[*points[::stride], *last], style=curve.style)


def _range(values: Sequence[float], *, is_share: bool) -> Point:
    low, high = min(values), max(values)
    if is_share:
        return (0.0 if low < 0.5 else 0.5 if low < 0.8 else 0.8), 1.0
    low = min(low, 0.0)
    step = ticks(low, high if high > low else low + 1.0, 5)
    return low, step[-1] + (step[-1] - step[-2] if high > step[-1] and len(step) > 1 else 0)


def _powers(values: Sequence[float]) -> list[float]:
    """The powers of ten around all values, no more of them than an axis can hold."""
    low = math.floor(math.log10(_clipped(min(values))))
    high = max(math.ceil(math.log10(_clipped(max(values)))), low + 1)
    stride = math.ceil((high - low) / 6)
    return [10.0**power for power in range(low, high + stride, stride)]


def _description(curves: Sequence[Curve]) -> str:
    told = (
        f"{curve.name or 'A training'}: from {curve.points[0][1]:.3g} to {curve.points[-1][1]:.3g} "
        f"over {len(curve.points)} points"
        for curve in curves[:8]
    )
    return "; ".join(told) + "."


def _legend(curves: Sequence[Curve]) -> Iterator[Markup]:
    for place, curve in enumerate(curves):
        y = 12 + _LEGEND_ROW * place
        yield element("line", class_=f"curve {curve.style}", x1=_LEFT, x2=_LEFT + 26, y1=y, y2=y)
        yield element("text", curve.name, class_="label", x=_LEFT + 34, y=y + 4.5)
        last = f"{curve.points[-1][1]:#.3g}"
        yield element("text", last, class_="value", x=_RIGHT, y=y + 4.5, text_anchor="end")


def _frame(
    x: Scale, y: Scale, across: Point, marks: Sequence[tuple[float, str]], top: float, what: str
) -> Iterator[Markup]:
    bottom = top + _PLOT
    for value, label in marks:
        yield element("line", class_="grid", x1=_LEFT, x2=_RIGHT, y1=y(value), y2=y(value))
        yield element("text", label, class_="tick", x=_LEFT - 6, y=y(value) + 4, text_anchor="end")
    yield element("line", class_="track", x1=_LEFT, x2=_RIGHT, y1=bottom, y2=bottom)
    for value in (tick for tick in ticks(*across, 5) if tick == int(tick)):
        yield element("line", class_="notch", x1=x(value), x2=x(value), y1=bottom, y2=bottom + 4)
        yield element(
            "text", tick_label(value), class_="tick", x=x(value), y=bottom + 17, text_anchor="middle"
        )
    yield element("text", what, class_="tick", x=_RIGHT, y=bottom + 33, text_anchor="end")


def _lines(curve: Curve, x: Scale, y: Scale) -> Iterator[Markup]:
    for piece in _pieces(curve.points):
        if len(piece) == 1:
            (at, value) = piece[0]
            yield element("circle", class_=f"dot {curve.style}", cx=x(at), cy=y(value), r=2.5)
            continue
        path = "M" + "L".join(f"{x(at):.1f} {y(value):.1f}" for at, value in piece)
        yield element("path", class_=f"curve {curve.style}", d=path)
        if curve.name and len(piece) <= _FEW_POINTS:
            for at, value in piece:
                yield element("circle", class_=f"dot {curve.style}", cx=x(at), cy=y(value), r=2.5)


def _pieces(points: Sequence[Point]) -> Iterator[list[Point]]:
    piece = [points[0]]
    for before, point in pairwise(points):
        if point[0] <= before[0]:
            yield piece
            piece = []
        piece.append(point)
    yield piece
