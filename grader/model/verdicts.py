"""What a check says, and what its sentences rest on."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from grader.model.record import Record


class Source(StrEnum):
    """Where a fact is from, weakest first."""

    SOURCE = "source"  # read in the code or the text
    SAVED = "saved"  # in the outputs as handed in
    REPLAYED = "replayed"  # in the outputs as handed in, of a training that our run saw begin in the same way
    RERUN = "rerun"  # in the outputs of our run
    OBSERVED = "observed"  # seen by the recorder inside the kernel; a student can forge it
    MEASURED = "measured"  # computed by us, outside, on inputs the student's code had not seen


class Outcome(StrEnum):
    """What a check found. The last two carry no points until a person decides."""

    MET = "met"
    PARTLY_MET = "partly_met"
    NOT_MET = "not_met"
    NEEDS_REVIEW = "needs_review"
    NOT_CHECKED = "not_checked"


class Reason(Record):
    """One sentence for the student, with the numbers and the cell it speaks of."""

    text: Annotated[str, Field(min_length=1)]
    cell: int | None = None
    numbers: tuple[float, ...] = ()
    source: Source | None = None


class Verdict(Record):
    """What a check says. `fraction` of the points is 1 when met, 0 when not met, strictly between
    when partly met, and None (unknown is not zero) when a person has to decide.
    """

    outcome: Outcome
    fraction: Decimal | None = None
    reasons: Annotated[tuple[Reason, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _fraction_fits_outcome(self) -> Self:
        fits = {
            Outcome.MET: self.fraction == 1,
            Outcome.PARTLY_MET: self.fraction is not None and 0 < self.fraction < 1,
            Outcome.NOT_MET: self.fraction == 0,
            Outcome.NEEDS_REVIEW: self.fraction is None,
            Outcome.NOT_CHECKED: self.fraction is None,
        }
        if not fits[self.outcome]:
            raise ValueError(f"fraction {self.fraction} does not fit the outcome {self.outcome.value!r}")
        return self

    @property
    def sources(self) -> tuple[Source, ...]:
        """Where the facts behind this verdict are from, each once, weakest first."""
        used = {reason.source for reason in self.reasons}
        return tuple(source for source in Source if source in used)


def met(*reasons: Reason) -> Verdict:
    """A verdict with all points."""
    return Verdict(outcome=Outcome.MET, fraction=Decimal(1), reasons=reasons)


def partly_met(fraction: Decimal, *reasons: Reason) -> Verdict:
    """A verdict with a share of the points, strictly between 0 and 1."""
    return Verdict(outcome=Outcome.PARTLY_MET, fraction=fraction, reasons=reasons)


def not_met(*reasons: Reason) -> Verdict:
    """A verdict without points; only on positive evidence that the thing is wrong or absent."""
    return Verdict(outcome=Outcome.NOT_MET, fraction=Decimal(0), reasons=reasons)


def needs_review(*reasons: Reason) -> Verdict:
    """A verdict that a person has to give; the reasons lay out what was found."""
    return Verdict(outcome=Outcome.NEEDS_REVIEW, reasons=reasons)


def not_checked(*reasons: Reason) -> Verdict:
    """No verdict because of us: a library we lack, a run we lost, a bug in a check."""
    return Verdict(outcome=Outcome.NOT_CHECKED, reasons=reasons)
