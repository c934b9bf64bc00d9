"""Whether broken scripts fail as described and whether each listed fix mends them, by running them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from grader.course import Course
from grader.datasets.finding import dataset_names
from grader.evidence.mended import CLOSE, LOWEST_BAR, is_mended
from grader.evidence.scripts import ScriptRun, TriedFix
from grader.execution.interface import Executor
from grader.execution.running import Progress
from grader.execution.store import RunStore
from grader.fixes.records import BAND, Bar, Fix, FixKind, Script
from grader.fixes.scripts import FILE, read_scripts
from grader.model import Record, RunStatus
from grader.provisions import Provisions
from grader.rubric import read_rubric
from grader.script_trials import BrokenRuns, ScriptTrials


class CheckedScript(Record):
    """One script with all its runs; `faults` are sentences on what is not as described, none if all is.

    `proposed` is the bar that the runs suggest, None when they leave no room for one.
    """

    script: Script
    bar: Bar
    broken: tuple[ScriptRun, ...]
    fixes: tuple[TriedFix, ...]
    proposed: Bar | None
    faults: tuple[str, ...]


def check_scripts(
    assignment: str, course: Course, executor: Executor, *, data: Path | None, progress: Progress
) -> list[CheckedScript]:
    """Run every script of `assignment` and every fix that is listed for it, each with three seeds.

    Empty when the assignment has no scripts. Raises `GraderError` for a bad rubric, `scripts.yaml` or data.
    """
    path = course.rubric_path(assignment)
    file = path.with_suffix("") / FILE
    if not file.is_file():
        return []
    rubric = read_rubric(path, datasets=dataset_names())
    scripts = list(read_scripts(file).values())
    with course.locked():
        provisions = Provisions(rubric, course, data)
        trials = ScriptTrials(provisions, RunStore(course.state / "runs"), executor, progress)
        broken = trials.broken(scripts, all_seeds=True)
        fixes = [
            (script.name, _as_fix(script.name, key.id, key.source))
            for script in scripts
            for key in script.fixes
        ]
        tried = trials.tried([fix for _, fix in fixes], broken, all_seeds=True)
    by_script: dict[str, list[TriedFix]] = {script.name: [] for script in scripts}
    for (name, _), one in zip(fixes, tried, strict=True):
        by_script[name].append(one)
    return [_checked(broken[script.name], by_script[script.name]) for script in scripts]


def _as_fix(script: str, name: str, source: str) -> Fix:
    return Fix(script=script, kind=FixKind.WHOLE_SCRIPT, source=source, passage=name)


def _checked(broken: BrokenRuns, fixes: Sequence[TriedFix]) -> CheckedScript:
    return CheckedScript(
        script=broken.script,
        bar=broken.bar,
        broken=broken.runs,
        fixes=tuple(fixes),
        proposed=proposed_bar(broken.runs, [run for fix in fixes for run in _trained(fix)]),
        faults=(*_faults_of(broken), *_faults_of_fixes(broken, fixes)),
    )


def _trained(fix: TriedFix) -> Iterator[ScriptRun]:
    """The runs of a fix that count for a bar: the best one, because that is the one that is judged."""
    if fix.runs:
        yield fix.runs[fix.best]


def _faults_of(broken: BrokenRuns) -> Iterator[str]:
    for seed, run in enumerate(broken.runs, 1):
        if run.status is not RunStatus.COMPLETED:
            ended = f"{run.status.value.replace('_', ' ')}{f': {run.error}' if run.error else ''}"
            yield f"seed {seed}: the script does not run to its end ({ended})"
            continue
        if run.watched is None:
            yield f"seed {seed}: nothing was seen of its training, so a person has to judge its fixes"
            continue
        missing = [symptom for symptom in broken.script.fails if symptom not in run.symptoms.shown]
        for symptom in missing:
            how = "is not there" if symptom in run.symptoms.absent else "could not be told"
            yield f"seed {seed}: {symptom.value} {how}"
        if is_mended(run, broken.bar):
            yield f"seed {seed}: the script trains as it is: it does not fail"


def _faults_of_fixes(broken: BrokenRuns, fixes: Sequence[TriedFix]) -> Iterator[str]:
    for key, fix in zip(broken.script.fixes, fixes, strict=True):
        if not any(is_mended(run, broken.bar) for run in fix.runs):
            yield f"the fix {key.id} does not mend it: is there a second, unplanned bug? {fix.why}"


def proposed_bar(broken: Sequence[ScriptRun], mended: Sequence[ScriptRun]) -> Bar | None:
    """A bar between the best of the broken runs and the worst of the mended ones, None where none is between.

    The accuracy lies half-way in errors, on a logarithmic scale, and is no lower than `LOWEST_BAR` where the
    mended ones allow that. A loss is asked for, too, where the accuracy could not decide alone: half-way,
    again on a logarithmic scale.
    """
    reached = [run.symptoms.accuracy for run in mended if run.symptoms.accuracy is not None]
    best_broken = max((run.symptoms.accuracy or 0.0 for run in broken), default=0.0)
    if not reached or min(reached) <= best_broken or len(reached) < len(mended):
        return None
    half_way = 1 - ((1 - min(reached)) * (1 - best_broken)) ** 0.5
    accuracy = round(min(max(half_way, min(LOWEST_BAR, min(reached) - 2 * BAND)), 0.99), 3)
    losses = [run.symptoms.last_loss or 0.0 for run in broken]
    low = [run.symptoms.last_loss or math.inf for run in mended]
    has_loss = accuracy - best_broken < CLOSE and max(low) < min(losses)
    return Bar(accuracy=accuracy, loss_below=round((max(low) * min(losses)) ** 0.5, 2) if has_loss else None)
