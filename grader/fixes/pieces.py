"""A hand-in in pieces: stretches of text and of code, each with the broken scripts that it is about."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from grader.fixes.naming import Named, Names
from grader.fixes.parsing import parse
from grader.notebook.markdown import code_texts, plain_blocks
from grader.notebook.prose import is_sentence
from grader.notebook.records import CellKind, Notebook

MAX_PIECES = 3_000
MAX_PIECE_CHARS = 60_000

_FENCE = re.compile(r"^ {0,6}(`{3,}|~{3,})[ \t]*([\w+-]*)")
_INLINE = re.compile(r"(?<!`)(`{1,2})(?!`)([^`\n]{1,400})\1(?!`)")
_STRUCK = re.compile(r"~~(?=\S)[^~\n]{1,400}~~|<(s|del|strike)>[^<>\n]{0,400}</\1>", re.IGNORECASE)
_STRUCK_LINE = re.compile(r"^[ \t>*+-]*~~(?!~)[ \t]*`?([^~`\n]{1,400}?)`?[ \t]*~~[ \t]*$", re.MULTILINE)
_CODE_BEGINS, _CODE_ENDS = "\ue000", "\ue001"
_MARKED = re.compile(f"{_CODE_BEGINS}([^{_CODE_ENDS}\n]*){_CODE_ENDS}")
_UNIT = re.compile(r"[^\n]+?(?:(?<!\n\d)(?<!\A\d)(?<!\n\d\d)[.!?;](?=\s)|(?=\n)|\Z)")
_ITEM = re.compile(r"^\W{0,4}\d{1,2}[.):]\s")
_REGION = re.compile(
    r"\b(?:scripts|skripten?|fail\w*|broken|diagnos\w*|kaputte?n?|fehlerhaft\w*|fehlersuche|fehlschl\w+"
    r"|troubleshoot\w*)\b|\bs[ck]ript\w*\W{0,4}\|",
    re.IGNORECASE,
)
_PART = re.compile(
    r"^\W*(?:\d+[.)]\s*)?(?:problems?|fix(?:es)?|solutions?|lösung(?:en)?|diagnos[ie]s|diagnosen?"
    r"|causes?|ursachen?"
    r"|behebung|reparatur|korrektur|before|after|vorher|nachher|symptoms?|observations?"
    r"|beobachtung(?:en)?|code"
    r"|explanation|erklärung|how to fix.{0,20}|what.{0,30}|results?|ergebnis(?:se)?)\W*$",
    re.IGNORECASE,
)
_WRITTEN = re.compile(r"^\s*%%(?:writefile|file)\s+(?:-a\s+)?(\S+)")
_LABEL_WORDS = 8
_BELOW_ALL = 7  # the level of a label that is no heading


class Belonging(NamedTuple):
    """The scripts that a piece is about; `is_sure` when the hand-in says so, and nothing speaks against it.

    `in_region` when it stands where the broken scripts are spoken of, though perhaps not which one.
    """

    scripts: frozenset[str] = frozenset()
    is_sure: bool = False
    in_region: bool = False


class Piece(NamedTuple):
    """A stretch of text or of code. `file` is the name of the attachment, or that a cell writes, "" for none.

    `same_as` are scripts that the text says it is as with.
    """

    text: str
    is_code: bool
    belongs: Belonging
    cell: int | None = None
    file: str = ""
    same_as: frozenset[str] = frozenset()

    @property
    def code_inside(self) -> tuple[str, ...]:
        """What stands in backticks in a text."""
        return tuple(code.strip() for code in _MARKED.findall(self.text))

    @property
    def words(self) -> str:
        """A text without the marks of its code."""
        return self.text.replace(_CODE_BEGINS, "").replace(_CODE_ENDS, "")


def pieces_of(notebook: Notebook, attachments: Mapping[str, str], names: Names) -> list[Piece]:
    """The pieces of a hand-in in order, attached files last; at most `MAX_PIECES`."""
    reader = _Reader(names)
    pieces: list[Piece] = []
    for cell in notebook.cells:
        source = cell.source[:MAX_PIECE_CHARS]
        if cell.kind is CellKind.CODE and not source.lstrip().startswith("%%markdown"):
            pieces += reader.code(source, cell.number)
        else:
            pieces += reader.markdown(source.replace("%%markdown", "", 1), cell.number)
        if len(pieces) >= MAX_PIECES:
            break
    for name, text in attachments.items():
        if PurePosixPath(name).suffix.lower() in (".py", ".diff", ".patch", ".txt"):
            pieces.append(_attached(name, text[:MAX_PIECE_CHARS], names))
    return pieces[:MAX_PIECES]


def _attached(name: str, text: str, names: Names) -> Piece:
    scripts = names.in_file_name(PurePosixPath(name).name)
    return Piece(text, True, Belonging(scripts, len(scripts) == 1, True), file=name)


def _subjects(named: Sequence[Named]) -> frozenset[str]:
    return frozenset().union(*(one.scripts for one in named if one.is_subject))


class _Reader:
    """Goes through the cells, and knows which scripts the headings and labels so far speak of."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._headings: list[tuple[int, str, frozenset[str]]] = []  # level, text, scripts
        self._label: frozenset[str] = frozenset()
        self._label_is_plain = False  # the label is a label, not merely a sentence that names a script
        self._spoken_of = False  # the text since the last heading speaks of scripts

    def markdown(self, source: str, cell: int) -> Iterator[Piece]:
        """The pieces of a text cell."""
        parts = (part for fenced in _parts(source) for part in _with_indented(*fenced))
        for is_code, part in parts:
            if is_code:
                yield from self._split_code(part, cell)
                continue
            kept = _STRUCK.sub("", _STRUCK_LINE.sub(r"deleted: `\1`", part))
            marked = _INLINE.sub(rf"{_CODE_BEGINS}\2{_CODE_ENDS}", kept)
            for block in plain_blocks(marked):
                if block.level:
                    self._heading(block.level, block.text)
                yield from self._text(block.text, cell, is_heading=block.level > 0)

    def code(self, source: str, cell: int) -> Iterator[Piece]:
        """The pieces of a code cell: its code, and the sentences in its comments and strings."""
        yield from self._split_code(source, cell)
        for found in code_texts(source):
            if is_sentence(found.text, 5 if found.is_comment else 8):
                yield from self._text(found.text, cell, is_heading=False, is_aside=True)

    def _heading(self, level: int, text: str) -> None:
        scripts = _subjects(self._names.in_text(text, loosely=self._in_region))
        if not scripts and self._in_region:
            scripts = self._names.numbered_item(text) if len(text.split()) <= 2 else scripts
        if not scripts and self._label_is_plain and _PART.match(text):
            return
        self._headings = [entry for entry in self._headings if entry[0] < level]
        self._headings.append((level, text, scripts))
        self._label, self._label_is_plain, self._spoken_of = frozenset(), False, False

    @property
    def _section(self) -> frozenset[str]:
        """The scripts of the innermost heading that names some."""
        return next((scripts for _, _, scripts in reversed(self._headings) if scripts), frozenset())

    @property
    def _in_region(self) -> bool:
        told = any(scripts or _REGION.search(text) for _, text, scripts in self._headings)
        return told or self._spoken_of or bool(self._label)

    def _text(self, text: str, cell: int, *, is_heading: bool, is_aside: bool = False) -> Iterator[Piece]:
        """The pieces of a block of text: one for each stretch about the same scripts."""
        label = (self._label, self._label_is_plain)
        gathered: list[str] = []
        before: tuple[Belonging, frozenset[str]] | None = None
        for unit in self._units(text):
            belongs, same_as = self._belonging(unit, is_heading=is_heading)
            if before is not None and (belongs, same_as) != before:
                yield Piece("".join(gathered), False, before[0], cell, same_as=before[1])
                gathered = []
            before = (belongs, same_as)
            gathered.append(unit)
        if before is not None:
            yield Piece("".join(gathered), False, before[0], cell, same_as=before[1])
        if is_aside:
            self._label, self._label_is_plain = label

    def _units(self, text: str) -> Iterator[str]:
        """The sentences, items and rows of a text; a sentence that goes on to another script is cut there."""
        begin = 0
        for found in _UNIT.finditer(text):
            end = found.end()
            subjects = [one for one in self._names.in_text(found[0]) if one.is_subject]
            for one in subjects[1:]:
                if one.scripts != subjects[0].scripts and not subjects[0].scripts < one.scripts:
                    cut = _clause_start(text, begin, found.start() + one.start)
                    if cut > begin:
                        yield text[begin:cut]
                        begin = cut
            yield text[begin:end]
            begin = end
        if text[begin:].strip():
            yield text[begin:]

    def _belonging(self, unit: str, *, is_heading: bool) -> tuple[Belonging, frozenset[str]]:
        """What a unit is about, and as what it says it is; what it names may hold for what follows."""
        if _REGION.search(unit):
            self._spoken_of = True
        in_region = self._in_region
        named = self._names.in_text(unit, loosely=in_region)
        same_as = frozenset().union(*(one.scripts for one in named if one.is_same))
        subjects = _subjects(named)
        is_item = not subjects and in_region and _ITEM.match(unit.lstrip("\n")) and not self._section
        if is_item or (not subjects and in_region and "|" in unit):
            subjects = self._names.numbered_item(unit)
        section = self._section
        if not subjects:
            scripts = self._label or section
            is_sure = bool(scripts) and (self._label_is_plain or not self._label)
            return Belonging(scripts, is_sure, in_region or bool(scripts)), same_as - scripts
        if section and not subjects <= section:
            return Belonging(subjects | section, False, True), same_as - subjects
        self._label = subjects
        self._label_is_plain = is_heading or bool(is_item) or self._is_label(unit, named)
        return Belonging(subjects, True, True), same_as - subjects

    def _is_label(self, unit: str, named: Sequence[Named]) -> bool:
        """Whether a unit begins by naming scripts, or hardly says anything else."""
        first = next((one for one in named if one.is_subject), None)
        if first is None:
            return True
        is_short = len(unit.split()) <= _LABEL_WORDS
        return is_short or len(unit[: first.start].split()) <= 2

    def _split_code(self, source: str, cell: int) -> Iterator[Piece]:
        """Code, cut where a comment on a line of its own begins to speak of another script."""
        written = _WRITTEN.match(source)
        file = written[1][:200] if written else ""
        source = source[written.end() :] if written else source
        parts = list(self._labelled_parts(source))
        if file and (scripts := self._names.in_file_name(PurePosixPath(file).name)):
            parts = [(scripts, source)]
        context = self._label or self._section
        is_plain = self._label_is_plain or not self._label
        for scripts, code in parts:
            section = self._section
            if scripts and section and not scripts & section:
                belongs = Belonging(scripts | section, False, True)
            elif scripts:
                belongs = Belonging(scripts & section or scripts, True, True)
            else:
                belongs = Belonging(context, bool(context) and is_plain, self._in_region or bool(context))
            yield Piece(code, True, belongs, cell, file)

    def _labelled_parts(self, source: str) -> Iterator[tuple[frozenset[str], str]]:
        scripts: frozenset[str] = frozenset()
        lines: list[str] = []
        for line in source.split("\n"):
            named = frozenset[str]()
            if line.lstrip().startswith(("#", "def ", "print(")):
                named = _subjects(self._names.in_text(line))
            if named and named != scripts and (line.startswith(("#", "def ")) or not scripts):
                if scripts:
                    yield scripts, "\n".join(lines)
                    lines = []
                scripts = named
            lines.append(line)
        yield scripts, "\n".join(lines)


