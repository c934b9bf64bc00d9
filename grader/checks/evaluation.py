"""Whether the trained model is evaluated on test data, and whether that goes the way it was trained."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from grader.checks.guards import never_against, test_of_training
from grader.checks.measurement import (
    LARGE_GAP,
    is_close_to_chance,
    is_trusted,
    measured_models,
    of_a_trained_model,
)
from grader.checks.mlp import all_are_plain, has_only_linear_models, laid_out, said, trainings_of_mlps
from grader.checks.registry import check
from grader.checks.results import (
    accuracies_in,
    accuracy_shown_for,
    depth_of,
    did_run,
    readings_of,
)
from grader.evidence.record import Evidence
from grader.model import Reason, Source, Verdict, met, needs_review, not_met, partly_met
from grader.notebook.facts import CodeFacts, Evaluation, ForwardPass, Part, Start
from grader.notebook.records import Number

_HALF = Decimal("0.5")
_WORSE = 0.05
_SHOWN = 8


@check("evaluated-on-test-data")
@never_against(test_of_training)
@of_a_trained_model
def evaluated_on_test_data(evidence: Evidence) -> Verdict:
    """The model with a hidden layer is evaluated on test data, and an accuracy is shown.

    Partly met when every test that was seen takes another way through the layers than the training, and
    that way measures worse. Not met only when all code was understood and no test data goes through any
    model, or only through a linear one with no other model there.
    """
    facts = evidence.facts
    trained = [training.model for training in trainings_of_mlps(evidence) if training.model is not None]
    other = _another_forward_pass(evidence)
    if other is not None:
        return partly_met(_HALF, other)
    saw_test_data = any(Part.TEST in training.parts for training in facts.trainings if training.is_called)
    doubts: list[Reason] = []
    for test in () if saw_test_data else tests_of_trained_mlps(evidence):
        seen = accuracy_shown_for(evidence, test)
        doubt = _doubt_about_result(evidence, test.model, *seen) if seen is not None else None
        if doubt is not None:
            doubts.append(doubt)
        elif seen is not None:
            source, number = seen
            text = (
                f"Test images go through the model in cell {test.run_cell} and are held against their labels."
            )
            shown = Reason(
                text=f"An accuracy is shown in cell {number.cell}: {number.value:.4f}.",
                cell=number.cell,
                numbers=(number.value,),
                source=source,
            )
            return met(said(text, test.run_cell), shown)
    if facts.is_complete and not any(not test.is_called for test in facts.evaluations):
        is_tested = any(set(test.parts) - {Part.TRAIN} for test in facts.evaluations)
        if trained and facts.parts_seen == (Part.TRAIN,) and all_are_plain(facts) and not is_tested:
            text = "The test data goes through no model anywhere in the code: only training data does."
            return not_met(said(text))
        if has_only_linear_models(facts):
            return not_met(said("There is no model with a hidden layer that could be evaluated."))
    return needs_review(
        said(
            "A model was also trained on test data, so what it reaches there tells nothing."
            if saw_test_data
            else "Whether the model is evaluated on test data could not be settled."
        ),
        *doubts[:1],
        *_evaluations_in_words(evidence, facts, trained),
    )


def _doubt_about_result(
    evidence: Evidence, model: ForwardPass | None, source: Source, shown: Number
) -> Reason | None:
    """Why the best accuracy that a test of `model` shows may not be the model's.

    Nothing that starts at zero learns, so there an accuracy of guessing is no wonder.
    """
    best = max((model.measured.accuracy for model in measured_models(evidence)), default=None)
    starts = {step.weight.start for step in model.products if step.weight} if model is not None else set()
    is_guess = is_close_to_chance(shown.value) and starts != {Start.ZEROS}
    if best is None and is_guess:
        text = f"Cell {shown.cell} shows an accuracy of {shown.value:.4f}, about that of guessing"
    elif best is not None and best - shown.value > LARGE_GAP and (source is Source.RERUN or is_guess):
        text = (
            f"Cell {shown.cell} shows an accuracy of {shown.value:.4f}, but the trained model reaches "
            f"{best:.3f} on new images"
        )
    else:
        return None
    text += ": predictions and labels may not be held against each other as they should."
    return Reason(text=text, cell=shown.cell, numbers=(shown.value,), source=source)


def _another_forward_pass(evidence: Evidence) -> Reason | None:
    """Why every test that was seen asks another model than the trained; None unless measuring shows it."""
    observed, measured = evidence.observed, evidence.measured
    if observed is None or measured is None or not is_trusted(evidence):
        return None
    tests = [test for test in observed.evaluations if test.part == Part.TEST.value]
    for test in tests:
        found = None if test.training is None else measured.of(test.training)
        if not all(other.difference for other in tests) or found is None or found.as_evaluated is None:
            return None
        if found.accuracy - found.as_evaluated > _WORSE:
            text = (
                f"Test images do not go the way that was trained ({test.difference}): the trained model "
                f"reaches {found.accuracy:.3f} on new images, as it is evaluated {found.as_evaluated:.3f}."
            )
            return Reason(text=text, numbers=(found.accuracy, found.as_evaluated), source=Source.MEASURED)
    return None


def tests_of_trained_mlps(evidence: Evidence) -> list[Evaluation]:
    """The evaluations, in code that runs, of a trained model with a hidden layer on test data alone.

    A test in a cell above all trainings is one of a model that knows nothing yet.
    """
    trainings = trainings_of_mlps(evidence)
    trained = [training.model for training in trainings if training.model is not None]
    first = min((training.run_cell for training in trainings), default=0)
    return [
        test
        for test in evidence.facts.evaluations
        if test.is_called
        and test.run_cell >= first
        and did_run(evidence, test.run_cell)
        and test.parts == (Part.TEST,)
        and depth_of(test.model) >= 1
        and any(_same_way(test.model, model) for model in trained)
    ]


def _same_way(tested: ForwardPass | None, trained: ForwardPass) -> bool:
    """True when data takes the same way through the layers in the test as in the training.

    Weights that are all others than the trained ones make it another model, though it is built alike.
    """
    if tested is None or len(tested.products) != len(trained.products):
        return False
    if tested.hidden_activations != trained.hidden_activations:
        return False
    ours, theirs = (
        [step.weight and step.weight.id for step in model.products] for model in (tested, trained)
    )
    return None in ours or None in theirs or not set(ours).isdisjoint(theirs)


def _evaluations_in_words(
    evidence: Evidence, facts: CodeFacts, trained: Sequence[ForwardPass]
) -> list[Reason]:
    reasons: list[Reason] = []
    for test in facts.evaluations[:_SHOWN]:
        parts = " and ".join(part.value for part in test.parts) or "unknown"
        text = f"Cell {test.cell} holds predictions against labels (`{test.how}`), on {parts} data"
        if test.model is not None and trained and not any(_same_way(test.model, m) for m in trained):
            text += ", with another forward pass than the one that is trained"
        reasons.append(said(f"{text}.", test.cell))
    if not any(accuracies_in(readings) for _, readings in readings_of(evidence)):
        reasons.append(said("No accuracy was found in the outputs."))
    return reasons or laid_out(facts)
