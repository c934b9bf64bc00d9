"""Saved against run again: for each code cell, how what our run gave differs from what was handed in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from grader.model import CellRun, CellStatus
from grader.notebook.records import Cell, Notebook, Output, OutputKind

COMPARED = 8_000  # characters at each end of an output

_ADDRESS = re.compile(r"0x[0-9A-Fa-f]{4,}")
_BLANKS = re.compile(r"\s+")
_NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)*(?:[eE][-+]?\d+)?")


class Likeness(StrEnum):
    """How two lists of outputs of one cell compare."""

    SAME = "same"
    NUMBERS = "numbers"  # the same text, with other numbers
    FIGURES = "figures"  # the same text, with other figures
    OTHER = "other"
    ONLY_OURS = "only_ours"
    ONLY_SAVED = "only_saved"
    NOTHING = "nothing"  # neither has any


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One code cell as handed in and in our run. `ours` is None when the run has no such cell."""

    cell: Cell
    ours: Cell | None
    run: CellRun | None
    likeness: Likeness

    @property
    def has_trouble(self) -> bool:
        """Whether our run of the cell did not come to its end well."""
        return self.run is not None and self.run.status is not CellStatus.OK

    @property
    def differs(self) -> bool:
        """Whether there is anything to tell."""
        return self.has_trouble or self.likeness not in (Likeness.SAME, Likeness.NOTHING)


def compare(notebook: Notebook, executed: Notebook | None, runs: Sequence[CellRun] = ()) -> list[Comparison]:
    """Every code cell of `notebook` beside that of the same number in `executed`; none without a run."""
    if executed is None and not runs:
        return []
    ours = {cell.number: cell for cell in executed.cells} if executed is not None else {}
    by_cell = {run.cell: run for run in runs}
    return [_compared(cell, ours.get(cell.number), by_cell.get(cell.number)) for cell in notebook.code_cells]


def printed_text(outputs: Sequence[Output]) -> str:
    """What outputs say as text: the streams (stderr aside), displays without a figure, and errors."""
    pieces = []
    for output in outputs:
        if output.kind is OutputKind.ERROR:
            pieces.append(f"{output.error_name or 'Error'}: {output.error_value or ''}\n")
        elif output.kind is OutputKind.STREAM and not output.is_stderr:
            pieces.append(output.text)
        elif output.kind is OutputKind.DISPLAY and not output.image:
            pieces.append(f"{output.text}\n")
    return "".join(pieces)


def without_numbers(text: str) -> str:
    """`text` with every number replaced by `#`."""
    return _NUMBER.sub("#", text)


def _compared(cell: Cell, ours: Cell | None, run: CellRun | None) -> Comparison:
    return Comparison(cell=cell, ours=ours, run=run, likeness=_likeness(cell, ours))


def _likeness(cell: Cell, ours: Cell | None) -> Likeness:
    saved_gist = tuple(_gist(cell.outputs))
    if ours is not None and cell.outputs == ours.outputs:
        return Likeness.SAME if saved_gist else Likeness.NOTHING
    our_gist = tuple(_gist(ours.outputs)) if ours is not None else ()
    if not saved_gist or not our_gist:
        return _one_sided(bool(saved_gist), bool(our_gist))
    if saved_gist == our_gist:
        return Likeness.SAME
    saved_text, our_text = (
        tuple(t for is_figure, t in gist if not is_figure) for gist in (saved_gist, our_gist)
    )
    if saved_text == our_text:
        return Likeness.FIGURES
    is_numbers_only = [without_numbers(t) for t in saved_text] == [without_numbers(t) for t in our_text]
    return Likeness.NUMBERS if is_numbers_only else Likeness.OTHER


def _one_sided(is_saved: bool, is_ours: bool) -> Likeness:
    if is_saved:
        return Likeness.ONLY_SAVED
    return Likeness.ONLY_OURS if is_ours else Likeness.NOTHING


def _gist(outputs: Sequence[Output]) -> Iterator[tuple[bool, str]]:
    """What two lists of outputs are compared by, as (is it a figure, its text).

    Blanks, memory addresses and the error stream do not count, nor how a stream was cut into pieces.
    """
    printed = "".join(o.text for o in outputs if o.kind is OutputKind.STREAM and not o.is_stderr)
    gist = [(False, printed)]
    for output in outputs:
        if output.kind is OutputKind.DISPLAY:
            gist.append((bool(output.image), output.image or output.text or output.html or ""))
        elif output.kind is OutputKind.ERROR:
            gist.append((False, f"{output.error_name}: {output.error_value}"))
    for is_figure, text in gist:
        plain = _BLANKS.sub(" ", _ADDRESS.sub("0x", _ends(text))).strip()
        if plain:
            yield is_figure, plain


def _ends(text: str) -> str:
    """Beginning and end of a text too long to be compared whole; the time for it is bounded."""
    return text if len(text) <= 2 * COMPARED else f"{text[:COMPARED]}{len(text)}{text[-COMPARED:]}"
