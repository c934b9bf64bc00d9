"""Which hand-in is whose, by a worksheet: by number and name, or by group. Doubt gives nobody anything.

In team mode Moodle's download carries the *group's* number, which may be some other student's own: a number
alone is never enough where names are known.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from grader.model import Participant, Record
from grader.moodle.worksheet import Entry


class Matched(Record):
    """Whose hand-ins are whose. `handed_in` gives a participant's number the ids of what may be theirs.

    `unclaimed` are hand-ins that belong to no row.
    """

    handed_in: dict[str, tuple[str, ...]]
    unclaimed: tuple[str, ...]


def match(entries: Sequence[Entry], hand_ins: Mapping[str, Participant]) -> Matched:
    """Match rows and hand-ins, the latter by id; a row with more than one hand-in is in doubt."""
    found = {
        entry.participant: tuple(name for name, whose in hand_ins.items() if _is_theirs(entry, whose))
        for entry in entries
    }
    claimed = {name for names in found.values() for name in names}
    return Matched(handed_in=found, unclaimed=tuple(name for name in hand_ins if name not in claimed))


def _is_theirs(entry: Entry, whose: Participant) -> bool:
    if entry.group and whose.name is not None and _plain(entry.group) == _plain(whose.name):
        return True
    if whose.is_group or whose.id != entry.participant:
        return False
    if whose.name is None or not entry.name:  # blind marking: nothing but the number is known
        return True
    return _plain(whose.name) == _plain(entry.name) or _is_blind(entry.name)


def _is_blind(name: str) -> bool:
    """Whether a worksheet's name is only Moodle's number, as in `Participant 101`."""
    return re.fullmatch(r"\D{4,20}\d+", name, re.ASCII) is not None


def _plain(name: str) -> str:
    """A name as it survives Moodle's file names: letters and digits, without case and accents."""
    taken_apart = unicodedata.normalize("NFKD", name)
    return "".join(letter for letter in taken_apart if letter.isalnum()).casefold()


def members(entries: Iterable[Entry], matched: Matched) -> dict[str, tuple[str, ...]]:
    """The participants' numbers to whom each hand-in belongs, those in doubt aside."""
    found: dict[str, list[str]] = {}
    for entry in entries:
        theirs = matched.handed_in[entry.participant]
        if len(theirs) == 1:
            found.setdefault(theirs[0], []).append(entry.participant)
    return {name: tuple(numbers) for name, numbers in found.items()}
