"""What the recorder in the room saw (`observed`: student code can forge it), read from the run's wire facts.

Wire schema 2, a JSON object a line, `kind` tells which:

- `recorder`: the recorder is at work (`version`); without it nothing here counts.
- `training`: one training run, the fields of `ObservedTraining`; a later line with the same `id` replaces it.
- `evaluation`: the fields of `ObservedEvaluation`.
- `predictions`: the fields of `Predictions`; `classes` is base64 of one byte per input, 255 for "no class".
- `model`: the fields of `ObservedModel` (`modelled.py`): how a training's model computes its logits.
- `replaced`: `names`, what student code replaced of what it ran with; those of the recorder itself begin with
  "recorder".

Lines that do not follow the schema are left out; nothing here raises on what a room says.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from grader.evidence.modelled import ObservedModel
from grader.model import Record

_MOST_TRAININGS = 400
_MOST_PREDICTIONS = 4_000
_PRODUCTS = frozenset({"MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "Einsum", "Conv2D"})
_NAME = Annotated[str, Field(max_length=200)]


class UpdatePath(StrEnum):
    """How the weights of a training were changed."""

    ASSIGN = "assign"  # assign, assign_sub, assign_add on the variables
    OPTIMIZER = "optimizer"  # an optimiser's apply_gradients
    FIT = "fit"  # Keras's fit or train_on_batch
    REBOUND = "rebound"  # new tensors or variables in place of the old ones at each step
    UNKNOWN = "unknown"


class ForwardOp(Record):
    """One operation of the recorded forward pass, by TensorFlow's own name (`MatMul`, `Relu`).

    `weight` is the position in the training's `shapes` of the weight that it uses, None for none.
    """

    op: _NAME
    weight: int | None = None


class ObservedTraining(Record):
    """One training run of one set of weights, as the recorder saw it.

    `runs` are the positions (from 1) of the executed cells in which it was at work. `gradients` counts the
    gradients asked for, `updates` the steps after which the weights changed. `shapes` are those of the
    weights in the order in which gradients were asked for. `forward` runs from the data to the logits.
    `dataset`, `scale`, `offset`: the data set whose training images went in, and how (scale × pixel +
    offset). `starts`: per weight "zeros", "constant" or "random" before the first update. `rate`: the
    learning rate as gradient and change of plain gradient descent give it. `foreign_writes`: changes of
    the weights that no gradient preceded. `why_not`: why it cannot be replayed, "" when it can.
    """

    id: Annotated[int, Field(ge=0)]
    runs: tuple[int, ...] = ()
    path: UpdatePath = UpdatePath.UNKNOWN
    gradients: Annotated[int, Field(ge=0)] = 0
    updates: Annotated[int, Field(ge=0)] = 0
    shapes: Annotated[tuple[tuple[int, ...], ...], Field(max_length=500)] = ()
    starts: Annotated[tuple[_NAME, ...], Field(max_length=500)] = ()
    parameters: Annotated[int, Field(ge=0)] = 0
    forward: Annotated[tuple[ForwardOp, ...], Field(max_length=500)] = ()
    batch: int | None = None
    rate: float | None = None
    dataset: _NAME | None = None
    part: _NAME | None = None
    scale: float | None = None
    offset: float | None = None
    preparation: _NAME = ""
    foreign_writes: Annotated[int, Field(ge=0)] = 0
    why_not: _NAME = ""

    @property
    def hidden_layers(self) -> int:
        """Products with a weight on the way to the logits, convolutions among them, less one."""
        products = sum(op.op in _PRODUCTS and op.weight is not None for op in self.forward)
        return max(0, products - 1)


class ObservedEvaluation(Record):
    """A forward pass outside of training whose outcome was reduced to classes (argmax).

    `training` is the id of the training whose weights it uses, None for weights of no training. `part` is
    "train" or "test" as its first rows are found in the data set, None when they are not found. `count` is
    the number of rows. `difference` names how it differs from the forward pass as trained ("Relu left
    out", "other scale"), "" when it does not.
    """

    run: int
    training: int | None = None
    updates: Annotated[int, Field(ge=0)] | None = None
    dataset: _NAME | None = None
    part: _NAME | None = None
    count: Annotated[int, Field(ge=0)] = 0
    forward: Annotated[tuple[ForwardOp, ...], Field(max_length=500)] = ()
    difference: _NAME = ""


class Moment(StrEnum):
    """When the weights that predict were what they are."""

    BEFORE = "before"  # before the first update
    DURING = "during"  # a snapshot, after `step` updates
    AFTER = "after"  # when training had ended
    PERTURBED = "perturbed"  # as after, with every weight matrix shuffled
    EVALUATED = "evaluated"  # the forward pass as the notebook evaluated it


class Predictions(Record):
    """Classes predicted by one training's model for the first `len(classes)` inputs of a data set.

    `fit` says which of several guesses about the input's scale it is, "" when it was found for certain.
    """

    training: int
    dataset: _NAME
    moment: Moment
    step: int | None = None
    fit: _NAME = ""
    classes: bytes


class Observed(Record):
    """All that the recorder saw in one run. `is_trusted` is False when it was patched, forged or missing."""

    is_trusted: bool = False
    replaced: tuple[str, ...] = ()
    trainings: tuple[ObservedTraining, ...] = ()
    evaluations: tuple[ObservedEvaluation, ...] = ()
    predictions: tuple[Predictions, ...] = ()
    models: tuple[ObservedModel, ...] = ()


_TRAINING = TypeAdapter(ObservedTraining)
_EVALUATION = TypeAdapter(ObservedEvaluation)
_PREDICTIONS = TypeAdapter(Predictions)
_MODEL = TypeAdapter(ObservedModel)


def read_observed(facts: Iterable[Mapping[str, Any]]) -> Observed:
    """What the wire facts of one run tell; lines that do not follow the schema are left out."""
    is_there = False
    replaced: list[str] = []
    trainings: dict[int, ObservedTraining] = {}
    evaluations: list[ObservedEvaluation] = []
    predictions: list[Predictions] = []
    models: dict[int, ObservedModel] = {}
    for fact in facts:
        left_out = ("kind",) if fact.get("kind") == "evaluation" else ("kind", "run")
        fields = {name: value for name, value in fact.items() if name not in left_out}
        try:
            match fact.get("kind"):
                case "recorder":
                    is_there = True
                case "training" if len(trainings) < _MOST_TRAININGS:
                    training = _TRAINING.validate_python(fields)
                    trainings[training.id] = training
                case "evaluation" if len(evaluations) < _MOST_TRAININGS:
                    evaluations.append(_EVALUATION.validate_python(fields))
                case "predictions" if len(predictions) < _MOST_PREDICTIONS:
                    fields["classes"] = base64.b64decode(str(fields.get("classes", "")), validate=True)
                    predictions.append(_PREDICTIONS.validate_python(fields))
                case "model" if len(models) < _MOST_TRAININGS:
                    model = _MODEL.validate_python(fields)
                    models.setdefault(model.training, model)
                case "replaced":
                    replaced += [str(name)[:200] for name in list(fields.get("names", ()))[:50]]
        except (ValueError, TypeError):  # it does not follow the schema, or is no base64
            continue
    told = [(p.training, p.dataset, p.moment, p.step, p.fit) for p in predictions]
    is_once = len(told) == len(set(told))  # said twice: somebody else speaks on the wire
    is_patched = any(name.startswith("recorder") for name in replaced)
    return Observed(
        is_trusted=is_there and is_once and not is_patched,
        replaced=tuple(dict.fromkeys(replaced)),
        trainings=tuple(trainings.values()),
        evaluations=tuple(evaluations),
        predictions=tuple(predictions),
        models=tuple(models.values()),
    )
