"""Whether a fix mends a script: what came of running it, held against the script's bar."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from grader.evidence.collect import observe
from grader.evidence.measured import LEAST_AGREEMENT, Measured, MeasuredTraining
from grader.evidence.measuring import Key, Kind
from grader.evidence.observed import Observed, ObservedTraining, UpdatePath
from grader.evidence.scripts import ScriptRun, Trial
from grader.evidence.symptoms import HIGH_LOSS, matrices, smoothness_of, symptoms_of
from grader.fixes.records import BAND, Bar, Symptom, Symptoms
from grader.model import DatasetOrigin, Run, RunStatus, Source
from grader.notebook.outputs import read_outputs
from grader.notebook.records import Notebook, Quantity, Split

SEEDS = 3
_SAME_STEPS = 0.9  # of the script's own number, from which it is the same
_RIGHT_ACCURACY = 0.97  # what right MLPs come to on MNIST in a few thousand steps
_RIGHT_LOSS = 0.15
LOWEST_BAR = 0.8
_HOW = {Source.MEASURED: "measured", Source.OBSERVED: "told by its room"}
CLOSE = 0.08  # a bar so close to the broken script's accuracy cannot decide alone


class Judged(NamedTuple):
    """What came of a fix, why in one sentence, and the run that counts."""

    trial: Trial
    why: str
    best: int = 0


def read_script_run(
    run: Run,
    facts: Iterable[Mapping[str, Any]],
    executed: Notebook | None,
    keys: Mapping[str, Key],
    smoothness: float | None,
) -> ScriptRun:
    """What `run` of a script shows: of the training that took most steps, or of the best one of these.

    `smoothness` is that of the data set's images (see `smoothness_of_data`). Predictions that our own
    computing does not bear out are taken for the work of a recorder that was changed.
    """
    is_real = all(use.origin is DatasetOrigin.REAL for use in run.datasets)
    error = next((cell.error for cell in run.failed_cells), None)
    bare = ScriptRun(key=run.key, status=run.status, error=error, is_real_data=is_real)
    observed, measured = observe(facts, keys)
    bare = bare.model_copy(update={"is_trusted": observed.is_trusted})
    training = _main(observed, measured)
    if training is None:
        return bare
    watched = next((found for found in observed.watched if found.training == training.id), None)
    figure = measured.of(training.id)
    if figure is not None and (
        figure.is_untold or (figure.agreement is not None and figure.agreement < LEAST_AGREEMENT)
    ):
        return bare.model_copy(update={"is_trusted": False})
    printed = None if figure is not None or executed is None else _printed(executed)
    accuracy = printed if figure is None else figure.accuracy
    symptoms = Symptoms(steps=training.updates, accuracy=accuracy)
    if watched is not None:
        symptoms = symptoms_of(watched, training, accuracy=accuracy, smoothness=smoothness)
    return bare.model_copy(
        update={
            "symptoms": symptoms,
            "accuracy_from": None if accuracy is None else _source_of(figure),
            "watched": watched,
            "shapes": training.shapes,
            "order": tuple(matrices(training)),
            "hidden_layers": training.hidden_layers,
            "is_fit": training.path is UpdatePath.FIT,
        }
    )


def _source_of(figure: MeasuredTraining | None) -> Source:
    """Where an accuracy is from: what was printed, what only the room told, or what we computed ourselves."""
    if figure is None:
        return Source.RERUN
    return Source.OBSERVED if figure.why_not_computed else Source.MEASURED


def smoothness_of_data(keys: Mapping[str, Key]) -> float | None:
    """How far neighbouring pixels of the withheld images are alike, None when there are no images."""
    for key in keys.values():
        if key.images is not None:
            return smoothness_of(key.images[key.kinds == Kind.WITHHELD])
    return None


def _main(observed: Observed, measured: Measured) -> ObservedTraining | None:
    """The training with most steps; of several with about as many, the one whose model does best."""
    trained = [training for training in observed.trainings if training.updates]
    most = max((training.updates for training in trained), default=0)

    def accuracy(training: ObservedTraining) -> float:
        found = measured.of(training.id)
        return -1.0 if found is None else found.accuracy

    long = [training for training in trained if training.updates >= _SAME_STEPS * most]
    return max(long, key=accuracy, default=None)


def _printed(executed: Notebook) -> float | None:
    """The test accuracy that a script printed last, None when it printed none."""
    numbers = [n for n in read_outputs(executed).numbers if n.quantity is Quantity.ACCURACY]
    test = [number.value for number in numbers if number.split is Split.TEST]
    return test[-1] if test else None


def bar_from(broken: Sequence[ScriptRun]) -> Bar:
    """A bar for a script without one: half-way from what it reaches as it is to what right scripts do.

    Where that is close, and the loss can tell them apart, only a quarter of the way: right scripts that take
    few steps come to less.
    """
    best = max((run.symptoms.accuracy or 0.0 for run in broken), default=0.0)
    accuracy = max(LOWEST_BAR, (best + _RIGHT_ACCURACY) / 2)
    losses = [run.symptoms.last_loss for run in broken if run.symptoms.last_loss is not None]
    if not losses or min(losses) <= HIGH_LOSS or accuracy - best >= CLOSE:
        return Bar(accuracy=round(min(accuracy, 0.99), 3))
    near = max(LOWEST_BAR, best + (_RIGHT_ACCURACY - best) / 4)
    return Bar(accuracy=round(min(near, 0.99), 3), loss_below=round((min(losses) * _RIGHT_LOSS) ** 0.5, 2))


def with_accuracy_symptom(run: ScriptRun, bar: Bar) -> ScriptRun:
    """The run with what the bar says of its accuracy."""
    symptoms = run.symptoms
    if symptoms.accuracy is None:
        return run
    where = "shown" if symptoms.accuracy < bar.accuracy else "absent"
    told = {where: getattr(symptoms, where) | {Symptom.ACCURACY_LOW}}
    return run.model_copy(update={"symptoms": symptoms.model_copy(update=told)})


def is_mended(run: ScriptRun, bar: Bar) -> bool:
    """Whether a run trains as a right script does: finite, alive, and over the bar."""
    symptoms = run.symptoms
    if run.status is not RunStatus.COMPLETED or symptoms.accuracy is None:
        return False
    is_healthy = Symptom.LOSS_NOT_FINITE not in symptoms.shown and any(symptoms.last_gradients or (1.0,))
    return is_healthy and symptoms.accuracy >= bar.accuracy and _is_low_enough(run, bar)


def _is_low_enough(run: ScriptRun, bar: Bar) -> bool:
    """Whether the loss is below the bar's; an accuracy that is not ours must be backed by a seen one."""
    loss = run.symptoms.last_loss
    if run.accuracy_from is not Source.MEASURED:
        return loss is not None and loss < min(HIGH_LOSS, bar.loss_below or HIGH_LOSS)
    return bar.loss_below is None or (loss is not None and loss < bar.loss_below)


