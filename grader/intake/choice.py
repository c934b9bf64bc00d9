"""Which of several notebooks in a hand-in is the assignment: by its name, then by how much code it has."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from grader.intake.naming import encodable, shown
from grader.intake.walking import FoundFile, listed, read_regular_file

NOTEBOOK_BYTES = 64 * 1024**2
"""Largest notebook that is read."""

_NOTEBOOK_NAME = re.compile(r".*\.ipynb(\.json|\.txt)?", re.IGNORECASE | re.DOTALL)
_NUMBERED = re.compile(
    r"(?:(?:ass?ign?e?ments?|assign|assgn|asgmt|aufgaben?(?:blatt)?|abgabe|homework|exercise|(?:ü|u|ue)bung(?:sblatt)?|"
    r"blatt|sheet|task)|(?<![a-z])(?:as|ass|a|hw|ex|ü|ue))[\s_.#-]*(?:no|nr|number)?[\s_.#-]*0*(\d+)(?!\d)"
)
_FINISHED = re.compile(r"assignment|solution|submission|abgabe|aufgabe|homework|l(?:ö|o|oe)sung|final")
_NOT_THE_WORK = re.compile(r"demo|tutorial|lecture|vorlesung|example|beispiel|template|vorlage|practice")
_LEFT_OVER = re.compile(r"copy|kopie|backup|draft|entwurf|(?<![a-z])(?:old|alt|tmp|temp|test)(?![a-z])")


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A file that calls itself a notebook. `fault` is a sentence when it is none, None when it may be.

    `code_characters` counts the source of its code cells, blanks at their ends aside.
    """

    file: FoundFile
    sha256: str = ""
    code_characters: int = 0
    fault: str | None = None


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The notebook that is taken for the assignment, and sentences on why (none if there was no choice)."""

    chosen: Candidate
    remarks: tuple[str, ...] = ()


def is_notebook_name(name: str) -> bool:
    """Whether a file's name is a notebook's; browsers add `.json` or `.txt` to some."""
    return _NOTEBOOK_NAME.fullmatch(name) is not None


def look_at(file: FoundFile) -> Candidate:
    """Read a notebook as far as needed to tell it from other files, and to weigh its code."""
    name = f"“{shown(file.name)}”"
    try:
        data = read_regular_file(file.path, NOTEBOOK_BYTES)
    except OSError as broken:
        return Candidate(
            file=file, fault=f"{name} cannot be read ({broken.strerror}): mend its access rights."
        )
    if data is None:
        size, limit = file.size_bytes / 1024**2, NOTEBOOK_BYTES // 1024**2
        return Candidate(
            file=file,
            fault=f"{name} has {size:,.0f} MiB, more than the {limit} MiB that are read: "
            "take large images and TensorBoard pages out of its outputs and hand it in again.",
        )
    if not data.strip():
        return Candidate(file=file, fault=f"{name} is empty: save the notebook and hand it in again.")
    try:
        content = _parsed(data)
    except RecursionError:
        return Candidate(file=file, fault=f"{name} is nested too deeply to be a notebook.")
    except ValueError:
        return Candidate(
            file=file, fault=f"{name} {_what_else(data)}: save the notebook and hand it in again."
        )
    if not isinstance(content, dict) or not {"cells", "worksheets"} & content.keys():
        return Candidate(
            file=file,
            fault=f"{name} is no notebook (it is JSON without cells): hand in the notebook itself.",
        )
    digest = hashlib.sha256(data).hexdigest()
    return Candidate(file=file, sha256=digest, code_characters=_code_characters(content))


def _parsed(data: bytes) -> Any:
    """The JSON in `data`: UTF-8, UTF-16 or UTF-32, else read as Latin-1, as the reader of notebooks does."""
    try:
        return json.loads(data)
    except UnicodeDecodeError:
        return json.loads(data.decode("latin-1"))


def choose(candidates: Sequence[Candidate], assignment: str) -> Choice:
    """The one of `candidates` (at least one, none with a fault) that is the assignment."""
    ranked = sorted(candidates, key=lambda one: _rank(one, assignment))
    chosen = ranked[0]
    others = [one for one in ranked[1:] if one.sha256 != chosen.sha256]
    if not others:
        copies = len(ranked) - 1
        told = f"“{shown(chosen.file.name)}” was handed in {copies + 1} times; they are the same."
        return Choice(chosen=chosen, remarks=(told,) if copies else ())
    name_speaks = _name_points(chosen, assignment) > max(_name_points(one, assignment) for one in others)
    why = "its name fits the assignment best" if name_speaks else "it has the most code"
    remarks = [
        f"There are {len(ranked)} notebooks in this hand-in: “{shown(chosen.file.name)}” was taken as the "
        f"assignment because {why}; {listed([shown(one.file.name) for one in others])} "
        f"{'is an attachment' if len(others) == 1 else 'are attachments'}."
    ]
    rival = max(others, key=lambda one: one.code_characters)
    if rival.code_characters > chosen.code_characters / (1 if name_speaks else 2):
        remarks.append(
            f"Please check that this is the right one: “{shown(rival.file.name)}” has "
            f"{rival.code_characters:,} characters of code, “{shown(chosen.file.name)}” "
            f"{chosen.code_characters:,}."
        )
    return Choice(chosen=chosen, remarks=tuple(remarks))


def _rank(candidate: Candidate, assignment: str) -> tuple[bool, int, int, int, int, str]:
    """A sort key: notebooks with code first, then by name, by code, by depth, by the name's length."""
    name = candidate.file.name
    points = _name_points(candidate, assignment)
    return (
        not candidate.code_characters,
        -points,
        -candidate.code_characters,
        name.count("/"),
        len(name),
        name,
    )


