"""Models that were trained in our run, as the recorder saw it, and measured on images they never had.

What is observed can be forged, so it never makes a criterion met by itself; but a model that was not seen
training is none that a criterion can be met by.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterator
from typing import Any, NamedTuple

from grader.checks.results import accuracies_in, readings_of
from grader.evidence.measured import LEAST_AGREEMENT, Measured, MeasuredTraining
from grader.evidence.observed import Observed, ObservedTraining
from grader.evidence.record import Evidence
from grader.model import Outcome, Reason, RunStatus, Source, Verdict, needs_review
from grader.notebook.records import Number, Split

FEWEST_UPDATES = 50  # a training with fewer is none: one batch of 128 sees a tenth of the data in 50 steps
LARGE_GAP = 0.15
PER_PIXEL = "each pixel standardised"  # as the recorder names that preparation
_UNTRAINED = 0.3  # more than any untrained network was seen to reach by luck
_LEAST_RISE = {"cifar10": 0.1, "cifar100": 0.04}  # of harder data sets; 0.2 of others
_LEAST_CHANGE = 0.2
_NOISED_SHARE, _SHIFTED_SHARE = 0.6, 0.4  # of the accuracy; less is a memory of images, not a model
_CLOSE_TO_CHANCE = 1.5  # times as good
_LINEAR = frozenset({"MatMul", "BatchMatMulV2", "Einsum", "AddV2", "Add", "BiasAdd", "Sub"})


class Model(NamedTuple):
    """One training that the recorder saw, with what was measured of its model."""

    seen: ObservedTraining
    measured: MeasuredTraining


def chance_on(dataset: str) -> float:
    """The accuracy of guessing on a data set."""
    return 0.01 if dataset == "cifar100" else 0.10


def is_close_to_chance(accuracy: float, dataset: str = "") -> bool:
    """Whether an accuracy is about that of guessing one of the classes of a data set; of ten by default."""
    return accuracy <= _CLOSE_TO_CHANCE * chance_on(dataset)


def is_trusted(evidence: Evidence) -> bool:
    """Whether what the recorder saw counts: it was there, nobody spoke for it, and no code could."""
    if evidence.observed is None or not evidence.observed.is_trusted or evidence.reaches:
        return False
    measured = () if evidence.measured is None else evidence.measured.trainings
    return not any(training.is_untold for training in measured)


def measured_models(evidence: Evidence, hidden_layers: int = 1) -> tuple[Model, ...]:
    """The measured models with at least so many hidden layers, in the order of their trainings."""
    if evidence.observed is None or evidence.measured is None or not is_trusted(evidence):
        return ()
    return models_of(evidence.observed, evidence.measured, hidden_layers)


def models_of(observed: Observed, measures: Measured, hidden_layers: int = 1) -> tuple[Model, ...]:
    """As `measured_models`, of one run."""
    found = []
    for seen in observed.trainings if observed.is_trusted else ():
        measured = measures.of(seen.id)
        if measured is not None and seen.hidden_layers >= hidden_layers:
            found.append(Model(seen, measured))
    return tuple(found)


def doubt_about(model: Model) -> str:
    """Why a model was not, or not certainly, trained here; "" when it was."""
    seen, measured = model
    if seen.updates < FEWEST_UPDATES:
        return f"its weights were updated {seen.updates} times only"
    if measured.agreement is not None and measured.agreement < LEAST_AGREEMENT:
        return f"only {measured.agreement:.2f} of the classes that its room told are what its weights give"
    if seen.foreign_writes:
        return f"its weights were also written {seen.foreign_writes} times without a gradient"
    if measured.noised is None or measured.shifted is None:
        return "too few of its answers came to tell a model from a memory of images"
    is_noise_small = seen.preparation != PER_PIXEL  # which blows up noise at the border of the images
    if is_noise_small and measured.noised < _NOISED_SHARE * measured.accuracy:
        return f"on slightly noised copies of the images it falls to {measured.noised:.3f}"
    if measured.shifted < _SHIFTED_SHARE * measured.accuracy:
        return f"on copies moved by one pixel it falls to {measured.shifted:.3f}"
    if is_close_to_chance(measured.accuracy, measured.dataset):
        return ""
    if measured.before is not None and measured.before > _UNTRAINED:
        return f"it had an accuracy of {measured.before:.3f} before its training"
    least_rise = _LEAST_RISE.get(measured.dataset, 0.2)
    if measured.before is not None and measured.accuracy - measured.before < least_rise:
        return f"its training took it from {measured.before:.3f} to {measured.accuracy:.3f} only"
    if measured.changed is not None and measured.changed < _LEAST_CHANGE:
        return "other weights change hardly any of its predictions"
    return ""


def hidden_layers_seen(training: ObservedTraining) -> int:
    """Hidden layers of a trained model: by its forward pass, or where that is not known by its matrices."""
    matrices = sum(len(shape) == 2 for shape in training.shapes)
    return training.hidden_layers if training.forward else max(0, matrices - 1)


def _has(training: ObservedTraining, hidden_layers: int) -> bool:
    return training.updates >= FEWEST_UPDATES and hidden_layers_seen(training) >= hidden_layers


def trainings_seen(evidence: Evidence, hidden_layers: int = 1) -> tuple[ObservedTraining, ...]:
    """Trainings of at least `FEWEST_UPDATES` updates of a model with at least so many hidden layers."""
    if evidence.observed is None or not is_trusted(evidence):
        return ()
    return tuple(t for t in evidence.observed.trainings if _has(t, hidden_layers))


def doubt_about_training(evidence: Evidence, hidden_layers: int = 1) -> Reason | None:
    """Why nothing about a trained model can be met: the recorder saw no such training. None when it did.

    Also None when there is nothing that was observed at all, as for runs without a recorder.
    """
    observed = evidence.observed
    if observed is None:
        return None
    if evidence.reaches:
        first = evidence.reaches[0]
        text = f"The code reaches into what runs it ({first.place}: `{first.what}`), so a person decides."
        return Reason(text=text, cell=first.cell, source=Source.SOURCE)
    if not is_trusted(evidence):
        text = "What our recorder saw cannot be trusted in this run, so whether a model was trained is open."
        return Reason(text=text, source=Source.OBSERVED)
    if trainings_seen(evidence, hidden_layers):
        return None
    most = max((training.updates for training in observed.trainings), default=0)
    layers = f"{hidden_layers} hidden layer{'s' * (hidden_layers != 1)} or more"
    if most >= FEWEST_UPDATES:
        text = (
            f"Models were seen to be trained (for up to {most:,} steps), but none with {layers} "
            f"for {FEWEST_UPDATES}."
        )
        return Reason(text=text, numbers=(most, FEWEST_UPDATES), source=Source.OBSERVED)
    text = (
        f"While it ran, no model with {layers} was seen to be trained for {FEWEST_UPDATES} steps "
        f"(the longest training of any model had {most})."
    )
    return Reason(text=text, numbers=(FEWEST_UPDATES, most), source=Source.OBSERVED)


def every_training(evidence: Evidence, has: Callable[[ObservedTraining], bool]) -> bool:
    """Whether all trainings of a run that came to its end well were seen whole, and each `has` it.

    False when none was seen for at least `FEWEST_UPDATES` steps.
    """
    observed = evidence.observed
    if observed is None or evidence.run is None or evidence.run.status is not RunStatus.COMPLETED:
        return False
    is_whole = all(training.forward and not training.why_not for training in observed.trainings)
    return bool(trainings_seen(evidence)) and is_whole and all(has(t) for t in observed.trainings)


def starts_alike(training: ObservedTraining) -> bool:
    """Whether every weight matrix was zero, or the same number everywhere, before its first update."""
    starts = [
        start for start, shape in zip(training.starts, training.shapes, strict=False) if len(shape) == 2
    ]
    return bool(starts) and all(start in ("zeros", "constant") for start in starts)


def is_linear(training: ObservedTraining) -> bool:
    """Whether nothing but matrix products and sums stands between the data and the logits."""
    return bool(training.forward) and all(op.op in _LINEAR for op in training.forward)


CheckFunction = Callable[..., Verdict]
EARNS = (Outcome.MET, Outcome.PARTLY_MET)


def unless(
    outcomes: Collection[Outcome], why: Callable[..., Reason | None]
) -> Callable[[CheckFunction], CheckFunction]:
    """A check whose `outcomes` become a person's turn where `why(evidence, **parameters)` gives a reason."""

    def guard(function: CheckFunction) -> CheckFunction:
        @functools.wraps(function)
        def checked(evidence: Evidence, **parameters: Any) -> Verdict:
            verdict = function(evidence, **parameters)
            doubt = why(evidence, **parameters) if verdict.outcome in outcomes else None
            return verdict if doubt is None else needs_review(doubt, *verdict.reasons)

        return checked

    return guard


