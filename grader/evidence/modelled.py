"""A forward pass with its weights as a room wrote it down: data to compute with, never code to run.

Fields of the wire's `written` facts; `grader/probes/exporting.py` writes them.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from grader.model import Record

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_TEXT = Annotated[str, Field(max_length=300)]
_SIZE = Annotated[int, Field(ge=0, le=10**8)]
_Keys = Annotated[tuple[_TEXT, ...], Field(max_length=100)]
_MOST_NUMBERS = 5_000_000


class ArrayFact(Record):
    """An array: base64 of little-endian numbers, each a share of `scale`. Built only if the length fits."""

    shape: Annotated[tuple[_SIZE, ...], Field(max_length=8)]
    type: Literal["f2", "f8", "i8"]
    scale: Annotated[float, Field(allow_inf_nan=False)] = 1.0
    data: str

    @model_validator(mode="after")
    def _has_its_length(self) -> Self:
        count = math.prod(self.shape)
        if count > _MOST_NUMBERS or len(self.data) != 4 * -(-count * int(self.type[1]) // 3):
            raise ValueError("an array has another length than its shape says")
        return self

    def array(self) -> NDArray[np.generic]:
        """The numbers: float32 for weights (f2), float64 or int64 for constants."""
        import numpy as np  # late: `grade check` without a run has no arrays

        found = np.frombuffer(base64.b64decode(self.data, validate=True), f"<{self.type}").reshape(self.shape)
        return (found.astype(np.float32) * np.float32(self.scale)) if self.type == "f2" else found


class StepFact(Record):
    """One operation by TensorFlow's name; `inputs` and `outputs` are keys of tensors."""

    op: _TEXT
    inputs: _Keys = ()
    outputs: _Keys
    attributes: Mapping[_TEXT, bool | int | float | str | tuple[bool | int | float | str, ...]] = Field(
        default_factory=dict, max_length=50
    )


class WayFact(Record):
    """How images of `dataset` become rows: by the named preparation, then scale × pixel + offset."""

    dataset: _TEXT
    fit: _TEXT = ""
    preparation: _TEXT = ""
    scale: float
    offset: float


class WrittenModel(Record):
    """How one training's model computes its logits: `steps` in order, with constants and weights given.

    `weights` maps keys of tensors to places in `values`. Rows go in at `entry` as (batch, *row_shape), or
    transposed; logits (batch, classes), or transposed, come out at `logits`. `batch` is the only number of
    rows that may go in at once, None when any may. `why_not` says why there is nothing of this.
    """

    training: int
    why_not: _TEXT = ""
    ways: Annotated[tuple[WayFact, ...], Field(max_length=20)] = ()
    row_shape: Annotated[tuple[_SIZE, ...], Field(max_length=8)] = ()
    is_transposed: bool = False
    is_integer: bool = False
    batch: Annotated[int, Field(gt=0, le=10_000)] | None = None
    entry: _TEXT = ""
    logits: _TEXT = ""
    is_logits_transposed: bool = False
    steps: Annotated[tuple[StepFact, ...], Field(max_length=1_000)] = ()
    constants: Annotated[Mapping[_TEXT, ArrayFact], Field(max_length=1_000)] = Field(default_factory=dict)
    weights: Annotated[Mapping[_TEXT, int], Field(max_length=3_000)] = Field(default_factory=dict)
    values: Annotated[tuple[ArrayFact, ...], Field(max_length=1_000)] = ()
