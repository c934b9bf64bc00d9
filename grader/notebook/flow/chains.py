"""What data went through on its way: the weights, the steps, and the chain that the steps make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from grader.notebook.facts import Level, Part, Start, StepKind


class Origin(NamedTuple):
    """Where data came from: the data set ("" unknown), its part, and `x` images or `y` labels ("")."""

    dataset: str
    part: Part
    role: str = ""


@dataclass(slots=True, eq=False)
class WeightInfo:
    """A weight as it was made; `name` is set when it is first bound to one.

    `is_one` is False for one that stands for many: made in a loop that is gone round only once here.
    """

    id: int
    cell: int
    line: int
    start: Start
    how: str
    shape: tuple[int | None, ...] | None
    level: Level
    is_variable: bool = True
    is_one: bool = True
    name: str = ""


class RawStep(NamedTuple):
    """A step of a forward pass; `width` is the layer's number of units where it is written."""

    kind: StepKind
    name: str
    cell: int
    line: int
    level: Level
    weight: WeightInfo | None
    width: int | None
    function: str


@dataclass(slots=True, eq=False)
class Chain:
    """The steps that data took, as a list linked backwards; shared, never changed but for two marks.

    `is_extended`: another step was built on top of it. `is_used`: a training or evaluation used it.
    """

    parent: Chain | None
    step: RawStep | None
    is_complete: bool
    products: int
    length: int
    is_extended: bool = False
    is_used: bool = False

    def then(self, step: RawStep, *, is_complete: bool = True) -> Chain:
        """The chain with one more step; it stops growing at 200 steps and is incomplete then."""
        if self.length >= 200:
            self.is_complete = False
            return self
        self.is_extended = True
        is_product = step.kind is StepKind.PRODUCT
        return Chain(
            self, step, self.is_complete and is_complete, self.products + is_product, self.length + 1
        )

    def comes_from(self, other: Chain) -> bool:
        """True when it goes on from `other` and has more products."""
        link: Chain | None = self
        while link is not None and link is not other:
            link = link.parent
        return link is other and self.products > other.products

    def broken(self) -> Chain:
        """The same steps, marked as not wholly understood."""
        return Chain(self.parent, self.step, False, self.products, self.length, is_extended=self.is_extended)

    def steps(self) -> tuple[RawStep, ...]:
        """All steps, first one first."""
        found: list[RawStep] = []
        link: Chain | None = self
        while link is not None:
            if link.step is not None:
                found.append(link.step)
            link = link.parent
        return tuple(found[::-1])


def new_chain(*, is_complete: bool) -> Chain:
    """A chain without steps."""
    return Chain(None, None, is_complete, 0, 0)
