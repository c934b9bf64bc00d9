"""The notebook in our own form: what the rest of the program knows of a hand-in's cells."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from grader.model import Record
from grader.notebook.modes import Mode


class CellKind(StrEnum):
    """What a cell holds."""

    CODE = "code"
    MARKDOWN = "markdown"
    RAW = "raw"


class OutputKind(StrEnum):
    """What an output is: text to a stream, a display (or a cell's result), or an error."""

    STREAM = "stream"
    DISPLAY = "display"
    ERROR = "error"


class Output(Record):
    """One output of a code cell, capped.

    `text` is its plain text with ANSI colours removed and carriage returns played out as a terminal
    would (stream: the stream; display: text/plain; error: the traceback). `html`/`image` are kept for
    the report only: `image` is base64 of a PNG or JPEG, `image_type` its MIME type.
    """

    kind: OutputKind
    text: str = ""
    is_stderr: bool = False
    html: str | None = None
    image: str | None = None
    image_type: str | None = None
    error_name: str | None = None
    error_value: str | None = None
    is_truncated: bool = False


class Cell(Record):
    """One cell. `number` counts from 1 over all cells; `seconds` is how long it ran, by its metadata."""

    number: Annotated[int, Field(ge=1)]
    kind: CellKind
    source: str
    outputs: tuple[Output, ...] = ()
    seconds: Annotated[float, Field(ge=0)] | None = None


class Notebook(Record):
    """A notebook: its cells in order, and what its metadata says of where it was written.

    `metadata` keeps only what we use, as plain strings: `kernel` (kernelspec name), `language`,
    `python` (language_info version), `colab` ("yes" when written in Colab), `nbformat` ("4.5").
    `remarks` are sentences about what was odd while reading it.
    """

    cells: tuple[Cell, ...]
    metadata: dict[str, str] = Field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    @property
    def code_cells(self) -> tuple[Cell, ...]:
        """The code cells, in order."""
        return tuple(cell for cell in self.cells if cell.kind is CellKind.CODE)

    @property
    def markdown_cells(self) -> tuple[Cell, ...]:
        """The Markdown cells, in order."""
        return tuple(cell for cell in self.cells if cell.kind is CellKind.MARKDOWN)


class Quantity(StrEnum):
    """What a number in an output measures."""

    ACCURACY = "accuracy"  # fraction of right predictions, always in [0, 1]
    LOSS = "loss"


class Split(StrEnum):
    """Which part of the data a number speaks of, as far as the output tells."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"
    UNKNOWN = "unknown"


class Number(Record):
    """A number with its meaning, read from the text of an output or of the prose.

    `step` is the step or epoch printed beside it, None if none. `text` is the line it was read from.
    """

    quantity: Quantity
    split: Split
    value: float
    cell: Annotated[int, Field(ge=1)]
    step: int | None = None
    text: str = ""


class Series(Record):
    """Numbers of one quantity and split that one cell printed over its steps, in printed order."""

    quantity: Quantity
    split: Split
    cell: Annotated[int, Field(ge=1)]
    steps: tuple[int | None, ...]
    values: tuple[float, ...]


class ModeTime(Record):
    """A time that is told of steps, by what stands beside it: `mode` is None where it does not say which.

    `seconds` is the number as it stands there where no unit is told. `label` is what names the model, in a
    table.
    """

    cell: Annotated[int, Field(ge=1)]
    seconds: float
    mode: Mode | None = None
    is_per_step: bool = False
    label: str = ""


class Readings(Record):
    """What was read from the outputs of one notebook.

    `figures` are the cells that show an image, one entry per image. `errors` are (cell, "Name: value").
    `lines` are (cell, line) of what was printed with a share or per cent in it, whatever it says.
    """

    numbers: tuple[Number, ...] = ()
    series: tuple[Series, ...] = ()
    figures: tuple[int, ...] = ()
    errors: tuple[tuple[int, str], ...] = ()
    lines: tuple[tuple[int, str], ...] = ()
    times: tuple[ModeTime, ...] = ()
    cells_with_output: int = 0
    code_cells: int = 0
