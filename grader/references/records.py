"""The records of references: what a notebook is made of, and what each criterion must come to."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from grader.model import Outcome, Record

SETTINGS = "references.yaml"
SOLUTION = "solution"
VARIANTS, CONTROLS = "variants", "controls"
LOST = (Outcome.NOT_MET, Outcome.PARTLY_MET)

Notebook = dict[str, Any]  # as in the file: nbformat 4
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
CellNumber = Annotated[int, Field(ge=1)]


class Expected(StrEnum):
    """What a criterion must come to for a reference."""

    MET = "met"
    LOST = "not met or partly met"
    REVIEW = "left to a person"
    LOST_OR_REVIEW = "lost or left to a person"
    MET_OR_REVIEW = "met or left to a person"

    def fits(self, outcome: Outcome) -> bool:
        """Whether `outcome` is what is expected."""
        if outcome is Outcome.MET or self is Expected.MET:
            return outcome is Outcome.MET and self in (Expected.MET, Expected.MET_OR_REVIEW)
        if self is Expected.MET_OR_REVIEW:
            return outcome not in LOST
        return self is Expected.LOST_OR_REVIEW or (outcome in LOST) == (self is Expected.LOST)


class Edit(Record):
    """One change of a notebook; `cell`, `delete` and `after` are numbers of cells as they were before.

    - `cell`, `replace`, `by`: in the cell's source, a text that stands there once becomes another.
    - `cell`, `source`: the cell gets another source.
    - `cell`, `prints`: the saved outputs of the cell become this printed text.
    - `outputs: clear`: no saved outputs; of one `cell`, or of all.
    - `outputs: keep`: the saved outputs stay those of the notebook that is edited (see `Mutant`).
    - `delete`: the cell goes. `after`, `source`: a new code cell comes after that one (0: on top).
    """

    cell: CellNumber | None = None
    replace: Annotated[str, Field(min_length=1)] | None = None
    by: str | None = None
    source: str | None = None
    prints: str | None = None
    outputs: Annotated[str, Field(pattern=r"^(clear|keep)$")] | None = None
    delete: CellNumber | None = None
    after: Annotated[int, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _is_one_of_the_forms(self) -> Self:
        given = self.model_fields_set
        forms = (
            *({"cell", "replace", "by"}, {"cell", "source"}, {"cell", "prints"}),
            *({"cell", "outputs"}, {"outputs"}, {"delete"}, {"after", "source"}),
        )
        if given not in forms or (self.outputs == "keep" and self.cell is not None):
            raise ValueError(
                "should be one of `cell, replace, by`, `cell, source`, `cell, prints`, `[cell,] outputs: "
                "clear`, `outputs: keep`, `delete`, `after, source`"
            )
        return self

    @property
    def is_of_outputs(self) -> bool:
        """Whether it changes saved outputs only."""
        return self.outputs is not None or self.prints is not None


class Verdicts(Record):
    """What a reference must lose, and what may only be left to a person; all else must be met.

    Which of the two it is for `lose_or_review` hangs on the seed or on how long it trains.
    """

    lose: tuple[Name, ...] = ()
    review: tuple[Name, ...] = ()
    lose_or_review: tuple[Name, ...] = ()


class Mutant(Verdicts):
    """A file of `mutants/`: a reference with a known fault, as edits of another one.

    Its saved outputs are those of its own run, as if it had been handed in like that, changed by the edits
    of outputs; with `outputs: keep` they are those of the notebook `of`, which did not come from this code.
    """

    title: Annotated[str, Field(min_length=1)]
    of: Name = SOLUTION
    edits: Annotated[tuple[Edit, ...], Field(min_length=1)]


class Quick(Record):
    """The constant in the code that says how long a notebook trains, and its value for a quick run."""

    constant: Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$")]
    value: Annotated[int, Field(ge=1)]


class Variant(Verdicts):
    """What differs for one of `variants/` or `controls/`; `quick` is its own value for the quick run.

    A control without one runs as it is written: it need not have the constant.
    """

    quick: Annotated[int, Field(ge=1)] | None = None


class Settings(Record):
    """`references.yaml`: how a quick run is made, and which criteria a person judges in every reference.

    Those `on_real_data` are lost there only: on stand-ins they are left to a person. Those in
    `lose_or_review` are met by none of them, unless a reference says otherwise. Those in `met_on_real_data`
    have to be met there; on stand-ins the seed decides whether they are met or left to a person. Those in
    `met_or_review` are answers that are read: what is clear is met, unless a reference says otherwise.
    """

    quick: Quick | None = None
    review: tuple[Name, ...] = ()
    met_or_review: tuple[Name, ...] = ()
    on_real_data: tuple[Name, ...] = ()
    met_on_real_data: tuple[Name, ...] = ()
    lose_or_review: tuple[Name, ...] = ()
    variants: dict[Name, Variant] = Field(default_factory=dict)
    controls: dict[Name, Variant] = Field(default_factory=dict)

    def of(self, folder: str, name: str) -> Variant:
        """What differs for a notebook in `variants` or `controls`."""
        return (self.controls if folder == CONTROLS else self.variants).get(name, Variant())


class Reference(Record):
    """A notebook with known verdicts. `notebook` is the file it is made from by `edits`, if there are any.

    `name` is its file's path below `reference_solutions/`; `origin` the file that the edits stand in.
    """

    name: str
    title: str
    assignment: str
    origin: Path
    notebook: Path
    edits: tuple[Edit, ...] = ()
    quick: Quick | None = None
    lose: frozenset[str] = frozenset()
    review: frozenset[str] = frozenset()
    met_or_review: frozenset[str] = frozenset()
    lose_or_review: frozenset[str] = frozenset()
    on_real_data: frozenset[str] = frozenset()
    met_on_real_data: frozenset[str] = frozenset()

    @property
    def shows_other_outputs(self) -> bool:
        """Whether its saved outputs are not those of its code, on purpose."""
        return any(edit.outputs == "keep" for edit in self.edits)

    @property
    def shows_its_own_outputs(self) -> bool:
        """Whether its saved outputs have to come from its own run, since its code was edited."""
        return not self.shows_other_outputs and any(not edit.is_of_outputs for edit in self.edits)

    def expected(self, criterion: str, *, is_real: bool) -> Expected:
        """What a criterion must come to, on real data or on stand-ins."""
        if criterion not in self.lose | self.lose_or_review:
            if criterion in self.review:
                return Expected.REVIEW
            is_open = criterion in self.met_or_review or (not is_real and criterion in self.met_on_real_data)
            return Expected.MET_OR_REVIEW if is_open else Expected.MET
        if not is_real and criterion in self.on_real_data:
            return Expected.REVIEW
        return Expected.LOST if criterion in self.lose else Expected.LOST_OR_REVIEW
