"""Asking the recorder at the end of a run, and which of the room's facts can be its answer.

Anybody in the room can write to the wire. What only an answer can tell carries a word that nobody in the room
knew before the recorder was asked.
"""

from __future__ import annotations

import ast
import marshal
import secrets
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from grader.notebook.syntax import syntax_tree

WRITTEN = "written.marshal"  # beside the inputs, as `probes/asking.py` calls it
_ASK = (
    "exec(compile(open({file!r}).read(), {file!r}, 'exec'), "
    "{{'__file__': {file!r}, '__name__': 'asking', 'question': ({folder!r}, {seconds!r}, {word!r})}})"
)
_ANSWERS = frozenset({"written", "predictions", "replaced", "watched", "timing", "graph"})
_TOLD_AGAIN = _ANSWERS | {"training", "evaluation"}
_IMITATED = "recorder: imitated on the wire"
_SILENT = "recorder: gave no answer at the end"
_GONE = "recorder: gone with the kernel before it could answer"


@cache
def as_written(probes: Path) -> bytes:
    """What the files of the folder `probes` say, for `changed` in its `asking.py`, which a room compares.

    By module its code and what it imports from others of the package: their names, and those taken from them.
    """
    return marshal.dumps({file.stem: _module_of(file) for file in sorted(probes.glob("*.py"))})


def _module_of(file: Path) -> tuple[Any, list[tuple[str, list[str]]]]:
    tree = syntax_tree(file.read_text("utf-8"))
    imports = [
        (str(node.module), [alias.name for alias in node.names])
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("probes")
    ]
    return compile(tree, str(file), "exec", dont_inherit=True), imports


class Question:
    """One question to the recorder of one room."""

    def __init__(self) -> None:
        self._word = secrets.token_hex(16)
        self._is_asked = False

    def cell(self, harness: str, folder: str, seconds: float) -> str:
        """The code that asks for predictions on the inputs in `folder` of the room, within `seconds`.

        `harness` is the room's folder with the package `probes`; `as_written` lies in `folder`, too.
        """
        self._is_asked = True
        file = f"{harness}/probes/asking.py"
        return _ASK.format(file=file, folder=folder, seconds=seconds, word=self._word)

    def believed(self, facts: Sequence[Mapping[str, Any]], *, is_gone: bool = False) -> list[dict[str, Any]]:
        """The facts without what was not said in answer to this question though only an answer can say it.

        Where there was an answer, what was told on the way of trainings and evaluations gives way to what the
        answer tells of them. That somebody imitated an answer, that there was none though the question was
        asked, or that the kernel `is_gone` by itself before it could be, is added as something replaced.
        """
        answered = [fact for fact in facts if fact.get("word") == self._word]
        is_answered = any(fact["kind"] == "replaced" for fact in answered)
        others = [fact for fact in facts if fact.get("word") != self._word]
        believed = [fact for fact in others if fact["kind"] not in (_TOLD_AGAIN if is_answered else _ANSWERS)]
        found = {
            _IMITATED: any(fact["kind"] in _ANSWERS for fact in others),
            _SILENT: self._is_asked and not is_answered,
            _GONE: is_gone,
        }
        names = [name for name, is_found in found.items() if is_found]
        added = [{"kind": "replaced", "names": names}] if names else []
        return [
            {name: value for name, value in fact.items() if name != "word"}
            for fact in (*believed, *answered, *added)
        ]
