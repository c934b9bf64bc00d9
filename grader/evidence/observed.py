"""What the recorder in the room saw (`observed`: student code can forge it), read from the run's wire facts.

Wire schema 3, a JSON object a line, `kind` tells which:

- `recorder`: the recorder is at work (`version`); without it nothing here counts.
- `training`, `pipeline`, `function`, `model`: one training run, tf.data pipeline, `tf.function`, Keras model,
  the fields of `ObservedTraining`, `ObservedPipeline`, `ObservedFunction`, `ObservedModel`; a later line with
  the same `id` replaces it.
- `graph`: `model`, an id, and `operations`, those of `ObservedModel`.
- `evaluation`: the fields of `ObservedEvaluation`.
- `predictions`: the fields of `Predictions`; `classes` is base64 of one byte per input, 255 for "no class".
- `written`: the fields of `WrittenModel` (`modelled.py`): how a training's model computes its logits.
- `watched`: the fields of `Watched` (`watched.py`): what a training looked like on its way; for scripts only.
- `timing`: the fields of `Timing` (`timings.py`): a training function timed eagerly and as a graph.
- `replaced`: `names`, what student code replaced of what it ran with; those of the recorder itself begin with
  "recorder".

Lines that do not follow the schema are left out; nothing here raises on what a room says.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Any, TypeVar

from pydantic import Field

from grader.evidence.around import (
    Count,
    Number,
    ObservedFunction,
    ObservedModel,
    ObservedPipeline,
    TracedGraph,
    TracedOperation,
    Whole,
    Work,
)
from grader.evidence.modelled import WrittenModel
from grader.evidence.timings import Timing
from grader.evidence.watched import Watched
from grader.model import Record

_MOST_TRAININGS = 400
_MOST_PREDICTIONS = 4_000
_MOST_TIMINGS = 50
_MOST_AROUND = 300  # pipelines, functions, models each
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
    weight: Whole | None = None


class PipelineUse(Record):
    """A pipeline, by its id, and how many steps it fed; None where a graph took from it by itself."""

    id: Whole
    steps: Count | None = None


class ObservedTraining(Record):
    """One training run of one set of weights, as the recorder saw it.

    `runs` are the positions (from 1) of the executed cells in which it was at work. `gradients` counts the
    gradients asked for, `eager_gradients` those of them that no graph computed, `updates` the steps after
    which the weights changed; `work` tells both kinds of gradients by cell. `shapes` are those of the weights
    in the order in which gradients were asked for. `forward` runs from the data to the logits.
    `dataset`, `scale`, `offset`: the data set whose training images went in, and how (scale × pixel +
    offset). `starts`: per weight "zeros", "constant" or "random" before the first update. `rate`: the
    learning rate as gradient and change of plain gradient descent give it. `foreign_writes`: changes of
    the weights that no gradient preceded (copies of earlier values that were put back aside). `why_not`: why
    its model cannot be asked about other images, "" when it can. `part` is "train" or "test", whichever the
    images were from, `preparation` what was done with them before scale and offset ("padded", "each pixel
    standardised"), "" for nothing.

    `place` is the name of the function in which the tape was opened, `is_in_library` whether that is Keras's
    own `train_step` or the like. `model`, `function`, `pipelines`: the Keras model that owns the weights, the
    `tf.function` in which gradients were computed, the pipelines that fed it. `optimizer` is the class of the
    optimiser that updated the weights, `optimizer_rate` its learning rate when it began.
    """

    id: Count
    runs: Annotated[tuple[Whole, ...], Field(max_length=10_000)] = ()
    path: UpdatePath = UpdatePath.UNKNOWN
    gradients: Count = 0
    eager_gradients: Count = 0
    updates: Count = 0
    work: Annotated[tuple[Work, ...], Field(max_length=500)] = ()
    shapes: Annotated[
        tuple[Annotated[tuple[Whole, ...], Field(max_length=20)], ...], Field(max_length=500)
    ] = ()
    starts: Annotated[tuple[_NAME, ...], Field(max_length=500)] = ()
    parameters: Count = 0
    forward: Annotated[tuple[ForwardOp, ...], Field(max_length=500)] = ()
    batch: Whole | None = None
    rate: float | None = None
    dataset: _NAME | None = None
    part: _NAME | None = None
    scale: float | None = None
    offset: float | None = None
    preparation: _NAME = ""
    foreign_writes: Count = 0
    place: _NAME = ""
    is_in_library: bool = False
    model: Whole | None = None
    function: Whole | None = None
    pipelines: Annotated[tuple[PipelineUse, ...], Field(max_length=50)] = ()
    optimizer: _NAME | None = None
    optimizer_rate: Number | None = None
    why_not: _NAME = ""

    @property
    def graph_gradients(self) -> int:
        """How often a graph computed its gradients."""
        return max(0, self.gradients - self.eager_gradients)

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

    run: Whole
    training: Whole | None = None
    updates: Count | None = None
    dataset: _NAME | None = None
    part: _NAME | None = None
    count: Count = 0
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

    training: Whole
    dataset: _NAME
    moment: Moment
    step: Whole | None = None
    fit: _NAME = ""
    classes: bytes


class Observed(Record):
    """All that the recorder saw in one run.

    `is_trusted` is False when it was patched, forged or missing; then nothing but `replaced` is kept.
    """

    is_trusted: bool = False
    replaced: tuple[str, ...] = ()
    trainings: tuple[ObservedTraining, ...] = ()
    evaluations: tuple[ObservedEvaluation, ...] = ()
    predictions: tuple[Predictions, ...] = ()
    pipelines: tuple[ObservedPipeline, ...] = ()
    functions: tuple[ObservedFunction, ...] = ()
    models: tuple[ObservedModel, ...] = ()
    written: tuple[WrittenModel, ...] = ()
    watched: tuple[Watched, ...] = ()
    timings: tuple[Timing, ...] = ()


class _Reader:
    """What has been read of one run so far."""

    def __init__(self) -> None:
        self.is_there = False
        self.replaced: list[str] = []
        self.trainings: dict[int, ObservedTraining] = {}
        self.pipelines: dict[int, ObservedPipeline] = {}
        self.functions: dict[int, ObservedFunction] = {}
        self.models: dict[int, ObservedModel] = {}
        self.graphs: dict[int, tuple[TracedOperation, ...]] = {}
        self.written: dict[int, WrittenModel] = {}
        self.watched: dict[int, Watched] = {}
        self.timings: list[Timing] = []
        self.evaluations: list[ObservedEvaluation] = []
        self.predictions: list[Predictions] = []

    def read(self, kind: object, fields: dict[str, Any]) -> None:
        """Take in one fact. Raises ValidationError, TypeError or ValueError when it follows no schema."""
        match kind:
            case "recorder":
                self.is_there = True
            case "training":
                _keep(self.trainings, ObservedTraining.model_validate(without_run(fields)), _MOST_TRAININGS)
            case "pipeline":
                _keep(self.pipelines, ObservedPipeline.model_validate(fields), _MOST_AROUND)
            case "function":
                _keep(self.functions, ObservedFunction.model_validate(fields), _MOST_AROUND)
            case "model":
                _keep(self.models, ObservedModel.model_validate(fields), _MOST_AROUND)
            case "graph" if len(self.graphs) < _MOST_AROUND:
                graph = TracedGraph.model_validate(without_run(fields))
                self.graphs[graph.model] = graph.operations
            case "evaluation" if len(self.evaluations) < _MOST_TRAININGS:
                self.evaluations.append(ObservedEvaluation.model_validate(fields))
            case "predictions" if len(self.predictions) < _MOST_PREDICTIONS:
                classes = base64.b64decode(str(fields.get("classes", "")), validate=True)
                told = without_run(fields) | {"classes": classes}
                self.predictions.append(Predictions.model_validate(told))
            case "written" if len(self.written) < _MOST_TRAININGS:
                model = WrittenModel.model_validate(without_run(fields))
                self.written.setdefault(model.training, model)
            case "watched" if len(self.watched) < _MOST_TRAININGS:
                watched = Watched.model_validate(without_run(fields))
                self.watched.setdefault(watched.training, watched)
            case "timing" if len(self.timings) < _MOST_TIMINGS:
                self.timings.append(Timing.model_validate(without_run(fields)))
            case "replaced":
                self.replaced += [str(name)[:200] for name in list(fields.get("names", ()))[:50]]

    def observed(self) -> Observed:
        """All of it, if it can be trusted."""
        told = [(p.training, p.dataset, p.moment, p.step, p.fit) for p in self.predictions]
        is_once = len(told) == len(set(told))  # said twice: somebody else speaks on the wire
        is_patched = any(name.startswith("recorder") for name in self.replaced)
        replaced = tuple(dict.fromkeys(self.replaced))
        if not self.is_there or not is_once or is_patched:
            return Observed(is_trusted=False, replaced=replaced)
        models = (
            model.model_copy(update={"operations": self.graphs.get(model.id, ())})
            for model in self.models.values()
        )
        return Observed(
            is_trusted=True,
            replaced=replaced,
            trainings=tuple(self.trainings.values()),
            evaluations=tuple(self.evaluations),
            predictions=tuple(self.predictions),
            pipelines=tuple(self.pipelines.values()),
            functions=tuple(self.functions.values()),
            models=tuple(models),
            written=tuple(self.written.values()),
            watched=tuple(self.watched.values()),
            timings=tuple(self.timings),
        )


_WithId = TypeVar("_WithId", ObservedTraining, ObservedPipeline, ObservedFunction, ObservedModel)


def _keep(found: dict[int, _WithId], told: _WithId, most: int) -> None:
    """A later word about the same thing replaces the earlier one."""
    if told.id in found or len(found) < most:
        found[told.id] = told


def without_run(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of a fact that does not say in which cell it was told."""
    return {name: value for name, value in fields.items() if name != "run"}


def read_observed(facts: Iterable[Mapping[str, Any]]) -> Observed:
    """What the wire facts of one run tell; lines that do not follow the schema are left out."""
    reader = _Reader()
    for fact in facts:
        fields = {name: value for name, value in fact.items() if name != "kind"}
        try:
            reader.read(fact.get("kind"), fields)
        except (ValueError, TypeError):  # it does not follow the schema, or is no base64
            continue
    return reader.observed()
