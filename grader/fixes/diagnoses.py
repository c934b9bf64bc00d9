"""What a hand-in says is wrong with a script, held against its causes and against what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from grader.fixes.records import Cause, Passage, Symptoms
from grader.model import Record


class Said(StrEnum):
    """What a diagnosis comes to."""

    RIGHT = "right"
    WRONG = "wrong"  # it contradicts what was measured
    UNCLEAR = "unclear"
    ABSENT = "absent"  # no text speaks of the script


class Diagnosis(Record):
    """A diagnosis, and sentences on what it says."""

    outcome: Said
    reasons: tuple[str, ...] = ()


def diagnose(said: Sequence[Passage], causes: Sequence[Cause], measured: Symptoms) -> Diagnosis:
    """What is `said` of a script with these causes: a person reads what there is."""
    return Diagnosis(outcome=Said.UNCLEAR if said else Said.ABSENT)
