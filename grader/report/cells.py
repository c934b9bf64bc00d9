"""The notebook as the page shows it: each cell sanitised, with its saved outputs and those of our run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from markupsafe import Markup

from grader.model import CellRun, CellStatus
from grader.notebook.records import Cell, CellKind, Notebook, Output, OutputKind
from grader.report.highlighting import highlight
from grader.report.images import image_address
from grader.report.sanitise import MARKDOWN_LIMIT, sanitise_html, sanitise_markdown
from grader.report.visible import Shown, cut, show_hidden
from grader.report.wording import cell_end

CELLS_SHOWN = 1_000
OUTPUTS_SHOWN = 30  # of one cell
OUTPUT_LIMIT = 4_000  # characters of one text
COMPARED = 20_000  # characters at each end of an output
SOURCE_LIMIT = 20_000  # characters of one cell

NOTHING = Shown("")
NO_MARKUP = Markup()

_ADDRESS = re.compile(r"0x[0-9A-Fa-f]{4,}")
_BLANKS = re.compile(r"\s+")


@dataclass(frozen=True, kw_only=True)
class OutputView:
    """One output, ready to be shown: a text, sanitised markup, or the address of a figure."""

    kind: Literal["text", "stderr", "error", "markup", "figure", "note"]
    text: Shown = NOTHING
    markup: Markup = NO_MARKUP
    address: str = ""


@dataclass(frozen=True, kw_only=True)
class OurRunView:
    """What our run gave for a cell: `heading` says how it compares with what was saved."""

    heading: str
    is_trouble: bool = False
    outputs: tuple[OutputView, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CellView:
    """One cell, ready to be shown. `is_same` says that our run gave what was saved."""

    number: int
    kind: CellKind
    body: Markup
    left_out: int = 0
    outputs: tuple[OutputView, ...] = ()
    ours: OurRunView | None = None
    is_same: bool = False
    seconds: float | None = None


class Allowance:
    """How many characters a page may still spend; when it is used up, only beginnings are shown."""

    def __init__(self, *, source: int = 200_000, text: int = 100_000, figures: int = 24_000_000) -> None:
        self.source = source
        self.text = text
        self.figures = figures

    def spend(self, purpose: Literal["source", "text", "figures"], wanted: int, least: int) -> int:
        """How many of `wanted` characters may be shown, `least` in any case; they are then spent."""
        left = getattr(self, purpose)
        granted = max(min(wanted, left), min(wanted, least))
        setattr(self, purpose, max(0, left - granted))
        return int(granted)


def view_cells(
    notebook: Notebook,
    executed: Notebook | None,
    cell_runs: Sequence[CellRun] = (),
    allowance: Allowance | None = None,
) -> Iterator[CellView]:
    """The first `CELLS_SHOWN` cells of `notebook`, compared by number with the `executed` notebook.

    With `executed` None nothing is compared. Text beyond the `allowance` of the page is cut with a mark.
    """
    allowance = allowance or Allowance()
    ours: Mapping[int, Cell] = {cell.number: cell for cell in executed.cells} if executed else {}
    runs = {run.cell: run for run in cell_runs}
    for cell in notebook.cells[:CELLS_SHOWN]:
        yield _view_cell(cell, ours.get(cell.number), runs.get(cell.number), allowance)


def _view_cell(cell: Cell, ours: Cell | None, run: CellRun | None, allowance: Allowance) -> CellView:
    if cell.kind is CellKind.MARKDOWN:
        # The images in it do not count, so that an answer is not cut short because of one.
        limit = allowance.spend("source", min(len(cell.source), MARKDOWN_LIMIT), 500)
        cuts = limit < min(len(cell.source), MARKDOWN_LIMIT)
        body = sanitise_markdown(cell.source, limit=limit if cuts else MARKDOWN_LIMIT)
        return CellView(number=cell.number, kind=cell.kind, body=body)
    limit = allowance.spend("source", min(len(cell.source), SOURCE_LIMIT), 500)
    shown = cut(cell.source, limit, keep_end=False)
    body = highlight(shown.head) if cell.kind is CellKind.CODE else Markup.escape(show_hidden(shown.head))
    if cell.kind is CellKind.RAW:
        return CellView(number=cell.number, kind=cell.kind, body=body, left_out=shown.left_out)
    is_same, heading = _compare(cell, ours, run)
    return CellView(
        number=cell.number,
        kind=cell.kind,
        body=body,
        left_out=shown.left_out,
        outputs=tuple(_view_outputs(cell.outputs, allowance)),
        ours=_view_ours(heading, () if is_same or ours is None else ours.outputs, run, allowance),
        is_same=is_same,
        seconds=run.seconds if run is not None and run.seconds >= 0.05 else None,
    )


def _view_ours(
    heading: str, outputs: Sequence[Output], run: CellRun | None, allowance: Allowance
) -> OurRunView | None:
    if not heading:
        return None
    is_trouble = run is not None and run.status is not CellStatus.OK
    return OurRunView(
        heading=heading, is_trouble=is_trouble, outputs=tuple(_view_outputs(outputs, allowance))
    )


def _compare(cell: Cell, ours: Cell | None, run: CellRun | None) -> tuple[bool, str]:
    """Whether our run gave what was saved, and, where there is something to say, the heading."""
    end = cell_end(run) if run is not None else None
    saved_gist = _gist(cell.outputs)
    our_gist = _gist(ours.outputs) if ours is not None else ()
    is_same = ours is not None and bool(saved_gist) and saved_gist == our_gist
    if end:
        return is_same, f"This cell {end}"
    if ours is None or saved_gist == our_gist:
        return is_same, ""
    if not cell.outputs:
        return False, "What our run gave; no output was saved here"
    if not our_gist:
        return False, "Our run gave no output here"
    return False, "What our run gave; it differs from what was saved"


def _gist(outputs: Sequence[Output]) -> tuple[str, ...]:
    """What two lists of outputs are compared by: blanks, memory addresses and stderr do not count."""
    printed = "".join(o.text for o in outputs if o.kind is OutputKind.STREAM and not o.is_stderr)
    gist = [printed]
    for output in outputs:
        if output.kind is OutputKind.DISPLAY:
            gist.append(output.image or output.text or output.html or "")
        elif output.kind is OutputKind.ERROR:
            gist.append(f"{output.error_name}: {output.error_value}")
    plain = (_BLANKS.sub(" ", _ADDRESS.sub("0x", _ends(text))).strip() for text in gist)
    return tuple(text for text in plain if text)


def _ends(text: str) -> str:
    """Beginning and end of a text too long to be compared whole; the time for it is bounded."""
    return text if len(text) <= 2 * COMPARED else f"{text[:COMPARED]}{len(text)}{text[-COMPARED:]}"


def _view_outputs(outputs: Sequence[Output], allowance: Allowance) -> Iterator[OutputView]:
    """Outputs ready to be shown; pieces of one stream that follow each other become one."""
    for place, (_, group) in enumerate(groupby(outputs, key=_stream_or_self)):
        pieces = list(group)
        if place == OUTPUTS_SHOWN:
            yield OutputView(kind="note", text=Shown("More outputs of this cell are left out."))
            return
        if pieces[0].kind is OutputKind.STREAM:
            text = "".join(piece.text for piece in pieces)
            if text.strip():
                yield _view_text("stderr" if pieces[0].is_stderr else "text", text, allowance)
        else:
            yield from _view_rich(pieces[0], allowance)
        if any(piece.is_truncated for piece in pieces):
            yield OutputView(kind="note", text=Shown("This output was longer; the rest was not kept."))


def _stream_or_self(output: Output) -> tuple[str, int]:
    """The same for pieces of one stream; of its own for everything else."""
    if output.kind is OutputKind.STREAM:
        return ("stderr" if output.is_stderr else "stdout", 0)
    return ("", id(output))


def _view_rich(output: Output, allowance: Allowance) -> Iterator[OutputView]:
    """A display or an error: as a figure, else as sanitised markup, else as text."""
    if output.kind is OutputKind.ERROR:
        text = output.text or f"{output.error_name or 'Error'}: {output.error_value or ''}"
        yield _view_text("error", text, allowance)
    elif output.image:
        yield _view_figure(output.image, allowance)
    else:
        wanted = min(len(output.html or ""), OUTPUT_LIMIT * 4)
        markup = Markup()
        if wanted and allowance.spend("text", wanted, 0) == wanted:
            markup = sanitise_html(output.html or "")
        if markup.striptags() or "<img src" in markup:
            yield OutputView(kind="markup", markup=markup)
        elif output.text.strip():
            yield _view_text("text", output.text, allowance)
        elif output.html:
            yield OutputView(kind="note", text=Shown("An interactive output is left out."))


def _view_figure(encoded: str, allowance: Allowance) -> OutputView:
    if allowance.spend("figures", len(encoded), 0) < len(encoded):
        return OutputView(kind="note", text=Shown("A figure is left out: the page is full."))
    address = image_address(encoded)
    if address is None:
        return OutputView(kind="note", text=Shown("A figure is left out: no PNG, JPEG or GIF of usual size."))
    return OutputView(kind="figure", address=address)


def _view_text(kind: Literal["text", "stderr", "error"], text: str, allowance: Allowance) -> OutputView:
    shown = cut(text.rstrip(), allowance.spend("text", min(len(text), OUTPUT_LIMIT), 400))
    return OutputView(kind=kind, text=Shown(show_hidden(shown.head), shown.left_out, show_hidden(shown.tail)))
