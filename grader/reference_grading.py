"""Grading references: handed in as numbered participants of a course of their own, run, and judged."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from grader.course import Course
from grader.execution.interface import Executor
from grader.execution.running import Progress
from grader.execution.store import RunStore
from grader.model import Grade, Verdict
from grader.pipeline import Graded, grade
from grader.references import Notebook, Reference, edited, notebook_of, with_outputs_of
from grader.rewriting.seeds import other_seeds

AUTHOR = "Robin Example"  # stands at the top of every reference
_FIRST_PARTICIPANT = 101


class Seen(NamedTuple):
    """What came of one reference: a verdict per criterion, or why there is none; `seconds` in its cells."""

    verdicts: Mapping[str, Verdict]
    seconds: float = 0.0
    why_not: str = ""


def course_of_references(rubrics: Path, folder: Path) -> Course:
    """A course in `folder` with these rubrics and no hand-ins; its runs and evidence stay as they are."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(rubrics, folder / "rubrics", dirs_exist_ok=True)
    shutil.rmtree(folder / "submissions", ignore_errors=True)
    return Course(root=folder.resolve())


def grade_references(
    references: Sequence[Reference],
    course: Course,
    executor: Executor,
    *,
    data: Path | None,
    is_quick: bool,
    repeat: int = 0,
    as_just_run: bool = False,
    progress: Progress = lambda doing, done, total: None,
) -> list[Seen]:
    """What each of the references comes to, in their order.

    They are graded once, which runs everything, then again with the saved outputs that mutants got from their
    runs; with `as_just_run` all have those, but for mutants that show others on purpose. `repeat` other than
    0 gives other seeds, to those that fix their own as well. Raises `GraderError` as `grade` does.
    """

    def graded() -> dict[str, Graded]:
        submissions = course.root / "submissions"
        parts = grade(submissions, course, executor, data=data, repeat=repeat, progress=progress)
        return {part.assignment: part for part in parts}

    numbered = list(enumerate(references, start=_FIRST_PARTICIPANT))
    notebooks = {number: _notebook(reference, is_quick, repeat) for number, reference in numbered}
    for number, reference in numbered:
        _hand_in(course, reference, number, notebooks[number])
    found = graded()
    is_changed = False
    for number, reference in numbered:
        executed = _executed(course, found[reference.assignment], number)
        shows_own = reference.shows_its_own_outputs or (as_just_run and not reference.shows_other_outputs)
        if executed is not None and shows_own:
            own = with_outputs_of(reference, notebooks[number], executed)
            _hand_in(course, reference, number, own)
            is_changed = True
    found = graded() if is_changed else found
    return [_seen(course, found[reference.assignment], number) for number, reference in numbered]


def _notebook(reference: Reference, is_quick: bool, repeat: int) -> Notebook:
    notebook = notebook_of(reference, is_quick=is_quick)
    return edited(reference.origin, notebook, other_seeds(notebook, repeat)) if repeat else notebook


def _hand_in(course: Course, reference: Reference, number: int, notebook: Notebook) -> None:
    folder = course.root / "submissions" / reference.assignment
    folder = folder / f"{AUTHOR}_{number}_assignsubmission_file"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "assignment.ipynb").write_text(json.dumps(notebook, ensure_ascii=False), "utf-8")


def _grade_of(graded: Graded, number: int) -> Grade | None:
    return next((found for found in graded.grades if found.participant.id == str(number)), None)


def _executed(course: Course, graded: Graded, number: int) -> Notebook | None:
    """The notebook with the outputs of its run, as the report holds it; None when there is none."""
    found = _grade_of(graded, number)
    file = course.reports / graded.assignment / (found.submission if found else "") / "executed.ipynb"
    if not file.is_file():
        return None
    notebook: Notebook = json.loads(file.read_text("utf-8"))
    return notebook


def _seen(course: Course, graded: Graded, number: int) -> Seen:
    found = _grade_of(graded, number)
    if found is None:
        rejected = (item for item in graded.rejected if item.participant.id == str(number))
        return Seen({}, why_not=next((item.reason for item in rejected), ""))
    run = RunStore(course.state / "runs").load(found.run_key) if found.run_key else None
    seconds = sum(cell.seconds for cell in run.cells) if run else 0.0
    return Seen({criterion.id: criterion.verdict for criterion in found.criteria}, seconds)
