"""From jobs to finished runs: what is stored is taken, what is missing is run, drifted code is run again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence

from grader.errors import trace_of
from grader.execution.drift import better_run, suggests_legacy_keras
from grader.execution.forecast import Forecast, Past, Wanted, expected_seconds, forecast, most_seconds
from grader.execution.interface import Executor
from grader.execution.jobs import Job
from grader.execution.store import RunStore
from grader.model import KerasFlavour, Run, RunStatus

log = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]  # called with what was done, how many are done, out of how many


class FinishedRuns:
    """Runs by key, and how many of them had to be executed."""

    def __init__(self) -> None:
        self.by_key: dict[str, Run] = {}
        self.executed = 0

    def best(self, job: Job) -> Run:
        """The run to judge: with legacy Keras where that got further."""
        first, legacy = self.by_key[job.key], self.by_key.get(_with_legacy_keras(job).key)
        return first if legacy is None else better_run(first, legacy)

    def is_lost(self, job: Job) -> bool:
        """Whether our machinery failed one of the job's runs, so that it has to be run again."""
        runs = (self.by_key.get(key) for key in (job.key, _with_legacy_keras(job).key))
        return any(run is not None and run.status is RunStatus.LOST for run in runs)


def run_jobs(jobs: Sequence[Job], runs: RunStore, executor: Executor, progress: Progress) -> FinishedRuns:
    """Run every job that has no stored run, then, with legacy Keras, those whose errors ask for it."""
    runs.sweep()
    finished = FinishedRuns()
    _execute(jobs, runs, executor, progress, finished)
    drifted = [
        _with_legacy_keras(job)
        for job in jobs
        if suggests_legacy_keras(finished.by_key[job.key], job.written_with_python)
    ]
    _execute(drifted, runs, executor, progress, finished)
    return finished


def foresee(
    jobs: Sequence[Job],
    told: Mapping[str, float | None],
    past: Sequence[Past],
    runs: RunStore,
    rooms: int,
    *,
    stored: int = 0,
) -> tuple[list[Job], Forecast]:
    """`jobs` with what is expected of each, and how long those that have no stored run will take.

    `told` is, by key, how long a notebook says that it took its author; `past` are runs of the same
    assignment; `stored` hand-ins need no run, besides those of `jobs` whose run is stored.
    """
    wanted = {
        job.key: Wanted(most_seconds(job.limits, times=job.times), told.get(job.key))
        for job in jobs
        if not runs.holds(job.key)
    }
    expected = {key: expected_seconds(one, past) for key, one in wanted.items()}
    stored += sum(job.key not in wanted for job in jobs)
    return (
        [job.model_copy(update={"expected_seconds": expected.get(job.key)}) for job in jobs],
        forecast(list(wanted.values()), past, rooms=rooms, stored=stored),
    )


def _execute(
    jobs: Iterable[Job], runs: RunStore, executor: Executor, progress: Progress, finished: FinishedRuns
) -> None:
    missing: dict[str, Job] = {}
    for job in jobs:
        stored = runs.load(job.key)
        if stored is None:
            missing[job.key] = job
        else:
            finished.by_key[job.key] = stored
    if not missing:
        return
    progress("starting", 0, len(missing))
    for done, (job, run, executed, facts) in enumerate(executor.execute(missing.values()), start=1):
        try:
            runs.save(run, executed, facts)
        except (
            ValueError,
            TypeError,
            RecursionError,
        ) as bug:  # outputs that cannot be written down: only this run is lost
            log.error("a fault of the grader in storing the run %s: %s", job.key[:12], trace_of(bug))
            run = run.model_copy(update={"status": RunStatus.LOST})
        finished.by_key[job.key] = run
        finished.executed += 1
        progress(job.submission, done, len(missing))


def _with_legacy_keras(job: Job) -> Job:
    return job.model_copy(update={"keras": KerasFlavour.LEGACY})
