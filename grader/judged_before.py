"""Hand-ins that were judged before, and of which nothing has changed since: their grades and pages stand.

A grade is a function of the hand-in, its run, the rubric, people's decisions and this program. Kept is a
digest of all these for each hand-in, as they were when it was judged, with that of its grade and the stamp of
its page. Where all three are still the same, judging would end as it did, and is left out.

A verdict is a function of the evidence, of a check with its parameters, and of this program. Digests of these
are kept too: where a grade does not stand, those of its verdicts do that would come out as they did.
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

from pydantic import TypeAdapter

from grader.evidence.record import Evidence
from grader.model import Grade, Group, GroupDecision, Override, Verdict, hand_in_mark
from grader.report.publish import stamp_of, write
from grader.sources import PACKAGE, sources_sha256

_CLASS = ""  # stands for the whole class among the hand-ins
_KEPT = TypeAdapter(dict[str, list[str]])


class JudgedBefore:
    """What is known of earlier gradings of one assignment.

    `file` keeps it, by `hand_in_mark`; one that cannot be read keeps nothing. `common` is what the grades of
    all hand-ins rest on beside this program, `keys` are those of the evidence on each, by its id, and `pages`
    is the folder of their pages. `asked` is, by the ids of criteria, what their verdicts rest on beside the
    evidence; those that are missing there are never kept.
    """

    def __init__(
        self,
        file: Path,
        common: Iterable[str],
        keys: Mapping[str, str],
        pages: Path,
        asked: Mapping[str, str],
    ) -> None:
        self._file = file
        self._common = _sha256([program_sha256(), *common])
        self._asked = {name: _sha256([program_sha256(), what]) for name, what in asked.items()}
        self._keys = keys
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
        self._now |= self._digests(groups, earlier, decisions, handed_in)
        same = {name for name in self._keys if name in earlier and self._stands(earlier[name])}
        marks = {hand_in_mark(name) for name in same}
        return {
            name: earlier[name]
            for name in self._keys
            if name in same and marks.issuperset(_judged_together(groups.get(name)))
        }

    def basis(self, evidence: Evidence) -> str:
        """A digest of the evidence on a hand-in, all of it that a check may ask."""
        return _sha256([self._keys[evidence.submission.id], evidence.model_dump_json()])

    def verdicts(self, basis: str, earlier: Grade | None) -> dict[str, Verdict]:
        """The verdicts of the `earlier` grade that would come out as they did, by today's ids of criteria.

        `basis` is that of the evidence now.
        """
        kept = [] if earlier is None else self._kept.get(hand_in_mark(earlier.submission), [])
        if earlier is None or kept[1:2] != [_sha256([earlier.model_dump_json()])] or kept[3:4] != [basis]:
            return {}
        known = dict(zip(kept[4:], (one.verdict for one in earlier.criteria), strict=False))
        return {name: known[what] for name, what in self._asked.items() if what in known}

    def keep(
        self, judged: Iterable[Grade], bases: Mapping[str, str], groups: Mapping[str, Group] | None
    ) -> None:
        """Keep that these grades were recorded and their pages written, and the groups of the class.

        `bases` are those of the evidence, by the ids of hand-ins. `groups` is None where only a part of the
        class was graded, and nobody looked for them. Nothing is lost when keeping fails: everything is judged
        again, then.
        """
        for grade in judged:
            asked = [self._asked.get(criterion.id, "") for criterion in grade.criteria]
            of_verdicts = [bases[grade.submission], *asked]
            self._kept[hand_in_mark(grade.submission)] = [*self._of(grade), *of_verdicts]
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
        return [self._digest([*self._keys.values(), *self._decided, *told])]

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
        by_mark = {hand_in_mark(name): key for name, key in self._keys.items()}
        decided: dict[str, list[str]] = {}
        for decision in decisions:
            decided.setdefault(decision.submission, []).append(decision.model_dump_json())
        digests = {}
        for name, key in self._keys.items():
            group = groups.get(name)
            before = earlier[name].group if group is None and name in earlier else None
            copies = () if group is None else (by_mark.get(mark, "") for mark in group.hand_ins)
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


def _judged_together(group: Group | None) -> tuple[str, ...]:
    """The marks of the copies of which one is judged for all."""
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
