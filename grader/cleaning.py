"""`grade clean`: frees what no grade needs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

from grader.course import Course
from grader.execution.room_run import sweep_rooms
from grader.execution.store import RunStore
from grader.gradebook.store import Gradebook
from grader.model import Record


class Freed(Record):
    """What was removed: how many runs and pieces of evidence, and their size."""

    runs: int
    evidence: int
    bytes: int


def clean(course: Course) -> Freed:
    """Remove the runs and the evidence that no submission's latest grade rests on, and left-over drafts.

    Grades, their history, decisions, reports and data sets stay. What is removed can be made again by
    grading again. Raises `StoreError` while a grading is at work.
    """
    with course.locked():
        with Gradebook.open(course.state / "gradebook.sqlite") as gradebook:
            needed = {
                grade.run_key
                for assignment in gradebook.assignments()
                for grade in gradebook.latest(assignment).values()
            }
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


def _inside(folder: Path) -> Iterable[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else ()


def _run_key(evidence: Path) -> str | None:
    try:
        run = json.loads(evidence.read_bytes())["run"]
    except (ValueError, KeyError, TypeError):
        return None  # not readable: it would be collected again anyway
    return run["key"] if isinstance(run, dict) else None


def _remove(path: Path) -> int:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    size = sum(file.lstat().st_size for file in files)
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    return size
