"""Prefix replay: a training that our run had to cut short, held against its saved curve as far as we came.

The curve of our run is held against the first part of the saved one, point by point at the same steps. They
are of different seeds, so they may differ by what seeds make them differ; how much that is, is told by runs
with further seeds where there are any, else by a fixed floor and the noise within the curves. The rule is
strict: a match is worth something, and everything else is for a person.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import pairwise
from statistics import fmean, median, stdev
from typing import Annotated

from pydantic import Field

from grader.model import CellStatus, DatasetOrigin, Record, Run, RunStatus
from grader.notebook.records import Quantity, Readings, Split

FEWEST_POINTS = 6  # in common; fewer make no statement
FLOOR = 0.06
"""How far the means of two curves may always be apart, as natural logarithms of losses or of error rates.

0.06 is a loss 6 % higher, or an accuracy of 0.950 against 0.947: three standard deviations of what was seen
between trainings that differ in their seed only (`benchmarks/replaying.py`).
"""
_MOST_SPREAD = 2  # times the floor: however far our own seeds are apart, no more is allowed
_OF_A_THIRD, _OF_A_POINT = 2, 3  # times what is allowed of the whole, noise aside
_SHIFT = (
    0.25  # of the way to the next point: early in a training, seeds are ahead of each other by about that
)
_MOST_OUTSIDE = 0.1  # of the points
_FASTER = 2  # a training that is so much faster than ours must be further apart from it …
_TOLD_APART = 2  # … by so many times of what is allowed, or the comparison tells nothing
_MOST_HURRY = 1.5  # times what our curve still has to go
_SMOOTHER = 4  # times less noise than ours is none that this code makes
_NOISE_SEEN, _NOISE_POINTS = 0.05, 24  # from which on noise is compared
_LEAST_LOSS, _LEAST_ERROR = 1e-6, 2e-3
_LARGEST = 1e12
_BAR = re.compile(r"^\s*(\d{1,9})/(\d{1,9})\b")

Curve = Sequence[tuple[int, float]]
"""Values by the step that was printed beside them."""


class Likeness(StrEnum):
    """How the first part of a saved curve and our run's are alike."""

    ALIKE = "alike"
    APART = "apart"
    UNTOLD = "untold"  # no statement: `why` says what is missing


class Comparison(Record):
    """Two curves over their `common` points: how far their means are `apart`, and how far they may be, both
    as `FLOOR` is. `why` is empty for those that are alike.
    """

    likeness: Likeness
    common: Annotated[int, Field(ge=0)] = 0
    apart: float = 0.0
    allowed: float = 0.0
    why: str = ""


class Replay(Record):
    """One saved curve of a cell whose run was cut short, held against what our run printed until then.

    Our run came to step `reached` and printed `seen` there; the saved curve goes on to step `last` and ends
    there with `final`.
    """

    cell: int
    quantity: Quantity
    split: Split
    comparison: Comparison
    reached: int
    seen: float
    last: int
    final: float


def replays(
    saved: Readings, run: Run | None, rerun: Readings | None, further: Sequence[Readings] = ()
) -> tuple[Replay, ...]:
    """Every saved curve with steps of the cells that our run cut short, held against the same one of our run.

    `further` are the outputs of runs with other seeds. Empty where nothing was cut short. A cell that trains
    several times is held against itself training by training; what is told is of the one that was cut short.
    """
    if run is None or rerun is None:
        return ()
    is_other_data = any(use.origin is DatasetOrigin.STAND_IN for use in run.datasets)
    return tuple(
        replay
        for cell in _cut_short(run)
        for quantity, split in sorted({(s.quantity, s.split) for s in rerun.series if s.cell == cell})
        if (replay := _replay(cell, quantity, split, saved, rerun, further, is_other_data)) is not None
    )


def _cut_short(run: Run) -> Iterator[int]:
    """The cells that did not come to their end for want of time."""
    yield from (cell.cell for cell in run.cells if cell.status is CellStatus.INTERRUPTED)
    if run.status is RunStatus.TIMED_OUT:
        began = [cell for cell in run.cells if cell.status is not CellStatus.NOT_RUN]
        yield from (cell.cell for cell in began[-1:] if cell.status is CellStatus.FAILED)


