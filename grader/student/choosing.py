"""Which student edition a notebook is held against: one that is named, one beside it, or the course's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from grader.course import Course, find_course
from grader.datasets.finding import dataset_names
from grader.errors import UsageError
from grader.evidence.record import Evidence
from grader.rubric import read_rubric
from grader.student.edition import SUFFIX, Edition, read_edition, student_edition
from grader.student.fitting import MUCH, assignments_named, how_much_fits
from grader.student.given_out import line_hashes
from grader.student.looking import look

_UP = 2  # folders above
_CLEARLY = 0.3  # by so much one assignment's share must be ahead of the others'
_EDITION = re.compile(  # also as browsers and Windows call it: `a1.student (1).yaml`, `a1.student.yaml.txt`
    r"\.student[ ()\d-]*\.ya?ml[ ()\d-]*(?:\.txt)?$", re.IGNORECASE
)
_ASSIGNMENT = re.compile(r"a\d+", re.ASCII)


def find_editions(notebook: Path, *, edition: Path | None, course: Path | None) -> dict[str, Edition]:
    """The student editions that may be meant, by assignment.

    The one at `edition`; else those (`*.student.yaml`) in the first folder with any of the notebook's, the
    current one, and the two above each; else those of the course's rubrics.
    Raises `UsageError` when there is none, or two that differ for one assignment.
    """
    if edition is not None:
        if not edition.is_file():
            raise UsageError(f"--edition names {edition}, which is no file: correct it or leave it out.")
        return _by_assignment([edition])
    if course is None:
        for folder in dict.fromkeys(_upwards(notebook.absolute().parent) + _upwards(Path.cwd())):
            files = sorted(file for file in folder.glob("*") if _EDITION.search(file.name))
            if files:
                return _by_assignment(files)
    try:
        found = find_course(course, near=notebook.absolute().parent)
    except UsageError as error:
        if course is not None:
            raise
        raise UsageError(
            f"There is no student edition (*{SUFFIX}) beside {notebook}: put the one that your course "
            "gives out there, or name it with --edition."
        ) from error
    return course_editions(found)


def _upwards(folder: Path) -> list[Path]:
    return [folder, *folder.parents[:_UP]]


def _by_assignment(files: list[Path]) -> dict[str, Edition]:
    found: dict[str, tuple[Path, Edition]] = {}
    for file in files:
        edition = read_edition(file)
        other, known = found.setdefault(edition.assignment, (file, edition))
        if known != edition:
            raise UsageError(
                f"{other} and {file} are different student editions of {edition.assignment}: keep the one "
                "that your course gave out last."
            )
    return {assignment: edition for assignment, (_, edition) in found.items()}


def course_editions(course: Course) -> dict[str, Edition]:
    """The student edition of each of the course's rubrics; `RubricError` when one is not right."""
    rubrics = [read_rubric(file, datasets=dataset_names()) for file in sorted(course.rubrics.glob("*.yaml"))]
    titles = {rubric.assignment: rubric.title for rubric in rubrics}
    given_out = line_hashes(script.source for rubric in rubrics for script in rubric.scripts.values())
    return {rubric.assignment: student_edition(rubric, titles, given_out) for rubric in rubrics}


def course_edition(course: Course, assignment: str) -> Edition:
    """The student edition of one assignment of the course; `UsageError` when there is no such rubric."""
    course.rubric_path(assignment)
    return course_editions(course)[assignment]


def choose_edition(editions: Mapping[str, Edition], evidence: Evidence, *, assignment: str | None) -> Edition:
    """The edition of `assignment`, or the one that the notebook is for, by name, place or content.

    Raises `UsageError` when it is not there, or when several fit equally well.
    """
    if assignment is not None:
        if assignment not in editions:
            raise UsageError(f"There is no student edition of {assignment}, only of {', '.join(editions)}.")
        return editions[assignment]
    if len(editions) == 1:
        return next(iter(editions.values()))
    titles = {name: edition.title for name, edition in editions.items()}
    folders = [name for name in evidence.submission.folder.parts if _ASSIGNMENT.fullmatch(name)]
    for named in (assignments_named(evidence, titles), folders[-1:]):
        known = [name for name in named if name in editions]
        if len(known) == 1:
            return editions[known[0]]
    fits = {name: how_much_fits(e, look(evidence, e).asked_for) for name, e in editions.items()}
    best = max(fits.values())
    chosen = [name for name, share in fits.items() if best < MUCH or share > best - _CLEARLY]
    if len(chosen) > 1:
        likely = ", ".join(f"{name} ({editions[name].title})" for name in chosen)
        raise UsageError(
            "Which assignment the notebook is for cannot be told for sure; it may be one of "
            f"{likely}: say it, as in --assignment {chosen[0]}."
        )
    return editions[chosen[0]]
