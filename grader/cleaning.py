"""`grade clean`: frees what no grade needs, or removes all that is kept of one person."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rapidfuzz import process

from grader.course import Course
from grader.errors import UsageError
from grader.execution.room_run import sweep_rooms
from grader.execution.store import RunStore
from grader.gradebook.store import Gradebook
from grader.model import Record


class Freed(Record):
    """What was removed: how many runs and pieces of evidence, and their size."""

    runs: int
    evidence: int
    bytes: int


class Removed(Record):
    """What was removed of one person, by assignment; `left` are files that are not ours to remove."""

    assignments: tuple[str, ...]
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


def remove_student(course: Course, student: str) -> Removed:
    """Remove all that is kept of one person: `student` is a submission's id or a participant's number.

    That is their grades and decisions with all history, their runs (those aside that somebody else's grade
    rests on), evidence, reports, and every unpacked copy of hand-ins. The pages of the class that name them
    are removed with it; the next grading makes them again. Then what no grade needs any more is freed. Raises
    `UsageError` when nothing is kept under that name, `StoreError` while a grading is at work.
    """
    with course.locked():
        with Gradebook.open(course.state / "gradebook.sqlite") as gradebook:
            latest = {name: gradebook.latest(name) for name in gradebook.assignments()}
            theirs = {
                (assignment, submission)
                for assignment, grades in latest.items()
                for submission, grade in grades.items()
                if student in (submission, grade.participant.id)
            }
            evidence = [
                file
                for file in _inside(course.state / "evidence")
                if (whose := _submission(file)) and _is_of(whose, student, theirs)
            ]
            theirs |= {(s["assignment"], s["id"]) for file in evidence if (s := _submission(file))}
            if not theirs:
                raise UsageError(_nobody(student, latest))
            left = {Path(s["folder"]) for file in evidence if (s := _submission(file))}
            now = datetime.now(UTC)
            erased = [gradebook.erase(assignment, name, now=now) for assignment, name in sorted(theirs)]
            needed = _runs_needed(gradebook)
        keys = {key for one in erased for key in one.run_keys}
        keys |= {key for file in evidence if (key := _run_key(file))}
        runs = [course.state / "runs" / key for key in sorted(keys - needed)]
        reports = [course.reports / assignment / name for assignment, name in sorted(theirs)]
        shown = [
            course.reports / assignment / name
            for assignment, _ in theirs
            for name in ("index.html", "gradebook.csv")
        ]
        there = [path for path in (*evidence, *runs, *reports, *set(shown)) if path.exists()]
        for path in (*there, course.state / "intake"):
            if path.exists():
                _remove(path)
        _free(course)
    return Removed(
        assignments=tuple(sorted({assignment for assignment, _ in theirs})),
        grades=sum(one.grades for one in erased),
        decisions=sum(one.decisions for one in erased),
        runs=sum(path in there for path in runs),
        shared_runs=len(keys & needed),
        evidence=len(evidence),
        reports=sum(path in there for path in reports),
        left=tuple(sorted(folder for folder in left if folder.exists())),
    )


def _runs_needed(gradebook: Gradebook) -> set[str | None]:
    """The runs that the latest grade of a submission rests on."""
    return {
        grade.run_key
        for assignment in gradebook.assignments()
        for grade in gradebook.latest(assignment).values()
    }


def _is_of(whose: Mapping[str, Any], student: str, theirs: set[tuple[str, str]]) -> bool:
    number = (whose.get("participant") or {}).get("id")
    return student in (whose["id"], number) or (whose["assignment"], whose["id"]) in theirs


def _nobody(student: str, latest: Mapping[str, Mapping[str, object]]) -> str:
    known = [name for grades in latest.values() for name in grades]
    nearest = process.extractOne(student, known, score_cutoff=60)
    mend = f"did you mean {nearest[0]!r}?" if nearest else "give the id on the class page, or the number."
    return f"Nothing is kept of a student {student!r}: {mend}"


def _inside(folder: Path) -> Iterable[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else ()


def _run_key(evidence: Path) -> str | None:
    run = _part(evidence, "run")
    return run.get("key") if run is not None else None


def _submission(evidence: Path) -> dict[str, Any] | None:
    """Whose evidence a file holds; None when that cannot be read."""
    found = _part(evidence, "submission")
    return found if found is not None and {"id", "assignment", "folder"} <= found.keys() else None


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