def _replay(
    cell: int,
    quantity: Quantity,
    split: Split,
    saved: Readings,
    rerun: Readings,
    further: Iterable[Readings],
    is_other_data: bool,
) -> Replay | None:
    ours = _trainings(rerun, cell, quantity, split)
    theirs = _trainings(saved, cell, quantity, split)
    if not ours or len(ours) > len(theirs):
        return None
    place = len(ours) - 1
    our, their = ours[place], theirs[place]
    others = [found[place] for one in further if len(found := _trainings(one, cell, quantity, split)) > place]
    comparison = (
        Comparison(likeness=Likeness.UNTOLD, why="our run had a stand-in for the data")
        if is_other_data
        else compare_curves(their, our, others, quantity)
    )
    return Replay(
        cell=cell,
        quantity=quantity,
        split=split,
        comparison=comparison,
        reached=our[-1][0],
        seen=our[-1][1],
        last=their[-1][0],
        final=their[-1][1],
    )


def _trainings(readings: Readings, cell: int, quantity: Quantity, split: Split) -> list[Curve]:
    """The curves of one quantity that a cell printed, a new one wherever the steps begin anew.

    Left out are numbers without a step, and what a progress bar showed before its epoch was over.
    """
    points = [
        (number.step, number.value)
        for number in readings.numbers
        if (number.cell, number.quantity, number.split) == (cell, quantity, split)
        and number.step is not None
        and not ((bar := _BAR.match(number.text)) and bar[1] != bar[2])
    ]
    starts = [0, *(place for place, (a, b) in enumerate(pairwise(points), 1) if b[0] <= a[0])]
    return [points[begin:end] for begin, end in pairwise([*starts, len(points)]) if end > begin]


def compare_curves(
    saved: Curve, ours: Curve, further: Sequence[Curve] = (), quantity: Quantity = Quantity.LOSS
) -> Comparison:
    """The first part of `saved` held against `ours`, of the same code with another seed.

    Losses and error rates are compared as logarithms. Alike are curves whose means are no further apart than
    allowed, over all they have in common and over each third of it, of whose single points nine of ten are,
    and whose noise is alike; and what was saved must go on from there without a leap that our run never made,
    and end no better than our run's own way, drawn on over the logarithm of the steps, leads to expect. No
    statement is made on less than `FEWEST_POINTS` common points, on other steps, or where even a training
    that is twice as fast as ours could hardly be told from it.
    """
    common = len(ours)
    if common < FEWEST_POINTS:
        return Comparison(
            likeness=Likeness.UNTOLD, common=common, why=f"our run printed {common} points only"
        )
    steps = [step for step, _ in saved]
    if steps[:common] != [step for step, _ in ours] or any(b <= a for a, b in pairwise(steps)):
        return Comparison(likeness=Likeness.UNTOLD, why="it was printed at other steps than in our run")
    if len(saved) == common:
        return Comparison(likeness=Likeness.UNTOLD, common=common, why="nothing more was saved")
    if any(not 0 <= value < _LARGEST for _, value in (*saved, *ours)):
        return Comparison(likeness=Likeness.UNTOLD, common=common, why="its values cannot be compared")
    seeds = [_on_scale(one[:common], quantity) for one in further if _begins_as(one, ours)]
    return _compared(steps, _on_scale(saved, quantity), _on_scale(ours, quantity), seeds)


def _begins_as(one: Curve, ours: Curve) -> bool:
    return [step for step, _ in one[: len(ours)]] == [step for step, _ in ours]


def _on_scale(curve: Curve, quantity: Quantity) -> list[float]:
    if quantity is Quantity.LOSS:
        return [math.log(max(value, _LEAST_LOSS)) for _, value in curve]
    return [math.log(max(1 - value, _LEAST_ERROR)) for _, value in curve]


