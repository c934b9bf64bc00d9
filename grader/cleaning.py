"""`grade clean`: frees what no grade needs. What a person's data and a course's end need stands on it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Container, Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from grader.course import Course
from grader.execution.room_run import sweep_rooms
from grader.execution.store import RunStore
from grader.gradebook.store import Gradebook
from grader.model import Record, Submission


class Freed(Record):
    """What was removed: how many runs and pieces of evidence, and their size."""

    runs: int
    evidence: int
    bytes: int


def clean(course: Course) -> Freed:
    """Remove the runs and the evidence that no grade needs, and left-over drafts.

    A submission's latest grade needs them, and the one that was released. Grades, their history, decisions,
    reports and data sets stay. What is removed can be made again by grading again. Raises `StoreError` while
    a grading is at work.
    """
    with course.locked():
        return free(course)


def free(course: Course) -> Freed:
    """The same, for who holds the course's lock."""
    with Gradebook.open(course.state / "gradebook.sqlite") as gradebook:
        needed = runs_needed(gradebook)
    sweep_rooms()
    RunStore(course.state / "runs").sweep()
    runs = [run for run in inside(course.state / "runs") if run.name not in needed]
    evidence = [
        file
        for file in inside(course.state / "evidence")
        if file.suffix != ".json" or run_key_of(file) not in needed
    ]
    drafts = [*course.state.glob("intake/.*"), *course.state.glob("intake/staged/.*")]
    freed = sum(remove(path) for path in (*runs, *evidence, *drafts))
    return Freed(runs=len(runs), evidence=len(evidence), bytes=freed)


def runs_needed(gradebook: Gradebook, but_of: Container[tuple[str, str]] = ()) -> set[str]:
    """The runs that latest and released grades rest on, those of the hand-ins `but_of` aside.

    A hand-in is named by its assignment and its id.
    """
    return {
        grade.run_key
        for assignment in gradebook.assignments()
        for grade in (
            *gradebook.latest(assignment).values(),
            *(told.grade for told in gradebook.released(assignment).values()),
        )
        if grade.run_key is not None and (assignment, grade.submission) not in but_of
    }


def present(paths: Iterable[Path]) -> list[Path]:
    """Those that exist."""
    return [path for path in paths if path.exists()]


def inside(folder: Path) -> Iterable[Path]:
    """What lies in a folder, in order; nothing where there is none."""
    return sorted(folder.iterdir()) if folder.is_dir() else ()


def run_key_of(evidence: Path) -> str | None:
    """The run that a file of evidence rests on, None for none."""
    run = _part(evidence, "run")
    return run.get("key") if run is not None else None


def submission_of(evidence: Path) -> Submission | None:
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


def remove(path: Path) -> int:
    """Remove a file or a folder with all that is in it; return its size in bytes."""
    size = size_of(path)
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    return size


def size_of(path: Path) -> int:
    """The bytes of a file, or of all files in a folder."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.lstat().st_size for file in files)
