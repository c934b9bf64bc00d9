"""The notebook as the page shows it: each cell sanitised, with its saved outputs and those of our run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from grader.notebook.records import Cell, CellKind, Notebook
from grader.report.allowance import fair_limit
from grader.report.comparing import Comparison, Likeness
from grader.report.highlighting import highlight
from grader.report.outputs import OutputView, OutputViewer
from grader.report.sanitise import length_without_images, sanitise_markdown, size_without_images
from grader.report.visible import escaped_within, show_hidden
from grader.report.wording import cell_end

CELLS_SHOWN = 250
SOURCE_LIMIT = 20_000  # characters of one cell
_FRAME = 400  # bytes of ours around each cell
_LEAST = 20_000  # bytes for all cells, however full the page is
_SHARE_OF_SOURCES = 0.6  # of the room; outputs get what sources leave

_HEADINGS = {
    Likeness.ONLY_OURS: "What our run gave; no output was saved here",
    Likeness.ONLY_SAVED: "Our run gave no output here",
    Likeness.NUMBERS: "What our run gave: the same, with other numbers",
    Likeness.FIGURES: "What our run gave: the same, with other figures",
    Likeness.OTHER: "What our run gave; it differs from what was saved",
}


@dataclass(frozen=True, kw_only=True)
class OurRunView:
    """What our run gave for a cell: `heading` says how it compares with what was saved."""

    heading: str
    is_trouble: bool = False
    outputs: tuple[OutputView, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CellView:
    """One cell, ready to be shown. `is_same` says that our run gave what was saved.

    `criteria` are the numbers of the criteria whose reasons speak of this cell.
    """

    number: int
    kind: CellKind
    body: Markup
    left_out: int = 0
    outputs: tuple[OutputView, ...] = ()
    ours: OurRunView | None = None
    is_same: bool = False
    seconds: float | None = None
    criteria: Sequence[int] = ()


def view_cells(
    notebook: Notebook,
    comparisons: Sequence[Comparison] = (),
    criteria: Mapping[int, Sequence[int]] | None = None,
    *,
    room: int = 200_000,
) -> list[CellView]:
    """The first `CELLS_SHOWN` cells of `notebook`, within `room` bytes of markup, figures aside.

    `comparisons` tell what our run gave, `criteria` the numbers of the criteria that speak of a cell.
    """
    shown = notebook.cells[:CELLS_SHOWN]
    room = max(_LEAST, room - _FRAME * len(shown))
    bodies = _bodies(shown, int(room * _SHARE_OF_SOURCES))
    compared = {one.cell.number: one for one in comparisons if one.cell.number <= CELLS_SHOWN}
    every = [cell.outputs for cell in shown]
    every += [one.ours.outputs for one in compared.values() if one.ours is not None and one.differs]
    viewer = OutputViewer(every, room - sum(size_without_images(body) for body, _ in bodies))
    return [
        _view_cell(
            cell, body, left_out, compared.get(cell.number), viewer, (criteria or {}).get(cell.number, ())
        )
        for cell, (body, left_out) in zip(shown, bodies, strict=True)
    ]


def _show_source(cell: Cell) -> Markup:
    """A cell's source as markup: code coloured, Markdown rendered and sanitised, anything else escaped."""
    if cell.kind is CellKind.MARKDOWN:
        return sanitise_markdown(cell.source)
    return highlight(cell.source) if cell.kind is CellKind.CODE else Markup.escape(show_hidden(cell.source))


def _bodies(cells: Sequence[Cell], room: int) -> list[tuple[Markup, int]]:
    """For each cell its markup and how many characters are left out; all of it within `room` bytes."""
    lengths = [length_without_images(cell.source) for cell in cells]
    most = min(SOURCE_LIMIT, fair_limit(lengths, room))
    best = [
        _show_source(cell) if length <= most else None for cell, length in zip(cells, lengths, strict=True)
    ]
    limit = fair_limit((most if body is None else size_without_images(body) for body in best), room)
    return [
        (body, 0) if body is not None and size_without_images(body) <= limit else _cut_body(cell, limit)
        for cell, body in zip(cells, best, strict=True)
    ]


def _cut_body(cell: Cell, limit: int) -> tuple[Markup, int]:
    """A cell whose best form takes more than `limit` bytes: plain, and cut where that is still too long."""
    if cell.kind is CellKind.MARKDOWN:
        body = sanitise_markdown(cell.source, limit=limit // 2)
        if size_without_images(body) <= limit:
            return body, 0  # what is left out is told in it
    shown = escaped_within(cell.source, limit, keep_end=False)
    return Markup(shown.head), shown.left_out


def _view_cell(
    cell: Cell,
    body: Markup,
    left_out: int,
    comparison: Comparison | None,
    viewer: OutputViewer,
    criteria: Sequence[int],
) -> CellView:
    run = comparison.run if comparison is not None else None
    return CellView(
        number=cell.number,
        kind=cell.kind,
        body=body,
        left_out=left_out,
        outputs=viewer.view(cell.outputs) if cell.kind is CellKind.CODE else (),
        ours=None if comparison is None else _view_ours(comparison, viewer),
        is_same=comparison is not None and comparison.likeness is Likeness.SAME,
        seconds=run.seconds if run is not None and run.seconds >= 0.05 else None,
        criteria=criteria,
    )


def _view_ours(comparison: Comparison, viewer: OutputViewer) -> OurRunView | None:
    if not comparison.differs:
        return None
    end = cell_end(comparison.run) if comparison.run is not None else None
    is_same = comparison.likeness is Likeness.SAME
    outputs = () if is_same or comparison.ours is None else viewer.view(comparison.ours.outputs)
    return OurRunView(
        heading=f"This cell {end}" if end else _HEADINGS[comparison.likeness],
        is_trouble=comparison.has_trouble,
        outputs=outputs,
    )
