"""How long notebooks will take: a class before it starts, and what is left while it runs. Pure functions.

What is known of a notebook comes from runs of the same assignment that are stored, and from the times that it
tells itself; it never takes longer than its limits allow. What is not known is said, not guessed.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterable, Sequence
from statistics import median, quantiles
from typing import NamedTuple

from grader.execution.jobs import MEASURE_SECONDS, TIMING_SECONDS
from grader.model import Limits

FEWEST_RUNS = 5  # stored runs from which something follows for others
_DRAWS = 200
_ROOM_SECONDS = 1.0  # a notebook takes at least that: its room, and asking what was seen
_ALIKE = 1.25  # a range whose ends are no further apart is told as one number


class Past(NamedTuple):
    """A stored run: how long it took here, and how long the notebook says that it took its author."""

    seconds: float
    told: float | None = None


class Wanted(NamedTuple):
    """A notebook to run: the most it can take, and how long it says that it took its author."""

    most: float
    told: float | None = None


class Known(NamedTuple):
    """Seconds that a notebook may take, each as likely as the others; none where nothing is known.

    `is_told` where they come from what the notebook says of itself.
    """

    seconds: tuple[float, ...]
    is_told: bool


class Forecast(NamedTuple):
    """A forecast for `to_run` notebooks: between `low` and `high` seconds in so many rooms at a time.

    `told` is how many of them say themselves how long they took, `unknown` of how many nothing is known,
    `past` how many runs the others go by. `stored` hand-ins need no run.
    """

    to_run: int
    stored: int
    rooms: int
    low: float
    high: float
    told: int
    unknown: int
    past: int

    @property
    def sentence(self) -> str:
        """One line for the TA: how many, how long, and where that is from."""
        runs = f"{self.to_run} notebook{'' if self.to_run == 1 else 's'} to run"
        stored = f", {self.stored} {'is' if self.stored == 1 else 'are'} stored" if self.stored else ""
        rooms = f"in {self.rooms} room{'' if self.rooms == 1 else 's'} at a time"
        return f"{runs}{stored}; {_span(self.low, self.high)} {rooms}: {self._why()}."

    def _why(self) -> str:
        if self.unknown == self.to_run:
            return "nothing is known of them yet, and no limit lets them take longer"
        scaled = ", scaled by past runs" if self.past >= FEWEST_RUNS else ""
        counts = {
            f"by their own times{scaled}": self.told,
            f"by {self.past} stored runs of this assignment": self.to_run - self.told - self.unknown,
            "by the limits, for nothing is known": self.unknown,
        }
        parts = [
            f"{'all' if count == self.to_run else count} {how}" for how, count in counts.items() if count
        ]
        return "; ".join(parts)


def most_seconds(limits: Limits, *, times: bool = False) -> float:
    """The longest that a run with these limits can take: its cells, and the questions after them.

    `times`: functions that train are timed, too.
    """
    questions = 2 * MEASURE_SECONDS + (TIMING_SECONDS if times else 0)
    return limits.wall_seconds + limits.reserve_seconds + questions


def what_is_known(wanted: Wanted, past: Sequence[Past]) -> Known:
    """What stored runs, or the notebook itself, tell of how long it will take.

    A notebook's own times are those of another machine: they count once enough stored runs show how its like
    compare with this one. Other notebooks take as long as one of the stored runs.
    """
    scales = [run.seconds / run.told for run in past if run.told is not None and run.told >= _ROOM_SECONDS]
    if wanted.told is not None and wanted.told >= _ROOM_SECONDS and len(scales) >= FEWEST_RUNS:
        return Known(tuple(min(wanted.most, wanted.told * scale) for scale in scales), is_told=True)
    if len(past) >= FEWEST_RUNS:
        return Known(tuple(min(wanted.most, run.seconds) for run in past), is_told=False)
    return Known((), is_told=False)


def forecast(wanted: Sequence[Wanted], past: Sequence[Past], *, rooms: int, stored: int = 0) -> Forecast:
    """How long `wanted` will take, `rooms` at a time, in the order given.

    Every notebook takes one of the times that are known for it, drawn again and again, and every time the
    known runs are themselves drawn anew: what few of them say is less sure. Nine of ten draws lie between
    `low` and `high`. A notebook of which nothing is known counts with nothing for `low` and with all it may
    take for `high`; one that only says how long it took its author, with that for `low`.
    """
    known = [what_is_known(one, past) for one in wanted]
    draw = random.Random(0)
    lows, highs = [], []
    for _ in range(_DRAWS):
        again = draw.choices(range(len(past)), k=len(past)) if past else []
        times = [_drawn(found, again, draw) for found in known]
        ends = [
            (seconds, seconds)
            if seconds is not None
            else (min(one.most, one.told or _ROOM_SECONDS), one.most)
            for seconds, one in zip(times, wanted, strict=True)
        ]
        lows.append(makespan([low for low, _ in ends], rooms))
        highs.append(makespan([high for _, high in ends], rooms))
    unknown = [one for one, found in zip(wanted, known, strict=True) if not found.seconds]
    return Forecast(
        to_run=len(wanted),
        stored=stored,
        rooms=max(1, min(rooms, len(wanted))),
        low=quantiles(lows, n=20)[0],
        high=quantiles(highs, n=20)[-1],
        told=sum(found.is_told for found in known) + sum(one.told is not None for one in unknown),
        unknown=sum(one.told is None for one in unknown),
        past=len(past),
    )


def expected_seconds(wanted: Wanted, past: Sequence[Past]) -> float | None:
    """What one notebook will most likely take, None where nothing is known."""
    known = what_is_known(wanted, past)
    return median(known.seconds) if known.seconds else None


class Running(NamedTuple):
    """A notebook that is running: for how long already, what was expected of it, and the most it can take."""

    elapsed: float
    expected: float | None
    most: float


def remaining(
    ended: Sequence[tuple[float, float | None]],
    running: Sequence[Running],
    waiting: Sequence[float | None],
    *,
    rooms: int,
) -> float | None:
    """How many seconds are left when some notebooks have `ended` (took, expected) and some are `running`.

    `waiting` are the expectations of those that have not begun. Where nothing was expected, a notebook takes
    the median of those that ended; where something was, that times what the others took beyond it. One that
    runs longer than that counts with the median of those that took still longer, or else with all it may
    take. None while nothing is known.
    """
    took = [seconds for seconds, _ in ended]
    scales = [seconds / expected for seconds, expected in ended if expected]
    scale = median(scales) if len(scales) >= FEWEST_RUNS else 1.0

    def likely(expected: float | None) -> float | None:
        return expected * scale if expected is not None else median(took) if took else None

    def left_of(one: Running) -> float | None:
        seconds = likely(one.expected)
        if seconds is None or seconds > one.elapsed:
            return None if seconds is None else min(seconds, one.most) - one.elapsed
        longer = [other for other in took if other > one.elapsed]
        return max(0.0, (median(longer) if longer else one.most) - one.elapsed)

    left = [left_of(one) for one in running]
    to_come = [likely(expected) for expected in waiting]
    known = [seconds for seconds in (*left, *to_come) if seconds is not None]
    return makespan(known, rooms) if len(known) == len(left) + len(to_come) else None


def makespan(seconds: Iterable[float], rooms: int) -> float:
    """When the last of some notebooks ends that begin in this order, each when one of `rooms` is free."""
    free = [0.0] * max(1, rooms)
    for one in seconds:
        heapq.heapreplace(free, free[0] + one)
    return max(free)


def in_words(seconds: float) -> str:
    """A stretch of time no finer than a forecast is: `40 s`, `25 min`, `2 h 10 min`."""
    if seconds < 90:
        return f"{max(5, 5 * round(seconds / 5))} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(10 * round(minutes / 10), 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def _drawn(known: Known, again: Sequence[int], draw: random.Random) -> float | None:
    if not known.seconds:
        return None
    if len(known.seconds) == len(again):
        return known.seconds[draw.choice(again)]
    return draw.choice(known.seconds)


def _span(low: float, high: float) -> str:
    if high <= low * _ALIKE:
        return f"about {in_words((low + high) / 2)}"
    if low <= 0.1 * high:
        return f"at most {in_words(high)}"
    return f"{in_words(low)} to {in_words(high)}"
