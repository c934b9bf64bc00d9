"""Finds, in a hand-in, the fixes that it proposes and what it says about each broken script."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import TypedDict

from pydantic import Field

from grader.fixes.assembling import MAX_STATEMENTS, is_training, whole_scripts
from grader.fixes.likeness import Likeness
from grader.fixes.naming import Names
from grader.fixes.parsing import parse
from grader.fixes.pieces import Piece, pieces_of
from grader.fixes.proposals import MADE_OF, Form, Proposal, apply, proposals_in
from grader.fixes.records import BrokenScript, Fix, FixKind, Passage
from grader.model import Record
from grader.notebook.records import Notebook

MAX_FIXES = 6  # of one script
MAX_SPLICES = 200  # of one hand-in

_LEAST_KEPT = 0.25  # of a script, in what the hand-in says is a version of it
_LEAST_SENTENCE = 5  # words that do not stand in a script by chance
_SURELY_KEPT = 0.6  # in what nothing says is a version of it


class Found(Record):
    """What was found: fixes by script, the plainest first, and what is said of each script, by its name."""

    fixes: tuple[Fix, ...] = ()
    said: dict[str, tuple[Passage, ...]] = Field(default_factory=dict)


def find_fixes(notebook: Notebook, attachments: Mapping[str, str], scripts: Sequence[BrokenScript]) -> Found:
    """The fixes in `notebook` and in `attachments` (text by name), and the words about each of `scripts`.

    Which script something is for is read in headings, names and words, and in what the code is like; where
    that leaves a doubt, there is a fix for each script that it can be for, and it is not `is_sure`. Fixes
    that leave a doubt are left out where there are others. Never raises, whatever is in the hand-in.
    """
    pieces = pieces_of(notebook, attachments, Names(scripts))
    search = _Search(scripts, pieces)
    fixes = [fix for script in scripts for fix in _first(search.fixes_of(script))]
    return Found(fixes=tuple(fixes), said={script.name: _said(pieces, script) for script in scripts})


def _said(pieces: Sequence[Piece], broken: BrokenScript) -> tuple[Passage, ...]:
    """The text about a script, stretches of one cell that stand together put together.

    What stands in the script itself, such as its docstrings, is left out.
    """
    passages: list[Passage] = []
    script = broken.name
    same = frozenset[str]()
    for piece in pieces:
        if piece.is_code or piece.cell is None or script not in piece.belongs.scripts:
            continue
        if len(piece.words.split()) >= _LEAST_SENTENCE and piece.words.strip() in broken.source:
            continue
        is_sure = piece.belongs.is_sure
        same |= piece.same_as
        last = passages[-1] if passages else None
        if last is not None and last.cell == piece.cell and last.is_sure == is_sure:
            passages[-1] = last.model_copy(update={"text": f"{last.text}\n{piece.words.strip()}"})
        elif piece.words.strip():
            passages.append(Passage(text=piece.words.strip(), cell=piece.cell, is_sure=is_sure))
    for piece in pieces:
        is_other = not piece.is_code and piece.cell is not None and script not in piece.belongs.scripts
        if is_other and piece.belongs.scripts & same:
            passages.append(Passage(text=piece.words.strip(), cell=piece.cell, is_sure=False))
    return tuple(passage for passage in passages if passage.text)


def _first(fixes: Sequence[Fix]) -> list[Fix]:
    """The fixes to be run, in the order of plainness: those that surely are meant, or else all."""
    kept = [fix for fix in fixes if fix.is_sure] or list(fixes)
    return kept[:MAX_FIXES]


def _plainness(fix: Fix) -> tuple[int, bool]:
    return list(FixKind).index(fix.kind), fix.is_vague


class _Search:
    """The pieces of one hand-in, looked through for one script after the other."""

    def __init__(self, scripts: Sequence[BrokenScript], pieces: Sequence[Piece]) -> None:
        self._likeness = Likeness(scripts)
        self._pieces = pieces
        self._splices = MAX_SPLICES
        self._trees = [parse(piece.text) if piece.is_code else None for piece in pieces]
        self._whole = list(self._whole_pieces())
        self._used_up = {piece for piece, _ in self._whole}
        self._proposals = [
            (piece, list(proposals_in(piece))) for piece in pieces if piece not in self._used_up
        ]

    def fixes_of(self, script: BrokenScript) -> list[Fix]:
        """All fixes that can be for `script`, each once: the sure ones, and of those the plainest, first."""
        fixes = [*self._whole_fixes(script), *self._pieced_fixes(script)]
        fixes.sort(key=lambda fix: (not fix.is_sure, _plainness(fix)))
        broken = parse(script.source)
        seen = {} if broken is None else {ast.unparse(broken): None}
        return [fix for fix in fixes if not (fix.source in seen or seen.setdefault(fix.source))]

    def _whole_pieces(self) -> Iterator[tuple[Piece, ast.Module]]:
        """The whole scripts in the hand-in, also those that stand in several cells."""
        before: list[ast.stmt] = []
        for place, (piece, tree) in enumerate(zip(self._pieces, self._trees, strict=True)):
            if tree is None:
                continue
            together = self._with_cells_before(place, tree)
            for whole in whole_scripts(together, [] if piece.file else before):
                yield piece, whole
            if not piece.file:
                before = [*before, *tree.body][-MAX_STATEMENTS:]

    def _with_cells_before(self, place: int, tree: ast.Module) -> ast.Module:
        """The code of a piece after that of the cells before it that surely are about the same one script."""
        piece = self._pieces[place]
        body: list[ast.stmt] = []
        if piece.belongs.is_sure and len(piece.belongs.scripts) == 1 and not piece.file:
            for other, earlier in zip(self._pieces[:place], self._trees[:place], strict=True):
                if other.belongs == piece.belongs and earlier is not None and other.cell is not None:
                    body += earlier.body
        return ast.Module([*body, *tree.body], []) if body and _trains_not(body) else tree

    def _whole_fixes(self, script: BrokenScript) -> Iterator[Fix]:
        """The whole scripts that can be versions of `script`, the last one first."""
        for piece, tree in reversed(self._whole):
            named = piece.belongs.scripts
            if named:
                against = self._likeness.speaks_against(script.name, tree)
                is_meant = script.name in named or bool(
                    {script.name}
                    & frozenset().union(*(self._likeness.speaks_against(n, tree) for n in named))
                )
                is_sure = script.name in named and piece.belongs.is_sure and not against
                is_sure = is_sure and self._likeness.kept(script.name, tree) >= _LEAST_KEPT
            else:
                versions = self._likeness.versions(tree)
                is_near = piece.belongs.in_region and not piece.file
                is_near = is_near or self._likeness.kept(script.name, tree) >= _SURELY_KEPT
                is_meant, is_sure = script.name in versions and is_near, len(versions) == 1
            if is_meant and self._likeness.is_changed(script.name, tree):
                source = ast.unparse(ast.fix_missing_locations(tree))
                yield Fix(
                    script=script.name,
                    kind=FixKind.WHOLE_SCRIPT,
                    source=source,
                    **_place_of(piece),
                    is_sure=is_sure,
                    adds_only=self._likeness.only_adds(script.name, tree),
                )

    def _pieced_fixes(self, script: BrokenScript) -> Iterator[Fix]:
        """Fixes from code and words: all that are meant surely together, and each by itself."""
        meant = list(self._meant(script))
        applying: list[tuple[Piece, Proposal, bool]] = []
        fixes: list[Fix] = []
        for piece, proposal, is_sure in meant:
            fix = self._applied(script, [proposal], piece, is_sure)
            if fix is not None:
                fixes.append(fix)
                applying.append((piece, proposal, is_sure))
        sure = [(piece, proposal) for piece, proposal, is_sure in applying if is_sure]
        code = [(piece, proposal) for piece, proposal in sure if proposal.form is not Form.WISH]
        for meant_together in (code, sure):
            if len(meant_together) > 1:
                proposals = _not_alternative([proposal for _, proposal in meant_together])
                together = self._applied(script, proposals, meant_together[0][0], True)
                if together is not None:
                    yield together
        yield from fixes

    def _meant(self, script: BrokenScript) -> Iterator[tuple[Piece, Proposal, bool]]:
        """The proposals that can be for `script`, each with whether it surely is."""
        same = frozenset[str]().union(
            *(p.same_as for p in self._pieces if script.name in p.belongs.scripts and not p.is_code)
        )
        for piece, proposals in self._proposals:
            scripts = piece.belongs.scripts
            is_meant = script.name in scripts or bool(scripts & same)
            if is_meant or (not scripts and piece.belongs.in_region):
                for proposal in proposals:
                    yield piece, proposal, is_meant and piece.belongs.is_sure

    def _applied(
        self, script: BrokenScript, proposals: Sequence[Proposal], piece: Piece, is_sure: bool
    ) -> Fix | None:
        if self._splices <= 0:
            return None
        self._splices -= 1
        spliced = apply(script.source, proposals)
        if spliced is None:
            return None
        kinds = [MADE_OF[proposal.form] for proposal in proposals]
        return Fix(
            script=script.name,
            kind=FixKind.WORDS if FixKind.WORDS in kinds else min(kinds, key=list(FixKind).index),
            source=spliced.source,
            changes=spliced.changes,
            **_place_of(piece),
            is_sure=is_sure,
            is_vague=all(proposal.is_vague for proposal in proposals),
            adds_only=not any(old for old, _ in spliced.changes),
        )


def _trains_not(body: Sequence[ast.stmt]) -> bool:
    """Whether cells before are only parts of a script, not one that trains already."""
    return not any(is_training(statement) for statement in body)


def _not_alternative(proposals: Sequence[Proposal]) -> list[Proposal]:
    """Of proposals for the same thing (ReLU or tanh, say) the first one."""
    kept: dict[str, Proposal] = {}
    for proposal in proposals:
        kept.setdefault(proposal.about, proposal)
    return list(kept.values())


class _PlaceOf(TypedDict):
    cell: int | None
    attachment: str | None
    passage: str


def _place_of(piece: Piece) -> _PlaceOf:
    """Where a fix was found, and the student's own text of it."""
    return _PlaceOf(
        cell=piece.cell,
        attachment=piece.file if piece.cell is None else None,
        passage=(piece.text if piece.is_code else piece.words).strip()[:2_000],
    )
