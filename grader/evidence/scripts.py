"""Broken scripts as one hand-in leaves them: what was measured of each, fixes tried, and what is said."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from grader.evidence.watched import Watched
from grader.fixes.records import Bar, Cause, Fix, Passage, Symptoms
from grader.model import Record, RunStatus, Source


class ScriptRun(Record):
    """One run of a script: how it ended, and what was seen of the training that counts.

    `accuracy_from` is MEASURED for our own figure, RERUN for one that the script printed, OBSERVED for one of
    predictions that only the room told and that could not be computed here, None for none.
    `is_trusted` is False when the recorder was changed or missing. `order` are the places of the weight
    matrices from data to logits, `shapes` all weights' shapes. `hidden_layers` and `is_fit` describe the
    model and how it was trained.
    """

    key: str
    status: RunStatus
    error: str | None = None
    is_real_data: bool
    is_trusted: bool = False
    symptoms: Symptoms = Symptoms()
    accuracy_from: Source | None = None
    watched: Watched | None = None
    shapes: tuple[tuple[int, ...], ...] = ()
    order: tuple[int, ...] = ()
    hidden_layers: int = 0
    is_fit: bool = False


class Trial(StrEnum):
    """What came of trying a fix."""

    MENDED = "mended"
    FAILED = "failed"  # it surely does not train: in three seeds, on real data
    REFUSED = "refused"  # it does not mend the script: no training, fewer steps, another model
    UNCLEAR = "unclear"


class TriedFix(Record):
    """A fix and what came of it, in a sentence; `runs` in the order of their seeds, `best` of them counts."""

    fix: Fix
    trial: Trial
    why: str
    runs: tuple[ScriptRun, ...] = ()
    best: Annotated[int, Field(ge=0)] = 0


class TriedScript(Record):
    """One script: the run of it as it is, the bar for a fix, the fixes that were found, and what is said.

    `broken` and `bar` are None when nothing in the hand-in speaks of the script, so that nothing was run.
    `criteria` are the ids of those that ask about it.
    """

    name: str
    title: str
    criteria: tuple[str, ...] = ()
    causes: tuple[Cause, ...]
    bar: Bar | None = None
    broken: ScriptRun | None = None
    fixes: tuple[TriedFix, ...] = ()
    said: tuple[Passage, ...] = ()
