"""What is known of a hand-in before anything in it is read: whose it is and which files belong to it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grader.intake.entries import Refusal
from grader.intake.moodle import ONLINE_TEXT, MoodleName, owner_of_entry
from grader.intake.naming import encodable, is_rubbish, person_name, shown
from grader.intake.walking import is_folder
from grader.model import Participant

_ENDING = re.compile(r"\.(?:ipynb(?:\.json|\.txt)?|zip)$", re.IGNORECASE)
_NEVER_OPENED = "“{name}” is a link or a device, which is never opened: put a copy of the file there."


@dataclass(frozen=True, kw_only=True)
class Part:
    """A folder, whose files count, or one file, which is called `name` in the hand-in."""

    path: Path
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class HandIn:
    """What belongs to one hand-in.

    `label` names it within its assignment (`Participant_101`) and becomes its id; `origin` is the folder
    or zip it was found in. `fault` is a sentence when it cannot be read at all; `is_broken_zip` when
    that is because of a zip of which nobody knows what it holds.
    """

    assignment: str
    label: str
    origin: str
    participant: Participant
    parts: tuple[Part, ...] = ()
    online_texts: tuple[Path, ...] = ()
    fault: str | None = None
    is_broken_zip: bool = False

    def holding(self, part: Part) -> HandIn:
        """The same person's hand-in, made of `part` alone."""
        return replace(self, parts=(part,), online_texts=(), fault=None)


def plain_hand_in(path: Path, assignment: str) -> HandIn:
    """The hand-in that a folder or file is which Moodle did not name."""
    label = encodable(path.name if is_folder(path) else _ENDING.sub("", path.name))
    participant = Participant(name=person_name(label))
    part = Part(path=path, name="" if is_folder(path) else path.name)
    return HandIn(
        assignment=assignment, label=label, origin=str(path.parent), participant=participant, parts=(part,)
    )


def from_moodle(entries: Sequence[tuple[Path, MoodleName]], assignment: str) -> HandIn:
    """The hand-in that files and folders of one label (at least one, side by side) make up."""
    first = entries[0][1]
    parts: list[Part] = []
    texts: list[Path] = []
    fault = None
    for path, named in entries:
        if path.is_symlink() or not (path.is_dir() or path.is_file()):
            fault = fault or _NEVER_OPENED.format(name=shown(path.name))
        elif path.is_dir() and named.plugin == ONLINE_TEXT:
            texts += sorted(page for page in path.glob("*.html") if not page.is_symlink() and page.is_file())
        elif path.is_dir():
            parts.append(Part(path=path))
        elif named.plugin == ONLINE_TEXT:
            texts += [path] if named.rest.endswith(".html") else []  # the others are its pictures
        elif not is_rubbish(named.rest):
            parts.append(Part(path=path, name=named.rest or path.name))
    return HandIn(
        assignment=assignment,
        label=first.label,
        origin=str(entries[0][0].parent),
        participant=first.participant,
        parts=tuple(parts),
        online_texts=tuple(texts),
        fault=fault,
    )


def unopened(entry: Path, assignment: str) -> HandIn:
    """The hand-in that a link or device stands for: it is not read."""
    return replace(plain_hand_in(entry, assignment), fault=_NEVER_OPENED.format(name=shown(entry.name)))


def broken_zip(archive: Path, assignment: str, refusal: Refusal) -> HandIn:
    """What a zip stands for that cannot be unpacked; its `fault` says how to mend that."""
    fault = (
        f"{shown(archive.name)} cannot be used because {refusal}: "
        "download it again, or unpack it by hand and give the folder."
    )
    return replace(plain_hand_in(archive, assignment), fault=fault, is_broken_zip=True)


def from_class_zip(
    found: Iterable[HandIn], refusals: Iterable[Refusal], archive: Path, assignment: str
) -> list[HandIn]:
    """The hand-ins in a class's zip: `found`, and a fault for each of which something was not unpacked."""
    faults: dict[str, tuple[MoodleName, str]] = {}
    for refusal in refusals:
        owner = owner_of_entry(refusal.entry or "")
        if owner is not None and owner.label not in faults:
            faults[owner.label] = (
                owner,
                (
                    f"In {shown(archive.name)}, this hand-in cannot be unpacked because {refusal}: "
                    "hand it in again without that, or download the zip again if it was damaged on the way."
                ),
            )
    result = [
        replace(one, fault=faults.pop(one.label, (None, one.fault))[1], origin=str(archive)) for one in found
    ]
    for label, (owner, fault) in faults.items():
        lost = HandIn(
            assignment=assignment,
            label=label,
            origin=str(archive),
            participant=owner.participant,
            fault=fault,
        )
        result.append(lost)
    return result
