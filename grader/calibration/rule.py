"""The rule of thumb by which thresholds follow from what a reference reaches.

Thresholds stand where honest beginners stand, not experts. A reference is an expert's work, so its accuracy
is no threshold: an honest beginner comes a good part of the way from guessing to it. All points begin at
`FULL` of that way, half of them at `PARTLY`, both rounded to `STEP`.

Within the band of a threshold another seed may well be on its other side: it is the standard deviation of the
reference over its seeds (which does not grow with their number, as the spread does), the largest of all data
sets. It is `LEAST_BAND` at least, for a model near a threshold was trained less than the reference and
scatters more.
"""

from __future__ import annotations

import math
import statistics
from typing import Annotated

from pydantic import Field

from grader.checks.accuracy_shown import Line
from grader.checks.measurement import chance_on
from grader.model import DatasetOrigin, Record

FULL, PARTLY, STEP = 0.80, 0.45, 0.05
LEAST_BAND = 0.02


class Reached(Record):
    """What one notebook reached on withheld images of one data set: a figure for each seed that was measured.

    `now` is the line in the rubric, `proposed` the one by the rule of thumb.
    """

    dataset: str
    origin: DatasetOrigin
    notebook: str
    accuracies: Annotated[tuple[float, ...], Field(min_length=2)]
    now: Line

    @property
    def median(self) -> float:
        """The median over the seeds."""
        return statistics.median(self.accuracies)

    @property
    def spread(self) -> float:
        """The largest less the smallest over the seeds."""
        return max(self.accuracies) - min(self.accuracies)

    @property
    def deviation(self) -> float:
        """The sample standard deviation over the seeds."""
        return statistics.stdev(self.accuracies)

    @property
    def proposed(self) -> Line:
        """The line that the rule of thumb gives."""
        chance = chance_on(self.dataset)
        full, partly = (chance + share * (self.median - chance) for share in (FULL, PARTLY))
        return Line(full=round(round(full / STEP) * STEP, 2), partly=round(round(partly / STEP) * STEP, 2))


class Calibration(Record):
    """What was reached for one criterion; `band` is the one in the rubric, `seeds` were asked for."""

    assignment: str
    criterion: str
    seeds: int
    reached: Annotated[tuple[Reached, ...], Field(min_length=1)]
    band: float

    @property
    def deviation(self) -> float:
        """The largest standard deviation over seeds, of all data sets."""
        return max(reached.deviation for reached in self.reached)

    @property
    def proposed_band(self) -> float:
        """The band that the rule of thumb gives, rounded up to hundredths."""
        return max(LEAST_BAND, math.ceil(round(100 * self.deviation, 6)) / 100)
