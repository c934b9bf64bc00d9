"""Steps timed eagerly and as graphs by the recorder (`observed`): how much is gained, with its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median
from typing import Annotated, NamedTuple

from pydantic import Field, model_validator

from grader.evidence.around import Count, Name
from grader.model import Record

_OUTSIDE = 0.025  # the share of cases in which the median lies below the interval, and above it
Seconds = Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)]


class Interval(NamedTuple):
    """A median and the interval in which that of the whole lies in at least 95 of 100 cases."""

    low: float
    middle: float
    high: float


class Timing(Record):
    """One training function called in pairs, eagerly and as a graph, on the same inputs: seconds per call.

    `at_run` is the position of the cell that called it first, `parameters` the size of what it trains,
    `slept` the seconds of `time.sleep` per pair of calls that were left out, `outside` the share of an eager
    call that passes in Python outside TensorFlow. `python_operations` of the graph go back to Python
    (`tf.py_function`), `constant_bytes` is the size of the arrays that stand in it. `steps` are the gradients
    that a call of the graph computes, `eager_operations` what an eager call runs; `graph_operations` stand in
    the graph, 0 where that does not say how many run. `is_reference`: it is one of ours. Where nothing was
    timed, `why_not` says why.
    """

    name: Name = ""
    at_run: Count = 0
    parameters: Count = 0
    signature: Name = ""
    is_reference: bool = False
    eager: Annotated[tuple[Seconds, ...], Field(max_length=300)] = ()
    graph: Annotated[tuple[Seconds, ...], Field(max_length=300)] = ()
    slept: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    python_operations: Count = 0
    constant_bytes: Count = 0
    steps: Count = 0
    eager_operations: Count = 0
    graph_operations: Count = 0
    outside: Annotated[float, Field(ge=0, le=1)] = 0.0
    why_not: Name = ""

    @model_validator(mode="after")
    def _come_in_pairs(self) -> Timing:
        if len(self.eager) != len(self.graph):
            raise ValueError("eager and graph times come in pairs")
        return self

    @property
    def gain(self) -> Interval | None:
        """How many times as long an eager step takes, by the pairs' ratios; None for too few pairs."""
        return interval_of([eager / graph for eager, graph in zip(self.eager, self.graph, strict=True)])


def interval_of(values: Sequence[float]) -> Interval | None:
    """The median with an interval between two of the values in order, whatever their distribution is.

    Each value lies below the median with probability 1/2, so that the binomial distribution gives the ranks
    between which the median lies in at least 95 of 100 cases. None for fewer than six: no ranks are enough.
    """
    count, below, rank = len(values), 0.0, 0
    ordered = sorted(values)
    while rank < count and below + math.comb(count, rank) / 2**count <= _OUTSIDE:
        below += math.comb(count, rank) / 2**count
        rank += 1
    return None if rank == 0 else Interval(ordered[rank - 1], median(ordered), ordered[count - rank])
