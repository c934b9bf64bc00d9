"""The pieces of a notebook that a criterion's reasons speak of, short enough to stand below them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from grader.evidence.record import Evidence
from grader.model import Reason, Source
from grader.notebook.records import Cell, CellKind, Readings
from grader.report.allowance import EXCERPTS, size_of
from grader.report.highlighting import highlight
from grader.report.images import image_address
from grader.report.sanitise import sanitise_markdown, size_without_images
from grader.report.visible import show_hidden

_CELLS_SHOWN = 4  # of one criterion
_LINES_SHOWN = 12
_LINES_BEFORE = 3  # the line that is spoken of
_MARKDOWN_SHOWN = 1_200  # characters
_FIGURE_SHOWN = 400_000  # characters of base64; it stands in the notebook below too
_CODED = re.compile(r"`([^`\n]{2,80})`")


@dataclass(frozen=True, kw_only=True)
class Excerpt:
    """A piece of one cell: some lines of code or a text, what it printed that counts, a figure it shows.

    `lines` is the first and the last line of the code that is shown, None when all of the cell is.
    """

    cell: int
    kind: CellKind
    body: Markup
    lines: tuple[int, int] | None = None
    printed: tuple[tuple[str, str], ...] = ()
    figure: str = ""


class ExcerptTaker:
    """Takes excerpts for one page, as long as there is room for them."""

    def __init__(self, evidence: Evidence) -> None:
        self._cells: Mapping[int, Cell] = {cell.number: cell for cell in evidence.notebook.cells}
        self._readings = {Source.SAVED: evidence.saved, Source.RERUN: evidence.rerun}
        self._room = EXCERPTS

    def take(self, reasons: Sequence[Reason]) -> tuple[Excerpt, ...]:
        """One excerpt per cell that `reasons` speak of, in their order, at most `_CELLS_SHOWN`."""
        return tuple(self._excerpts(reasons))

    def _excerpts(self, reasons: Sequence[Reason]) -> Iterator[Excerpt]:
        numbers = dict.fromkeys(reason.cell for reason in reasons if reason.cell in self._cells)
        for number in list(numbers)[:_CELLS_SHOWN]:
            if number is None or self._room <= 0:
                continue
            about = [reason for reason in reasons if reason.cell == number]
            excerpt = self._of_cell(self._cells[number], about)
            self._room -= size_without_images(excerpt.body) + sum(
                size_of(text) for _, text in excerpt.printed
            )
            if self._room > 0:
                yield excerpt

    def _of_cell(self, cell: Cell, about: Sequence[Reason]) -> Excerpt:
        if cell.kind is not CellKind.CODE:
            body = sanitise_markdown(cell.source, limit=_MARKDOWN_SHOWN)
            return Excerpt(cell=cell.number, kind=cell.kind, body=body)
        body, lines = piece_of_code(cell.source, about)
        return Excerpt(
            cell=cell.number,
            kind=cell.kind,
            body=body,
            lines=lines,
            printed=tuple(self._printed(cell.number, about)),
            figure=_first_figure(cell),
        )

    def _printed(self, cell: int, about: Iterable[Reason]) -> Iterator[tuple[str, str]]:
        """The printed lines from which the reasons' numbers were read, with whose outputs they are of."""
        for source, whose in ((Source.SAVED, "as saved"), (Source.RERUN, "in our run")):
            wanted = {
                number
                for reason in about
                if reason.source in (source, Source.REPLAYED, None)
                for number in reason.numbers
            }
            line = _line_with(self._readings[source], cell, wanted)
            if line:
                yield whose, show_hidden(line)


def piece_of_code(source: str, about: Iterable[Reason]) -> tuple[Markup, tuple[int, int] | None]:
    """The lines around the first that a reason quotes between backticks, else the first lines."""
    lines = source.split("\n")
    if len(lines) <= _LINES_SHOWN:
        return highlight(source), None
    quoted = [piece for reason in about for piece in _CODED.findall(reason.text)]
    spoken_of = (n for n, line in enumerate(lines) if any(piece in line for piece in quoted))
    first = max(0, min(next(spoken_of, 0) - _LINES_BEFORE, len(lines) - _LINES_SHOWN))
    marked = highlight(source).split("\n")[first : first + _LINES_SHOWN]
    return Markup("\n").join(Markup(line) for line in marked), (first + 1, first + len(marked))


def _line_with(readings: Readings | None, cell: int, wanted: set[float]) -> str:
    numbers = readings.numbers if readings is not None else ()
    return next((n.text for n in numbers if n.cell == cell and n.value in wanted and n.text), "")


def _first_figure(cell: Cell) -> str:
    """The address of the first figure of a cell's saved outputs, "" for none or a large one."""
    images = (output.image for output in cell.outputs if output.image)
    image = next((image for image in images if len(image) <= _FIGURE_SHOWN), "")
    return (image_address(image) or "") if image else ""
