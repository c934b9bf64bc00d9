"""`grade forget`: all that is kept of one person goes, and nothing of anybody else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from grader.cleaning import free, present, remove, run_key_of, runs_needed
from grader.course import Course
from grader.gradebook.records import Entries
from grader.gradebook.store import Gradebook
from grader.model import Record
from grader.people import HandIn, evidence_of, report_names
from grader.trust import agreed_on


class Kept(Record):
    """What is kept of one person; paths are the program's own but for `left`, the folders handed in.

    `shared_runs` is on how many of their runs somebody else's grade rests, too: these stay. `entries` are by
    hand-in.
    """

    hand_ins: tuple[HandIn, ...]
    entries: tuple[Entries, ...]
    runs: tuple[Path, ...]
    shared_runs: int
    evidence: tuple[Path, ...]
    reports: tuple[Path, ...]
    left: tuple[Path, ...]

    @property
    def released_in(self) -> tuple[str, ...]:
        """The assignments in which they were told a grade."""
        pairs = zip(self.hand_ins, self.entries, strict=True)
        return tuple(one.assignment for one, entries in pairs if entries.releases)


def kept_of(course: Course, hand_ins: Sequence[HandIn]) -> Kept:
    """What is kept of one person, whose hand-ins these are."""
    theirs = {(one.assignment, one.submission) for one in hand_ins}
    evidence = evidence_of(course, hand_ins)
    with Gradebook.open(course.state / "gradebook.sqlite") as gradebook:
        entries = tuple(gradebook.entries(one.assignment, one.submission) for one in hand_ins)
        others = runs_needed(gradebook, but_of=theirs)
    keys = {key for one in entries for key in one.run_keys}
    keys |= {key for file, _ in evidence if (key := run_key_of(file)) is not None}
    folders = {found.folder for _, found in evidence}
    return Kept(
        hand_ins=tuple(hand_ins),
        entries=entries,
        runs=tuple(present(course.state / "runs" / key for key in sorted(keys - others))),
        shared_runs=len(keys & others),
        evidence=tuple(file for file, _ in evidence),
        reports=tuple(present(_reports_of(course, hand_ins))),
        left=tuple(present(sorted(folder for folder in folders if not folder.is_relative_to(course.state)))),
    )


def forget(course: Course, hand_ins: Sequence[HandIn], *, now: datetime) -> Kept:
    """Remove all that is kept of one person, whose hand-ins these are, and return what that was.

    That is their grades, decisions and releases with all history, their runs (those aside that somebody
    else's grade rests on), evidence, reports, and every unpacked copy of hand-ins. The pages of the class
    that name them, and what was made for Moodle, go too; the next grading makes them again. Then what no
    grade needs any more is freed, for a run with other seeds does not say whose it was. That there was an
    erasure stays, and what its decisions said of the checks. Raises `StoreError` while a grading is at work.
    """
    with course.locked():
        kept = kept_of(course, hand_ins)
        pages = present(_class_pages(course, {one.assignment for one in hand_ins}))
        copies = present([course.state / "intake"])
        for path in (*kept.reports, *pages, *copies, *kept.runs, *kept.evidence):
            remove(path)
        # The gradebook comes last: by it they are found again, should this be broken off.
        with Gradebook.open(course.state / "gradebook.sqlite") as gradebook:
            for one in hand_ins:
                agreed = agreed_on(gradebook, one.assignment, one.submission)
                gradebook.erase(one.assignment, one.submission, now=now, agreed=agreed)
        free(course)
    return kept


def _class_pages(course: Course, assignments: Iterable[str]) -> Iterator[Path]:
    """What tells of everybody in these assignments."""
    for assignment in assignments:
        for name in ("index.html", "gradebook.csv", "likeness.html"):
            yield course.reports / assignment / name
        yield course.for_moodle(assignment)


def _reports_of(course: Course, hand_ins: Sequence[HandIn]) -> Iterator[Path]:
    for one in hand_ins:
        for name in report_names(course, one):
            yield course.reports / one.assignment / name