def _compared(
    steps: Sequence[int], saved: Sequence[float], ours: Sequence[float], seeds: Sequence[Sequence[float]]
) -> Comparison:
    """`compare_curves` for values on their scale; `steps` and `saved` go on after the others have ended."""
    common = len(ours)
    apart = [their - our for their, our in zip(saved, ours, strict=False)]
    our_noise, their_noise = _noise(ours), _noise(saved[:common])
    noise = math.sqrt(2) * min(our_noise, their_noise)  # of a difference; nobody widens it by scattering
    level, slopes = _level([ours, *seeds]), _slopes(ours)
    allowed = level + 3 * noise / math.sqrt(common)

    def told(likeness: Likeness, why: str = "") -> Comparison:
        whole = round(abs(fmean(apart)), 3)
        return Comparison(likeness=likeness, common=common, apart=whole, allowed=round(allowed, 3), why=why)

    thirds = [range(common * part // 3, common * (part + 1) // 3) for part in range(3)]
    is_near = abs(fmean(apart)) <= allowed and all(
        abs(fmean(apart[i] for i in part))
        <= _OF_A_THIRD * level + 3 * noise / math.sqrt(len(part)) + _SHIFT * fmean(slopes[i] for i in part)
        for part in thirds
    )
    if not is_near:
        is_ahead = fmean(saved[i] for i in thirds[0]) < fmean(ours[i] for i in thirds[-1]) - allowed
        ahead = "it starts where our run ends: its cell may have been run again on a trained model"
        return told(Likeness.APART, ahead if is_ahead else "it is another curve")
    if _of_a_faster_training(steps[:common], ours) < _TOLD_APART * allowed:
        return told(Likeness.UNTOLD, "our run's curve is too flat or too noisy to tell it from others")
    points = [_OF_A_POINT * level + 4 * noise + _SHIFT * slope for slope in slopes]
    if sum(abs(one) > most for one, most in zip(apart, points, strict=True)) > _MOST_OUTSIDE * common:
        return told(Likeness.APART, "single points are too far apart")
    is_noise_known = common >= _NOISE_POINTS and max(our_noise, their_noise) > _NOISE_SEEN
    if is_noise_known and not 1 / _SMOOTHER < their_noise / max(our_noise, _LEAST_LOSS) < _SMOOTHER:
        return told(Likeness.APART, "it is smoother or rougher than our run's")
    largest = max(a - b for a, b in pairwise(ours)) + level + 4 * noise
    if any(a - b > largest for a, b in pairwise(saved[common - 1 :])):
        return told(Likeness.APART, "it leaps where our run did not come to")
    if ours[-1] - saved[-1] > _MOST_HURRY * _to_come(steps, ours) + allowed + 4 * noise:
        return told(Likeness.APART, "it ends better than its beginning leads to expect")
    return told(Likeness.ALIKE)


def _level(seeds: Sequence[Sequence[float]]) -> float:
    """How far the means of two curves may be apart, noise aside: the floor, or what three seeds show."""
    if len(seeds) < 3:
        return FLOOR
    spread = math.sqrt(2) * stdev(fmean(one) for one in seeds)
    return min(_MOST_SPREAD * FLOOR, max(FLOOR, 3 * spread))


def _of_a_faster_training(steps: Sequence[int], ours: Sequence[float]) -> float:
    """How far the mean of our curve is apart from that of a training which is `_FASTER` times as fast."""
    apart = []
    for step, value in zip(steps, ours, strict=True):
        place = bisect_right(steps, _FASTER * step) - 1
        if step * _FASTER <= steps[-1]:
            apart.append(value - ours[place])
    return abs(fmean(apart)) if apart else 0.0


def _to_come(steps: Sequence[int], ours: Sequence[float]) -> float:
    """How far our curve would still go down if it went on, over the logarithm of the steps, as at its end.

    That is its way from the second third to the last. A power law goes on like that, most learning slower.
    """
    common, gap = len(ours), steps[1] - steps[0]
    times = [math.log(step - steps[0] + gap) for step in steps]
    middle, end = range(common // 3, common * 2 // 3), range(common * 2 // 3, common)
    way = fmean(ours[i] for i in middle) - fmean(ours[i] for i in end)
    time = fmean(times[i] for i in end) - fmean(times[i] for i in middle)
    return max(0.0, way / time) * (times[-1] - times[common - 1])


def _noise(values: Sequence[float]) -> float:
    """The standard deviation of a point around its neighbours' middle, robust against steep parts.

    Of white noise the second difference `b − (a + c) / 2` has 1.5 times its variance.
    """
    residuals = [abs(b - (a + c) / 2) for a, b, c in zip(values, values[1:], values[2:], strict=False)]
    return 1.4826 * median(residuals) / math.sqrt(1.5)


def _slopes(values: Sequence[float]) -> list[float]:
    """How far the curve goes from one point to the next, around each point."""
    steps = [abs(b - a) for a, b in pairwise(values)]
    return [max(steps[max(0, i - 1) : i + 1]) for i in range(len(values))]
