"""What code alone shows, before a run, of something that is judged by a run."""

from __future__ import annotations

import ast
import re

from grader.checks.previews import Preview, PreviewFunction, later, unclear
from grader.evidence.record import Evidence
from grader.model import Reason, Source


def named_in_code(pattern: str, what: str) -> PreviewFunction:
    """A preview that tells in which cell the code has a name that matches all of `pattern`.

    `what` says in words what the name stands for. Names are those of variables, attributes, functions and
    classes; comments and strings have none. That it is nowhere does not say that the thing is missing: it
    can be written in other ways.
    """
    looked_for = re.compile(pattern)

    def before_run(evidence: Evidence, **_: object) -> Preview:
        named = first_named(evidence, looked_for)
        if named is None:
            return unclear(Reason(text=f"No cell was found that has {what}.", source=Source.SOURCE))
        cell, name = named
        text = f"Cell {cell} has {what} (`{name}`); what comes of it is seen when the notebook is run."
        return later(Reason(text=text, cell=cell, source=Source.SOURCE))

    return before_run


def first_named(evidence: Evidence, looked_for: re.Pattern[str]) -> tuple[int, str] | None:
    """The first name in the code that matches as a whole, with its cell."""
    names = ((cell, _name(node)) for cell, node in evidence.code.nodes)
    return next(((cell, name) for cell, name in names if looked_for.fullmatch(name)), None)


def _name(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name):
            return name
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return name
        case _:
            return ""
