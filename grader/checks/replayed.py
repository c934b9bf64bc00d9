"""Saved results of trainings that our run had to cut short, and that began in it as they were saved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from grader.checks.measurement import trainings_seen
from grader.checks.networks import cell_of
from grader.checks.results import could_be_computed
from grader.evidence.record import Evidence
from grader.evidence.replay import Likeness, Replay
from grader.model import Reason, Source
from grader.notebook.records import Number, Quantity, Split

_BEHIND = 0.05  # how far what is measured when time is up may lie below what was printed last
_WHAT = {Split.TEST: "test ", Split.VALIDATION: "validation ", Split.TRAIN: "training ", Split.UNKNOWN: ""}


class ReplayedResult(NamedTuple):
    """The test accuracy at the end of a saved curve, and the replay that speaks for it."""

    number: Number
    replay: Replay


def replayed_results(evidence: Evidence) -> list[ReplayedResult]:
    """The test accuracies at the end of saved curves that our run saw begin alike.

    Only a curve's own last value counts, no number that is printed elsewhere; none that stands in the code;
    none of a cell where another curve does not go as it was saved, or where no training was seen that could
    print it.
    """
    apart = {replay.cell for replay in evidence.replays if replay.comparison.likeness is Likeness.APART}
    is_computed = could_be_computed(evidence)
    return [
        ReplayedResult(_last_of(replay, evidence), replay)
        for replay in evidence.replays
        if replay.comparison.likeness is Likeness.ALIKE
        and (replay.quantity, replay.split) == (Quantity.ACCURACY, Split.TEST)
        and replay.cell not in apart
        and is_computed(replay.final)
        and _is_of_a_training(replay, evidence)
        and not evidence.reaches
    ]


def _is_of_a_training(replay: Replay, evidence: Evidence) -> bool:
    """Whether a model was seen in training in the curve's cell which, if it was measured when time was up, is
    about as good as our run printed there. True where there was no recorder.

    A loop that trains nothing can print any curve twice.
    """
    if evidence.observed is None:
        return True
    here = [
        training
        for training in trainings_seen(evidence, hidden_layers=0)
        if not training.runs or replay.cell in {cell_of(evidence, run) for run in training.runs}
    ]
    found = [evidence.measured.of(training.id) for training in here] if evidence.measured else []
    measured = [one.accuracy for one in found if one is not None]
    return bool(here) and (not measured or max(measured) >= replay.seen - _BEHIND)


def _last_of(replay: Replay, evidence: Evidence) -> Number:
    place = (replay.cell, replay.quantity, replay.split, replay.last, replay.final)
    return next(
        number
        for number in reversed(evidence.saved.numbers)
        if (number.cell, number.quantity, number.split, number.step, number.value) == place
    )


def how_it_was_replayed(replay: Replay) -> Reason:
    """What our run saw of a training before it was cut short, and how what was saved compares."""
    what = f"{_WHAT[replay.split]}{replay.quantity.value}"
    begin = (
        f"Our run of cell {replay.cell} was cut short at step {replay.reached} of {replay.last}; until then "
        f"the {what} that was saved"
    )
    comparison = replay.comparison
    figures = (
        f"over {comparison.common} points the means are {comparison.apart:.2f} apart (as logarithms; "
        f"allowed: {comparison.allowed:.2f})"
    )
    match comparison.likeness:
        case Likeness.ALIKE:
            text, source = f"{begin} goes as in our run: {figures}.", Source.REPLAYED
        case Likeness.APART:
            text, source = f"{begin} does not go as in our run, {comparison.why}: {figures}.", Source.RERUN
        case Likeness.UNTOLD:
            text, source = f"{begin} cannot be held against ours: {comparison.why}.", Source.RERUN
    numbers = (comparison.common, comparison.apart, comparison.allowed)
    return Reason(text=text, cell=replay.cell, numbers=numbers, source=source)


def replays_for_a_person(evidence: Evidence) -> tuple[Reason, ...]:
    """What was seen of accuracies in trainings that were cut short and that settle nothing, for a person."""
    return tuple(
        how_it_was_replayed(replay).model_copy(update={"source": Source.RERUN})
        for replay in evidence.replays
        if replay.quantity is Quantity.ACCURACY and replay.split is not Split.TRAIN
    )


def flags_of_replays(evidence: Evidence) -> Iterator[str]:
    """A sentence for every curve whose beginning went otherwise in our run than was saved."""
    for replay in evidence.replays:
        if replay.comparison.likeness is Likeness.APART:
            yield how_it_was_replayed(replay).text
