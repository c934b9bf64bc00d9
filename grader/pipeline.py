"""The whole flow on one page: hand-ins in, runs, evidence, grades, reports out.

read_submissions → plan → execute → collect → assess → record → publish
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from nbformat import NotebookNode

from grader.assess import assess, judged_by_criterion
from grader.course import Course
from grader.datasets.finding import dataset_names, find_dataset
from grader.datasets.interface import DatasetFiles
from grader.errors import GraderError, NotebookError, UsageError
from grader.evidence.collect import EvidenceStore, collect
from grader.evidence.record import Evidence
from grader.execution.interface import Executor
from grader.execution.jobs import Job, plan_job, run_settings
from grader.execution.running import Progress, run_jobs
from grader.execution.store import RunStore
from grader.gradebook.changes import GradeChange
from grader.gradebook.decisions import read_decisions
from grader.gradebook.store import Gradebook
from grader.intake.places import decisions_path, is_whole
from grader.intake.submissions import read_submissions
from grader.model import Grade, Record, Rejected, Run, RunStatus, Submission
from grader.notebook.reading import notebook_from_node, read_notebook
from grader.notebook.rebuilding import with_outputs_of
from grader.notebook.records import Notebook
from grader.report.publish import publish
from grader.rubric import Rubric, read_rubric

log = logging.getLogger(__name__)

_FAULT = "A fault in the grader ({}) kept this hand-in from being graded: do it by hand."


class Graded(Record):
    """What came of grading one assignment. `lost` are the submissions that our machinery failed."""

    assignment: str
    grades: tuple[Grade, ...]
    rejected: tuple[Rejected, ...]
    lost: tuple[str, ...]
    changes: tuple[GradeChange, ...]
    executed: int
    class_page: Path


def grade(
    path: Path,
    course: Course,
    executor: Executor,
    *,
    assignment: str | None = None,
    data: Path | None = None,
    decisions: Path | None = None,
    progress: Progress = lambda doing, done, total: None,
) -> Iterator[Graded]:
    """Grade everything at `path`, one assignment after the other.

    What was run before is not run again, what was judged before is judged again. `data` and `decisions` name
    a folder of data sets and a `decisions.csv` that lie elsewhere than expected. Raises `GraderError`
    for bad usage, a bad rubric or broken machinery, before the first student where it can be known.
    """
    with course.locked():
        received = list(read_submissions(path, assignment=assignment, workspace=course.state / "intake"))
        assignments = sorted({item.assignment for item in received})
        if decisions is not None and len(assignments) > 1:
            raise UsageError(
                f"--decisions is for one assignment, and here are {', '.join(assignments)}: name one of them."
            )
        rubrics = {
            name: read_rubric(course.rubric_path(name), datasets=dataset_names()) for name in assignments
        }
        for name, rubric in rubrics.items():
            items = [item for item in received if item.assignment == name]
            yield _grade_assignment(
                items,
                rubric,
                _Desk(course, executor, data, progress),
                decisions_file=decisions or decisions_path(path, name),
                is_whole_class=is_whole(path, name),
            )


@dataclass(frozen=True)
class _Desk:
    """What a grading works with, whatever the assignment."""

    course: Course
    executor: Executor
    data: Path | None
    progress: Progress

    @property
    def runs(self) -> RunStore:
        return RunStore(self.course.state / "runs")

    @property
    def evidence(self) -> EvidenceStore:
        return EvidenceStore(self.course.state / "evidence")

    def datasets(self, names: Iterable[str]) -> tuple[DatasetFiles, ...]:
        course, cache = self.course.data, self.course.state / "cache"
        return tuple(find_dataset(name, data=self.data, course_data=course, cache=cache) for name in names)


def _grade_assignment(
    received: Sequence[Submission | Rejected],
    rubric: Rubric,
    desk: _Desk,
    *,
    decisions_file: Path | None,
    is_whole_class: bool,
) -> Graded:
    submissions = [item for item in received if isinstance(item, Submission)]
    rejected = [item for item in received if isinstance(item, Rejected)]
    with Gradebook.open(desk.course.state / "gradebook.sqlite") as gradebook:
        if decisions_file is not None:
            _take_decisions(decisions_file, rubric, submissions, gradebook)
        gathered = _gather(submissions, rubric, desk)
        decisions = gradebook.decisions(rubric.assignment)
        grades = tuple(assess(evidence, rubric, decisions) for evidence in gathered.evidence)
        judged = {e.submission.id: judged_by_criterion(e, rubric) for e in gathered.evidence}
        changes = gradebook.record(grades, now=datetime.now(UTC), judged=judged)
        others = {} if is_whole_class else gradebook.latest(rubric.assignment)
    rejected += gathered.rejected
    present = {item.submission.id for item in gathered.evidence} | {item.id for item in rejected}
    class_page = publish(
        grades,
        gathered.evidence,
        rejected,
        others=[grade for name, grade in others.items() if name not in present],
        run_of=desk.runs.load,
        title=rubric.title,
        executed=lambda evidence: _executed(desk.runs, evidence.notebook, evidence.run),
        to=desk.course.reports / rubric.assignment,
    )
    lost = [e.submission.id for e in gathered.evidence if e.run and e.run.status is RunStatus.LOST]
    return Graded(
        assignment=rubric.assignment,
        grades=grades,
        rejected=tuple(rejected),
        lost=tuple(lost),
        changes=tuple(changes),
        executed=gathered.executed,
        class_page=class_page,
    )


class _Gathered(Record):
    evidence: tuple[Evidence, ...]
    rejected: tuple[Rejected, ...]
    executed: int


def _gather(submissions: Sequence[Submission], rubric: Rubric, desk: _Desk) -> _Gathered:
    """The evidence on every hand-in: what is stored is taken, what is missing is run and collected."""
    store, runs, datasets = desk.evidence, desk.runs, desk.datasets(rubric.datasets)
    settings = run_settings(rubric.limits, datasets)
    evidence: dict[str, Evidence] = {}
    rejected: list[Rejected] = []
    to_run: list[tuple[Submission, Notebook, Job]] = []
    for submission in submissions:
        stored = store.load(store.key(submission, settings))
        if stored is not None:
            evidence[submission.id] = stored
            continue
        try:
            notebook = read_notebook((submission.folder / submission.notebook).read_bytes())
            to_run.append((submission, notebook, plan_job(submission, notebook, rubric.limits, datasets)))
        except (NotebookError, OSError) as error:
            rejected.append(_rejected(submission, str(error)))
        except Exception as bug:  # a bug at one hand-in must not stop the others
            log.exception("a fault of the grader at %s", submission.id)
            rejected.append(_rejected(submission, _FAULT.format(type(bug).__name__)))
    finished = run_jobs([job for _, _, job in to_run], runs, desk.executor, desk.progress)
    for submission, notebook, job in to_run:
        try:
            run = finished.best(job)
            collected = collect(submission, notebook, run, _executed_notebook(runs, notebook, run))
            if not finished.is_lost(job):
                store.save(store.key(submission, settings), collected)
            evidence[submission.id] = collected
        except GraderError:
            raise
        except Exception as bug:  # a bug at one hand-in must not stop the others
            log.exception("a fault of the grader at %s", submission.id)
            rejected.append(_rejected(submission, _FAULT.format(type(bug).__name__)))
    in_order = tuple(evidence[s.id] for s in submissions if s.id in evidence)
    return _Gathered(evidence=in_order, rejected=tuple(rejected), executed=finished.executed)


def _executed_notebook(runs: RunStore, notebook: Notebook, run: Run) -> Notebook | None:
    node = _executed(runs, notebook, run)
    try:
        return None if node is None else notebook_from_node(node)
    except NotebookError:  # outputs that nobody can read: the run's status still counts
        return None


def _executed(runs: RunStore, notebook: Notebook, run: Run | None) -> NotebookNode | None:
    """The hand-in's notebook with the outputs of its run, None when there is no run in the store."""
    executed = None if run is None else runs.load_executed(run.key)
    return None if executed is None else with_outputs_of(notebook, executed)


def _take_decisions(
    file: Path, rubric: Rubric, submissions: Iterable[Submission], gradebook: Gradebook
) -> None:
    """Take the decisions of the TA's `decisions.csv` into the gradebook's history.

    A row that is gone withdraws its decision only for hand-ins that this call grades.
    """
    present = {submission.id: submission.participant for submission in submissions}
    known = {name: grade.participant for name, grade in gradebook.latest(rubric.assignment).items()}
    now = datetime.now(UTC)
    overrides = read_decisions(file, rubric.points_by_criterion, known | present, now=now)
    gradebook.replace_decisions(rubric.assignment, overrides, among=present, now=now)


def _rejected(submission: Submission, reason: str) -> Rejected:
    return Rejected(
        id=submission.id,
        assignment=submission.assignment,
        participant=submission.participant,
        reason=reason,
    )
