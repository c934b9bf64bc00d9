"""The rubrics by which grades were given, kept as they were: a grade names its own by hash."""

from __future__ import annotations

import shutil
from pathlib import Path

from grader.course import Course
from grader.errors import StoreError
from grader.rubric import Rubric


def keep_rubric(course: Course, rubric: Rubric) -> None:
    """Keep the rubric that grades are given by, with its keys, for whoever asks later what it said."""
    folder = kept_rubric(course, rubric.sha256)
    if folder.is_dir():
        return
    draft = folder.with_name(f".{folder.name}.draft")
    try:
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        shutil.copy(course.rubric_path(rubric.assignment), draft)
        if (course.rubrics / rubric.assignment).is_dir():
            shutil.copytree(course.rubrics / rubric.assignment, draft / rubric.assignment)
        draft.replace(folder)
    except OSError as error:
        raise StoreError(
            f"The rubric cannot be kept below {folder.parent} ({error.strerror}): make room or make it "
            "writable, then type the same command again."
        ) from error


def kept_rubric(course: Course, sha256: str) -> Path:
    """Where the rubric of this hash is kept."""
    return course.state / "rubrics" / sha256
