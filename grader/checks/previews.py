"""What can be told of a criterion before a hand-in is graded, from the hand-in and public parameters alone.

A student's own check shows it. It never holds an answer against a key, nor a number against a threshold:
those parameters do not get here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, Field, JsonValue

from grader.model import Outcome, Reason, Record, Verdict


class Sight(StrEnum):
    """Whether what a criterion asks for was seen in a hand-in."""

    FOUND = "found"
    MISSING = "missing"  # surely not there
    UNCLEAR = "unclear"  # there may be something; a person will look
    LATER = "later"  # only grading can tell


class Preview(Record):
    """What was seen of one criterion, with the cells that show it."""

    sight: Sight
    reasons: Annotated[tuple[Reason, ...], Field(min_length=1)]


PreviewFunction = Callable[..., Preview]
PublicParameters = Callable[[BaseModel], Mapping[str, JsonValue]]


@dataclass(frozen=True)
class PublicSide:
    """What students may know of a check: `parameters` picks that out of those that a rubric gives.

    `preview` is called as a check is, with these parameters only; None stands for the check itself, which
    then takes no others. `before_run` is called in its place, with the same parameters, for a notebook
    that was not run, where it takes a run to judge. `heading` makes, of the same parameters, the heading of a
    notebook below which an answer is found for sure; None where the check looks for no answer in words.
    """

    parameters: PublicParameters
    preview: PreviewFunction | None = None
    heading: Callable[..., str] | None = None
    before_run: PreviewFunction | None = None


def public(
    *names: str, before_run: PreviewFunction | None = None, preview: PreviewFunction | None = None
) -> PublicSide:
    """The public side of a check all of whose parameters, `names`, students may read."""

    def given(parameters: BaseModel) -> dict[str, JsonValue]:
        values = parameters.model_dump(mode="json")
        return {name: values[name] for name in names}

    return PublicSide(given, preview, before_run=before_run)


_SIGHTS = {
    Outcome.MET: Sight.FOUND,
    Outcome.PARTLY_MET: Sight.UNCLEAR,
    Outcome.NOT_MET: Sight.MISSING,
    Outcome.NEEDS_REVIEW: Sight.UNCLEAR,
    Outcome.NOT_CHECKED: Sight.LATER,
}


def preview_of(verdict: Verdict) -> Preview:
    """What the verdict of a check without hidden parameters tells a student."""
    return Preview(sight=_SIGHTS[verdict.outcome], reasons=verdict.reasons)


def found(*reasons: Reason) -> Preview:
    """What is asked for was found."""
    return Preview(sight=Sight.FOUND, reasons=reasons)


def missing(*reasons: Reason) -> Preview:
    """What is asked for is not there; only where no grading could find it either."""
    return Preview(sight=Sight.MISSING, reasons=reasons)


def unclear(*reasons: Reason) -> Preview:
    """There may be something."""
    return Preview(sight=Sight.UNCLEAR, reasons=reasons)


def later(*reasons: Reason) -> Preview:
    """Nothing can be told yet."""
    return Preview(sight=Sight.LATER, reasons=reasons)


_WORD = re.compile(r"[^\W\d_]{6,}")
_OF_ANY_QUESTION = frozenset(
    """answer answers around before behind between briefly called change changed choose consider describe
    different question questions reason should simply something solution therefore though training understand
    whether without working""".split()  # noqa: SIM905
)


def words_of_question(asks: str) -> tuple[str, ...]:
    """The telling words of a question's own text, by which an answer to it may be known."""
    words = (word.lower() for word in _WORD.findall(asks))
    return tuple(dict.fromkeys(word for word in words if word not in _OF_ANY_QUESTION))
