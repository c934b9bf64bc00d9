"""What we computed ourselves, outside of the room, from predictions on images the notebook never had."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from grader.model import Record

LEAST_AGREEMENT = 0.97  # weights come rounded to 11 bits; honest models were seen to agree by 0.99 and more

Share = Annotated[float, Field(ge=0, le=1)]


class MeasuredTraining(Record):
    """The model of one training, held against labels that never entered the room. All shares in [0, 1].

    `accuracy` is over `examples` withheld images, `shifted` and `noised` over altered copies of some of
    them, `known` over training images that the notebook had. `before` and `during` (step, accuracy) are
    of the weights before training and at snapshots, over fewer images. `as_evaluated` is the accuracy of
    the forward pass as the notebook evaluates it; `changed` the share of predictions that another order of
    its weights changes.

    The predictions are the room's. `agreement` is the share of them that this process, computing with the
    model's weights itself, found too; None where that was not possible or not tried (`why_not_computed`).
    `is_untold`: nothing was told of how the model computes, which the recorder always does.
    """

    training: int
    dataset: str
    examples: int
    accuracy: Share
    shifted: Share | None = None
    noised: Share | None = None
    known: Share | None = None
    before: Share | None = None
    during: tuple[tuple[int, Share], ...] = ()
    changed: Share | None = None
    as_evaluated: Share | None = None
    agreement: Share | None = None
    why_not_computed: str = ""
    is_untold: bool = False


class Measured(Record):
    """The measured models of one run, in the order of their trainings."""

    trainings: tuple[MeasuredTraining, ...] = ()

    def of(self, training: int) -> MeasuredTraining | None:
        """The measurement of one training on the data set that it was trained on, None if there is none."""
        return next((found for found in self.trainings if found.training == training), None)
