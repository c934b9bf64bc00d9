"""Hand-ins that were judged before, and of which nothing has changed since: their grades and pages stand.

A grade is a function of the hand-in, its run, the rubric, people's decisions and this program. Kept is a
digest of all these for each hand-in, as they were when it was judged, with that of its grade and the stamp of
its page. Where all three are still the same, judging would end as it did, and is left out.

A verdict is a function of the evidence, of a check with its parameters, and of this program. Digests of these
are kept too: where a grade does not stand, those of its verdicts do that would come out as they did, and the
flags on its evidence.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, entry_points, requires, version
from pathlib import Path
from typing import NamedTuple

from pydantic import TypeAdapter

from grader.evidence.collect import EvidenceStore
from grader.evidence.scripts import TriedScript
from grader.model import Findings, Grade, Group, GroupDecision, Override, hand_in_mark
from grader.report.publish import stamp_of, write
from grader.sources import PACKAGE, sources_sha256

_CLASS = ""  # stands for the whole class among the hand-ins
_KEPT = TypeAdapter(dict[str, list[str]])


class Judged(NamedTuple):
    """A grade, the digest of the evidence that it rests on, and how many of its flags are on that alone.

    `seen` is what `grader.assess.judged_by_criterion` says of it. `keeps_page`: the page that is there shows
    all of it but amounts.
    """

    grade: Grade
    basis: str
    own_flags: int
    seen: Mapping[str, str]
    keeps_page: bool


class JudgedBefore:
    """What is known of earlier gradings of one assignment.

    `file` keeps it, by `hand_in_mark`; one that cannot be read keeps nothing. `common` is what the grades of
    all hand-ins rest on beside this program, `keys` are those of the evidence on each in `store`, by its id,
    and `pages` is the folder of their pages. `beside` is what is laid beside all evidence. `asked` is, by the
    ids of criteria, what their verdicts rest on beside that; those that are missing there are never kept.
    """

    def __init__(
        self,
        file: Path,
        common: Iterable[str],
        keys: Mapping[str, str],
        store: EvidenceStore,
        beside: Iterable[str],
        pages: Path,
        asked: Mapping[str, str],
    ) -> None:
        self._file = file
        self._beside = _sha256([program_sha256(), *beside])
        self._common = _sha256([self._beside, *common])
        self._asked = {name: _sha256([self._beside, what]) for name, what in asked.items()}
        self._keys = keys
        self._store = store
        self._by_mark = {hand_in_mark(name): key for name, key in keys.items()}
        self._groups: Mapping[str, Group] = {}
        self._pages = pages
        self._kept: dict[str, list[str]] = {}
        self._now: dict[str, str] = {}
        self._decided: list[str] = []
        with contextlib.suppress(OSError, ValueError):
            self._kept = _KEPT.validate_json(file.read_bytes())

    def groups(
        self, decided: Mapping[str, GroupDecision], earlier: Mapping[str, Grade]
    ) -> dict[str, Group] | None:
        """The groups of the class as the `earlier` grades have them; None when they have to be found anew."""
        self._decided = [decided[mark].model_dump_json() for mark in sorted(decided)]
        known = {name: earlier[name].group for name in self._keys if name in earlier}
        groups = {name: group for name, group in known.items() if group is not None}
        return groups if self._kept.get(hand_in_mark(_CLASS)) == self._of_class(groups) else None

    def standing(
        self,
        groups: Mapping[str, Group],
        earlier: Mapping[str, Grade],
        decisions: Iterable[Override],
        handed_in: Mapping[str, datetime],
    ) -> dict[str, Grade]:
        """The `earlier` grades that stand, by id; of a group that is judged by one copy, all or none."""
        self._groups = groups
        self._now |= self._digests(groups, earlier, decisions, handed_in)
        same = {name for name in self._keys if name in earlier and self._stands(earlier[name])}
        marks = {hand_in_mark(name) for name in same}
        return {
            name: earlier[name]
            for name in self._keys
            if name in same and marks.issuperset(judged_together(groups.get(name)))
        }

    def basis(self, submission: str, scripts: Iterable[TriedScript] = ()) -> str:
        """A digest of the evidence on a hand-in as it is stored, and of what is laid beside it.

        "" where that on the copy that is judged is not stored: a run of it was lost, and nothing that rests
        on the others stands.
        """
        marks = judged_together(self._groups.get(submission)) or (hand_in_mark(submission),)
        keys = [self._by_mark.get(mark, "") for mark in marks]
        stored = [self._store.sha256(key) for key in keys]
        if not stored[0]:
            return ""
        tried = (one.model_dump_json() for one in scripts)
        return _sha256([self._beside, self._keys[submission], *keys, *stored, *tried])

    def findings(self, basis: str, earlier: Grade | None) -> Findings | None:
        """What was found when the `earlier` grade was given, as far as it would be found again.

        `basis` is that of the evidence now. Verdicts are by today's ids of criteria. None: nothing is known.
        """
        kept = [] if earlier is None else self._kept.get(hand_in_mark(earlier.submission), [])
        if (
            earlier is None
            or not basis
            or kept[1:2] != [_sha256([earlier.model_dump_json()])]
            or kept[3:4] != [basis]
        ):
            return None
        own_flags, *asked = kept[4:]
        known = dict(zip(asked, (one.verdict for one in earlier.criteria), strict=False))
        return Findings(
            flags=earlier.flags[: int(own_flags)],
            verdicts={name: known[what] for name, what in self._asked.items() if what in known},
        )

    def is_shown(self, submission: str) -> bool:
        """Whether the page of a hand-in is the one that was written when it was judged."""
        stamp = stamp_of(self._pages / submission)
        return stamp != "" and self._kept.get(hand_in_mark(submission), [])[2:3] == [stamp]

    def keep(self, judged: Iterable[Judged], groups: Mapping[str, Group] | None) -> None:
        """Keep that these grades were recorded and their pages written, and the groups of the class.

        Those that rest on no stored evidence are not kept. `groups` is None where only a part of the class
        was graded, and nobody looked for them. Nothing is lost when keeping fails: everything is judged
        again, then.
        """
        for grade, basis, own_flags, *_ in judged:
            if not basis:
                continue
            asked = [self._asked.get(criterion.id, "") for criterion in grade.criteria]
            found = [basis, str(own_flags), *asked]
            self._kept[hand_in_mark(grade.submission)] = [*self._of(grade), *found]
        self._kept[hand_in_mark(_CLASS)] = [] if groups is None else self._of_class(groups)
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write(self._file, json.dumps(self._kept))

    def _stands(self, grade: Grade) -> bool:
        of = self._of(grade)
        return of[-1] != "" and self._kept.get(hand_in_mark(grade.submission), [])[: len(of)] == of

    def _of(self, grade: Grade) -> list[str]:
        """What is kept of a grade, with "" for the stamp of a page that is not there."""
        stamp = stamp_of(self._pages / grade.submission)
        return [self._now[grade.submission], _sha256([grade.model_dump_json()]), stamp]

    def _of_class(self, groups: Mapping[str, Group]) -> list[str]:
        """What is kept of the groups, by which they are known again in the grades."""
        told = [f"{name} {groups[name].model_dump_json()}" for name in self._keys if name in groups]
        return [_sha256([program_sha256(), *self._keys.values(), *self._decided, *told])]

    def _digests(
        self,
        groups: Mapping[str, Group],
        earlier: Mapping[str, Grade],
        decisions: Iterable[Override],
        handed_in: Mapping[str, datetime],
    ) -> dict[str, str]:
        """A digest of all that each grade rests on: a group's copies on the evidence on all of them.

        That somebody was in a group before, and is not now, is told with the first grade after it only.
        """
        decided: dict[str, list[str]] = {}
        for decision in decisions:
            decided.setdefault(decision.submission, []).append(decision.model_dump_json())
        digests = {}
        for name, key in self._keys.items():
            group = groups.get(name)
            before = earlier[name].group if group is None and name in earlier else None
            copies = () if group is None else (self._by_mark.get(mark, "") for mark in group.hand_ins)
            told = ("" if one is None else one.model_dump_json() for one in (group, before))
            digests[name] = self._digest(
                [key, *copies, *told, str(handed_in.get(name)), *decided.get(name, ())]
            )
        return digests

    def _digest(self, own: Iterable[str]) -> str:
        return _sha256([self._common, *own])


@cache
def program_sha256() -> str:
    """SHA-256 over this package's files, other packages' checks, and the versions of what it is built on."""
    files = [file for file in PACKAGE.rglob("*") if file.is_file() and file.suffix != ".pyc"]
    return _sha256([sources_sha256([*files, *_foreign_checks()]), *_versions()])


def judged_together(group: Group | None) -> tuple[str, ...]:
    """The marks of the copies of which one is judged for all; none where a hand-in is judged by itself."""
    return group.hand_ins if group is not None and group.is_shared else ()


def _versions() -> Iterator[str]:
    yield sys.version
    for requirement in requires("grader") or ():
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        with contextlib.suppress(PackageNotFoundError):
            yield f"{name} {version(name)}"


def _foreign_checks() -> Iterator[Path]:
    """The modules of checks that are not in this package."""
    for check in entry_points(group="grader.checks"):
        if not check.module.startswith("grader."):
            spec = importlib.util.find_spec(check.module)
            if spec is not None and spec.origin is not None:
                yield Path(spec.origin)


def _sha256(parts: Iterable[str]) -> str:
    return hashlib.sha256(json.dumps(list(parts)).encode("utf-8", "surrogatepass")).hexdigest()
