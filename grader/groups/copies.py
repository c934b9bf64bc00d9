"""Copies of a group's work: who is listed on each, and how near two of them are to each other."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from grader.model import Submission
from grader.notebook.names import NamesFound
from grader.notebook.people import is_named, is_same_person, share_a_word, with_a_word_of
from grader.notebook.records import Notebook

NEARLY_EQUAL = 0.93  # of the lines of code and of the words of text that two copies of one work share
_LINE = 300  # characters of a line that may name people
_COMMENT = re.compile(r"^\s*#(?!%|!).*$")


class Copy(NamedTuple):
    """One hand-in as it matters for groups.

    `owner` is the name that Moodle knows, None where there is none (blind marking, a file's name). `listed`
    are the names at the top of the notebook, the owner's own as Moodle has it. `code` are its lines of code,
    `text` its words, lines with names aside; `files` the hashes of what lies beside it.
    """

    id: str
    owner: str | None
    listed: tuple[str, ...]
    code: Counter[str]
    text: Counter[str]
    outputs: int
    files: frozenset[str]
    sha256: str

    @property
    def completeness(self) -> tuple[int, int, int]:
        """How much is there, for telling the fuller of two copies."""
        return self.outputs, self.text.total(), self.code.total()


def owner_of(submission: Submission) -> str | None:
    """The name that Moodle knows of whoever handed in, None under blind marking and for loose files."""
    whose = submission.participant
    return whose.name if whose.id is not None and not whose.is_blind else None


def copy_of(
    submission: Submission, notebook: Notebook, found: NamesFound, owners: Mapping[str, list[str]]
) -> Copy:
    """A hand-in as it is compared; a name of the class in a line at the top is listed, too.

    `found` are the names in its notebook, `owners` those of the class by their words, as of `by_word`.
    """
    owner = owner_of(submission)
    near = with_a_word_of(found.top_text, owners)
    known = [name for name in near if is_named(name, found.top_text) and _in_a_line(name, found.top_text)]
    read = [name for name in found.top if not any(is_same_person(name, one) for one in known)]
    names = [*known, *read]
    code = (line for cell in notebook.code_cells for line in cell.source.split("\n"))
    lines = (line for cell in notebook.markdown_cells for line in cell.source.split("\n"))
    prose = (line for line in lines if not any(is_named(name, line[:_LINE]) for name in names))
    return Copy(
        id=submission.id,
        owner=owner,
        listed=tuple(_with_own_name(names, owner)),
        code=Counter(" ".join(line.split()) for line in code if line.strip() and not _COMMENT.match(line)),
        text=Counter(word for line in prose for word in re.findall(r"\w+", line)),
        outputs=sum(bool(cell.outputs) for cell in notebook.code_cells),
        files=frozenset(file.sha256 for file in submission.attachments),
        sha256=submission.notebook_sha256,
    )


def likeness(one: Copy, other: Copy) -> float:
    """How much of the code and of the text two copies share, the smaller of both, in [0, 1].

    0 where different files lie beside them, or only one of them has outputs.
    """
    if one.files != other.files or bool(one.outputs) != bool(other.outputs):
        return 0.0
    return min(_shared(one.code, other.code), _shared(one.text, other.text))


def _in_a_line(name: str, text: str) -> bool:
    return any(len(line) <= _LINE and is_named(name, line) for line in text.split("\n"))


def _shared(one: Counter[str], other: Counter[str]) -> float:
    most = max(one.total(), other.total())
    return (one & other).total() / most if most else 1.0


def _with_own_name(names: Iterable[str], owner: str | None) -> list[str]:
    """The names, the one that can only be the owner's (`Ada` of `Ada Beispiel`) written as Moodle has it."""
    own = [name for name in names if owner is not None and share_a_word(name, owner)]
    return [owner if owner is not None and own == [name] else name for name in names]
