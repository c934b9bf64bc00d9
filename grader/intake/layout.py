"""Finds the hand-ins in what a person points at: what belongs together, and to which assignment."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from grader.errors import UsageError
from grader.intake.archive import CLASS_LIMITS, entry_names, extract
from grader.intake.choice import is_notebook_name
from grader.intake.entries import Refusal, entry_parts
from grader.intake.handin import (
    HandIn,
    Part,
    broken_zip,
    from_class_zip,
    from_moodle,
    plain_hand_in,
    unopened,
)
from grader.intake.moodle import MoodleName, has_moodle_name, owner_of_entry, parse_moodle_name
from grader.intake.naming import is_rubbish, is_zip_name, natural_order, shown
from grader.intake.walking import is_folder

_ASSIGNMENT = re.compile(r"a\d+", re.ASCII)
_ASSIGNMENT_OPTION = re.compile(r"[a-z][a-z0-9_-]*")
_WRAPPERS = 2  # folders that an unzip program may have put around what Moodle packed


def find_hand_ins(path: Path, *, assignment: str | None, workspace: Path) -> list[HandIn]:
    """The hand-ins in a Moodle zip, a folder of hand-ins or of assignments, or one notebook; in order.

    `UsageError` when nothing there could be graded, or when it is not known for which assignment.
    """
    if assignment is not None and _ASSIGNMENT_OPTION.fullmatch(assignment) is None:
        raise UsageError(
            f"“{shown(assignment)}” is no assignment: write it like the rubric's name, as in a1."
        )
    if not path.exists():
        raise UsageError(f"{path} does not exist: give a Moodle zip, a folder of hand-ins or a notebook.")
    path = Path(os.path.abspath(path))  # noqa: PTH100 - a link's own name may tell the assignment
    finder = _Finder(assignment, workspace)
    if path.is_dir():
        found = finder.in_given_folder(path)
    elif is_zip_name(path.name):
        found = finder.in_given_zip(path)
    elif is_notebook_name(path.name):
        found = [finder.one_notebook(path)]
    else:
        raise UsageError(f"{path} cannot be graded: give a Moodle zip, a folder of hand-ins or a notebook.")
    if not found:
        raise UsageError(f"{path} holds no hand-ins: give a Moodle zip, a folder of hand-ins or a notebook.")
    if all(one.is_broken_zip for one in found):
        raise UsageError(found[0].fault or "")
    return sorted(
        found, key=lambda one: (natural_order(one.assignment), natural_order(one.label), one.origin)
    )


def is_class_download(names: Iterable[str]) -> bool:
    """Whether a zip with entries of these names is Moodle's, for a whole class."""
    return any(owner_of_entry(name) is not None for name in names)


class _Finder:
    """One search: knows the assignment that was asked for and where zips are unpacked."""

    def __init__(self, assignment: str | None, workspace: Path) -> None:
        self._asked = assignment
        self._workspace = workspace

    def in_given_folder(self, folder: Path) -> list[HandIn]:
        """The hand-ins in a folder that may be a course's, an assignment's, or one student's."""
        is_inside = _ASSIGNMENT.fullmatch(folder.name) or has_moodle_name(folder.name)
        children = {} if is_inside else _assignments_in(folder)
        if children:
            return self._in_assignments(folder, children)
        if _is_one_hand_in(folder):
            return [_from_folder(folder, self._assignment_of(folder))]
        if not any(_is_worth_a_look(entry) for entry in _visible(folder)):
            return []
        return self._in_assignment(folder, self._assignment_of(folder))

    def in_given_zip(self, archive: Path) -> list[HandIn]:
        """The hand-ins in the zip that a person points at: a class's, or a folder's that somebody packed."""
        names = entry_names(archive, CLASS_LIMITS)
        if isinstance(names, Refusal):
            return [broken_zip(archive, "", names)]
        is_folder_of_hand_ins = not _ASSIGNMENT.fullmatch(archive.parent.name) and (
            sum(is_notebook_name(name) or is_zip_name(name) for name in names) > 1
            or any(_ASSIGNMENT.fullmatch(part) for name in names for part in entry_parts(name)[:2])
        )
        if is_class_download(names) or not is_folder_of_hand_ins:
            return self._in_zip(archive, self._assignment_of(archive))
        extraction = extract(archive, self._workspace, CLASS_LIMITS)
        if isinstance(extraction, Refusal):
            return [broken_zip(archive, "", extraction)]
        if extraction.refusals:
            return [broken_zip(archive, "", extraction.refusals[0])]
        inner = _Finder(self._asked or _named_assignment(archive), self._workspace)
        return inner.in_given_folder(_inside_wrappers(extraction.folder))

    def one_notebook(self, notebook: Path) -> HandIn:
        """The hand-in that consists of one notebook; its folder says whose it is if it is a hand-in's."""
        folder, assignment = notebook.parent, self._assignment_of(notebook)
        if _is_one_hand_in(folder):
            owner = _from_folder(folder, assignment)
            return owner.holding(Part(path=notebook, name=notebook.name))
        named = parse_moodle_name(notebook.name)
        return from_moodle([(notebook, named)], assignment) if named else plain_hand_in(notebook, assignment)

    def _in_assignments(self, folder: Path, children: dict[str, list[Path]]) -> list[HandIn]:
        """The hand-ins of the assignment asked for, or of each, in a folder of assignments."""
        if self._asked is not None and self._asked not in children:
            there = ", ".join(sorted(children, key=natural_order))
            raise UsageError(f"{folder} has no {self._asked}, only {there}: mend --assignment or the path.")
        found: list[HandIn] = []
        for name, paths in children.items():
            for path in paths if self._asked in (None, name) else ():
                found += self._in_assignment(path, name) if path.is_dir() else self._in_zip(path, name)
        return found

    def _in_assignment(self, folder: Path, assignment: str) -> list[HandIn]:
        """The hand-ins that lie in an assignment's folder: side by side, in zips, or in Moodle's layout."""
        found: list[HandIn] = []
        moodle: dict[str, list[tuple[Path, MoodleName]]] = {}
        for entry in _visible(folder):
            named = parse_moodle_name(entry.name)
            if named is not None:
                moodle.setdefault(named.label, []).append((entry, named))
            elif not _is_worth_a_look(entry):
                continue
            elif entry.is_symlink() or not (entry.is_dir() or entry.is_file()):
                found.append(unopened(entry, assignment))
            elif entry.is_dir() and _has_moodle_names(entry):
                found += self._in_assignment(entry, assignment)
            elif is_zip_name(entry.name) and entry.is_file():
                found += self._in_zip(entry, assignment)
            else:
                found.append(plain_hand_in(entry, assignment))
        return found + [from_moodle(entries, assignment) for entries in moodle.values()]

    def _in_zip(self, archive: Path, assignment: str) -> list[HandIn]:
        """The hand-ins in a zip: a class's, as Moodle makes it, or else one student's."""
        named = parse_moodle_name(archive.name)
        if named is not None:
            return [from_moodle([(archive, named)], assignment)]
        names = entry_names(archive, CLASS_LIMITS)
        if isinstance(names, Refusal):
            return [broken_zip(archive, assignment, names)]
        if not is_class_download(names):
            return [plain_hand_in(archive, assignment)]
        extraction = extract(archive, self._workspace, CLASS_LIMITS, share=_label_of_entry)
        if isinstance(extraction, Refusal):
            return [broken_zip(archive, assignment, extraction)]
        for refusal in extraction.refusals:
            if owner_of_entry(refusal.entry or "") is None:
                return [broken_zip(archive, assignment, refusal)]
        found = self._in_assignment(extraction.folder, assignment)
        return from_class_zip(found, extraction.refusals, archive, assignment)

    def _assignment_of(self, path: Path) -> str:
        """The assignment asked for, or the nearest that the path names; `UsageError` when there is none."""
        assignment = self._asked or _named_assignment(path)
        if assignment is None:
            raise UsageError(
                f"{path} does not tell which assignment it is: put it into a folder like a1, "
                "or say it with --assignment a1."
            )
        return assignment


