"""The attacks as they are written down: one YAML file per subject, one labelled entry per hand-in.

Words in capitals stand for what only the test knows: MARK (part of the name of everything that is left
behind), WITNESS (a word in an honest hand-in), SECRET_OF_THE_LAUNCHER (its value, in the environment),
COURSE (the course's folder), PORT and ABSTRACT (where the host listens).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BeforeValidator, Field

from grader.model import Record, RunStatus

FOLDER = Path(__file__).parent / "notebooks"
MEASURED = FOLDER / "measured"
TIMED = FOLDER / "timed"


def _as_tuple(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else (value,)


class Attack(Record):
    """A hand-in that means harm, and its label.

    It is made of `cells` (code), `files` beside the notebook, a `text` cell, `saved` outputs and metadata;
    `text_repeated` and `code_repeated` add cells that repeat a piece so many times. It must end in one of
    `status`; its outputs must hold `shows`, its flags `flags`, nothing told of its run may hold `silent`.
    An output with the word SUCCEEDED means that it got what it must not get. It may earn no more than the
    hand-in `like` it that does the same without the attack (or than one that does nothing), but for the
    criteria that it `gains`: what is known to be possible.
    """

    name: str
    subject: str
    does: str
    cells: tuple[str, ...]
    text: str = ""
    text_repeated: Mapping[str, int] = Field(default_factory=dict)
    code_repeated: Mapping[str, int] = Field(default_factory=dict)
    saved: tuple[str, ...] = ()
    files: Mapping[str, str | bytes] = Field(default_factory=dict)
    notebook: str = "hand-in.ipynb"
    metadata: Mapping[str, Any] = Field(default_factory=dict)
    cell_metadata: Mapping[str, Any] = Field(default_factory=dict)
    cell_id: str | None = None
    status: Annotated[tuple[RunStatus, ...], BeforeValidator(_as_tuple)] = (RunStatus.COMPLETED,)
    shows: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    at_least_seconds: float = 0.0
    like: str = ""
    gains: tuple[str, ...] = ()

    def with_words(self, words: Mapping[str, str]) -> Attack:
        """The attack with the words in capitals replaced by what they stand for."""

        def filled(text: str) -> str:
            for word, meaning in words.items():
                text = text.replace(word, meaning)
            return text

        files = {name: filled(f) if isinstance(f, str) else f for name, f in self.files.items()}
        return self.model_copy(update={"cells": tuple(map(filled, self.cells)), "files": files})


def read_attacks(folder: Path = FOLDER) -> tuple[Attack, ...]:
    """All attacks in a folder, in the order of subjects and files."""
    found = []
    for file in sorted(folder.glob("*.yaml")):
        for name, fields in yaml.safe_load(file.read_text("utf-8")).items():
            found.append(Attack.model_validate({"name": name, "subject": file.stem, **fields}))
    return tuple(found)
