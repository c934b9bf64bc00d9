"""What one piece of a hand-in proposes to change, as code or in words."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from enum import Enum, auto
from typing import NamedTuple

from grader.fixes.editing import changes_between, edit
from grader.fixes.parsing import library_call, parse
from grader.fixes.pieces import Piece
from grader.fixes.records import FixKind
from grader.fixes.splicing import Spliced, splice
from grader.fixes.wishes import Change, Wish
from grader.fixes.wording import plain_of, wishes_in

MAX_PROPOSALS = 20  # of one piece

_ARROW = re.compile(r"^(?P<old>[^\n]{1,200}?)\s*(?:--?>|=>|→|⟶|⇒|➔|➜)\s*(?P<new>[^\n]{1,200})$")
_SETS = re.compile(
    r"\b(?P<name>[A-Za-z]+_\w+|[A-Z]{2,20})(?:\s*(?:=|:|from|von|of)\s*[-−]?[\d.,]{1,10})?"
    r"\s*(?:=|:=|to|auf|of|be|von|-+>"
    r"|→)\s*(?P<value>[-−]?\d+(?:[.,]\d+)?(?:e-?\d+)?)(?![\w])(?!\s*,\s*(?:which|was|is))"
)
_REPLACES = re.compile(
    r"(?P<between>instead of|rather than|statt|anstatt|anstelle von|->|→|=>|\bto\b|\bby\b|\bwith\b"
    r"|\bdurch\b|\bauf\b|\bzu\b)"
)
_TAKEN_OUT = re.compile(
    r"\b(?:remov\w+|delet\w+|drop\w*|comment\w* out|omit\w*|without|entfern\w*|lösch\w*|weglass\w*|streich\w*"
    r"|auskommentier\w*|ohne)\b[^.\n]{0,60}$",
    re.IGNORECASE,
)
_OLD_ONE = re.compile(
    r"\b(?:instead of|rather than|statt|anstatt|anstelle(?: von)?|from|von|was|war|originally)\W*$", re.I
)


_TAKES_OUT = "pass\n# "


class Form(Enum):
    """How a proposal is written."""

    DEFINITIONS = auto()
    LINES = auto()
    DIFF = auto()
    WISH = auto()


MADE_OF = {
    Form.DEFINITIONS: FixKind.REDEFINITION,
    Form.LINES: FixKind.CHANGED_LINES,
    Form.DIFF: FixKind.DIFF,
    Form.WISH: FixKind.WORDS,
}


class Proposal(NamedTuple):
    """One change: code to be put in, or a wish in words (a call that a text names is one, too).

    Of two `about` the same only one can be made.
    """

    form: Form
    code: str = ""
    wish: Wish | None = None

    @property
    def about(self) -> str:
        """What it changes."""
        if self.wish is None:
            return self.code
        what = self.wish.new if self.wish.change is Change.CONSTANT else self.wish.old
        return f"{self.wish.change.name} {what}"

    @property
    def is_vague(self) -> bool:
        """Whether its words name no value."""
        return self.wish is not None and self.wish.is_vague


def proposals_in(piece: Piece) -> Iterator[Proposal]:
    """What a piece proposes, in order."""
    if not piece.is_code:
        yield from list(_in_text(piece))[:MAX_PROPOSALS]
    elif piece.text.strip():
        yield _of_code(piece.text)


def apply(script: str, proposals: Sequence[Proposal]) -> Spliced | None:
    """`script` with those of `proposals` that apply to it, one after the other; None when none does.

    What only takes lines out comes last: another proposal may have a new version of them.
    """
    source = script
    for proposal in sorted(proposals, key=lambda one: one.code.startswith(_TAKES_OUT)):
        wish = proposal.wish
        step = splice(source, proposal.code) if wish is None else edit(source, [wish])
        source = source if step is None else step.source
    tree, mended = parse(script), parse(source)
    if source == script or tree is None or mended is None:
        return None
    before, after = ast.unparse(tree), ast.unparse(mended)
    return Spliced(after, changes_between(before, after)) if before != after else None


def _of_code(text: str) -> Proposal:
    tree = parse(text)
    if tree is None:
        is_diff = any(line.startswith(("+", "-")) for line in text.split("\n"))
        code = text if is_diff else "\n".join(_new_side(line) for line in text.split("\n"))
        return Proposal(Form.DIFF if is_diff else Form.LINES, code)
    statements = [s for s in tree.body if not isinstance(s, ast.Import | ast.ImportFrom)]
    is_defining = all(
        isinstance(s, ast.FunctionDef | ast.ClassDef) or (isinstance(s, ast.Assign) and _is_constant(s))
        for s in statements
    )
    return Proposal(Form.DEFINITIONS if is_defining and statements else Form.LINES, text)


def _is_constant(statement: ast.Assign) -> bool:
    return isinstance(statement.value, ast.Constant | ast.UnaryOp)


def _new_side(line: str) -> str:
    """The new line of `old -> new`; also of `name = old -> new`."""
    found = _ARROW.match(line)
    if found is None:
        return line
    old, new = found["old"].strip(), found["new"].strip()
    if "=" in old and "=" not in new:
        return f"{old.split('=', 1)[0].strip()} = {new}"
    return new


def _in_text(piece: Piece) -> Iterator[Proposal]:
    """Code in backticks, constants that are set in words, and wishes."""
    codes = piece.code_inside
    marked = piece.text
    place = 0
    for number, code in enumerate(codes):
        at = marked.find(code, place)
        before = marked[max(0, at - 80) : at].replace("\ue000", "").replace("\ue001", "")
        place = at + len(code)
        if _TAKEN_OUT.search(before) and parse(code) is not None and ("=" in code or "(" in code):
            yield Proposal(Form.LINES, _taken_out(code))
        elif not _OLD_ONE.search(before) and (
            "=" in code or code.startswith("return ") or _ARROW.match(code)
        ):
            yield _of_code(_new_side(code))
        elif not _OLD_ONE.search(before) and library_call(code) is not None:
            yield Proposal(Form.WISH, code)  # it may as well be told what stands there
        if number:
            yield from _renaming(codes[number - 1], code, before)
    for line in piece.words.split("\n"):
        yield from _constants(line)
    for wish in wishes_in(piece.words):
        yield Proposal(Form.WISH, wish=wish)


def _taken_out(code: str) -> str:
    """A piece that takes a statement out: it stands there as a comment."""
    return f"{_TAKES_OUT}{code}"


def _renaming(first: str, second: str, before: str) -> Iterator[Proposal]:
    """Of two pieces of code that words like "instead of" join: the one in the place of the other."""
    between = before.rsplit(first, 1)[-1] if first in before else ""
    found = _REPLACES.search(between)
    if found is None or len(between) > 40:
        return
    is_turned = found["between"] in ("instead of", "rather than", "statt", "anstatt", "anstelle von")
    old, new = (second, first) if is_turned else (first, second)
    written = [_unparsed(old), _unparsed(new)]
    if all(written) and old != new:
        yield Proposal(Form.WISH, wish=Wish(Change.NAME, written[1], written[0]))


def _unparsed(code: str) -> str:
    """Code as the syntax tree writes it, "" for what is no Python."""
    tree = parse(code)
    if tree is None or len(tree.body) != 1:
        return ""
    node = tree.body[0]
    is_tuple = isinstance(node, ast.Expr) and isinstance(node.value, ast.Tuple)
    return ast.unparse(node)[1:-1] if is_tuple else ast.unparse(node)  # without the brackets


def _constants(line: str) -> Iterator[Proposal]:
    """A constant that a text sets by name: "W_RANGE to 0.1"."""
    for found in _SETS.finditer(line):
        value = plain_of(found["value"])
        before = line[: found.start()]
        if not _OLD_ONE.search(before) and parse(f"{found['name']} = {value}") is not None:
            yield Proposal(Form.LINES, f"{found['name']} = {value}")
