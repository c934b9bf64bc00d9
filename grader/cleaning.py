"""`grade clean`: frees what no grade needs, or removes all that is kept of one person."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from rapidfuzz import process

from grader.course import Course
from grader.datasets.withheld import course_secret
from grader.errors import UsageError
from grader.execution.room_run import sweep_rooms
from grader.execution.store import RunStore
from grader.gradebook.store import Gradebook
from grader.model import Participant, Record, Submission
from grader.report.pseudonyms import NamesLeftOut


class Freed(Record):
    """What was removed: how many runs and pieces of evidence, and their size."""

    runs: int
    evidence: int
    bytes: int


class Removed(Record):
    """How much was removed of one person; `shared_runs` are kept, for somebody else's grade rests on them.

    `left` are the folders with the hand-ins themselves: they are the TA's to remove.
    """

    grades: int
    decisions: int
    runs: int
    shared_runs: int
    evidence: int
    reports: int
    left: tuple[Path, ...]


def clean(course: Course) -> Freed:
    """Remove the runs and the evidence that no submission's latest grade rests on, and left-over drafts.

    Grades, their history, decisions, reports and data sets stay. What is removed can be made again by
    grading again. Raises `StoreError` while a grading is at work.
    """
    with course.locked():
        return _free(course)


def _free(course: Course) -> Freed:
    with Gradebook.open(course.state / "gradebook.sqlite") as gradebook:
        needed = _runs_needed(gradebook)
    sweep_rooms()
    RunStore(course.state / "runs").sweep()
    runs = [run for run in _inside(course.state / "runs") if run.name not in needed]
    evidence = [
        file
        for file in _inside(course.state / "evidence")
        if file.suffix != ".json" or _run_key(file) not in needed
    ]
    drafts = [*course.state.glob("intake/.*"), *course.state.glob("intake/staged/.*")]
    freed = sum(_remove(path) for path in (*runs, *evidence, *drafts))
    return Freed(runs=len(runs), evidence=len(evidence), bytes=freed)


def remove_student(course: Course, student: str, assignment: str | None = None) -> Removed:
    """Remove all that is kept of one person: `student` is a submission's id or a participant's number.

    That is their grades and decisions with all history, their runs (those aside that somebody else's grade
    rests on), evidence, reports, and every unpacked copy of hand-ins. The pages of the class that name them
    are removed with it; the next grading makes them again. Then what no grade needs any more is freed. Moodle
    numbers people anew in each assignment, so `assignment` is needed where several know that number. Raises
    `UsageError` when nothing is kept under that name, `StoreError` while a grading is at work.
    """
    with course.locked():
        kept = [
            (file, found)
            for file in _inside(course.state / "evidence")
            if (found := _submission(file)) is not None
        ]
        with Gradebook.open(course.state / "gradebook.sqlite") as gradebook:
            theirs = _theirs(gradebook, (found for _, found in kept), student, assignment)
            now = datetime.now(UTC)
            erased = [gradebook.erase(*key, now=now) for key in sorted(theirs)]
            needed = _runs_needed(gradebook)
        evidence = [(file, found) for file, found in kept if (found.assignment, found.id) in theirs]
        keys = {key for one in erased for key in one.run_keys}
        keys |= {key for file, _ in evidence if (key := _run_key(file)) is not None}
        runs = _present(course.state / "runs" / key for key in sorted(keys - needed))
        reports = _present(_reports_of(course, theirs))
        pages = _present(_pages_of_classes(course, {name for name, _ in theirs}))
        copies = _present([course.state / "intake"])
        for path in (*(file for file, _ in evidence), *runs, *reports, *pages, *copies):
            _remove(path)
        _free(course)
    return Removed(
        grades=sum(one.grades for one in erased),
        decisions=sum(one.decisions for one in erased),
        runs=len(runs),
        shared_runs=len(keys & needed),
        evidence=len(evidence),
        reports=len(reports),
        left=tuple(_present(sorted({found.folder for _, found in evidence}))),
    )


def _theirs(
    gradebook: Gradebook, kept: Iterable[Submission], student: str, assignment: str | None
) -> dict[tuple[str, str], Participant]:
    """The submissions of a student, by assignment and id; of one assignment only."""
    theirs = {
        (found.assignment, found.id): found.participant
        for found in kept
        if student in (found.id, found.participant.id)
    }
    theirs |= _in_gradebook(gradebook, student)
    theirs = {key: who for key, who in theirs.items() if assignment in (None, key[0])}
    if not theirs:
        raise UsageError(_nobody(student, gradebook))
    several = sorted({name for name, _ in theirs})
    if len(several) > 1:
        raise UsageError(f"{student!r} is found in {', '.join(several)}: name one of them with --assignment.")
    return theirs


def _in_gradebook(gradebook: Gradebook, student: str) -> dict[tuple[str, str], Participant]:
    """Their submissions, by assignment and id."""
    return {
        (assignment, submission): grade.participant
        for assignment in gradebook.assignments()
        for submission, grade in gradebook.latest(assignment).items()
        if student in (submission, grade.participant.id)
    }


def _reports_of(course: Course, theirs: Mapping[tuple[str, str], Participant]) -> Iterator[Path]:
    """Where their reports lie, by their own name or by the one that stands for it."""
    names = NamesLeftOut(course_secret(course.state))
    for (assignment, submission), participant in sorted(theirs.items(), key=lambda item: item[0]):
        for name in sorted({submission, names.called(submission, participant)}):
            yield course.reports / assignment / name


def _pages_of_classes(course: Course, assignments: Iterable[str]) -> Iterator[Path]:
    for assignment in assignments:
        for name in ("index.html", "gradebook.csv", "likeness.html"):
            yield course.reports / assignment / name
        yield course.for_moodle(assignment)


def _present(paths: Iterable[Path]) -> list[Path]:
    return [path for path in paths if path.exists()]


def _runs_needed(gradebook: Gradebook) -> set[str]:
    """The runs that the latest grade of a submission rests on."""
    return {
        grade.run_key
        for assignment in gradebook.assignments()
        for grade in gradebook.latest(assignment).values()
        if grade.run_key is not None
    }


def _nobody(student: str, gradebook: Gradebook) -> str:
    known = [name for assignment in gradebook.assignments() for name in gradebook.latest(assignment)]
    nearest = process.extractOne(student, known, score_cutoff=60)
    mend = f"did you mean {nearest[0]!r}?" if nearest else "give the id on the class page, or the number."
    return f"Nothing is kept of a student {student!r}: {mend}"


def _inside(folder: Path) -> Iterable[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else ()


def _run_key(evidence: Path) -> str | None:
    run = _part(evidence, "run")
    return run.get("key") if run is not None else None


def _submission(evidence: Path) -> Submission | None:
    """Whose evidence a file holds; None when that cannot be read."""
    try:
        return Submission.model_validate(_part(evidence, "submission"))
    except ValidationError:
        return None


def _part(evidence: Path, name: str) -> dict[str, Any] | None:
    try:
        part = json.loads(evidence.read_bytes())[name]
    except (ValueError, KeyError, TypeError):
        return None  # not readable: it would be collected again anyway
    return part if isinstance(part, dict) else None


def _remove(path: Path) -> int:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    size = sum(file.lstat().st_size for file in files)
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    return size
