"""The accuracy: measured on images that the notebook never saw; where that fails, what its outputs report."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Protocol, cast

from pydantic import BaseModel, Field, JsonValue

from grader.checks.accuracy_measured import best_model, measured_in_words, reported_beside
from grader.checks.accuracy_shown import (
    NEAR_CHANCE,
    Line,
    as_handed_in,
    counts_against,
    dataset_of,
    found_in_run,
    is_all_chance,
    judged_results,
    judgement,
    origin_of,
    stand_in_in_words,
    why_none,
)
from grader.checks.borne_out import is_tested, only_borne_out, rests_on_the_room
from grader.checks.guards import for_fine_labels
from grader.checks.measurement import (
    Model,
    chance_on,
    doubt_about,
    doubt_about_training,
    is_close_to_chance,
    is_trusted,
    measured_models,
    trainings_seen,
)
from grader.checks.networks import convolutional as with_convolutions
from grader.checks.previews import Preview, PublicSide, later, unclear
from grader.checks.registry import check
from grader.checks.replayed import how_it_was_replayed, replayed_results, replays_for_a_person
from grader.checks.written import written_down
from grader.evidence.measured import LEAST_AGREEMENT
from grader.evidence.record import Evidence
from grader.model import (
    DatasetOrigin,
    Outcome,
    Reason,
    Run,
    RunStatus,
    Source,
    Verdict,
    met,
    needs_review,
    not_checked,
    not_met,
    partly_met,
)
from grader.notebook.records import Readings

_HALF = Decimal("0.5")
_REPEATS = 2  # runs with other seeds
_ASKED = (RunStatus.COMPLETED, RunStatus.CELL_FAILED, RunStatus.CUT_SHORT)
_NOT_FROM_A_TEST = (
    "That this number comes from testing the trained model on test data, which it was not trained on, could "
    "not be read from the code."
)


class Thresholds(Protocol):
    """The parameters of `accuracy-at-least`."""

    thresholds: dict[str, Line]
    band: float
    convolutional: bool


def _wants_more_seeds(evidence: Evidence, parameters: BaseModel) -> bool:
    """Whether the best measured model is so close to a line that other seeds may put it on the other side."""
    given = cast(Thresholds, parameters)
    best = best_model(evidence, given.thresholds, given.convolutional)
    if best is None or len(evidence.repeats) >= _REPEATS:
        return False
    line = given.thresholds[best.measured.dataset]
    return any(abs(best.measured.accuracy - at) < given.band for at in (line.full, line.partly))


def _by_saved_outputs(
    evidence: Evidence, *, thresholds: dict[str, Line], band: float, **_: object
) -> Verdict:
    """The verdict by the best test accuracy that was saved; nothing that could be measured goes by it."""
    run, beside = evidence.run, as_handed_in(evidence)
    if run is None or measured_models(evidence) or not is_tested(evidence.as_handed_in()):
        return needs_review(Reason(text=_NOT_FROM_A_TEST, source=Source.SOURCE), *beside)
    judged = judged_results(evidence.saved, evidence, run, thresholds, band)
    if not judged:
        return needs_review(
            Reason(text="No saved output tells a test accuracy.", source=Source.SAVED), *beside
        )
    outcome, number, dataset = max(judged, key=lambda entry: entry[1].value)
    asked_for = thresholds[dataset].full
    text = (
        f"As handed in, cell {number.cell} reports a test accuracy of {number.value:.4f} on {dataset}; asked "
        f"for: {asked_for:.2f}."
    )
    found = Reason(text=text, cell=number.cell, numbers=(number.value, asked_for), source=Source.SAVED)
    if outcome is Outcome.MET:
        return met(found)
    return partly_met(_HALF, found) if outcome is Outcome.PARTLY_MET else needs_review(found)


def _data_sets(parameters: BaseModel) -> dict[str, JsonValue]:
    return {"datasets": [*sorted(cast(Thresholds, parameters).thresholds)]}


def accuracy_before_grading(evidence: Evidence, *, datasets: tuple[str, ...]) -> Preview:
    """What was measured on one of `datasets`, in a run with the public split; what is asked for stays out."""
    beside = as_handed_in(evidence)
    if evidence.run is None:
        text = "The accuracy is measured when the notebook is run, on images that it never saw."
        return later(Reason(text=text), *beside)
    trained = [model.measured for model in measured_models(evidence) if not doubt_about(model)]
    measured = max((m for m in trained if m.dataset in datasets), key=lambda m: m.accuracy, default=None)
    if measured is None:
        return unclear(Reason(text="No model could be measured when the notebook was run."), *beside)
    data = f"{measured.dataset}{stand_in_in_words(evidence.run, measured.dataset)}"
    text = f"Measured on {measured.examples:,} images of {data} that the notebook never saw: "
    reason = Reason(
        text=f"{text}{measured.accuracy:.3f}.", numbers=(measured.accuracy,), source=Source.MEASURED
    )
    if not is_close_to_chance(measured.accuracy, measured.dataset):
        return later(reason, *beside)
    guessing = f"That is about as good as guessing ({chance_on(measured.dataset):.2f})."
    return unclear(reason, Reason(text=guessing), *beside)


@check(
    "accuracy-at-least",
    repeats=_wants_more_seeds,
    saved=for_fine_labels(_by_saved_outputs),
    public_side=PublicSide(_data_sets, accuracy_before_grading),
)
@for_fine_labels
def accuracy_at_least(
    evidence: Evidence,
    *,
    thresholds: dict[str, Line],
    band: Annotated[float, Field(ge=0, le=0.2)] = 0.02,
    convolutional: bool = False,
) -> Verdict:
    """The trained model reaches the accuracy asked for, measured on images that the notebook never saw.

    `thresholds` gives a line for each data set (`mnist`, `cifar10` …). Measured is every model with a
    hidden layer that was trained here; the best counts. Within `band` of a line two more seeds are run,
    and the best of the three counts. Where nothing could be measured, test accuracies that our run printed
    count, clear of the line by the band, where the code tests a trained model with a hidden layer on test
    data, and none that stands as a number in the notebook's own code. A training that our run had to cut
    short meets a line, as `replayed`, by the end of its saved curve of test accuracies where that began in
    our run as it was saved. Not met only when a run that ended well on the real data shows nothing but
    accuracies within a third of chance (0.10; 0.01 on CIFAR-100). CIFAR-100's coarse classes are for a
    person, as are networks without convolutions where `convolutional` asks for them.
    """
    run, beside = evidence.run, as_handed_in(evidence)
    if run is None or run.status is RunStatus.LOST:
        why = "The notebook was not run again" if run is None else "The run was lost through a fault of ours"
        return not_checked(Reason(text=f"{why}, so its accuracy could not be checked."), *beside)
    best = best_model(evidence, thresholds, convolutional)
    if best is not None:
        return _by_measurement(evidence, run, best, thresholds, band)
    if convolutional and measured_models(evidence) and not with_convolutions(evidence):
        text = "None of the networks that could be measured has a convolution."
        return needs_review(Reason(text=text, source=Source.OBSERVED), *beside)
    return _by_results(evidence, run, thresholds, band)


def _by_measurement(
    evidence: Evidence, run: Run, best: Model, thresholds: Mapping[str, Line], band: float
) -> Verdict:
    """The verdict on the best measured model."""
    measured, line = best.measured, thresholds[best.measured.dataset]
    reasons = [
        measured_in_words(measured, line, run, len(evidence.repeats)),
        *reported_beside(evidence, run, measured, thresholds),
    ]
    margin = 0.0 if len(evidence.repeats) >= _REPEATS else band
    if measured.accuracy >= line.full + margin:
        alone = rests_on_the_room(evidence, run, measured, line.full + margin)
        return met(*reasons, *only_borne_out(measured)) if alone is None else needs_review(alone, *reasons)
    counts = run.status is RunStatus.COMPLETED and not run.mends
    is_real = origin_of(run, measured.dataset) is DatasetOrigin.REAL
    if counts and is_real and line.partly + margin <= measured.accuracy <= line.full - margin:
        alone = rests_on_the_room(evidence, run, measured, line.partly + margin)
        if alone is not None:
            return needs_review(alone, *reasons)
        return partly_met(_HALF, *reasons, *only_borne_out(measured))
    rerun = evidence.rerun or Readings()
    chance = chance_on(measured.dataset)
    shown_is_chance = all(is_all_chance(readings, measured.dataset) for readings in (rerun, evidence.saved))
    every_is_chance = all(
        m.measured.accuracy <= (1 + NEAR_CHANCE) * chance_on(m.measured.dataset)
        for m in measured_models(evidence)
    )
    if counts and is_real and shown_is_chance and every_is_chance:
        text = f"Every model that was trained is about as good as guessing ({chance:.2f})."
        return not_met(*reasons, Reason(text=text, source=Source.MEASURED))
    replayed = _by_replay(evidence, run, thresholds, band) if is_tested(evidence) else ()
    if replayed:
        return met(*replayed, *reasons)
    return needs_review(*_how_it_ended(run), *reasons, *replays_for_a_person(evidence))


def _by_results(evidence: Evidence, run: Run, thresholds: Mapping[str, Line], band: float) -> Verdict:
    """The verdict where no model could be measured: by what our run printed, or by a saved curve."""
    beside = as_handed_in(evidence)
    rerun = evidence.rerun or Readings()
    judged = judged_results(rerun, evidence, run, thresholds, band)
    reached = [entry for entry in judged if entry[0] is Outcome.MET]
    doubts = _doubts(evidence)
    are_borne_out = is_tested(evidence) and not doubts
    if reached and are_borne_out:
        _, number, dataset = max(reached, key=lambda entry: entry[1].value)
        return met(found_in_run(number, dataset, thresholds[dataset], run), *beside)
    replayed = _by_replay(evidence, run, thresholds, band) if are_borne_out else ()
    if replayed:
        return met(*replayed)
    beside = (*replays_for_a_person(evidence), *beside)
    if run.missing_modules:
        names = ", ".join(run.missing_modules)
        text = f"The notebook needs {names}, which our room lacks, so its accuracy could not be checked."
        return not_checked(Reason(text=text), *beside)
    if not judged:
        return needs_review(*_how_it_ended(run), why_none(rerun, written_down(evidence)), *doubts, *beside)
    outcome, number, dataset = max(judged, key=lambda entry: entry[1].value)
    found = found_in_run(number, dataset, thresholds[dataset], run)
    if (
        are_borne_out
        and run.status is RunStatus.COMPLETED
        and counts_against(evidence, run, rerun, dataset, number.value + band)
    ):
        if outcome is Outcome.PARTLY_MET and len({name for _, _, name in judged}) == 1:
            return partly_met(_HALF, found, *beside)
        if is_all_chance(rerun, dataset) and is_all_chance(evidence.saved, dataset):
            text = f"Every accuracy that our run shows is about that of guessing ({chance_on(dataset):.2f})."
            return not_met(found, Reason(text=text, cell=number.cell, source=Source.RERUN), *beside)
    doubt = doubts or (() if are_borne_out else (Reason(text=_NOT_FROM_A_TEST, source=Source.SOURCE),))
    return needs_review(*_how_it_ended(run), found, *doubt, *beside)


def _by_replay(
    evidence: Evidence, run: Run, thresholds: Mapping[str, Line], band: float
) -> tuple[Reason, ...]:
    """Why the end of a saved curve meets a line, where our run was cut short and saw it begin; () if not."""
    judged = [
        (result, dataset)
        for result in replayed_results(evidence)
        if (dataset := dataset_of(result.number, evidence, run, thresholds)) is not None
        and judgement(result.number, dataset, thresholds, band) is Outcome.MET
    ]
    if not judged:
        return ()
    (number, replay), dataset = max(judged, key=lambda entry: entry[0].number.value)
    asked_for = thresholds[dataset].full
    text = (
        f"As handed in, the training in cell {number.cell} ends with a test accuracy of {number.value:.4f} "
        f"on {dataset}; asked for: {asked_for:.2f}."
    )
    numbers = (number.value, asked_for)
    found = Reason(text=text, cell=number.cell, numbers=numbers, source=Source.REPLAYED)
    return (found, how_it_was_replayed(replay))


def _doubts(evidence: Evidence) -> tuple[Reason, ...]:
    """Why printed accuracies do not count though the recorder was there: no model was seen trained."""
    observed = evidence.observed
    if observed is None:
        return ()
    reaches = doubt_about_training(evidence) if evidence.reaches else None
    if reaches is not None:
        return (reaches,)
    is_unmeasured = is_trusted(evidence) and any(t.why_not for t in trainings_seen(evidence))
    if is_unmeasured and not _answers_are_doubtful(evidence):
        return ()  # trained, but in a way that could not be measured
    reasons = [
        Reason(
            text=f"Measured: {model.measured.accuracy:.3f}, but {doubt_about(model)}.",
            numbers=(model.measured.accuracy,),
            source=Source.MEASURED,
        )
        for model in measured_models(evidence)
        if doubt_about(model)
    ]
    text = "No trained model with a hidden layer was found that could be measured."
    return tuple(reasons[:3]) or (Reason(text=text, source=Source.OBSERVED),)


def _answers_are_doubtful(evidence: Evidence) -> bool:
    """Whether the room's answers were no answers of its models, or it was ended before it could be asked."""
    was_asked = evidence.run is not None and evidence.run.status in _ASKED
    agreements = [model.measured.agreement for model in measured_models(evidence, hidden_layers=0)]
    return not was_asked or any(one is not None and one < LEAST_AGREEMENT for one in agreements)


def _how_it_ended(run: Run) -> tuple[Reason, ...]:
    if run.status is RunStatus.COMPLETED:
        return ()
    ended = run.status.value.replace("_", " ")
    text = f"The run did not come to its end well ({ended}), so what it shows does not decide."
    return (Reason(text=text, source=Source.RERUN),)
