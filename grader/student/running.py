"""Runs a student's own notebook with public data, in a sandbox where there is one."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

from grader.course import Course
from grader.datasets.withheld import PUBLIC_SEED
from grader.errors import NotebookError, SandboxError
from grader.evidence.collect import collect
from grader.evidence.record import Evidence
from grader.execution.interface import find_executor
from grader.execution.running import run_jobs
from grader.execution.store import RunStore
from grader.model import Isolation
from grader.notebook.reading import notebook_from_node
from grader.notebook.rebuilding import with_outputs_of
from grader.notebook.records import Notebook
from grader.provisions import Provisions
from grader.sandbox.doctor import check_room
from grader.student.edition import Edition


def run_own(evidence: Evidence, edition: Edition, *, data: Path | None) -> Evidence:
    """The evidence with what came of a run, measured by a split of the data that everybody may know.

    An equal notebook is not run twice. `data` names a folder with real data sets. Raises `DatasetError` or
    `SandboxError` when it cannot be run here.
    """
    room = Course(root=_cache())
    isolation = isolation_here()
    provisions = Provisions(edition, room, data, isolation, secret=PUBLIC_SEED)
    runs = RunStore(room.state / "runs")
    job = provisions.job(evidence.submission, evidence.notebook)
    with closing(find_executor("local")(1)) as executor:
        run = run_jobs([job], runs, executor, lambda doing, done, total: None).best(job)
    executed = _executed(runs, run.key, evidence.notebook)
    facts = runs.load_facts(run.key)
    return collect(evidence.submission, evidence.notebook, run, executed, facts, provisions.keys)


def isolation_here() -> Isolation:
    """A sandbox where one can be built; else none, for it is their own code on their own machine."""
    try:
        check_room()
    except SandboxError:
        return Isolation.NONE
    return Isolation.BUBBLEWRAP


def _cache() -> Path:
    """Where runs and data are kept between two calls."""
    given = os.environ.get("XDG_CACHE_HOME")
    return (Path(given) if given else Path.home() / ".cache") / "grader"


def _executed(runs: RunStore, key: str, notebook: Notebook) -> Notebook | None:
    node = runs.load_executed(key)
    try:
        return None if node is None else notebook_from_node(with_outputs_of(notebook, node))
    except NotebookError:  # outputs that nobody can read: the run's status still counts
        return None
