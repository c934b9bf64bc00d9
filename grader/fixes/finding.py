"""Finds, in a hand-in, the fixes that it proposes and what it says about each script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from pydantic import Field

from grader.fixes.records import BrokenScript, Fix, FixKind
from grader.fixes.splicing import is_whole_script, parse
from grader.model import Record
from grader.notebook.prose import Passage
from grader.notebook.records import Notebook


class Found(Record):
    """What was found: fixes, in the order of the hand-in, and what is said of each script, by its name."""

    fixes: tuple[Fix, ...] = ()
    said: dict[str, tuple[Passage, ...]] = Field(default_factory=dict)


def find_fixes(notebook: Notebook, attachments: Mapping[str, str], scripts: Sequence[BrokenScript]) -> Found:
    """The whole mended scripts among `attachments` (text by name): those that are called like a script."""
    return Found(fixes=tuple(_whole_scripts(attachments, {script.name: script for script in scripts})))


def _whole_scripts(attachments: Mapping[str, str], scripts: Mapping[str, BrokenScript]) -> Iterator[Fix]:
    for name, source in attachments.items():
        script = scripts.get(PurePosixPath(name).stem)
        tree = parse(source)
        if script is not None and tree is not None and is_whole_script(tree) and source != script.source:
            yield Fix(script=script.name, kind=FixKind.WHOLE_SCRIPT, source=source, attachment=name)
