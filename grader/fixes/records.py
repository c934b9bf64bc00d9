"""The records of broken scripts, of proposed fixes, and of what came of running them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field

from grader.model import Attachment, Record
from grader.notebook import prose


class FixKind(StrEnum):
    """How a fix is written down, the plainest to run first."""

    WHOLE_SCRIPT = "whole_script"
    REDEFINITION = "redefinition"  # of functions, classes or constants of the script
    CHANGED_LINES = "changed_lines"  # in a code block, with or without the old ones beside them
    DIFF = "diff"
    WORDS = "words"  # turned into an edit


class Symptom(StrEnum):
    """What can be measured of a training that fails."""

    LOSS_NOT_FINITE = "loss-not-finite"  # the loss or a gradient is NaN or infinite from some step on
    LOSS_STUCK = "loss-stuck"  # it ends about where it began, or higher
    LOSS_HIGH = "loss-high"  # it falls, but stays far above that of a right script
    GRADIENTS_VANISH = "gradients-vanish"  # they are next to nothing at the layers near the input
    GRADIENTS_EXPLODE = "gradients-explode"
    UNITS_DEAD = "units-dead"  # nearly all outputs of a layer are zero
    UNITS_SATURATED = "units-saturated"  # nearly all outputs of a layer lie at an end of their range
    INPUTS_SWAMPED = "inputs-swamped"  # what goes in is hardly like the images of the data set
    OUTPUTS_SOFTMAXED = "outputs-softmaxed"  # what the loss takes for logits are probabilities already
    ACCURACY_LOW = "accuracy-low"


class Symptoms(Record):
    """What was measured of one run of a script.

    A symptom that is neither in `shown` nor in `absent` is unknown. Losses are means over the steps at the
    beginning and the end; `not_finite_from` is the step, from 1, of the first loss or gradient that is no
    number; `first_gradients` are the norms at step 1, weight by weight in the order in which the forward pass
    uses them (matrices only), `last_gradients` those of the last step looked at; `zero_share` and
    `saturated_share` are shares of a hidden layer's outputs, of the worst layer; `accuracy` is over images
    whose labels the script never had.
    """

    shown: frozenset[Symptom] = frozenset()
    absent: frozenset[Symptom] = frozenset()
    steps: Annotated[int, Field(ge=0)] = 0
    first_loss: float | None = None
    last_loss: float | None = None
    lowest_loss: float | None = None
    not_finite_from: Annotated[int, Field(ge=1)] | None = None
    first_gradients: tuple[float, ...] = ()
    last_gradients: tuple[float, ...] = ()
    zero_share: float | None = None
    saturated_share: float | None = None
    accuracy: float | None = None


class Cause(Record):
    """One thing that can be wrong with a script: what it is called, a sentence for the reader, and words.

    `words` are ways to say it, besides those that are known for `id` (see `grader/fixes/causes.py`).
    """

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    says: Annotated[str, Field(min_length=1)]
    words: tuple[str, ...] = ()


class BrokenScript(Record):
    """One broken script: `name` is its file's name without the suffix, `source` its text."""

    name: str
    source: str


class KeyFix(Record):
    """A fix that is known to mend a script; `source` is the whole mended script."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    says: Annotated[str, Field(min_length=1)]
    source: str


class Bar(Record):
    """What a mended script must reach: an accuracy on images it never had and, where given, a mean loss.

    Within `BAND` below the accuracy nobody can tell: that much lies between one seed and the next.
    """

    accuracy: Annotated[float, Field(gt=0, lt=1)]
    loss_below: Annotated[float, Field(gt=0)] | None = None


BAND = 0.01


class Script(BrokenScript):
    """A broken script as `scripts.yaml` describes it.

    `steps` is the name of the constant with its number of steps, "" when there is none by name. `fails` are
    the symptoms that it is to show. `bar` is None when it is to be derived from the runs of the broken
    script. `beside` are modules that lie in its folder, `folder`.
    """

    title: str
    steps: str = ""
    fails: tuple[Symptom, ...] = ()
    causes: Annotated[tuple[Cause, ...], Field(min_length=1)]
    fixes: tuple[KeyFix, ...] = ()
    bar: Bar | None = None
    folder: Annotated[Path, Field(exclude=True)] = Path()
    beside: tuple[Attachment, ...] = ()


class Fix(Record):
    """One proposed fix of one script, ready to run.

    `source` is the whole mended script; `changes` are (old, new) pieces of source, "" for nothing; `cell`
    is where it was found, None for an attachment, whose name is then `attachment`; `passage` is the
    student's own text of it. `is_sure`: the hand-in leaves no doubt that it is for this script; one that is
    not may speak for a student, never against. `is_vague`: the words name no value ("smaller weights"), and
    one was chosen here. `adds_only`: it takes nothing away from the script, so that it may be a look into it,
    and no fix.
    """

    script: str
    kind: FixKind
    source: str
    changes: tuple[tuple[str, str], ...] = ()
    cell: Annotated[int, Field(ge=1)] | None = None
    attachment: str | None = None
    passage: str = ""
    is_sure: bool = True
    is_vague: bool = False
    adds_only: bool = False


class Passage(prose.Passage):
    """What a hand-in says about one script. `is_sure`: it leaves no doubt that it is about this one."""

    is_sure: bool = True