def judge_fix(runs: Sequence[ScriptRun], broken: ScriptRun, bar: Bar) -> Judged:
    """What the runs of a mended script say, in the order of their seeds; `broken` is the script as it was.

    One that passes is enough. It failed only when all `SEEDS` ran to their end on real data and none of them
    came half-way from the script as it was to the bar.
    """
    passed = next((place for place, run in enumerate(runs) if is_mended(run, bar)), None)
    best = max(range(len(runs)), key=lambda place: runs[place].symptoms.accuracy or 0.0)
    at = best if passed is None else passed
    refused = _why_refused(runs[at], broken)
    if refused:
        return Judged(Trial.REFUSED, refused, at)
    different = _how_different(runs[at], broken)
    if different:
        how = "It trains" if passed is not None else "It does not train as asked for"
        return Judged(Trial.UNCLEAR, f"{how}, but {different}.", at)
    if passed is not None:
        return Judged(Trial.MENDED, f"It trains: {_reached(runs[at], bar)}.", at)
    return Judged(*_why_not_mended(runs, at, bar, broken.symptoms.accuracy), at)


def _why_not_mended(
    runs: Sequence[ScriptRun], at: int, bar: Bar, as_it_was: float | None
) -> tuple[Trial, str]:
    stopped = next((run for run in runs if run.status is not RunStatus.COMPLETED), None)
    if stopped is not None:
        error = f" ({stopped.error})" if stopped.error else ""
        ended = stopped.status.value.replace("_", " ")
        return Trial.UNCLEAR, f"The mended script did not run to its end: {ended}{error}."
    seeds = f"best of {len(runs)} seeds" if len(runs) > 1 else "with one seed"
    reached = f"{_reached(runs[at], bar)}, {seeds}"
    if not all(run.is_real_data for run in runs):
        return Trial.UNCLEAR, f"It did not train on stand-in data: {reached}."
    accuracy = runs[at].symptoms.accuracy
    if accuracy is None:
        return Trial.UNCLEAR, "How well it trains could neither be measured nor read in what it prints."
    half_way = (bar.accuracy - (as_it_was or 0.0)) / 2  # what came so far has helped, if not enough
    is_near = accuracy >= bar.accuracy - max(BAND, half_way)
    if len(runs) < SEEDS or is_near or runs[at].accuracy_from is not Source.MEASURED:
        return Trial.UNCLEAR, f"Whether it trains is not clear: {reached}."
    return Trial.FAILED, f"It does not train: {reached}."