def of_a_trained_model(function: CheckFunction) -> CheckFunction:
    """A check that is met only by a model that the recorder saw trained (where there was a recorder)."""

    def untrained(evidence: Evidence, *, at_least: object = 1, **_: object) -> Reason | None:
        return doubt_about_training(evidence, at_least if isinstance(at_least, int) else 1)

    return unless(EARNS, untrained)(function)


def reported_test_accuracy(
    evidence: Evidence, counts: Callable[[Number], bool] = lambda number: True
) -> tuple[Source, Number] | None:
    """The best accuracy on test data that the outputs report, of those for which `counts` holds.

    Also whether as handed in or run again.
    """
    found = [
        (source, number)
        for source, readings in readings_of(evidence)
        for number in accuracies_in(readings)
        if number.split is Split.TEST and 0 < number.value < 1 and counts(number)
    ]
    return max(found, key=lambda pair: pair[1].value, default=None)


def flags_of_measurement(evidence: Evidence) -> Iterator[str]:
    """What a TA should know of what was observed and measured before trusting the verdicts."""
    observed = evidence.observed
    if observed is None:
        return
    if not observed.is_trusted:
        is_tampered = any(name.startswith("recorder") for name in observed.replaced)
        what = "was patched, silenced or imitated" if is_tampered else "saw no TensorFlow in this run"
        yield f"Our recorder {what}: nothing that it told counts, and nothing was measured."
    if evidence.reaches:
        places = "; ".join(f"{found.place}: {found.what}" for found in evidence.reaches[:6])
        yield f"The code reaches into what runs it ({places}): nothing observed or measured counts."
    if observed.replaced:
        more = f" and {len(observed.replaced) - 8} more" if len(observed.replaced) > 8 else ""
        yield f"The notebook replaced parts of what it ran with: {', '.join(observed.replaced[:8])}{more}."
    if any(training.is_untold for training in (evidence.measured or Measured()).trainings):
        yield (
            "A training's room did not tell how its model predicts, which our recorder always does: somebody "
            "may have spoken in its place, so nothing that was observed counts."
        )
    models = measured_models(evidence)
    for model in models:
        doubt = doubt_about(model)
        if doubt and model.seen.updates >= FEWEST_UPDATES:
            yield f"Training {model.seen.id} may not be what it seems: {doubt}."
    best = max((model.measured.accuracy for model in models), default=None)
    reported = reported_test_accuracy(evidence)
    if best is not None and reported is not None and reported[1].value - best > LARGE_GAP:
        yield (
            f"Cell {reported[1].cell} reports a test accuracy of {reported[1].value:.3f}; the best measured "
            f"on images the notebook never saw is {best:.3f}."
        )
