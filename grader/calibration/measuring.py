"""Running references over seeds, and measuring what they reach on withheld images."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from grader.calibration.rule import Calibration, Reached
from grader.checks.accuracy import Thresholds
from grader.checks.measurement import doubt_about, models_of
from grader.course import Course
from grader.datasets.finding import dataset_names
from grader.errors import UsageError
from grader.evidence.collect import observe
from grader.execution.interface import Executor
from grader.execution.jobs import Job
from grader.execution.running import Progress, run_jobs
from grader.execution.store import RunStore
from grader.model import DatasetOrigin, Participant, RunStatus, Submission
from grader.notebook.dataflow import read_code_facts
from grader.notebook.reading import read_notebook
from grader.provisions import Provisions
from grader.references import edited, load_notebook
from grader.rewriting.cells import code_of
from grader.rewriting.seeds import other_seeds
from grader.rubric import Criterion, Rubric, read_rubric

CHECK = "accuracy-at-least"
_FEWEST = 2  # seeds that were measured; one has no spread


def calibrate(
    assignment: str,
    course: Course,
    executor: Executor,
    *,
    data: Path | None = None,
    seeds: int = 5,
    needs_real_data: bool = False,
    progress: Progress = lambda doing, done, total: None,
) -> Calibration:
    """Run references over seeds and measure them, for the criterion of the rubric that asks for an accuracy.

    For each data set with a threshold the solution is taken, or the first variant where the solution does not
    load the set. Runs are kept and not repeated. Raises `UsageError` where nothing can be calibrated, before
    anything is run where it can be known: with `needs_real_data` also where a data set is a stand-in.
    """
    rubric = read_rubric(course.rubric_path(assignment), datasets=dataset_names())
    criterion, asked = _asked(rubric)
    folder = course.references / assignment
    chosen = _notebooks(folder, tuple(asked.thresholds))
    with course.locked():
        given = Provisions(rubric, course, data, device=executor.device)
        work = _Work(given, RunStore(course.state / "runs"), executor, progress)
        origins = {files.name: files.origin for files in work.given.inside}
        if needs_real_data:
            _refuse_stand_ins([name for name in chosen if origins[name] is DatasetOrigin.STAND_IN])
        measured = work.measure(sorted(set(chosen.values())), assignment, seeds)
    reached = [
        Reached(
            dataset=name,
            origin=origins[name],
            notebook=path.relative_to(folder).as_posix(),
            accuracies=_enough(measured[path].get(name, []), name, path),
            now=asked.thresholds[name],
        )
        for name, path in chosen.items()
    ]
    return Calibration(
        assignment=assignment, criterion=criterion.id, seeds=seeds, reached=tuple(reached), band=asked.band
    )


def _asked(rubric: Rubric) -> tuple[Criterion, Thresholds]:
    """The criterion that asks for an accuracy, and what it asks for."""
    criterion = next((one for one in rubric.criteria if one.check.name == CHECK), None)
    if criterion is None:
        raise UsageError(
            f"The rubric of {rubric.assignment} has no criterion with the check `{CHECK}`: there is nothing "
            "to calibrate."
        )
    asked = cast(Thresholds, criterion.parameters)
    unlisted = [name for name in asked.thresholds if name not in rubric.datasets]
    if unlisted:
        raise UsageError(
            f"The rubric of {rubric.assignment} has a threshold for {' and '.join(unlisted)}, which is not "
            "in its `datasets`: add it there, or remove the threshold."
        )
    return criterion, asked


def _notebooks(folder: Path, datasets: Sequence[str]) -> dict[str, Path]:
    """For each data set the solution, or the first variant, whose code loads it."""
    found: dict[str, Path] = {}
    for path in (folder / "solution.ipynb", *sorted((folder / "variants").glob("*.ipynb"))):
        if len(found) < len(datasets) and path.is_file():
            loaded = {load.dataset for load in read_code_facts(code_of(load_notebook(path))).loads}
            found |= {name: path for name in datasets if name in loaded and name not in found}
    missing = [name for name in datasets if name not in found]
    if missing:
        raise UsageError(
            f"No reference in {folder} loads {' or '.join(missing)}, for which the rubric has a threshold: "
            "add a solution or a variant that does, or remove the threshold."
        )
    return {name: found[name] for name in datasets}


def _refuse_stand_ins(names: Sequence[str]) -> None:
    if names:
        raise UsageError(
            f"Only a stand-in was found for {' and '.join(names)}, and no threshold is written from that: "
            "name the folder with the real data in --data or GRADER_DATA."
        )


def _enough(accuracies: Sequence[float], dataset: str, path: Path) -> tuple[float, ...]:
    if len(accuracies) < _FEWEST:
        raise UsageError(
            f"{path.name} was trained and measured on {dataset} with {len(accuracies)} seeds only, and "
            f"{_FEWEST} are the least: see what becomes of it in `grade {path}`, or name more with --seeds."
        )
    return tuple(accuracies)


@dataclass(frozen=True)
class _Work:
    given: Provisions
    runs: RunStore
    executor: Executor
    progress: Progress

    def measure(
        self, paths: Sequence[Path], assignment: str, seeds: int
    ) -> Mapping[Path, Mapping[str, list[float]]]:
        """By notebook and data set the best model's accuracy, for each seed whose run gave one."""
        jobs = {
            (path, repeat): self._job(path, assignment, repeat) for path in paths for repeat in range(seeds)
        }
        finished = run_jobs(list(jobs.values()), self.runs, self.executor, self.progress)
        found: dict[Path, dict[str, list[float]]] = {path: {} for path in paths}
        for (path, _), job in jobs.items():
            run = finished.best(job)
            if run.status is not RunStatus.COMPLETED:
                continue
            models = models_of(*observe(self.runs.load_facts(run.key), self.given.keys))
            trained = [model.measured for model in models if not doubt_about(model)]
            for name in dict.fromkeys(measured.dataset for measured in trained):
                best = max(measured.accuracy for measured in trained if measured.dataset == name)
                found[path].setdefault(name, []).append(best)
        return found

    def _job(self, path: Path, assignment: str, repeat: int) -> Job:
        notebook = load_notebook(path)
        if repeat:
            notebook = edited(path, notebook, other_seeds(notebook, repeat))
        raw = json.dumps(notebook).encode()
        submission = Submission(
            id=path.stem,
            assignment=assignment,
            participant=Participant(),
            folder=path.parent,
            notebook=path.name,
            notebook_sha256=hashlib.sha256(raw).hexdigest(),
        )
        return self.given.job(submission, read_notebook(raw), repeat)
