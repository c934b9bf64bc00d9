"""Hand-ins that belong together."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Annotated

from pydantic import Field

from grader.model.record import Record


class GroupDecision(Record):
    """A person's decision on hand-ins whose grouping is in doubt: together, by the copy `head`, or apart."""

    is_together: bool
    head: str  # a `hand_in_mark`
    who: Annotated[str, Field(min_length=1)]
    why: str
    when: datetime


class Group(Record):
    """Hand-ins that the names on them bring together; the first of `hand_ins` is judged for all if shared.

    They stand there as `hand_in_mark`s, not by their ids: whoever is erased is in no other grade.

    `doubts` are sentences for the TA on where the copies disagree; with one, a group is shared only by a
    person's `decision`. `mark` changes with the copies and their contents.
    """

    hand_ins: Annotated[tuple[str, ...], Field(min_length=1)]
    is_shared: bool
    doubts: tuple[str, ...] = ()
    mark: str
    decision: GroupDecision | None = None

    @property
    def waits(self) -> bool:
        """Whether a person has to decide."""
        return bool(self.doubts) and self.decision is None

    def stands_in_for(self, submission: str) -> str | None:
        """The mark of the hand-in that is judged in place of this one, None where it is judged itself."""
        head = self.hand_ins[0]
        return head if self.is_shared and head != hand_in_mark(submission) else None


def hand_in_mark(submission: str) -> str:
    """What stands for a hand-in's id where the id itself must not be kept."""
    return hashlib.sha256(submission.encode()).hexdigest()[:16]
