"""Zips of what is kept: of all that one grade rests on, for an appeal; of one person, for themselves."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from rapidfuzz import process

from grader.course import Course
from grader.errors import StoreError, UsageError
from grader.evidence.collect import EvidenceStore
from grader.evidence.record import Evidence
from grader.gradebook.store import Gradebook
from grader.kept_rubrics import kept_rubric
from grader.model import Record, Submission
from grader.people import HandIn, report_names

CONTENTS = "contents.json"


class Dossier(Record):
    """Where a dossier lies, and how many files are in it."""

    path: Path
    files: int


class _Contents(Record):
    """Files to pack by their name in the zip, texts likewise."""

    files: dict[str, Path]
    texts: dict[str, str]


def write_dossier(
    course: Course, assignment: str, submission: str, to: Path, *, has_rubric: bool, now: datetime
) -> Dossier:
    """Write what is kept of one hand-in into a zip below `to`: grades, decisions and releases with their
    history, evidence, run, report, the files handed in; with `has_rubric` also the rubric and its keys.

    Evidence and run are those that the latest grade and the released one rest on, the rubric is the one by
    which they were given. `contents.json` names every file with its SHA-256, the program's version and the
    time. Raises `UsageError` when no such hand-in was graded, `StoreError` when `to` cannot be written.
    """
    with Gradebook.open(course.state / "gradebook.sqlite") as gradebook:
        known = gradebook.latest(assignment)
        if submission not in known:
            nearest = process.extractOne(submission, list(known), score_cutoff=60)
            mend = f"did you mean {nearest[0]!r}?" if nearest else "the class page has the ids."
            raise UsageError(f"There is no grade of {submission!r} in {assignment}: {mend}")
        histories = _histories(gradebook, assignment, submission)
        released = gradebook.released(assignment).get(submission)
    grades = [known[submission], *([released.grade] if released is not None else [])]
    evidence = [
        found
        for found in EvidenceStore(course.state / "evidence").of(assignment, submission)
        if (found.run.key if found.run is not None else None) in {grade.run_key for grade in grades}
    ]
    contents = _contents(course, assignment, [submission], evidence, {g.run_key for g in grades if g.run_key})
    contents.texts.update(histories)
    rubrics = {grade.rubric_sha256 for grade in grades} if has_rubric else set()
    for sha256 in sorted(rubrics):
        contents.files.update(_below(kept_rubric(course, sha256), f"rubric/{sha256[:12]}"))
    lacking = sorted(sha256 for sha256 in rubrics if not kept_rubric(course, sha256).is_dir())
    head: dict[str, object] = {"assignment": assignment, "submission": submission, "made": now.isoformat()}
    head |= {"rubrics_not_kept": lacking} if has_rubric else {}
    return _written(to / f"{assignment}-{submission}.zip", contents, head)


def write_person(course: Course, hand_ins: Sequence[HandIn], to: Path, *, now: datetime) -> Dossier:
    """Write all that is kept of one person, whose hand-ins these are, into one zip below `to`.

    It holds a folder for each hand-in: grades, decisions and releases with their history, all evidence, the
    runs, the report, the files handed in; no answer keys. `READ-ME.txt` says what is what. Raises
    `StoreError` when `to` cannot be written.
    """
    everything = _Contents(files={}, texts={"READ-ME.txt": _READ_ME})
    for one in hand_ins:
        evidence = list(EvidenceStore(course.state / "evidence").of(one.assignment, one.submission))
        with Gradebook.open(course.state / "gradebook.sqlite") as gradebook:
            histories = _histories(gradebook, one.assignment, one.submission)
            keys = set(gradebook.entries(one.assignment, one.submission).run_keys)
        keys |= {found.run.key for found in evidence if found.run is not None}
        contents = _contents(course, one.assignment, report_names(course, one), evidence, keys)
        folder = f"{one.assignment}/{one.submission}"
        everything.files.update({f"{folder}/{name}": file for name, file in contents.files.items()})
        texts = {**contents.texts, **histories}
        everything.texts.update({f"{folder}/{name}": text for name, text in texts.items()})
    named = [f"{one.assignment}/{one.submission}" for one in hand_ins]
    head = {"hand_ins": named, "made": now.isoformat()}
    return _written(to / f"all-of-{hand_ins[0].submission}.zip", everything, head)


_READ_ME = """\
All that the grading program keeps of one person, in one folder for each hand-in.

report/index.html   the report, for a browser
handed-in/          the files as they were handed in, where they are still at hand
grades.json         every state of the grade, with the time and the program's version
decisions.json      what people decided, with who, when and why
releases.json       what was told as the grade, by whom and when
evidence/           the notebook with its outputs, and the facts that were found in it
runs/               what came of running the notebook: outputs, times, versions, limits
contents.json       every file with its SHA-256

The files that end in .json are text: any editor or browser opens them. Not in here:
answer keys, and what the program does not keep, as worksheets, mails and backups.
"""


def _histories(gradebook: Gradebook, assignment: str, submission: str) -> dict[str, str]:
    return {
        "grades.json": _as_text(gradebook.history(assignment, submission)),
        "decisions.json": _as_text(gradebook.decision_history(assignment, submission)),
        "releases.json": _as_text(gradebook.release_history(assignment, submission)),
    }


def _contents(
    course: Course,
    assignment: str,
    reports: Sequence[str],
    evidence: Sequence[Evidence],
    keys: Collection[str],
) -> _Contents:
    """What lies on disk of one hand-in: report, runs of these keys, evidence, the files handed in."""
    files: dict[str, Path] = {}
    for name in reports:
        files |= dict(_below(course.reports / assignment / name, "report"))
    for key in sorted(keys):
        files |= dict(_below(course.state / "runs" / key, f"runs/{key[:12]}"))
    texts = {}
    for number, found in enumerate(evidence, start=1):
        files |= dict(_handed_in(found.submission))
        texts[f"evidence/{number}.json"] = found.model_dump_json(by_alias=True, indent=1)
    return _Contents(files=files, texts=texts)


def _written(path: Path, contents: _Contents, head: Mapping[str, object]) -> Dossier:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return Dossier(path=path, files=_write(path, contents.files, contents.texts, head))
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written ({error.strerror}): make room or name another."
        ) from error


def _write(
    path: Path, files: Mapping[str, Path], texts: Mapping[str, str], head: Mapping[str, object]
) -> int:
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


def _below(folder: Path, name: str) -> Iterator[tuple[str, Path]]:
    for file in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if file.is_file() and not file.is_symlink():
            yield f"{name}/{file.relative_to(folder).as_posix()}", file
