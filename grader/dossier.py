"""`grade dossier`: all that one grade rests on, in a zip: for an appeal, or for the person themselves."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from rapidfuzz import process

from grader.course import Course
from grader.errors import StoreError, UsageError
from grader.evidence.collect import EvidenceStore
from grader.gradebook.store import Gradebook
from grader.model import Record, Submission

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
        histories: dict[str, Sequence[Record]] = {
            "grades.json": gradebook.history(assignment, submission),
            "decisions.json": gradebook.decision_history(assignment, submission),
            "releases.json": gradebook.release_history(assignment, submission),
        }
    run_key = known[submission].run_key
    evidence = [
        found
        for found in EvidenceStore(course.state / "evidence").of(assignment, submission)
        if (found.run.key if found.run is not None else None) == run_key
    ]
    files = dict(_below(course.reports / assignment / submission, "report"))
    files |= dict(_below(course.state / "runs" / run_key, "run")) if run_key is not None else {}
    files |= dict(_rubric(course, assignment)) if has_rubric else {}
    texts = {name: _as_text(entries) for name, entries in histories.items()}
    for found in evidence:
        files |= dict(_handed_in(found.submission))
        texts["evidence.json"] = found.model_dump_json(by_alias=True)
    path = to / f"{assignment}-{submission}.zip"
    head = {"assignment": assignment, "submission": submission, "made": now.isoformat()}
    try:
        to.mkdir(parents=True, exist_ok=True)
        return Dossier(path=path, files=_write(path, files, texts, head))
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written ({error.strerror}): make room or name another."
        ) from error


def _write(path: Path, files: Mapping[str, Path], texts: Mapping[str, str], head: Mapping[str, str]) -> int:
    """Write the zip, all of it or nothing; return how many files are in it."""
    draft = path.with_name(f".{path.name}.draft")
    contents = {}
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, file in sorted(files.items()):
            archive.write(file, name)
            with file.open("rb") as opened:
                contents[name] = hashlib.file_digest(opened, "sha256").hexdigest()
        for name, text in texts.items():
            archive.writestr(name, text)
            contents[name] = hashlib.sha256(text.encode()).hexdigest()
        told = {**head, "grader": version("grader"), "files": contents}
        archive.writestr(CONTENTS, json.dumps(told, indent=1))
    draft.replace(path)
    return len(contents) + 1


def _as_text(entries: Sequence[Record]) -> str:
    return json.dumps([entry.model_dump(mode="json") for entry in entries], ensure_ascii=False, indent=1)


def _handed_in(submission: Submission) -> Iterator[tuple[str, Path]]:
    for name in (submission.notebook, *(attached.name for attached in submission.attachments)):
        file = submission.folder / name
        if file.is_file() and not file.is_symlink():
            yield f"handed-in/{name}", file


def _rubric(course: Course, assignment: str) -> Iterator[tuple[str, Path]]:
    yield f"rubric/{assignment}.yaml", course.rubric_path(assignment)
    yield from _below(course.rubrics / assignment, f"rubric/{assignment}")


def _below(folder: Path, name: str) -> Iterator[tuple[str, Path]]:
    for file in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if file.is_file() and not file.is_symlink():
            yield f"{name}/{file.relative_to(folder).as_posix()}", file
