"""`grade dossier`: all that one grade rests on, in a zip: for an appeal, or for the person themselves."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from rapidfuzz import process

from grader.course import Course
from grader.errors import StoreError, UsageError
from grader.evidence.record import Evidence
from grader.gradebook.store import Gradebook
from grader.model import Record

CONTENTS = "contents.json"


class Dossier(Record):
    """Where a dossier lies, and how many files are in it."""

    path: Path
    files: int


def write_dossier(
    course: Course, assignment: str, submission: str, to: Path, *, has_rubric: bool, now: datetime
) -> Dossier:
    """Write what is kept of one hand-in into a zip below `to`: grades, decisions and releases with their
    history, evidence, run, report, the files handed in; with `has_rubric` also the rubric and its keys.

    `contents.json` names every file with its SHA-256, the program's version and the time. Raises `UsageError`
    when no such hand-in was graded, `StoreError` when `to` cannot be written.
    """
    with Gradebook.open(course.state / "gradebook.sqlite") as gradebook:
        known = gradebook.latest(assignment)
        if submission not in known:
            nearest = process.extractOne(submission, list(known), score_cutoff=60)
            mend = f"did you mean {nearest[0]!r}?" if nearest else "the class page has the ids."
            raise UsageError(f"There is no grade of {submission!r} in {assignment}: {mend}")
        histories = {
            "grades.json": gradebook.history(assignment, submission),
            "decisions.json": gradebook.decision_history(assignment, submission),
            "releases.json": gradebook.release_history(assignment, submission),
        }
    path = to / f"{assignment}-{submission}.zip"
    files = dict(_files(course, assignment, submission, known[submission].run_key))
    if has_rubric:
        files |= dict(_rubric(course, assignment))
    told: dict[str, Any] = {
        name: [entry.model_dump(mode="json") for entry in entries] for name, entries in histories.items()
    }
    try:
        to.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.draft")
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
            contents = {}
            for name, file in sorted(files.items()):
                archive.write(file, name)
                contents[name] = hashlib.sha256(file.read_bytes()).hexdigest()
            for name, value in told.items():
                text = json.dumps(value, ensure_ascii=False, indent=1)
                archive.writestr(name, text)
                contents[name] = hashlib.sha256(text.encode()).hexdigest()
            head = {"assignment": assignment, "submission": submission, "made": now.isoformat()}
            head["grader"] = version("grader")
            archive.writestr(CONTENTS, json.dumps({**head, "files": contents}, indent=1))
        draft.replace(path)
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written ({error.strerror}): make room or name another."
        ) from error
    return Dossier(path=path, files=len(contents) + 1)


def _files(
    course: Course, assignment: str, submission: str, run_key: str | None
) -> Iterator[tuple[str, Path]]:
    """What lies on disk of a hand-in, by its name in the zip."""
    yield from _below(course.reports / assignment / submission, "report")
    if run_key is not None:
        yield from _below(course.state / "runs" / run_key, "run")
    for file in sorted((course.state / "evidence").glob("*.json")):
        try:
            found = Evidence.model_validate_json(file.read_bytes())
        except (OSError, ValidationError):
            continue
        is_this = (found.submission.assignment, found.submission.id) == (assignment, submission)
        if is_this and (found.run.key if found.run is not None else None) == run_key:
            yield "evidence.json", file
            for name in (found.submission.notebook, *(a.name for a in found.submission.attachments)):
                handed_in = found.submission.folder / name
                if handed_in.is_file() and not handed_in.is_symlink():
                    yield f"handed-in/{name}", handed_in


def _rubric(course: Course, assignment: str) -> Iterator[tuple[str, Path]]:
    yield f"rubric/{assignment}.yaml", course.rubric_path(assignment)
    yield from _below(course.rubrics / assignment, f"rubric/{assignment}")


def _below(folder: Path, name: str) -> Iterator[tuple[str, Path]]:
    for file in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if file.is_file() and not file.is_symlink():
            yield f"{name}/{file.relative_to(folder).as_posix()}", file
