"""The accuracies that were measured: which model counts, and how it stands, in words."""

from __future__ import annotations

from collections.abc import Mapping

from grader.checks.accuracy_shown import Line, dataset_of, stand_in_in_words
from grader.checks.measurement import Model, doubt_about, measured_models, reported_test_accuracy
from grader.checks.networks import convolutional as with_convolutions
from grader.evidence.measured import MeasuredTraining
from grader.evidence.record import Evidence
from grader.model import Reason, Run, Source

_GAP = 0.05


def best_model(evidence: Evidence, thresholds: Mapping[str, Line], convolutional: bool) -> Model | None:
    """The model trained here that comes furthest beyond what is asked for, the best of all seeds."""
    asked_for = {network.seen.id for network in with_convolutions(evidence)} if convolutional else None
    trained = [
        Model(model.seen, _best_of_seeds(evidence, model))
        for model in measured_models(evidence)
        if model.measured.dataset in thresholds and not doubt_about(model)
        if asked_for is None or model.seen.id in asked_for
    ]
    return max(trained, key=lambda m: m.measured.accuracy - thresholds[m.measured.dataset].full, default=None)


def _best_of_seeds(evidence: Evidence, model: Model) -> MeasuredTraining:
    """The best measurement of a model, and of the same training with other seeds as far as it counts there.

    A room can be honest with one seed and forge the run with another.
    """
    again = (repeat.of(model.measured.training) for repeat in evidence.repeats)
    alike = [
        found
        for found in again
        if found is not None and found.dataset == model.measured.dataset and not found.is_untold
        if not doubt_about(Model(model.seen, found))
    ]
    return max([model.measured, *alike], key=lambda found: found.accuracy)


def measured_in_words(measured: MeasuredTraining, line: Line, run: Run, repeats: int) -> Reason:
    """The sentence on a measured accuracy, the best of so many `repeats` and one, with what is asked for."""
    stand_in = stand_in_in_words(run, measured.dataset)
    seeds = f", the best of {repeats + 1} seeds" if repeats else ""
    text = (
        f"Accuracy measured on {measured.examples:,} images of {measured.dataset}{stand_in} that the "
        f"notebook never saw{seeds}: {measured.accuracy:.3f}. Asked for: at least {line.full:.2f}."
    )
    return Reason(text=text, numbers=(measured.accuracy, line.full), source=Source.MEASURED)


def reported_beside(
    evidence: Evidence, run: Run, measured: MeasuredTraining, thresholds: Mapping[str, Line]
) -> tuple[Reason, ...]:
    """What the notebook reports beside what was measured, if that may be on the same data set."""
    found = reported_test_accuracy(
        evidence, lambda n: dataset_of(n, evidence, run, thresholds) in (measured.dataset, None)
    )
    if found is None:
        return ()
    source, reported = found
    apart = reported.value - measured.accuracy
    told = f", {apart:.3f} more than was measured" if apart > _GAP else ""
    text = f"The notebook reports a test accuracy of {reported.value:.4f} (cell {reported.cell}){told}."
    return (Reason(text=text, cell=reported.cell, numbers=(reported.value,), source=source),)
