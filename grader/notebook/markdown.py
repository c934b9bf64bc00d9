"""The plain text of Markdown, and of the comments and strings in code; linear in the input."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import NamedTuple

from grader.notebook.terminal import shorten

MAX_TEXT_CHARS = 200_000

_DATA = re.compile(r"data:[\w/+.-]{1,60};base64,[A-Za-z0-9+/=]*")
_REFERENCE = re.compile(r"^[ ]{0,3}\[[^\]\n]{1,200}\]:[^\n]*$", re.MULTILINE)
_IMAGE = re.compile(r"!\[[^\]\n]{0,300}\](?:\([^)\n]{0,2000}\)|\[[^\]\n]{0,200}\])")
_IMAGE_TAG = re.compile(r"<img\b[^<>]{0,4000}>", re.IGNORECASE)
_LINK = re.compile(r"\[([^\[\]\n]{0,500})\](?:\([^()\n]{0,2000}\)|\[[^\]\n]{0,200}\])")
_TAG = re.compile(r"</?[A-Za-z!][^<>]{0,4000}>")
_HEADING_TAG = re.compile(r"<h([1-6])\b[^<>]{0,400}>", re.IGNORECASE)
_LINE_TAG = re.compile(r"<(?:br\s*/?|/p|/div|/li|/tr|/h[1-6]|/center|p)>", re.IGNORECASE)
_HIDDEN = (("<!--", "-->"), ("<script", "</script>"), ("<style", "</style>"))
_BADGE = ("badge", "shields.io", "colab.research.google.com")
_OPENING_MARK = re.compile(r"(?<![\w*_~\\])(?:\*{1,3}|_{1,3}|~~)(?=[^\s*_~])")
_CLOSING_MARK = re.compile(r"(?<=[^\s*_~\\])(?:\*{1,3}|_{1,3}|~~)(?![\w*_~])")
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+.!|>~-])")
_ATX = re.compile(r"^ {0,3}(#{1,6})(?!#)[ \t]*(.*)$")
_UNDERLINE = re.compile(r"^ {0,3}(?:(=+)|-{2,}) *$")
_QUOTE = re.compile(r"^(?: {0,3}> ?)+")
_BULLET = re.compile(r"^\s{0,12}[-*+•]\s+")
_FENCE = re.compile(r"^ {0,6}(?:```|~~~)")
_TABLE_RULER = re.compile(r"^[\s|:+-]*-[\s|:+-]*$")

_LITERAL = re.compile(
    r"(?P<comment>\#[^\n]*)"
    r'|(?P<long>"""(?:[^"\\]|\\.|"(?!""))*(?:"""|\Z)|\'\'\'(?:[^\'\\]|\\.|\'(?!\'\'))*(?:\'\'\'|\Z))'
    r'|(?P<short>"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\')',
    re.DOTALL,
)


class Block(NamedTuple):
    """A paragraph, list or table as plain text, or a heading (`level` 1 to 6; 0 for what is none)."""

    text: str
    level: int = 0


def plain_blocks(source: str) -> list[Block]:
    """The blocks of a Markdown text without markup, images, tags and badges. Lines stay lines."""
    text = _REFERENCE.sub("", _DATA.sub("", source))
    text, _ = shorten(text, MAX_TEXT_CHARS)
    for start, end in _HIDDEN:
        text = _without(text, start, end)
    text = _HEADING_TAG.sub(lambda tag: "\n\n" + "#" * int(tag[1]) + " ", text)
    text = _LINE_TAG.sub("\n", text)
    return [block for block in _blocks(text.split("\n")) if block.text]


def shows_picture(source: str) -> bool:
    """Whether a Markdown text shows an image that is no badge: what it says cannot be read here."""
    text = _DATA.sub("data:", source[: 10 * MAX_TEXT_CHARS])
    images = [found[0] for pattern in (_IMAGE, _IMAGE_TAG) for found in pattern.finditer(text)]
    return any(not any(badge in image.lower() for badge in _BADGE) for image in images)


def _without(text: str, start: str, end: str) -> str:
    lowered = text.lower()
    if start not in lowered or len(lowered) != len(text):
        return text
    kept: list[str] = []
    place = 0
    while (found := lowered.find(start, place)) >= 0:
        kept.append(text[place:found])
        closing = lowered.find(end, found)
        if closing < 0:
            return "".join(kept)
        place = closing + len(end)
    return "".join([*kept, text[place:]])


def _blocks(lines: list[str]) -> Iterator[Block]:
    paragraph: list[str] = []
    is_fenced = False
    for raw in lines:
        if _FENCE.match(raw):
            is_fenced = not is_fenced
            continue
        if is_fenced:
            paragraph.append(raw.rstrip())
            continue
        line = _QUOTE.sub("", raw)
        heading = _ATX.match(line)
        underline = _UNDERLINE.match(line) if len(paragraph) == 1 else None
        if heading or underline or not line.strip():
            if underline:
                yield Block(paragraph[0], 1 if underline[1] else 2)
            elif paragraph:
                yield Block("\n".join(paragraph).strip())
            paragraph = []
            if heading:
                yield Block(_inline(heading[2].rstrip("# \t")), len(heading[1]))
        elif not _TABLE_RULER.match(line) and (shown := _inline(_BULLET.sub("", line))):
            paragraph.append(shown)
    if paragraph:
        yield Block("\n".join(paragraph).strip())


def _inline(line: str) -> str:
    line = _IMAGE.sub("", line)
    line = _TAG.sub("", line)
    line = _LINK.sub(r"\1", line)
    line = _OPENING_MARK.sub("", line)
    line = _CLOSING_MARK.sub("", line)
    line = _ESCAPED.sub(r"\1", line).replace("`", "")
    line = html.unescape(line) if "&" in line else line
    if line.strip().startswith("|"):
        line = " | ".join(cell.strip() for cell in line.strip().strip("|").split("|"))
    return line.strip()


class CodeText(NamedTuple):
    """Text in code: a block of comment lines, or a string. `is_leading` when no code stands before it."""

    text: str
    is_comment: bool
    is_leading: bool


def code_texts(source: str) -> Iterator[CodeText]:
    """The comment blocks (lines of their own, put together), docstrings and strings of a cell's code.

    Comments behind code on the same line are left out. A long string that stands alone counts as a
    comment.
    """
    source, _ = shorten(source, MAX_TEXT_CHARS)
    block: list[str] = []
    place = 0
    is_leading = True
    for found in _LITERAL.finditer(source):
        between = source[place : found.start()]
        place = found.end()
        line_start = source.rfind("\n", 0, found.start()) + 1
        is_alone = not source[line_start : found.start()].strip(" \trRfFbBuU")
        breaks = bool(between.strip(" \t\r\nrRfFbBuU")) or "\n\n" in between.replace(" ", "")
        if block and (breaks or found.lastgroup != "comment" or not is_alone):
            yield CodeText("\n".join(block), True, is_leading)
            block = []
        is_leading = is_leading and not _is_code(between)
        if found.lastgroup == "comment":
            if is_alone and (text := found[0].lstrip("#").lstrip("@!").strip(" \t-=*#~")):
                block.append(text)
        elif found.lastgroup == "long":
            yield CodeText(found[0].strip("\"'").strip(), is_alone, is_leading)
        else:
            yield CodeText(found[0][1:-1], False, is_leading)
    if block:
        yield CodeText("\n".join(block), True, is_leading)


def _is_code(between: str) -> bool:
    """Whether anything but blank lines and magics stands there."""
    lines = (line.strip() for line in between.split("\n"))
    return any(line and not line.startswith(("%", "!")) and len(line) > 1 for line in lines)
