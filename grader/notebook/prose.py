"""The text of a notebook: its passages, each with the headings above it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum

from grader.model import Record
from grader.notebook.markdown import code_texts, plain_blocks, shows_picture
from grader.notebook.records import Cell, CellKind, Notebook
from grader.notebook.terminal import shorten

MAX_PASSAGES = 5_000
MAX_PASSAGE_CHARS = 20_000

_SENTENCE_WORDS = 5
_STRING_WORDS = 8

IDEOGRAPH = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
"""A sign that is a word, or much of one, by itself: Japanese, Chinese, Korean."""


class Origin(StrEnum):
    """Where a passage stands: in a text cell, in a comment of a code cell, in a string of its code."""

    MARKDOWN = "markdown"
    COMMENT = "comment"
    STRING = "string"


class Passage(Record):
    """A piece of text: a paragraph, list or table of a text cell, a heading, or a comment of sentences.

    `headings` is the path of headings above it, outermost first. `answers_to` is set by `find_answer`: the
    part of the question, or the heading that asks it, that stands with it or right above it.
    """

    cell: int
    text: str
    headings: tuple[str, ...] = ()
    origin: Origin = Origin.MARKDOWN
    is_heading: bool = False
    answers_to: str = ""

    @property
    def is_comment(self) -> bool:
        """True for text in a comment or docstring of a code cell."""
        return self.origin is Origin.COMMENT


class Prose(Record):
    """All passages of a notebook in order. `pictures` are the text cells that show an image (no badge)."""

    passages: tuple[Passage, ...] = ()
    pictures: tuple[int, ...] = ()


def read_prose(notebook: Notebook) -> Prose:
    """The passages of `notebook`: text cells, and the whole sentences in comments and strings of its code."""
    passages: list[Passage] = []
    pictures: list[int] = []
    path: list[tuple[int, str]] = []
    for cell in notebook.cells:
        if len(passages) >= MAX_PASSAGES:
            break
        text = _markdown_of(cell)
        if text is None:
            headings = tuple(heading for _, heading in path)
            passages.extend(_passages_of_code(cell, headings))
            continue
        if shows_picture(text):
            pictures.append(cell.number)
        for block in plain_blocks(text):
            shown, _ = shorten(block.text, MAX_PASSAGE_CHARS)
            if block.level:
                path = [entry for entry in path if entry[0] < block.level]
            headings = tuple(heading for _, heading in path)
            passages.append(
                Passage(cell=cell.number, text=shown, headings=headings, is_heading=block.level > 0)
            )
            if block.level:
                path.append((block.level, shown[:200]))
    return Prose(passages=tuple(passages[:MAX_PASSAGES]), pictures=tuple(pictures))


def _markdown_of(cell: Cell) -> str | None:
    """The Markdown of a text cell, or of a code cell that begins with `%%markdown`; None for other code."""
    if cell.kind is not CellKind.CODE:
        return cell.source
    first, _, rest = cell.source.lstrip().partition("\n")
    return rest if first.strip().lower() in {"%%markdown", "%%latex", "%%html"} else None


def _passages_of_code(cell: Cell, headings: tuple[str, ...]) -> Iterator[Passage]:
    for found in code_texts(cell.source):
        least = _SENTENCE_WORDS if found.is_comment else _STRING_WORDS  # strings are mostly labels of outputs
        if is_sentence(found.text, least):
            text, _ = shorten(found.text, MAX_PASSAGE_CHARS)
            origin = Origin.COMMENT if found.is_comment else Origin.STRING
            yield Passage(cell=cell.number, text=text, headings=headings, origin=origin)


def is_sentence(text: str, least: int = _SENTENCE_WORDS) -> bool:
    """Whether `text` reads like a sentence: `least` plain words, and more words than anything else."""
    pieces = text[:MAX_PASSAGE_CHARS].split()
    plain = sum(1 for piece in pieces if piece.strip(".,;:!?()[]\"'*-–").isalpha())
    return (plain >= least and plain >= 0.6 * len(pieces)) or len(IDEOGRAPH.findall(text)) >= 8
