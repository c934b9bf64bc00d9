"""Trying out broken scripts and their fixes: each runs in a room, and what came of it is read.

Equal sources share a run, whoever wrote them; a fix is run with a second and a third seed only when the first
one does not pass.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from grader.errors import StoreError, trace_of
from grader.evidence.mended import (
    SEEDS,
    bar_from,
    is_mended,
    judge_fix,
    read_script_run,
    smoothness_of_data,
    with_accuracy_symptom,
)
from grader.evidence.record import Evidence
from grader.evidence.scripts import ScriptRun, Trial, TriedFix, TriedScript
from grader.execution.interface import Executor
from grader.execution.jobs import Job
from grader.execution.running import FinishedRuns, Progress, run_jobs
from grader.execution.store import RunStore
from grader.fixes.finding import Found, find_fixes
from grader.fixes.records import Bar, Fix, Script
from grader.fixes.steps import number_of, with_number
from grader.model import Record, Run, Submission
from grader.notebook.machinery import reaches_of_file
from grader.notebook.reading import read_notebook
from grader.provisions import Provisions
from grader.rubric import Rubric

_MOST_BYTES = 256 * 1024  # of an attachment that may be a script

log = logging.getLogger(__name__)


class BrokenRuns(Record):
    """A script as it is, run with one seed or with `SEEDS`, and the bar that its fixes are held against."""

    script: Script
    runs: tuple[ScriptRun, ...]
    bar: Bar

    @property
    def first(self) -> ScriptRun:
        """The run that symptoms are taken from."""
        return self.runs[0]


class ScriptTrials:
    """Runs scripts on an assignment's data; what was run before is taken from the store."""

    def __init__(self, data: Provisions, runs: RunStore, executor: Executor, progress: Progress) -> None:
        self._data = data
        self._runs = runs
        self._executor = executor
        self._progress = progress
        self._read: dict[str, ScriptRun] = {}
        self.executed = 0

    def broken(self, scripts: Sequence[Script], *, all_seeds: bool = False) -> dict[str, BrokenRuns]:
        """Every script as it is, by its name; with one seed where `all_seeds` are not asked for.

        A bar that is to be derived needs them all.
        """
        jobs = {
            script.name: [
                self._job(script, script.source, repeat)
                for repeat in range(SEEDS if all_seeds or script.bar is None else 1)
            ]
            for script in scripts
        }
        finished = self._run([job for own in jobs.values() for job in own])
        found = {}
        for script in scripts:
            runs = [self._script_run(finished.best(job)) for job in jobs[script.name]]
            bar = script.bar or bar_from(runs)
            told = tuple(with_accuracy_symptom(run, bar) for run in runs)
            found[script.name] = BrokenRuns(script=script, runs=told, bar=bar)
        return found

    def tried(
        self,
        fixes: Iterable[Fix],
        broken: Mapping[str, BrokenRuns],
        *,
        seeds: int = SEEDS,
        all_seeds: bool = False,
    ) -> list[TriedFix]:
        """What comes of each fix with up to so many seeds, in their order.

        With `all_seeds` one that passes is run on, too.
        """
        fixes = list(fixes)
        runs: list[list[ScriptRun]] = [[] for _ in fixes]
        for repeat in range(seeds):
            left = [
                place
                for place, fix in enumerate(fixes)
                if all_seeds or not any(is_mended(run, broken[fix.script].bar) for run in runs[place])
            ]
            jobs = {place: self._job_of(fixes[place], broken, repeat) for place in left}
            finished = self._run(list(jobs.values()))
            for place, job in jobs.items():
                run = self._script_run(finished.best(job))
                runs[place].append(with_accuracy_symptom(run, broken[fixes[place].script].bar))
        return [self._judged(fix, own, broken[fix.script]) for fix, own in zip(fixes, runs, strict=True)]

    def _judged(self, fix: Fix, runs: Sequence[ScriptRun], broken: BrokenRuns) -> TriedFix:
        judged = judge_fix(runs, broken.first, broken.bar)
        reaches = _reaches_of(fix.source) - _reaches_of(broken.script.source)
        if judged.trial is Trial.MENDED and reaches:
            why = f"It trains, but its code reaches into what runs it (`{min(reaches)}`)."
            judged = judged._replace(trial=Trial.UNCLEAR, why=why)
        return TriedFix(fix=fix, trial=judged.trial, why=judged.why, runs=tuple(runs), best=judged.best)

    def _job_of(self, fix: Fix, broken: Mapping[str, BrokenRuns], repeat: int) -> Job:
        script = broken[fix.script].script
        return self._job(script, with_own_steps(script, fix.source), repeat)

    def _job(self, script: Script, source: str, repeat: int) -> Job:
        return self._data.script_job(script.name, source, script.folder, script.beside, repeat)

    def _run(self, jobs: Sequence[Job]) -> FinishedRuns:
        finished = run_jobs(jobs, self._runs, self._executor, self._progress)
        self.executed += finished.executed
        return finished

    @cached_property
    def _smoothness(self) -> float | None:
        return smoothness_of_data(self._data.keys)

    def _script_run(self, run: Run) -> ScriptRun:
        """What a run shows; where what a fix left behind cannot be read, nothing that settles anything."""
        if run.key not in self._read:
            try:
                self._read[run.key] = self._read_run(run)
            except StoreError:
                raise
            except Exception as bug:  # noqa: BLE001 - a bug at one fix must not stop the other hand-ins
                log.error("a fault of the grader in reading the run %s: %s", run.key[:12], trace_of(bug))
                self._read[run.key] = ScriptRun(key=run.key, status=run.status, is_real_data=False)
        return self._read[run.key]

    def _read_run(self, run: Run) -> ScriptRun:
        executed = self._runs.load_executed(run.key)
        notebook = None if executed is None else read_notebook(executed)
        facts = self._runs.load_facts(run.key)
        return read_script_run(run, facts, notebook, self._data.keys, self._smoothness)


