"""Eager and graph time per step, with intervals, by size: the notebook's models beside nets of ours."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from markupsafe import Markup

from grader.evidence.record import Evidence
from grader.evidence.timings import Interval, Timing, interval_of
from grader.model import CriterionGrade
from grader.report.pictures.svg import WIDTH, Picture, Scale, element, joined, linear, power_label

_LEFT, _RIGHT = 12, WIDTH - 12
_ROW, _LEGEND, _AXIS = 46, 26, 26
_MOST_ROWS = 10


def gains_seen(evidence: Evidence, criterion: CriterionGrade) -> Iterator[Picture]:
    """The picture of what was timed, if anything was."""
    observed = evidence.observed
    picture = draw_gains(() if observed is None else observed.timings)
    if picture is not None:
        yield picture


def draw_gains(timings: Sequence[Timing]) -> Picture | None:
    """One row per function and size, the smallest first: its eager and graph times. None without any."""
    known = sorted(
        (one for one in timings if one.gain is not None),
        key=lambda one: (one.parameters, one.is_reference),
    )[:_MOST_ROWS]
    rows = [(one, found) for one in known if (found := _both(one)) is not None]
    if not rows:
        return None
    ends = [end for _, both in rows for one in both for end in (one.low, one.high)]
    low, high = math.floor(math.log10(min(ends))), math.ceil(math.log10(max(ends)))
    x = linear(low, max(high, low + 1), _LEFT, _RIGHT)
    parts = [part for at, (one, both) in enumerate(rows) for part in _row(x, one, both, _LEGEND + at * _ROW)]
    bottom = _LEGEND + len(rows) * _ROW
    return Picture(
        title="Milliseconds per call, eagerly and as a graph, by size",
        description=" ".join(_in_words(one, both) for one, both in rows),
        height=bottom + _AXIS,
        body=joined([*_legend(), *parts, *_axis(x, low, max(high, low + 1), bottom)]),
    )


def _both(one: Timing) -> tuple[Interval, Interval] | None:
    """Milliseconds of eager calls and of graphs, each with its interval."""
    eager, graph = (interval_of([1000 * each for each in times]) for times in (one.eager, one.graph))
    return None if eager is None or graph is None else (eager, graph)


def _row(x: Scale, one: Timing, both: tuple[Interval, Interval], top: float) -> Iterator[Markup]:
    yield element("text", _label(one), x=_LEFT, y=top + 14)
    for style, time, y in (("saved", both[0], top + 23), ("measured", both[1], top + 33)):
        start, end = x(math.log10(time.low)), x(math.log10(time.high))
        yield element("line", class_=f"curve {style}", x1=start, x2=end, y1=y, y2=y)
        yield element("circle", class_=style, cx=x(math.log10(time.middle)), cy=y, r=4.5)


def _legend() -> Iterator[Markup]:
    for left, style, text in ((_LEFT, "saved", "eagerly"), (_LEFT + 90, "measured", "as a graph")):
        yield element("circle", class_=style, cx=left + 5, cy=10, r=4.5)
        yield element("text", text, class_="tick", x=left + 15, y=14)


def _axis(x: Scale, low: int, high: int, bottom: float) -> Iterator[Markup]:
    yield element("line", class_="track", x1=_LEFT, x2=_RIGHT, y1=bottom, y2=bottom)
    for power in range(low, high + 1):
        anchor = "start" if power == low else "end" if power == high else "middle"
        label = f"{power_label(10.0**power)} ms" if power == high else power_label(10.0**power)
        yield element("text", label, class_="tick", x=x(power), y=bottom + 17, text_anchor=anchor)


def _label(one: Timing) -> str:
    name = "a net of ours" if one.is_reference else one.name[:24]
    return f"{name}, {one.parameters:,} weights"


def _in_words(one: Timing, both: tuple[Interval, Interval]) -> str:
    return f"{_label(one)}: {both[0].middle:.3g} ms eagerly, {both[1].middle:.3g} ms as a graph."
