"""The model: hidden layers, activations, and starting weights."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Annotated

from pydantic import Field

from grader.checks.guards import (
    curved_training,
    deep_training,
    never_against,
    never_for,
    only_alike,
    only_linear,
    random_start,
)
from grader.checks.measurement import every_training, is_linear, of_a_trained_model, starts_alike
from grader.checks.previews import public
from grader.checks.registry import check
from grader.checks.results import did_run
from grader.checks.told import tells_of
from grader.evidence.record import Evidence
from grader.model import Reason, Source, Verdict, met, needs_review, not_met
from grader.notebook.facts import (
    CodeFacts,
    ForwardPass,
    Start,
    Training,
    TrainingKind,
    Weight,
)
from grader.notebook.records import Quantity, Split

_HIDDEN = re.compile(r"hidden|versteckt|verdeckt|\bmlp\b|multi.?layer|deep model", re.IGNORECASE)
_MORE_LAYERS = re.compile(
    r"(?:two|three|four|five|[2-9]|more|additional|second|third|extra|deeper|zwei|drei|vier|weitere\w*|mehr\w*|zweite\w*)"
    r"[\s-]+(?:\w+[\s-]+)?(?:layers?\b|schicht)|\bdeeper\b|\btiefer\w*|\d{2,4}(?:\s?(?:-|–|x|->|→)\s?\d{2,4}){3,}",
    re.IGNORECASE,
)
_ACTIVATION = re.compile(r"relu\b|\btanh|sigmoid|\belu\b|softplus|activation|aktivierung", re.IGNORECASE)
_RANDOM = re.compile(r"\brandom|\bnormal\b|uniform|gau(?:ss|ß)|glorot|xavier|zuf(?:a|ä)ll", re.IGNORECASE)
_RESULT = re.compile(r"\d[\d.,]{0,20}\s?%|\b0?[.,]\d{2,}\b")
_BEYOND_LINEAR = 0.95  # on MNIST; on Fashion-MNIST a linear model stays far below
_SHOWN = 6  # models laid out for a person


def said(text: str, cell: int | None = None, numbers: Iterable[float] = ()) -> Reason:
    """A reason that was read in the code."""
    return Reason(text=text, cell=cell, numbers=tuple(numbers), source=Source.SOURCE)


def trainings_of_mlps(evidence: Evidence, at_least: int = 1) -> tuple[Training, ...]:
    """Trainings, in code that ran, of a model with at least so many hidden layers of known weights."""
    return tuple(
        training
        for training in evidence.facts.trainings
        if training.is_called
        and did_run(evidence, training.run_cell)
        and training.kind is not TrainingKind.GRADIENTS_ONLY
        and training.model is not None
        and training.model.is_mlp
        and sum(step.weight is not None for step in training.model.products) > at_least
    )


def has_only_linear_models(facts: CodeFacts) -> bool:
    """True when all code was understood and no model in it has a hidden layer (or there is none at all)."""
    return (
        facts.is_complete
        and all(model.is_plain and not model.hidden_layers for model in facts.models)
        and all(training.model is not None for training in facts.trainings)
    )


def model_in_words(model: ForwardPass) -> str:
    """A forward pass in a few words: `2 matrix products (tf.matmul), tf.nn.relu between`."""
    products = model.products
    names = " and ".join(dict.fromkeys(step.name for step in products)) or "no matrix product"
    text = f"{len(products)} matrix product{'s' * (len(products) != 1)} ({names})"
    activations = [name for name in model.hidden_activations if name]
    if activations:
        text += f", {', '.join(dict.fromkeys(activations))} between"
    return text if model.is_complete else f"{text}, and parts that could not be read"


def laid_out(facts: CodeFacts) -> list[Reason]:
    """The models found and what was not understood, for the person who decides."""
    reasons = [
        said(f"A forward pass in cell {model.cell}: {model_in_words(model)}.", model.cell)
        for model in facts.models[:_SHOWN]
    ]
    reasons += [
        said(f"Not understood by the program in cell {entry.cell}: {entry.text}.", entry.cell)
        for entry in facts.unresolved[:3]
    ]
    return reasons


def no_hidden_layer(facts: CodeFacts) -> Reason:
    """Why there is none, of code in which no model has one."""
    if not facts.models:
        return said("No model was found: no cell multiplies data with weights.")
    model = facts.models[0]
    where = f"cell {model.cell}" if len(facts.models) == 1 else "each of them"
    return said(
        f"Every model in the code is linear: data goes through one matrix product ({where}), "
        "with no hidden layer between input and output.",
        model.cell,
    )


@check("hidden-layer", public_side=public("at_least"))
@never_against(deep_training)
@of_a_trained_model
def hidden_layer(evidence: Evidence, *, at_least: Annotated[int, Field(ge=1, le=20)] = 1) -> Verdict:
    """The model has at least `at_least` hidden layers.

    Hidden layers are the matrix products that the data goes through one after the other, less one.
    Met when such a model is trained; not met only when all code was understood and no model has as many.
    """
    facts = evidence.facts
    deep = trainings_of_mlps(evidence, at_least)
    if deep:
        training = max(deep, key=lambda found: found.model.hidden_layers if found.model else 0)
        model = training.model
        assert model is not None
        count = model.hidden_layers
        layers = f"{count} hidden layer{'s' * (count != 1)}"
        text = f"The model in cell {model.cell} has {layers}: {model_in_words(model)}."
        return met(said(text, model.cell, [count]))
    told = _told_of_elsewhere(evidence, at_least)
    if told is not None:
        return needs_review(told, *laid_out(facts))
    if has_only_linear_models(facts):
        return not_met(no_hidden_layer(facts))
    if at_least > 1 and all_are_plain(facts):
        most = max((model.hidden_layers for model in facts.models), default=0)
        layers = f"{most} hidden layer{'s' * (most != 1)}"
        text = f"The deepest model in the code has {layers}; {at_least} are asked for."
        if most < at_least:
            return not_met(said(text, numbers=[most, at_least]))
    return needs_review(
        said("Whether a trained model has a hidden layer could not be read from the code for certain."),
        *laid_out(facts),
    )


def _told_of_elsewhere(evidence: Evidence, at_least: int) -> Reason | None:
    """What speaks for a deeper model than the code shows: one cell may have held several, one by one."""
    for passage in evidence.prose.passages:
        tells = _MORE_LAYERS.search(passage.text) if at_least > 1 else _HIDDEN.search(passage.text)
        if tells and (at_least > 1 or _RESULT.search(passage.text)):
            text = f"The text in cell {passage.cell} tells of a deeper model than the code (now) holds."
            return said(text, passage.cell)
    for number in evidence.saved.numbers:
        is_test = number.quantity is Quantity.ACCURACY and number.split is Split.TEST
        if at_least == 1 and is_test and number.value > _BEYOND_LINEAR:
            text = (
                f"Cell {number.cell} shows {number.value:.4f} on test data, more than a linear model reaches."
            )
            return Reason(text=text, cell=number.cell, numbers=(number.value,), source=Source.SAVED)
    return None


def _told_in(cell: int | None, what: str) -> list[Reason]:
    """The reason for a text that tells of what the code (no longer) holds."""
    return [] if cell is None else [said(f"The text in cell {cell} tells of results with {what}.", cell)]


def all_are_plain(facts: CodeFacts) -> bool:
    """True when all code was understood and there is nothing but plain multi-layer or linear models in it."""
    every = facts.is_complete and all(model.is_plain for model in facts.models)
    return every and all(training.model is not None for training in facts.trainings)


@check("nonlinear-activation")
@never_against(curved_training)
@never_for(only_linear)
@of_a_trained_model
def nonlinear_activation(evidence: Evidence) -> Verdict:
    """A non-linear activation stands between the layers.

    Met when a trained model has one between two matrix products; a softmax after the last product is none.
    Not met only when all code was understood and no model has one, or no training was seen to have one.
    """
    facts = evidence.facts
    for training in trainings_of_mlps(evidence):
        model = training.model
        names = [name for name in model.hidden_activations if name] if model is not None else []
        if model is not None and names:
            step = next(step for gap in model.between for step in gap if step.name == names[0])
            text = f"`{names[0]}` stands between the layers of the model (cell {step.cell})."
            return met(said(text, step.cell))
    if has_only_linear_models(facts):
        return not_met(no_hidden_layer(facts))
    told = tells_of(evidence, _ACTIVATION)
    if told is None and all_are_plain(facts) and not any(any(m.hidden_activations) for m in facts.models):
        model = max(facts.models, key=lambda found: found.hidden_layers)
        text = (
            f"The {len(model.products)} matrix products of the model (cell {model.cell}) have no activation "
            "between them, so that together they are one linear layer."
        )
        return not_met(said(text, model.cell, [len(model.products)]))
    if every_training(evidence, is_linear):
        text = "In every model that was trained, nothing but matrix products and sums leads to the outputs."
        return not_met(Reason(text=text, source=Source.OBSERVED))
    return needs_review(
        said("Whether an activation stands between the layers could not be read from the code for certain."),
        *_told_in(told, "an activation function"),
        *laid_out(facts),
    )


def _weights(model: ForwardPass) -> list[Weight | None]:
    return [step.weight for step in model.products]


def _in_words(weights: Sequence[Weight | None]) -> str:
    parts = [
        f"{weight.name or 'a weight'}: {weight.how or weight.start.value}" for weight in weights if weight
    ]
    return ", ".join(dict.fromkeys(parts))


@check("random-initialisation")
@never_against(random_start)
@never_for(only_alike)
@of_a_trained_model
def random_initialisation(evidence: Evidence) -> Verdict:
    """The weights of the model start at random values.

    Judged on the best model: one trained with zeros beside it, as an experiment, costs nothing. Biases
    may be zero. Not met only when all weights of every trained model start at zero or all alike, by the code
    or as it was seen while it ran.
    """
    facts = evidence.facts
    deep = trainings_of_mlps(evidence)
    same = (Start.ZEROS, Start.CONSTANT)
    alike: list[ForwardPass] = []
    for training in deep:
        model = training.model
        weights = _weights(model) if model is not None else []
        if model is None or not model.is_complete:
            continue
        if all(weight is not None and weight.start in (Start.RANDOM, Start.DEFAULT) for weight in weights):
            first = next(weight for weight in weights if weight is not None)
            text = f"The weights start at random values ({_in_words(weights)}; cell {first.cell})."
            if first.start is Start.DEFAULT:
                text = f"The weights start as the layers do by default, at random (cell {first.cell})."
            return met(said(text, first.cell))
        if all(weight is not None and weight.start in same for weight in weights):
            alike.append(model)
    told = tells_of(evidence, _RANDOM)
    if (
        told is None
        and alike
        and len(alike) == len(deep)
        and all_are_plain(facts)
        and not _has_other_deep(facts, alike)
    ):
        weights = _weights(alike[0])
        cell = next(weight.cell for weight in weights if weight is not None)
        text = f"All weights of the model start with the same value ({_in_words(weights)}; cell {cell})."
        return not_met(said(text, cell))
    if has_only_linear_models(facts):
        starts = {weight.start for model in facts.models for weight in _weights(model) if weight is not None}
        if starts <= set(same):
            return not_met(no_hidden_layer(facts))
    if every_training(evidence, starts_alike):
        text = "In every model that was trained, all weights started at the same value."
        return not_met(Reason(text=text, source=Source.OBSERVED))
    return needs_review(
        said("How the weights of a model with a hidden layer start could not be read for certain."),
        *_told_in(told, "random starting values"),
        *[
            said(f"Cell {m.cell}: {_in_words(_weights(m))}.", m.cell)
            for m in facts.models[:_SHOWN]
            if m.products
        ],
    )


def _has_other_deep(facts: CodeFacts, alike: Sequence[ForwardPass]) -> bool:
    return any(
        model.hidden_layers and model not in alike for model in facts.models if _is_fresh(model, alike)
    )


def _is_fresh(model: ForwardPass, alike: Sequence[ForwardPass]) -> bool:
    known = {weight.id for other in alike for weight in _weights(other) if weight is not None}
    return not all(weight is not None and weight.id in known for weight in _weights(model))
