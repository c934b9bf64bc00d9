"""Which works are compared: this assignment's hand-ins, and, where somebody allowed it, other years'."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

from grader.course import Course
from grader.datasets.withheld import course_secret
from grader.errors import NotebookError, UsageError
from grader.evidence.collect import EvidenceStore
from grader.gradebook.store import Gradebook
from grader.intake.submissions import read_submissions
from grader.likeness.comparing import Runs, Work, runs_of
from grader.model import Rejected
from grader.notebook.reading import read_notebook
from grader.notebook.records import Cell, CellKind
from grader.report.pseudonyms import NamesLeftOut
from grader.report.whose import display_name


class Gathered(NamedTuple):
    """Works to compare, what course material holds, and pairs of works that are one group's."""

    works: list[Work]
    material: Runs
    apart: set[frozenset[str]]


def gather(
    course: Course, assignment: str, *, material: Path | None, earlier: Sequence[Path], has_names: bool
) -> Gathered:
    """What is to be compared. Works go by Moodle's numbers, by names only with `has_names`.

    Raises `UsageError` when nothing was graded, a folder is missing, or `earlier` is named and nobody has
    recorded why other years' hand-ins may be used.
    """
    with Gradebook.open(course.state / "gradebook.sqlite") as gradebook:
        latest = gradebook.latest(assignment)
        permission = gradebook.years_permitted()
    if not latest:
        raise UsageError(f"Nothing of {assignment} was graded yet: grade it first.")
    if earlier and (permission is None or not permission.is_allowed):
        raise UsageError(
            "Hand-ins of other years are not compared until somebody records why they may be: "
            "grade likeness ASSIGNMENT --allow-earlier --by NAME --why TEXT."
        )
    names = NamesLeftOut(course_secret(course.state))
    called = {
        name: display_name(grade.participant, name) if has_names else names.called(name, grade.participant)
        for name, grade in latest.items()
    }
    works = []
    seen: set[str] = set()
    for found in EvidenceStore(course.state / "evidence").of(assignment):
        name = found.submission.id
        grade = latest.get(name)
        if grade is None or not grade.is_judged_itself or name in seen:
            continue
        if (found.run.key if found.run is not None else None) == grade.run_key:
            seen.add(name)
            works.append(Work(called[name], found.notebook.cells))
    for folder in earlier:
        works += _earlier_works(folder, assignment, course.state / "intake", names, has_names)
    folder = material if material is not None else course.root / "course_material"
    if material is not None and not material.is_dir():
        raise UsageError(f"{material} is no folder of course material: name one with notebooks and scripts.")
    apart = {
        frozenset((called[one], called[other]))
        for one, other in combinations(latest, 2)
        if (group := latest[one].group) is not None and group == latest[other].group
    }
    return Gathered(works, frozenset(run for cell in _material(folder) for run in runs_of(cell)), apart)


def _earlier_works(
    folder: Path, assignment: str, workspace: Path, names: NamesLeftOut, has_names: bool
) -> Iterator[Work]:
    for submission in read_submissions(folder, assignment=assignment, workspace=workspace):
        if isinstance(submission, Rejected):
            continue
        try:
            notebook = read_notebook((submission.folder / submission.notebook).read_bytes())
        except (NotebookError, OSError):
            continue
        whose = submission.participant
        called = display_name(whose, submission.id) if has_names else names.called(submission.id, whose)
        yield Work(f"{folder.name}: {called}", notebook.cells, year=folder.name)


def _material(folder: Path) -> Iterator[Cell]:
    """The cells of course material: notebooks, scripts (as one cell of code), texts."""
    kinds = {".py": CellKind.CODE, ".md": CellKind.MARKDOWN, ".txt": CellKind.MARKDOWN}
    for file in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if file.suffix == ".ipynb":
            try:
                yield from read_notebook(file.read_bytes()).cells
            except NotebookError as error:
                raise UsageError(f"{file} cannot be read as course material: {error}") from error
        elif file.suffix in kinds:
            yield Cell(number=1, kind=kinds[file.suffix], source=file.read_text("utf-8", errors="replace"))
