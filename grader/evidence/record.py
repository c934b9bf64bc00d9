"""`Evidence`: everything that checks may ask about one hand-in."""

from __future__ import annotations

from functools import cached_property

from pydantic import Field

from grader.evidence.measured import Measured
from grader.evidence.observed import Observed
from grader.evidence.replay import Replay, replays
from grader.evidence.scripts import TriedScript
from grader.model import Record, Run, Submission
from grader.notebook.code import CodeIndex
from grader.notebook.dataflow import CodeFacts, read_code_facts
from grader.notebook.literals import shares_in
from grader.notebook.machinery import Reach
from grader.notebook.names import NamesFound, find_names
from grader.notebook.prose import Prose, read_prose
from grader.notebook.records import Notebook, Readings
from grader.oracles.references import References
from grader.oracles.traces import Trace

SCHEMA_VERSION = 1


class Evidence(Record):
    """Facts about one hand-in, kept apart by where they are from.

    `saved` was read from the outputs as handed in, `rerun` from those of our run (None when there
    was none); `observed` was seen by the recorder in the room, `measured` computed from what the models
    predicted, `repeats` the same for runs with other seeds, and `reruns` what was read in the outputs of
    those. `references` is what experiments of ours found, the same for every hand-in: it is laid beside what
    is stored. What can be derived from the cells (`code`, `facts`, `prose`, `shares_in_code`) is derived when
    asked for; the collector stores `code_facts`, `text` and `shares`, because reading these takes long.
    `own_traces` are the notebook's own experiments with orders of shuffle, batch and repeat, each with its
    cell, as our run printed them (as handed in where there was none). `reaches` is code of the hand-in, in
    cells and files, that reaches into what runs it. `scripts` are the broken scripts that the rubric asks
    about, with what came of trying the hand-in's fixes; None when that was not looked into. It is laid beside
    what is stored, as `references` is.
    """

    schema_version: int = Field(default=SCHEMA_VERSION, alias="schema")
    submission: Submission
    notebook: Notebook
    saved: Readings
    run: Run | None = None
    rerun: Readings | None = None
    observed: Observed | None = None
    measured: Measured | None = None
    repeats: tuple[Measured, ...] = ()
    reruns: tuple[Readings, ...] = ()
    references: References = References()
    code_facts: CodeFacts | None = None
    text: Prose | None = None
    shares: tuple[float, ...] | None = None
    reaches: tuple[Reach, ...] = ()
    own_traces: tuple[tuple[int, Trace], ...] = ()
    scripts: tuple[TriedScript, ...] | None = None

    @cached_property
    def code(self) -> CodeIndex:
        """The index over the syntax trees of the notebook's code cells."""
        return CodeIndex(self.notebook.code_cells)

    @cached_property
    def facts(self) -> CodeFacts:
        """Data sets, models, trainings and evaluations as the code tells them."""
        return self.code_facts or read_code_facts(self.code)

    @cached_property
    def prose(self) -> Prose:
        """The notebook's text: its passages, in Markdown cells and in comments."""
        return self.text or read_prose(self.notebook)

    @cached_property
    def shares_in_code(self) -> tuple[float, ...]:
        """The numbers in the notebook's code that may be a share, between 0 and 1 or in per cent."""
        return shares_in(self.code) if self.shares is None else self.shares

    @cached_property
    def names(self) -> NamesFound:
        """The names that stand in the notebook's text, those at its top apart."""
        return find_names(self.notebook)

    def script(self, name: str) -> TriedScript | None:
        """What is known of the script called `name`."""
        return next((tried for tried in self.scripts or () if tried.name == name), None)

    @cached_property
    def replays(self) -> tuple[Replay, ...]:
        """The saved curves of trainings that our run cut short, held against its own as far as it came."""
        return replays(self.saved, self.run, self.rerun, self.reruns)

    def as_handed_in(self) -> Evidence:
        """The same evidence without anything that is from a run."""
        left_out = dict.fromkeys(("run", "rerun", "observed", "measured")) | {"repeats": (), "reruns": ()}
        return self.model_copy(update=left_out)