def _parts(source: str) -> Iterator[tuple[bool, str]]:
    """Markdown as (is code, text): what stands between fences, and the rest."""
    lines: list[str] = []
    fence = ""
    for line in source.split("\n"):
        found = _FENCE.match(line)
        if found and (not fence or found[1].startswith(fence)):
            yield bool(fence), "\n".join(lines)
            lines = []
            fence = "" if fence else found[1]
        else:
            lines.append(line)
    yield bool(fence), "\n".join(lines)


_INDENTED = re.compile(r"(?:\A|\n[ \t]*\n)((?:(?: {4}|\t)[^\n]*\n?|[ \t]*\n)+)")


def _with_indented(is_code: bool, text: str) -> Iterator[tuple[bool, str]]:
    """A part of Markdown, with blocks of indented lines that are Python as parts of their own."""
    place = 0
    for found in () if is_code else _INDENTED.finditer(text):
        tree = parse(textwrap.dedent(found[1]))
        if tree is not None and any(isinstance(node, _CODE_STATEMENTS) for node in tree.body):
            yield False, text[place : found.start(1)]
            yield True, textwrap.dedent(found[1])
            place = found.end(1)
    yield is_code, text[place:]


_CODE_STATEMENTS = (ast.Assign, ast.AugAssign, ast.FunctionDef, ast.ClassDef, ast.Return, ast.For, ast.With)
_CLAUSE = re.compile(r"(?:[,;(–]|\b(?:and|und|but|aber|while|whereas|während))\s*(?:\w+\s+){0,3}$")


def _clause_start(text: str, begin: int, place: int) -> int:
    """Where the clause starts in which a name stands at `place`; `begin` when it is the sentence's first."""
    found = _CLAUSE.search(text, max(begin, place - 60), place)
    return found.start() if found else place
