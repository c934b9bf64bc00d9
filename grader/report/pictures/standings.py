"""How a class stands over its assignments: for each the median, and the middle half of the class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from grader.report.pictures.svg import WIDTH, Picture, Scale, element, joined, linear
from grader.report.standing import Standing

_LEFT, _RIGHT, _TOP, _ROW, _AXIS = 64, WIDTH - 46, 8, 30, 40
_NAME_SHOWN = 8


def draw_standings(standings: Sequence[Standing]) -> Picture | None:
    """One row for each assignment with settled grades; None for fewer than two."""
    drawn = [one for one in standings if one.quarters is not None]
    if len(drawn) < 2:
        return None
    most = max(1.0, *(one.quarters[2] for one in drawn if one.quarters is not None))
    x = linear(0, most, _LEFT, _RIGHT)
    bottom = _TOP + _ROW * len(drawn)
    rows = (part for place, one in enumerate(drawn) for part in _row(x, _TOP + _ROW * (place + 0.5), one))
    return Picture(
        title="Points by assignment: median, and the middle half of the class",
        description="; ".join(map(_described, drawn)) + ".",
        height=bottom + _AXIS,
        body=joined([*_axis(x, bottom), *rows]),
    )


def _row(x: Scale, y: float, one: Standing) -> Iterator[Markup]:
    low, middle, high = one.quarters or (0.0, 0.0, 0.0)
    name = one.assignment if len(one.assignment) <= _NAME_SHOWN else f"{one.assignment[: _NAME_SHOWN - 1]}…"
    yield element("text", name, class_="tick", x=_LEFT - 10, y=y + 4, text_anchor="end")
    yield element("rect", class_="rising", x=x(low), y=y - 6, width=max(x(high) - x(low), 2), height=12, rx=3)
    yield element("circle", class_="saved dot", cx=x(middle), cy=y, r=5)
    yield element("text", f"{middle:.0%}", class_="value", x=_RIGHT + 8, y=y + 5)


def _axis(x: Scale, bottom: float) -> Iterator[Markup]:
    yield element("line", class_="track", x1=_LEFT, x2=_RIGHT, y1=bottom, y2=bottom)
    for share in (0, 0.5, 1):
        yield element("line", class_="grid", x1=x(share), x2=x(share), y1=_TOP, y2=bottom)
        yield element("text", f"{share:.0%}", class_="tick", x=x(share), y=bottom + 17, text_anchor="middle")
    yield element("text", "of the points", class_="tick", x=_RIGHT, y=bottom + 33, text_anchor="end")


def _described(one: Standing) -> str:
    low, middle, high = one.quarters or (0.0, 0.0, 0.0)
    return f"{one.assignment}: median {middle:.0%}, half of the class from {low:.0%} to {high:.0%}"
