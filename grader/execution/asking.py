"""Asking the recorder at the end of a run, and which of the room's facts can be its answer.

Anybody in the room can write to the wire. What only an answer can tell carries a word that nobody in the room
knew before the recorder was asked.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import Any

_ASK = "__import__('sys').modules['probes.recorder'].measure({folder!r}, {seconds!r}, {word!r})"
_ANSWERS = frozenset({"model", "predictions", "replaced"})
_IMITATED = "recorder: imitated on the wire"
_SILENT = "recorder: gave no answer at the end"


class Question:
    """One question to the recorder of one room."""

    def __init__(self) -> None:
        self._word = secrets.token_hex(16)
        self._is_asked = False

    def cell(self, folder: str, seconds: float) -> str:
        """The code that asks for predictions on the inputs in `folder` of the room, within `seconds`."""
        self._is_asked = True
        return _ASK.format(folder=folder, seconds=seconds, word=self._word)

    def believed(self, facts: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The facts without what was not said in answer to this question though only an answer can say it.

        That this was tried, or that there was no answer though the question was asked, is added as something
        that the notebook replaced.
        """
        believed: list[dict[str, Any]] = []
        is_imitated = False
        is_answered = not self._is_asked
        for fact in facts:
            is_answer = fact.get("word") == self._word
            if fact["kind"] in _ANSWERS and not is_answer:
                is_imitated = True
                continue
            is_answered = is_answered or (is_answer and fact["kind"] == "replaced")
            believed.append({name: value for name, value in fact.items() if name != "word"})
        found = {_IMITATED: is_imitated, _SILENT: not is_answered}
        names = [name for name, is_found in found.items() if is_found]
        return [*believed, {"kind": "replaced", "names": names}] if names else believed