def _why_refused(run: ScriptRun, broken: ScriptRun) -> str:
    """Why what ran surely is no mended version of the script, "" when it may be one."""
    if run.status is not RunStatus.COMPLETED or not run.is_trusted:
        return ""
    if run.symptoms.steps == 0:
        return "Nothing is trained when it runs." if broken.symptoms.steps else ""
    is_other = any(len(shape) > 2 for shape in run.shapes) and all(len(s) <= 2 for s in broken.shapes)
    if broken.shapes and (is_other or run.hidden_layers == 0 < broken.hidden_layers):
        return "It trains a model of another kind than the script's."
    return ""


def _how_different(run: ScriptRun, broken: ScriptRun) -> str:
    """What makes a mended version hard to compare with the script, "" for nothing."""
    steps, own = run.symptoms.steps, broken.symptoms.steps
    if run.status is not RunStatus.COMPLETED or not run.is_trusted or not own:
        return ""
    if not _SAME_STEPS * own <= steps <= own / _SAME_STEPS:
        return f"it takes {steps:,} steps, the script {own:,}"
    if broken.accuracy_from is Source.MEASURED and run.accuracy_from in (Source.RERUN, Source.OBSERVED):
        return "its accuracy could not be computed outside of its room, as that of the script was"
    return "it trains with Keras's `fit`, the script does not" if run.is_fit and not broken.is_fit else ""


def _reached(run: ScriptRun, bar: Bar) -> str:
    """Accuracy and loss of a run, with what is asked for."""
    symptoms = run.symptoms
    if symptoms.not_finite_from is not None:
        return f"from step {symptoms.not_finite_from:,} on the loss is no number"
    how = _HOW.get(run.accuracy_from or Source.RERUN, "printed")
    parts = []
    if symptoms.accuracy is not None:
        parts.append(f"accuracy {symptoms.accuracy:.3f} {how} (asked for: {bar.accuracy:.3f})")
    if symptoms.last_loss is not None:
        asked = "" if bar.loss_below is None else f" (asked for: below {bar.loss_below:.2f})"
        parts.append(f"loss {symptoms.last_loss:.3g} at the end{asked}")
    return ", ".join(parts) or "no training was seen"
