"""Evidence on every hand-in of an assignment: stored, or run and collected now.

plan → execute → collect (and measure), with other seeds and fixes of scripts where criteria ask for them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from grader.assess import asks_for_more_seeds
from grader.course import Course
from grader.errors import GraderError, NotebookError, trace_of
from grader.evidence.collect import EvidenceStore, collect, observe
from grader.evidence.record import Evidence
from grader.execution.forecast import Forecast, Past
from grader.execution.interface import Executor
from grader.execution.jobs import Job
from grader.execution.running import Progress, foresee, run_jobs
from grader.execution.scripts import plan_script, printed_by
from grader.execution.store import RunStore
from grader.model import Grade, Isolation, Record, Rejected, Run, RunStatus, Submission
from grader.notebook.outputs import read_outputs
from grader.notebook.reading import notebook_from_node, read_notebook
from grader.notebook.rebuilding import with_outputs_of
from grader.notebook.records import Notebook
from grader.notebook.timings import told_seconds
from grader.oracles.references import EXPERIMENTS, References, read_references
from grader.provisions import MORE_SEEDS, Provisions
from grader.report.pseudonyms import NamesLeftOut
from grader.rubric import Rubric
from grader.script_trials import ScriptTrials, with_scripts

log = logging.getLogger(__name__)

_FAULT_LOG = "a fault of the grader at the notebook %s: %s"
_FAULT = "A fault in the grader ({}) kept this hand-in from being graded: do it by hand."


@dataclass(frozen=True)
class Desk:
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
        """The runs of the course."""
        return RunStore(self.course.state / "runs")

    @property
    def evidence(self) -> EvidenceStore:
        """What was collected before."""
        return EvidenceStore(self.course.state / "evidence")


class Gathered(Record):
    """The evidence on hand-ins, those of which there can be none, and how many runs that took."""

    evidence: tuple[Evidence, ...]
    rejected: tuple[Rejected, ...]
    executed: int


def gather(
    submissions: Sequence[Submission],
    rubric: Rubric,
    desk: Desk,
    data: Provisions,
    references: References,
    earlier: Iterable[Grade],
    known: Mapping[str, Evidence],
) -> Gathered:
    """The evidence on every hand-in: what is missing in `known` is run on `data` and collected.

    `references` are laid beside it. `earlier` are the grades of this assignment so far: their runs tell how
    long those to come may take.
    """
    store, runs = desk.evidence, desk.runs
    evidence: dict[str, Evidence] = {}
    rejected: list[Rejected] = []
    to_run: list[tuple[Submission, Notebook, Job]] = []
    for submission in submissions:
        stored = known.get(submission.id)
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
    return Gathered(
        evidence=tuple(found.model_copy(update={"references": references}) for found in tried),
        rejected=tuple(rejected),
        executed=finished.executed + executed_again + trials.executed,
    )


def _past_runs(evidence: Iterable[Evidence], earlier: Iterable[Grade], runs: RunStore) -> list[Past]:
    """Runs of this assignment: of the hand-ins that need none now, and those that earlier grades rest on."""
    past = {e.run.key: Past(e.run.wall_seconds, told_seconds(e.notebook)) for e in evidence if e.run}
    keys = {grade.run_key for grade in earlier if grade.run_key is not None} - past.keys()
    others = [run for key in sorted(keys) if (run := runs.load(key)) is not None]
    return [*past.values(), *(Past(run.wall_seconds) for run in others)]


def references_of(rubric: Rubric, desk: Desk) -> References:
    """What the rubric's checks have to be told by experiments of ours; those not stored are run."""
    jobs = {
        name: plan_script(name, EXPERIMENTS[name].read_text("utf-8"), desk.isolation, desk.executor.device)
        for name in rubric.references
    }
    run_jobs(list(jobs.values()), desk.runs, desk.executor, desk.progress)
    return read_references({name: printed_by(job, desk.runs) for name, job in jobs.items()})


def _with_repeats(
    evidence: Sequence[Evidence], rubric: Rubric, data: Provisions, desk: Desk
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
        try:
            told = _with_runs(found, kept, data, desk.runs)
        except GraderError:
            raise
        except Exception as bug:  # noqa: BLE001 - a bug at one hand-in must not stop the others
            log.error(_FAULT_LOG, found.submission.notebook_sha256[:12], trace_of(bug))
            continue
        repeated[found.submission.id] = told
        if len(kept) == len(runs):
            desk.evidence.save(desk.evidence.key(found.submission, data.run_settings), told)
    return tuple(repeated.get(found.submission.id, found) for found in evidence), finished.executed


def _with_runs(found: Evidence, kept: Sequence[Run], data: Provisions, runs: RunStore) -> Evidence:
    """The evidence with what was measured in runs with other seeds, and what they print."""
    measured = tuple(observe(runs.load_facts(run.key), data.keys)[1] for run in kept)
    executed = (_executed_notebook(runs, found.notebook, run) for run in kept)
    reruns = tuple(read_outputs(notebook) for notebook in executed if notebook is not None)
    return found.model_copy(update={"repeats": measured, "reruns": reruns})


def _executed_notebook(runs: RunStore, notebook: Notebook, run: Run) -> Notebook | None:
    node = executed_node(runs, notebook, run)
    try:
        return None if node is None else notebook_from_node(node)
    except NotebookError:  # outputs that nobody can read: the run's status still counts
        return None


def executed_node(runs: RunStore, notebook: Notebook, run: Run | None) -> NotebookNode | None:
    """The hand-in's notebook with the outputs of its run, None when there is no run in the store."""
    executed = None if run is None else runs.load_executed(run.key)
    return None if executed is None else with_outputs_of(notebook, executed)


def _rejected(submission: Submission, reason: str) -> Rejected:
    return Rejected(
        id=submission.id,
        assignment=submission.assignment,
        participant=submission.participant,
        reason=reason,
    )
