"""Splices a student's piece of code into a script, by syntax tree.

A piece is a redefinition (of a function, class or constant of the script), changed lines, a diff, or a
whole script. What stands in the piece and in the script alike changes nothing, so that old and new line in
one piece are told apart.
"""

from __future__ import annotations

import ast
import copy
import re
import textwrap
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rapidfuzz import fuzz

from grader.fixes.parsing import library_call, parse

_ALIKE = 60.0  # similarity, of 100, from which a line may be another version of the script's
_CLOSELY = 75.0  # from which an assignment that goes on with its own name may be
_CLEARLY = 8.0  # by which the best place must be better than the next
_MOST_STATEMENTS = 400
_ADDED = re.compile(r"^\s*\+(?![+\d])")
_REMOVED = re.compile(r"^\s*-(?![-\d])")
_DIFF_HEAD = re.compile(r"^\s*(?:---|\+\+\+|@@)")
_COMMENTED = re.compile(r"^\s*#+\s?(.*\S)")
_Body = list[ast.stmt]


class Spliced(NamedTuple):
    """A script with a piece put in: its source, and what changed as (old, new) source, "" for nothing."""

    source: str
    changes: tuple[tuple[str, str], ...]


class _Place(NamedTuple):
    """A statement of the script: the list that it stands in, and its text."""

    body: _Body
    node: ast.stmt
    text: str
    scope: str


def splice(script: str, piece: str) -> Spliced | None:
    """`script` with `piece` put in; None when the piece is not Python, or changes nothing that is there.

    A statement of the piece replaces the one of the script that defines the same name in the same way, or
    else the one line that it is clearly another version of. One that goes on with what the script assigns
    (`images = images / 255`) is put behind that. A line of the script that the piece removes (in a
    diff) or holds as a comment, with no new version beside it, goes. Statements that fit nowhere are left
    out, unless they define something that a spliced statement uses: those go to the top, after the imports.
    """
    tree = parse(script)
    new, gone = _sides(piece)
    wanted = parse(new)
    if tree is None or wanted is None:
        return None
    if (call := library_call(new)) is not None:
        return _with_call(tree, call)
    places = list(_places(tree.body, ""))[:_MOST_STATEMENTS]
    present = {place.text for place in places}
    changes: list[tuple[str, str]] = []
    left: list[ast.stmt] = []
    for statement in list(_pieces(wanted.body))[:_MOST_STATEMENTS]:
        text = ast.unparse(statement)
        if text in present or isinstance(statement, ast.Import | ast.ImportFrom | ast.Pass):
            continue
        place = _place_for(statement, text, places)
        if place is None:
            if _goes_on(statement) and _add_behind(statement, places):
                changes.append(("", text))
            else:
                left.append(statement)
            continue
        place.body[place.body.index(place.node)] = copy.deepcopy(statement)
        places.remove(place)
        changes.append((place.text, text))
    kept = {ast.unparse(statement) for statement in _pieces(wanted.body)}
    for place in [place for place in places if place.text in gone - kept]:
        if place.node in place.body and len(place.body) > 1:
            place.body.remove(place.node)
            changes.append((place.text, ""))
    if not changes:
        return None
    changes += _add_what_is_used(tree, wanted, left)
    return Spliced(ast.unparse(ast.fix_missing_locations(tree)), tuple(changes))


def _with_call(tree: ast.Module, call: ast.Call) -> Spliced | None:
    """The script with `call` for the one call of that function that it is another version of."""
    function, text = ast.unparse(call.func), ast.unparse(call)
    alike = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and ast.unparse(n.func) == function]
    scored = sorted(
        ((fuzz.ratio(text, ast.unparse(node)), node) for node in alike), key=lambda pair: -pair[0]
    )
    if not scored or not _ALIKE <= scored[0][0] < 100:
        return None
    if len(scored) > 1 and scored[0][0] - scored[1][0] < _CLEARLY:
        return None
    node = scored[0][1]
    old = ast.unparse(node)
    node.args, node.keywords = call.args, call.keywords
    return Spliced(ast.unparse(ast.fix_missing_locations(tree)), ((old, text),))


def _sides(piece: str) -> tuple[str, set[str]]:
    """The new code of a piece, and the lines (as unparsed statements) that it takes out.

    In a diff the marks go, and removed lines with them; elsewhere lines in comments are the ones taken out.
    """
    lines = piece.split("\n")
    is_marked = any(_REMOVED.match(line) or _ADDED.match(line) for line in lines)
    if is_marked and parse(piece) is None:
        marked = [line for line in lines if not _DIFF_HEAD.match(line)]
        taken = [_REMOVED.sub("", line, count=1) for line in marked if _REMOVED.match(line)]
        new = [
            _ADDED.sub(lambda mark: mark[0].replace("+", ""), line, count=1)
            for line in marked
            if not _REMOVED.match(line)
        ]
        return _aligned(new), _statements(taken)
    taken = [found[1] for line in lines if (found := _COMMENTED.match(line))]
    return textwrap.dedent(piece), _statements(taken)