def _name_points(candidate: Candidate, assignment: str) -> int:
    """How much a notebook's path speaks for (or, below 0, against) its being the assignment."""
    path = PurePosixPath(encodable(candidate.file.name).casefold())
    points = 0
    for text in (path.name, path.parent.as_posix()):
        numbers = assignments_named_in(text)
        if numbers:
            points += 4 if assignment in numbers else -4
            break
    stem = path.name
    points += 1 if _FINISHED.search(stem) else 0
    points -= 3 if _NOT_THE_WORK.search(stem) else 0
    return points - (1 if _LEFT_OVER.search(stem) else 0)


def assignments_named_in(text: str) -> set[str]:
    """`a3` for `Assignment 3`, `aufgabe_03`, `hw3`: the assignments that a text names."""
    composed = unicodedata.normalize("NFC", text)  # macOS writes `ü` as two characters
    return {f"a{number}" for number in _NUMBERED.findall(composed.casefold())}


def _code_characters(content: dict[str, Any]) -> int:
    """How much source the code cells hold; what has not a notebook's shape counts nothing."""
    sheets = content.get("worksheets")
    groups = [content.get("cells")]
    groups += (
        [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)]
        if isinstance(sheets, list)
        else []
    )
    cells = [cell for group in groups if isinstance(group, list) for cell in group if isinstance(cell, dict)]
    total = 0
    for cell in cells:
        source = cell.get("source", cell.get("input"))
        lines = source if isinstance(source, list) else [source]
        if cell.get("cell_type") == "code":
            total += len("".join(line for line in lines if isinstance(line, str)).strip())
    return total


def _what_else(data: bytes) -> str:
    """What a file is that is no JSON, as far as its first bytes tell."""
    start = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"<"):
        return "is a web page, not a notebook"
    if start.startswith(b"PK\x03\x04"):
        return "is a zip, not a notebook"
    if start.startswith(b"%PDF"):
        return "is a PDF, not a notebook"
    if start.startswith(b"{"):
        return "is a damaged notebook (it breaks off or is not valid JSON)"
    return "is no notebook"
