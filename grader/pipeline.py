"""The whole flow on one page: hand-ins in, runs, evidence, grades, reports out.

read_submissions → split the data → plan → execute → collect (and measure) → assess → record → publish
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from nbformat import NotebookNode

from grader.assess import asks_for_more_seeds, assess, judged_by_criterion
from grader.course import Course
from grader.datasets.finding import dataset_names
from grader.datasets.withheld import course_secret
from grader.errors import GraderError, NotebookError, UsageError, trace_of
from grader.evidence.collect import EvidenceStore, collect, observe
from grader.evidence.record import Evidence
from grader.execution.forecast import Forecast, Past
from grader.execution.interface import Executor
from grader.execution.jobs import Job
from grader.execution.running import Progress, foresee, run_jobs
from grader.execution.scripts import plan_script, printed_by
from grader.execution.store import RunStore
from grader.gradebook.changes import GradeChange
from grader.gradebook.decisions_csv import read_decisions
from grader.gradebook.store import Gradebook
from grader.groups.sharing import for_everybody, groups_of, in_group, judged_themselves, shared_decisions
from grader.intake.places import DECISIONS, WORKSHEET, is_whole, staff_file
from grader.intake.submissions import read_submissions
from grader.kept_rubrics import keep_rubric
from grader.lateness import HandInTimes
from grader.model import Grade, Group, Isolation, Record, Rejected, Run, RunStatus, Submission
from grader.notebook.outputs import read_outputs
from grader.notebook.reading import notebook_from_node, read_notebook
from grader.notebook.rebuilding import with_outputs_of
from grader.notebook.records import Notebook
from grader.notebook.timings import told_seconds
from grader.oracles.references import EXPERIMENTS, References, read_references
from grader.provisions import MORE_SEEDS, Provisions
from grader.report.pseudonyms import NamesLeftOut, Published
from grader.report.publish import publish
from grader.report.standing import standing_of
from grader.rubric import Rubric, read_rubric, with_limits
from grader.script_trials import ScriptTrials, with_scripts
from grader.trust import agreements, distrusted

log = logging.getLogger(__name__)

_FAULT_LOG = "a fault of the grader at the notebook %s: %s"
_FAULT = "A fault in the grader ({}) kept this hand-in from being graded: do it by hand."


class Graded(Record):
    """What came of grading one assignment. `lost` are the submissions that our machinery failed."""

    assignment: str
    grades: tuple[Grade, ...]
    rejected: tuple[Rejected, ...]
    lost: tuple[str, ...]
    changes: tuple[GradeChange, ...]
    executed: int
    isolation: Isolation
    class_page: Path


def grade(
    path: Path,
    course: Course,
    executor: Executor,
    *,
    assignment: str | None = None,
    data: Path | None = None,
    decisions: Path | None = None,
    worksheet: Path | None = None,
    limits: Sequence[str] = (),
    isolation: Isolation = Isolation.BUBBLEWRAP,
    repeat: int = 0,
    pseudonyms: bool = False,
    progress: Progress = lambda doing, done, total: None,
    foretell: Callable[[Forecast], None] = lambda forecast: None,
) -> Iterator[Graded]:
    """Grade everything at `path`, one assignment after the other.

    What was run before is not run again, what was judged before is judged again. `data`, `decisions` and
    `worksheet` name a folder of data sets, a `decisions.csv` and Moodle's grading worksheet that lie
    elsewhere than expected; `limits`, each `name=value`, come before the rubric's; `repeat` other than 0
    gives every run other seeds; `pseudonyms` leaves names out of all that is shown; `foretell` hears, before
    an assignment's first run, how long its runs will take. Raises `GraderError` for bad usage, a bad rubric
    or broken machinery, before the first student where it can be known.
    """
    with course.locked():
        names = NamesLeftOut(course_secret(course.state)) if pseudonyms else None
        received = list(read_submissions(path, assignment=assignment, workspace=course.state / "intake"))
        assignments = sorted({item.assignment for item in received})
        for option, file in (("--decisions", decisions), ("--worksheet", worksheet)):
            if file is not None and len(assignments) > 1:
                there = ", ".join(assignments)
                raise UsageError(f"{option} is for one assignment, and here are {there}: name one of them.")
        rubrics = {
            name: with_limits(read_rubric(course.rubric_path(name), datasets=dataset_names()), limits)
            for name in assignments
        }
        if names is not None:
            progress = names.progress(progress, received)
        for name, rubric in rubrics.items():
            items = [item for item in received if item.assignment == name]
            yield _grade_assignment(
                items,
                rubric,
                _Desk(course, executor, data, isolation, progress, foretell, repeat, names),
                decisions_file=decisions or staff_file(path, name, DECISIONS),
                worksheet=worksheet or staff_file(path, name, WORKSHEET),
                is_whole_class=is_whole(path, name),
            )


@dataclass(frozen=True)
class _Desk:
    """What a grading works with, whatever the assignment."""

    course: Course
    executor: Executor
    data: Path | None
    isolation: Isolation
    progress: Progress
    foretell: Callable[[Forecast], None]
    repeat: int
    names: NamesLeftOut | None

    @property
    def runs(self) -> RunStore:
        return RunStore(self.course.state / "runs")

    @property
    def evidence(self) -> EvidenceStore:
        return EvidenceStore(self.course.state / "evidence")


def _grade_assignment(
    received: Sequence[Submission | Rejected],
    rubric: Rubric,
    desk: _Desk,
    *,
    decisions_file: Path | None,
    worksheet: Path | None,
    is_whole_class: bool,
) -> Graded:
    submissions = [item for item in received if isinstance(item, Submission)]
    rejected = [item for item in received if isinstance(item, Rejected)]
    keep_rubric(desk.course, rubric)
    with Gradebook.open(desk.course.state / "gradebook.sqlite") as gradebook:
        earlier = gradebook.latest(rubric.assignment)
        whose = {name: grade.participant for name, grade in earlier.items()}
        whose |= {item.id: item.participant for item in received}
        handed_in = HandInTimes.read(desk.course.root, rubric.assignment, rubric.late, whose, worksheet)
        if decisions_file is not None and not _is_handed_in(decisions_file, submissions):
            _take_decisions(decisions_file, rubric, submissions, gradebook)
        decided = gradebook.group_decisions(rubric.assignment)
        groups = groups_of(submissions, decided) if is_whole_class else {}
        gathered = _for_groups(
            _gather(judged_themselves(submissions, groups), rubric, desk, earlier.values()),
            submissions,
            groups,
        )
        decisions = shared_decisions(gradebook.decisions(rubric.assignment), groups)
        not_trusted = distrusted(agreements(gradebook))
        judged_now = (assess(evidence, rubric, decisions, not_trusted) for evidence in gathered.evidence)
        grades = tuple(in_group(handed_in.told(grade), groups, earlier) for grade in judged_now)
        judged = {e.submission.id: judged_by_criterion(e, rubric) for e in gathered.evidence}
        changes = gradebook.record(grades, now=datetime.now(UTC), judged=judged)
        standings = [standing_of(name, gradebook.latest(name).values()) for name in gradebook.assignments()]
        others = {} if is_whole_class else gradebook.latest(rubric.assignment)
    rejected += gathered.rejected
    present = {item.submission.id for item in gathered.evidence} | {item.id for item in rejected}
    shown = Published(
        grades=grades,
        evidence=gathered.evidence,
        rejected=rejected,
        others=[grade for name, grade in others.items() if name not in present],
        executed=lambda evidence: _executed(desk.runs, evidence.notebook, evidence.run),
    )
    if desk.names is not None:
        shown, changes = desk.names.published(shown), list(_nameless(changes, grades, desk.names))
    class_page = publish(
        shown.grades,
        shown.evidence,
        shown.rejected,
        others=shown.others,
        run_of=desk.runs.load,
        title=rubric.title,
        executed=shown.executed,
        standings=standings,
        to=desk.course.reports / rubric.assignment,
    )
    lost = [e.submission.id for e in shown.evidence if e.run and e.run.status is RunStatus.LOST]
    return Graded(
        assignment=rubric.assignment,
        grades=tuple(shown.grades),
        rejected=tuple(shown.rejected),
        lost=tuple(lost),
        changes=tuple(changes),
        executed=gathered.executed,
        isolation=desk.isolation,
        class_page=class_page,
    )


class _Gathered(Record):
    evidence: tuple[Evidence, ...]
    rejected: tuple[Rejected, ...]
    executed: int


def _gather(
    submissions: Sequence[Submission],
    rubric: Rubric,
    desk: _Desk,
    earlier: Iterable[Grade],
) -> _Gathered:
    """The evidence on every hand-in: what is stored is taken, what is missing is run and collected.

    `earlier` are the grades of this assignment so far: their runs tell how long those to come may take.
    """
    store, runs = desk.evidence, desk.runs
    device = desk.executor.device
    data = Provisions(rubric, desk.course, desk.data, desk.isolation, desk.repeat, device)
    references = _references(rubric, desk)
    evidence: dict[str, Evidence] = {}
    rejected: list[Rejected] = []
    to_run: list[tuple[Submission, Notebook, Job]] = []
    for submission in submissions:
        stored = store.load(store.key(submission, data.run_settings))
        if stored is not None:
            evidence[submission.id] = stored
            continue
        try:
            notebook = read_notebook((submission.folder / submission.notebook).read_bytes())
            to_run.append((submission, notebook, data.job(submission, notebook)))
        except (NotebookError, OSError) as error:
            rejected.append(_rejected(submission, str(error)))
        except Exception as bug:  # noqa: BLE001 - a bug at one hand-in must not stop the others
            log.error(_FAULT_LOG, submission.notebook_sha256[:12], trace_of(bug))
            rejected.append(_rejected(submission, _FAULT.format(type(bug).__name__)))
    jobs = [job for _, _, job in to_run]
    if not all(runs.holds(job.key) for job in jobs):
        told = {job.key: told_seconds(notebook) for _, notebook, job in to_run}
        past = _past_runs(evidence.values(), earlier, runs)
        jobs, foreseen = foresee(jobs, told, past, runs, desk.executor.at_once, stored=len(evidence))
        desk.foretell(foreseen)
    finished = run_jobs(jobs, runs, desk.executor, desk.progress)
    for submission, notebook, job in to_run:
        try:
            run = finished.best(job)
            executed = _executed_notebook(runs, notebook, run)
            collected = collect(submission, notebook, run, executed, runs.load_facts(run.key), data.keys)
            if not finished.is_lost(job):
                store.save(store.key(submission, data.run_settings), collected)
            evidence[submission.id] = collected
        except GraderError:
            raise
        except Exception as bug:  # noqa: BLE001 - a bug at one hand-in must not stop the others
            log.error(_FAULT_LOG, submission.notebook_sha256[:12], trace_of(bug))
            rejected.append(_rejected(submission, _FAULT.format(type(bug).__name__)))
    in_order = tuple(evidence[s.id] for s in submissions if s.id in evidence)
    repeated, executed_again = _with_repeats(in_order, rubric, data, desk)
    trials = ScriptTrials(data, runs, desk.executor, desk.progress)
    tried = with_scripts(repeated, rubric, trials) if rubric.scripts else repeated
    return _Gathered(
        evidence=tuple(found.model_copy(update={"references": references}) for found in tried),
        rejected=tuple(rejected),
        executed=finished.executed + executed_again + trials.executed,
    )


def _for_groups(
    gathered: _Gathered, submissions: Sequence[Submission], groups: Mapping[str, Group]
) -> _Gathered:
    """What was gathered, with a group's one copy standing for every member's."""
    shared = list(for_everybody(gathered.evidence, submissions, groups))
    rejected = [item for item in shared if isinstance(item, Rejected)]
    evidence = [item for item in shared if isinstance(item, Evidence)]
    update = {"evidence": tuple(evidence), "rejected": (*gathered.rejected, *rejected)}
    return gathered.model_copy(update=update)


def _past_runs(evidence: Iterable[Evidence], earlier: Iterable[Grade], runs: RunStore) -> list[Past]:
    """Runs of this assignment: of the hand-ins that need none now, and those that earlier grades rest on."""
    past = {e.run.key: Past(e.run.wall_seconds, told_seconds(e.notebook)) for e in evidence if e.run}
    keys = {grade.run_key for grade in earlier if grade.run_key is not None} - past.keys()
    others = [run for key in sorted(keys) if (run := runs.load(key)) is not None]
    return [*past.values(), *(Past(run.wall_seconds) for run in others)]


def _references(rubric: Rubric, desk: _Desk) -> References:
    """What the rubric's checks have to be told by experiments of ours; those not stored are run."""
    jobs = {
        name: plan_script(name, EXPERIMENTS[name].read_text("utf-8"), desk.isolation, desk.executor.device)
        for name in rubric.references
    }
    run_jobs(list(jobs.values()), desk.runs, desk.executor, desk.progress)
    return read_references({name: printed_by(job, desk.runs) for name, job in jobs.items()})


