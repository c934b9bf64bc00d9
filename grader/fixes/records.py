"""The records of broken scripts, of proposed fixes, and of what came of running them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from grader.model import Record


class FixKind(StrEnum):
    """How a fix is written down, the plainest to run first."""

    WHOLE_SCRIPT = "whole_script"
    REDEFINITION = "redefinition"  # of functions, classes or constants of the script
    CHANGED_LINES = "changed_lines"  # in a code block, with or without the old ones beside them
    DIFF = "diff"
    WORDS = "words"  # turned into an edit


class BrokenScript(Record):
    """One broken script: `name` is its file's name without the suffix, `source` its text."""

    name: str
    source: str


class Fix(Record):
    """One proposed fix of one script, ready to run.

    `source` is the whole mended script; `changes` are (old, new) pieces of source, "" for nothing; `cell` is
    where it was found, None for an attachment, whose name is then `attachment`; `passage` is the student's own
    text of it.
    """

    script: str
    kind: FixKind
    source: str
    changes: tuple[tuple[str, str], ...] = ()
    cell: Annotated[int, Field(ge=1)] | None = None
    attachment: str | None = None
    passage: str = ""
