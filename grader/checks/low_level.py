"""What the model is written and trained with: variables and gradients, Keras, or another library."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from grader.checks.guards import never_against, never_for, only_by_keras, training_by_hand
from grader.checks.measurement import of_a_trained_model
from grader.checks.mlp import (
    all_are_plain,
    has_only_linear_models,
    laid_out,
    model_in_words,
    no_hidden_layer,
    said,
    trainings_of_mlps,
)
from grader.checks.registry import check
from grader.evidence.record import Evidence
from grader.model import Reason, Verdict, met, needs_review, not_met, partly_met
from grader.notebook.facts import CodeFacts, ForwardPass, Level, Training, TrainingKind

_HALF = Decimal("0.5")
_BY_HAND = (TrainingKind.TAPE_ASSIGN, TrainingKind.TAPE_OPTIMIZER, TrainingKind.MINIMIZE)
_BY_KERAS = (TrainingKind.KERAS_FIT, TrainingKind.KERAS_BATCHES)
_TENSORFLOW = {"tensorflow", "keras", "tf_keras"}
_SHOWN = 6  # kinds of trainings laid out for a person


@check("low-level-tensorflow")
@never_against(training_by_hand)
@never_for(only_by_keras)
@of_a_trained_model
def low_level_tensorflow(evidence: Evidence) -> Verdict:
    """The model is built from variables and trained with gradients of our own asking, not by Keras.

    Met for a model with a hidden layer made of variables, trained with GradientTape and assign, or an
    optimiser's apply_gradients or minimize. Keras layers trained with a tape: half of the points. Not met
    when all code was understood and there is only Keras `fit`, another library, or a linear model.
    """
    facts = evidence.facts
    deep = trainings_of_mlps(evidence)
    for training in deep:
        if training.kind in _BY_HAND and _is_low_level(training.model):
            return met(said(_by_hand_in_words(training), training.cell))
    if facts.is_complete and not {found.module for found in evidence.code.imports} & _TENSORFLOW:
        if any(training.kind is TrainingKind.TORCH for training in deep):
            where = deep[0].cell
            return not_met(said(f"The model is written in PyTorch (cell {where}), not in TensorFlow.", where))
        return not_met(said("TensorFlow is not imported anywhere in the notebook."))
    if not _is_settled(facts):
        return needs_review(*_not_settled(facts), *laid_out(facts))
    taped = [t for t in deep if t.kind in _BY_HAND]
    if taped and all(t.model is not None and t.model.level is Level.KERAS for t in taped):
        text = f"The training (cell {taped[0].cell}) is written by hand, but the layers are those of Keras."
        return partly_met(_HALF, said(text, taped[0].cell))
    if not taped:
        reason = _trained_by_keras(deep)
        if reason is not None:
            return not_met(reason)
        if has_only_linear_models(facts):
            return not_met(no_hidden_layer(facts))
    return needs_review(*_not_settled(facts), *laid_out(facts))


def _is_settled(facts: CodeFacts) -> bool:
    """Whether all trainings are surely known; what becomes of gradients that are only taken is not."""
    if not all_are_plain(facts) or not all(training.is_called for training in facts.trainings):
        return False
    return not any(
        training.kind is TrainingKind.TF1_SESSION
        or (training.kind is TrainingKind.GRADIENTS_ONLY and training.model and training.model.hidden_layers)
        for training in facts.trainings
    )


def _is_low_level(model: ForwardPass | None) -> bool:
    if model is None or model.level is not Level.TENSORFLOW:
        return False
    return all(step.weight is not None and step.weight.is_variable for step in model.products)


def _by_hand_in_words(training: Training) -> str:
    ways = {
        TrainingKind.TAPE_ASSIGN: "gradients from a GradientTape, applied to the variables by assignment",
        TrainingKind.TAPE_OPTIMIZER: "gradients from a GradientTape, applied by an optimiser",
        TrainingKind.MINIMIZE: "an optimiser's minimize",
    }
    model = training.model
    text = model_in_words(model) if model is not None else ""
    return f"Low-level TensorFlow: {text}; trained in cell {training.cell} with {ways[training.kind]}."


def _trained_by_keras(deep: Sequence[Training]) -> Reason | None:
    """Why Keras does the work, None when that cannot be said of every training."""
    by_keras = [training for training in deep if training.kind in _BY_KERAS]
    if not by_keras or len(by_keras) != len(deep):
        return None
    if any(training.model is None or training.model.level is not Level.KERAS for training in by_keras):
        return None
    text = (
        f"The model is made of Keras layers and trained by Keras's `fit` (cell {by_keras[0].cell}); "
        "asked for was a training written with low-level TensorFlow."
    )
    return said(text, by_keras[0].cell)


def _not_settled(facts: CodeFacts) -> list[Reason]:
    reasons = [
        said(
            "Whether the model is built and trained with low-level TensorFlow could not be read for certain."
        )
    ]
    kinds = dict.fromkeys(
        (training.kind.value.replace("_", " "), training.cell) for training in facts.trainings
    )
    reasons += [said(f"A training in cell {cell}: {kind}.", cell) for kind, cell in list(kinds)[:_SHOWN]]
    return reasons