def _with_repeats(
    evidence: Sequence[Evidence], rubric: Rubric, data: Provisions, desk: _Desk
) -> tuple[tuple[Evidence, ...], int]:
    """The evidence, with two more seeds measured where a criterion asks for that; and how many were run."""
    asking = [found for found in evidence if asks_for_more_seeds(found, rubric)]
    jobs = {
        found.submission.id: [data.job(found.submission, found.notebook, repeat) for repeat in MORE_SEEDS]
        for found in asking
    }
    finished = run_jobs(
        [job for pair in jobs.values() for job in pair], desk.runs, desk.executor, desk.progress
    )
    repeated = {}
    for found in asking:
        runs = [finished.best(job) for job in jobs[found.submission.id]]
        kept = [run for run in runs if run.status is not RunStatus.LOST]
        measured = tuple(observe(desk.runs.load_facts(run.key), data.keys)[1] for run in kept)
        executed = (_executed_notebook(desk.runs, found.notebook, run) for run in kept)
        reruns = tuple(read_outputs(notebook) for notebook in executed if notebook is not None)
        repeated[found.submission.id] = found.model_copy(update={"repeats": measured, "reruns": reruns})
        if len(measured) == len(runs):
            key = desk.evidence.key(found.submission, data.run_settings)
            desk.evidence.save(key, repeated[found.submission.id])
    return tuple(repeated.get(found.submission.id, found) for found in evidence), finished.executed


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


def _is_handed_in(file: Path, submissions: Sequence[Submission]) -> bool:
    """Whether a file is a student's: it belongs to a hand-in, or there is none that can be graded."""
    handed_in = {
        (one.folder / attached.name).resolve() for one in submissions for attached in one.attachments
    }
    return not submissions or file.resolve() in handed_in


def _nameless(
    changes: Iterable[GradeChange], grades: Iterable[Grade], names: NamesLeftOut
) -> Iterator[GradeChange]:
    participants = {grade.submission: grade.participant for grade in grades}
    for change in changes:
        called = names.called(change.submission, participants[change.submission])
        yield change.model_copy(update={"submission": called})


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