def _aligned(lines: Sequence[str]) -> str:
    """Lines of a diff as code: by themselves they may stand at any depth."""
    code = textwrap.dedent("\n".join(lines))
    return code if parse(code) is not None else "\n".join(line.strip() for line in lines)


def _statements(lines: Sequence[str]) -> set[str]:
    """The lines that are statements by themselves, unparsed."""
    trees = (parse(line.strip()) for line in lines[:_MOST_STATEMENTS])
    return {ast.unparse(tree.body[0]) for tree in trees if tree is not None and len(tree.body) == 1}


def _places(body: _Body, scope: str) -> Iterator[_Place]:
    """Every statement of the script, outer ones first."""
    for node in body:
        yield _Place(body, node, ast.unparse(node), scope)
        inner = f"{scope}.{node.name}" if isinstance(node, ast.FunctionDef | ast.ClassDef) else scope
        for field in ("body", "orelse", "finalbody"):
            below = getattr(node, field, None)
            if isinstance(below, list):
                yield from _places(below, inner)


def _pieces(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a piece that are looked at one by one: definitions whole, blocks by their lines.

    Of a definition of which only some lines are shown ("..."), these.
    """
    for node in body:
        own: _Body = getattr(node, "body", [])
        is_definition = isinstance(node, ast.FunctionDef | ast.ClassDef)
        if own and (not is_definition or any(map(_is_dots, own))):
            yield from _pieces(own)
        elif not _is_dots(node):
            yield node


def _is_dots(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and node.value.value is ...


def _place_for(statement: ast.stmt, text: str, places: Sequence[_Place]) -> _Place | None:
    """The statement of the script that this one is a new version of, None when none is clearly it."""
    names = _defines(statement)
    alike = [place for place in places if type(place.node) is type(statement)]
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return next((place for place in alike if _defines(place.node) == names), None)
    if names:
        alike = [place for place in alike if _defines(place.node) == names]
        if _goes_on(statement):  # another step with a thing is no other version of the steps before
            alike = [place for place in alike if fuzz.ratio(text, place.text) >= _CLOSELY]
        if len(alike) == 1:
            return alike[0]
    scored = sorted(((fuzz.ratio(text, place.text), place) for place in alike), key=lambda pair: -pair[0])
    if not scored or scored[0][0] < _ALIKE:
        return None
    if len(scored) == 1 or scored[0][0] - scored[1][0] >= _CLEARLY:
        return scored[0][1]
    own = _variables(statement)
    same = [place for score, place in scored if score >= _ALIKE and _variables(place.node) == own]
    return same[0] if len(same) == 1 else None


def _goes_on(statement: ast.stmt) -> bool:
    """Whether an assignment goes on with what it assigns to, as `images = images / 255` does."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return name in _variables(value)
    return False


def _add_behind(statement: ast.stmt, places: Sequence[_Place]) -> bool:
    """Put a statement behind the last one that assigns to its name, where all of these stand together."""
    [name] = _defines(statement)
    giving = [place for place in places if name in _targets(place.node)]
    if not giving or any(place.body is not giving[0].body for place in giving):
        return False
    body = giving[0].body
    body.insert(max(body.index(place.node) for place in giving) + 1, copy.deepcopy(statement))
    return True


def _targets(node: ast.stmt) -> set[str]:
    """The names that an assignment gives values to, also several at once."""
    targets = node.targets if isinstance(node, ast.Assign) else []
    return {n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)}


def _variables(node: ast.AST) -> set[str]:
    """The names in a statement, without those of modules and functions."""
    not_meant = {id(n.func) for n in ast.walk(node) if isinstance(n, ast.Call)}
    not_meant |= {id(n.value) for n in ast.walk(node) if isinstance(n, ast.Attribute)}
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and id(n) not in not_meant}


def _defines(node: ast.stmt) -> tuple[str, ...]:
    """The names that a statement defines: `def f` and `f = …` give f; ("return",) for a return."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return (node.name,)
    if isinstance(node, ast.Return):
        return ("return",)
    targets: Sequence[ast.expr] = ()
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign | ast.AugAssign):
        targets = (node.target,)
    return tuple(ast.unparse(target) for target in targets)


def _add_what_is_used(
    tree: ast.Module, wanted: ast.Module, left: Sequence[ast.stmt]
) -> list[tuple[str, str]]:
    """Put imports, and definitions that the spliced code uses and the script lacks, after the imports."""
    defined = {name for place in _places(tree.body, "") for name in _defines(place.node)}
    defined |= _imported(tree.body)
    added: list[ast.stmt] = [
        node
        for node in wanted.body
        if isinstance(node, ast.Import | ast.ImportFrom) and not _imported([node]) <= defined
    ]
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for statement in reversed(left):
        names = set(_defines(statement))
        if names and names <= used and not names & defined:
            added.append(statement)
            used |= {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
    imports = [i for i, node in enumerate(tree.body) if isinstance(node, ast.Import | ast.ImportFrom)]
    at = imports[-1] + 1 if imports else 0
    tree.body[at:at] = [copy.deepcopy(node) for node in added]
    return [("", ast.unparse(node)) for node in added]


def _imported(body: Sequence[ast.stmt]) -> set[str]:
    return {
        alias.asname or alias.name.split(".")[0]
        for node in body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
