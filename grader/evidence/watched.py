"""What was seen of trainings on their way: losses, gradients, what went into the layers (`observed`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from grader.evidence.around import Count
from grader.model import Record

_NAME = Annotated[str, Field(max_length=60)]


class WatchedPoint(Record):
    """One step that was looked at, from 1. A number that is None was no number (nan, or infinite).

    `columns`: `loss` (the mean since the point before), `gradient <slot>` (the norm, by the weight's place),
    `layer <n> …` for what went into product n (0 is the input): `mean`, `deviation`, `zeros` (their share),
    `dead` (the share of units that are zero for the whole batch), `saturated`, `smoothness` (how far
    neighbouring pixels are alike, of the input only), and `logits lowest`, `highest`, `off one` (how far the
    sums of what the loss got are from one).
    """

    step: Annotated[int, Field(ge=1, le=2**53)]
    columns: Annotated[dict[_NAME, float | None], Field(max_length=250)] = Field(default_factory=dict)


class Watched(Record):
    """One training, by its id: how many steps it took, at which the loss or a gradient first was no number.

    `layers` names, for each product of data and weights, the operation that its data came from.
    """

    training: Count
    steps: Count
    not_finite_from: Annotated[int, Field(ge=1, le=2**53)] | None = None
    layers: Annotated[tuple[_NAME, ...], Field(max_length=24)] = ()
    points: Annotated[tuple[WatchedPoint, ...], Field(max_length=250)] = ()

    def curve(self, column: str) -> Iterator[tuple[int, float]]:
        """The steps and values of a column, without those that are no number."""
        for point in self.points:
            value = point.columns.get(column)
            if value is not None:
                yield point.step, value