def _named_assignment(path: Path) -> str | None:
    """The assignment that a folder or zip, or else the nearest folder above it, is named after."""
    names = [path.stem if is_zip_name(path.name) else path.name, *(parent.name for parent in path.parents)]
    return next((name for name in names if _ASSIGNMENT.fullmatch(name)), None)


def _assignments_in(folder: Path) -> dict[str, list[Path]]:
    """The folders and zips directly in `folder` that are named after an assignment, by assignment."""
    found: dict[str, list[Path]] = {}
    for entry in _visible(folder):
        name = entry.stem if is_zip_name(entry.name) else entry.name
        if _ASSIGNMENT.fullmatch(name) and (is_folder(entry) or name != entry.name):
            found.setdefault(name, []).append(entry)
    return found


def _from_folder(folder: Path, assignment: str) -> HandIn:
    """The hand-in that one folder is."""
    named = parse_moodle_name(folder.name)
    return from_moodle([(folder, named)], assignment) if named else plain_hand_in(folder, assignment)


def _is_one_hand_in(folder: Path) -> bool:
    """Whether a folder is one student's, by Moodle's name or by lying in an assignment's folder.

    The latter only with at most one notebook or zip in it: with more, it is a folder of hand-ins.
    """
    if has_moodle_name(folder.name):
        return True
    if not _ASSIGNMENT.fullmatch(folder.parent.name) or _has_moodle_names(folder):
        return False
    entries = _visible(folder)
    return sum(is_notebook_name(entry.name) or is_zip_name(entry.name) for entry in entries) <= 1


def _label_of_entry(entry: str) -> str | None:
    """The label of the hand-in that an entry of a class's zip belongs to."""
    owner = owner_of_entry(entry)
    return owner.label if owner is not None else None


def _has_moodle_names(folder: Path, depth: int = _WRAPPERS) -> bool:
    """Whether Moodle's names are found in a folder, or in a folder in it."""
    try:
        entries = _visible(folder)
    except UsageError:  # one student's folder that cannot be read is that student's trouble only
        return False
    if any(has_moodle_name(entry.name) for entry in entries):
        return True
    folders = (entry for entry in entries if depth > 1 and not entry.is_symlink() and entry.is_dir())
    return any(_has_moodle_names(entry, depth - 1) for entry in folders)


def _inside_wrappers(folder: Path) -> Path:
    """The first folder, going down from `folder`, that has anything but a single folder in it."""
    for _ in range(_WRAPPERS):
        entries = _visible(folder)
        if len(entries) != 1 or not entries[0].is_dir() or _ASSIGNMENT.fullmatch(entries[0].name):
            break
        folder = entries[0]
    return folder


def _is_worth_a_look(entry: Path) -> bool:
    """Whether something in an assignment's folder could be a hand-in: other files there are none."""
    name = entry.name
    return has_moodle_name(name) or is_notebook_name(name) or is_zip_name(name) or is_folder(entry)


def _visible(folder: Path) -> Sequence[Path]:
    """What lies in a folder, by name, without hidden files; `UsageError` when it cannot be read."""
    try:
        return sorted(entry for entry in folder.iterdir() if not is_rubbish(entry.name))
    except OSError as broken:
        raise UsageError(f"{folder} cannot be read ({broken.strerror}): mend its access rights.") from broken