def _reaches_of(source: str) -> set[str]:
    return {reach.what for reach in reaches_of_file("", source)}


def with_own_steps(script: Script, mended: str) -> str:
    """A mended version of `script` with the script's own number of steps, where both name it alike."""
    own = number_of(script.source, script.steps) if script.steps else None
    return mended if own is None else with_number(mended, script.steps, own)


def with_scripts(evidence: Sequence[Evidence], rubric: Rubric, trials: ScriptTrials) -> tuple[Evidence, ...]:
    """The evidence with what came of the rubric's scripts and of the fixes that each hand-in has for them.

    Scripts of which no hand-in speaks are not run, nor are further fixes of a script once one that is surely
    meant for it has mended it. A hand-in in which looking for fixes fails is left as it was.
    """
    scripts = list(rubric.scripts.values())
    found = [_found(one, scripts) for one in evidence]
    spoken = {name for one in found if one is not None for name, passages in one.said.items() if passages}
    spoken |= {fix.script for one in found if one is not None for fix in one.fixes}
    broken = trials.broken([script for script in scripts if script.name in spoken])
    tried = _tried_in_turn(found, broken, trials)
    told = []
    for place, (one, own) in enumerate(zip(evidence, found, strict=True)):
        if own is not None:
            laid = tuple(
                TriedScript(
                    name=script.name,
                    title=script.title,
                    criteria=rubric.asking_about(script.name),
                    causes=script.causes,
                    bar=broken[script.name].bar if script.name in broken else None,
                    broken=broken[script.name].first if script.name in broken else None,
                    fixes=tuple(tried.get((place, script.name), ())),
                    said=own.said.get(script.name, ()),
                )
                for script in scripts
            )
            one = one.model_copy(update={"scripts": laid})
        told.append(one)
    return tuple(told)


def _tried_in_turn(
    found: Sequence[Found | None], broken: Mapping[str, BrokenRuns], trials: ScriptTrials
) -> dict[tuple[int, str], list[TriedFix]]:
    """The fixes that were tried, by hand-in and script: the first of each, then the second where needed …

    Each with one seed at first: the others are only run when no fix of that script passes with the first one.
    """
    fixes: dict[tuple[int, str], list[Fix]] = {}
    for place, one in enumerate(found):
        for fix in () if one is None else one.fixes:
            fixes.setdefault((place, fix.script), []).append(fix)
    tried: dict[tuple[int, str], list[TriedFix]] = {}
    for seeds in (1, SEEDS):
        waiting = {
            whose: list(own) for whose, own in fixes.items() if not any(map(_settles, tried.get(whose, ())))
        }
        tried |= {whose: [] for whose in waiting}
        while waiting:
            turn = {whose: own.pop(0) for whose, own in waiting.items()}
            for whose, result in zip(turn, trials.tried(turn.values(), broken, seeds=seeds), strict=True):
                tried[whose].append(result)
                if _settles(result) or not waiting[whose]:
                    del waiting[whose]
    return tried


def _settles(tried: TriedFix) -> bool:
    """Whether a script is mended for certain, so that no other fix of it is tried."""
    return tried.trial is Trial.MENDED and tried.fix.is_sure


def _found(evidence: Evidence, scripts: Sequence[Script]) -> Found | None:
    try:
        return find_fixes(evidence.notebook, _attached(evidence.submission), scripts)
    except Exception as bug:  # noqa: BLE001 - a bug at one hand-in must not stop the others
        notebook = evidence.submission.notebook_sha256[:12]
        log.error("a fault of the grader in looking for fixes in %s: %s", notebook, trace_of(bug))
        return None


def _attached(submission: Submission) -> dict[str, str]:
    """The Python files that were handed in beside the notebook, as text by their names."""
    texts: dict[str, str] = {}
    for file in submission.attachments:
        if file.name.endswith(".py") and file.size_bytes <= _MOST_BYTES:
            with contextlib.suppress(OSError):
                texts[file.name] = (submission.folder / file.name).read_text("utf-8", "replace")
    return texts
