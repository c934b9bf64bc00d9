"""Outputs of a cell, ready to be shown: texts cut, markup sanitised, figures verified."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

from markupsafe import Markup

from grader.notebook.records import Output, OutputKind
from grader.report.allowance import FIGURES, fair_limit, size_of
from grader.report.images import image_address
from grader.report.sanitise import sanitise_html, size_of_images
from grader.report.visible import Shown, escaped_within

OUTPUTS_SHOWN = 30  # of one cell
OUTPUT_LIMIT = 4_000  # bytes of one text
MARKUP_LIMIT = 4 * OUTPUT_LIMIT  # of one table or the like
_MARKUP_OF_OURS = 90  # bytes around an output

_LINES_UNFOLDED = (12, 8)  # at the beginning and at the end, where results stand
_FEWEST_FOLDED = 6  # fewer are shown
_RULE = re.compile(r"^ *[=_+\-\u2500-\u257f]{12,} *$", re.MULTILINE)  # of a table drawn with characters

NOTHING = Shown("")
NO_MARKUP = Markup()


@dataclass(frozen=True, kw_only=True)
class OutputView:
    """One output, ready to be shown: a text, sanitised markup, or the address of a figure.

    Of a text of many lines the middle, `folded`, is folded away between the head and the tail of `text`. The
    lines of a text that `is_ruled`, as the summary of a model is, must not be broken.
    """

    kind: Literal["text", "stderr", "error", "markup", "figure", "note"]
    text: Shown = NOTHING
    markup: Markup = NO_MARKUP
    address: str = ""
    folded: Markup = NO_MARKUP
    folded_lines: int = 0
    is_ruled: bool = False


class OutputViewer:
    """Shows the outputs of one page: as much of each as leaves room for all, figures as long as they fit."""

    def __init__(self, every: Sequence[Sequence[Output]], room: int = 80_000) -> None:
        """`every` holds the lists of outputs that the page will show; they may take `room` bytes."""
        shown = [group for outputs in every for group in _groups(outputs)[:OUTPUTS_SHOWN]]
        lengths = (sum(len(output.text) for output in group) for group in shown)
        sizes = [min(length + _MARKUP_OF_OURS, OUTPUT_LIMIT) for length in lengths]
        self._limit = min(fair_limit(sizes, room * 2 // 3), OUTPUT_LIMIT)
        self._room = room
        self._figures_left = FIGURES

    def view(self, outputs: Sequence[Output]) -> tuple[OutputView, ...]:
        """The outputs of one cell; pieces of one stream that follow each other become one."""
        return tuple(self._views(outputs))

    def _views(self, outputs: Sequence[Output]) -> Iterator[OutputView]:
        for place, pieces in enumerate(_groups(outputs)):
            if place == OUTPUTS_SHOWN or self._room <= 0:
                yield _note("More outputs of this cell are left out.")
                return
            self._room -= _MARKUP_OF_OURS
            if pieces[0].kind is OutputKind.STREAM:
                text = "".join(piece.text for piece in pieces)
                if text.strip():
                    yield self._text("stderr" if pieces[0].is_stderr else "text", text)
            else:
                yield from self._rich(pieces[0])
            if any(piece.is_truncated for piece in pieces):
                yield _note("This output was longer; the rest was not kept.")

    def _rich(self, output: Output) -> Iterator[OutputView]:
        """A display or an error: as a figure, else as sanitised markup, else as text."""
        if output.kind is OutputKind.ERROR:
            text = output.text or f"{output.error_name or 'Error'}: {output.error_value or ''}"
            yield self._text("error", text)
        elif output.image:
            yield self._figure(output.image)
        elif (markup := self._markup(output.html or "")) and (markup.striptags() or 'src="data:' in markup):
            yield OutputView(kind="markup", markup=markup)
        elif output.text.strip():
            yield self._text("text", output.text)
        elif output.html:
            yield _note("An interactive output is left out.")

    def _markup(self, html: str) -> Markup:
        """Sanitised markup, empty where there is no room for it. Images in it count as figures."""
        if not html or len(html) > MARKUP_LIMIT + self._figures_left:
            return Markup()
        markup = sanitise_html(html)
        pictures = size_of_images(markup)
        words = size_of(markup) - pictures
        if words > min(MARKUP_LIMIT, self._room) or pictures > self._figures_left:
            return Markup()
        self._room -= words
        self._figures_left -= pictures
        return markup

    def _figure(self, encoded: str) -> OutputView:
        if len(encoded) > self._figures_left:
            return _note("A figure is left out: the page is full.")
        address = image_address(encoded)
        if address is None:
            return _note("A figure is left out: no PNG, JPEG or GIF of usual size.")
        self._figures_left -= len(encoded)
        return OutputView(kind="figure", address=address)

    def _text(self, kind: Literal["text", "stderr", "error"], text: str) -> OutputView:
        shown = escaped_within(text.rstrip(), min(self._limit, max(0, self._room)))
        self._room -= size_of(shown.head) + size_of(shown.tail)
        return replace(_folded(kind, shown), is_ruled=bool(_RULE.search(text)))


def _folded(kind: Literal["text", "stderr", "error"], shown: Shown) -> OutputView:
    """A text with its middle folded away where it has more lines than one wants to scroll past."""
    head, tail = shown.head.split("\n"), shown.tail.split("\n") if shown.tail else []
    first, last = _LINES_UNFOLDED
    if kind == "stderr" or len(head) + len(tail) <= first + last + _FEWEST_FOLDED:
        return OutputView(kind=kind, text=shown)
    gap = [f"… {shown.left_out:,} characters left out …"] if shown.left_out else []
    lines = [*head, *gap, *tail]
    middle = lines[first:-last]
    return OutputView(
        kind=kind,
        text=Shown(
            Markup("\n").join(map(Markup, lines[:first])), 0, Markup("\n").join(map(Markup, lines[-last:]))
        ),
        folded=Markup("\n").join(map(Markup, middle)),
        folded_lines=len(middle),
    )


def _note(sentence: str) -> OutputView:
    return OutputView(kind="note", text=Shown(sentence))


def _groups(outputs: Sequence[Output]) -> list[list[Output]]:
    """Outputs, those together that are pieces of one stream."""
    return [list(group) for _, group in groupby(outputs, key=_stream_or_self)]


def _stream_or_self(output: Output) -> tuple[str, int]:
    """The same for pieces of one stream; of its own for everything else."""
    if output.kind is OutputKind.STREAM:
        return ("stderr" if output.is_stderr else "stdout", 0)
    return ("", id(output))
