"""Records of what the recorder saw around trainings: pipelines, compiled functions, Keras models.

All of it can be forged; sizes are bounded, and references between records (ids, places in a list) may lead
nowhere.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple, TypeAlias

from pydantic import Field

from grader.model import Record

Name: TypeAlias = Annotated[str, Field(max_length=200)]
Count: TypeAlias = Annotated[int, Field(ge=0, le=2**53)]
Whole: TypeAlias = Annotated[int, Field(ge=-(2**53), le=2**53)]
Number: TypeAlias = Annotated[float, Field(allow_inf_nan=False)]
Plain: TypeAlias = bool | Whole | Number | Name
Shape: TypeAlias = Annotated[tuple[Count | None, ...], Field(max_length=20)]
Inputs: TypeAlias = Annotated[tuple[Count, ...], Field(max_length=400)]


class TensorSpec(Record):
    """Dtype and shape; None where a dimension, or the whole shape, is open."""

    dtype: Name
    shape: Shape | None = None


class PipelineNode(Record):
    """A source or an operation of tf.data, by the name of the method that adds it ("from_tensor_slices",
    "range", "from_generator", "shuffle", "batch", "map" …; reading files by TensorFlow's own names).

    `inputs` are places in the list of nodes. `arguments` has those that were given or have a default: of
    `shuffle` `buffer_size`, `seed` (None for none) and `reshuffle_each_iteration`, of `batch` `batch_size`
    and `drop_remainder`, of `repeat` `count` (-1 for ever), of `map` `function`, a name. `tensors` are those
    that a source is made of.
    """

    op: Name
    arguments: Annotated[dict[Name, Plain | None], Field(max_length=30, default_factory=dict)]
    tensors: Annotated[tuple[TensorSpec, ...], Field(max_length=20)] = ()
    inputs: Inputs = ()


class Component(TensorSpec):
    """One component of the elements that were drawn: the shape of the first, least and largest of a few.

    None for values that are no numbers or were not looked at.
    """

    least: Number | None = None
    largest: Number | None = None


class ObservedPipeline(Record):
    """A tf.data pipeline that was iterated, or given to a method of a Keras model (`where`: "loop", "fit",
    "evaluate", "predict"), first in the cell at position `run`.

    `nodes` lead to it, sources first; it is the last of them. `spec` is what its elements are declared to be,
    `elements` what they were. `iterations` counts how often it was gone over, `draws` the elements that
    Python code took (what graphs and `fit` take is not counted).
    """

    id: Count
    run: Count = 0
    where: Name = "loop"
    nodes: Annotated[tuple[PipelineNode, ...], Field(max_length=100)] = ()
    spec: Annotated[tuple[TensorSpec, ...], Field(max_length=20)] = ()
    iterations: Count = 0
    draws: Count = 0
    elements: Annotated[tuple[Component, ...], Field(max_length=20)] = ()


class ObservedFunction(Record):
    """A `tf.function` that was called, first in the cell at position `run`.

    `is_own`: it is the notebook's, not a library's. `calls` are those from eager code; `eager_calls` of them
    ran as plain Python, because `run_functions_eagerly` was on. `signatures` are the arguments that made it
    trace ("float32[128, 784], int: 3"), `tracing_seconds` is how long those calls took together, `steps` how
    many gradients its graphs computed. `has_gradients`: gradients are computed in it, or in what it calls;
    `trainings` are those whose gradients it computes as the innermost of the notebook's own.
    """

    id: Count
    run: Count = 0
    name: Name = ""
    is_own: bool = True
    calls: Count = 0
    eager_calls: Count = 0
    traces: Count = 0
    signatures: Annotated[tuple[Name, ...], Field(max_length=50)] = ()
    steps: Count = 0
    tracing_seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    has_gradients: bool = False
    trainings: Annotated[tuple[Count, ...], Field(max_length=100)] = ()


class Work(NamedTuple):
    """The gradients of a training in the cell at position `run`: eager ones, and those of graphs."""

    run: Count
    eager: Count
    graph: Count


class Layer(Record):
    """A call of a layer: its class, name and configuration; which calls feed it (places in the list).

    `config` leaves out what hardly anybody changes: `trainable`, `use_bias`, `data_format`, `groups`,
    `dilation_rate`, `depth_multiplier` at Keras's default.

    `is_own`: its class is the notebook's. `shape` is that of its output without the batch, None when unknown.
    """

    kind: Name
    name: Name = ""
    is_own: bool = False
    config: Annotated[dict[Name, Plain | tuple[Plain, ...]], Field(max_length=60, default_factory=dict)]
    shape: Shape | None = None
    parameters: Count = 0
    inputs: Inputs = ()


class TracedOperation(Record):
    """One operation of a traced model, by TensorFlow's name; the model's inputs are called "Input".

    `name` ends with the path of the layer that it is from; `inputs` are places in the list. `kernel` of a
    convolution is the height and width of what it is multiplied with.
    """

    op: Name
    name: Name = ""
    shape: Shape | None = None
    inputs: Inputs = ()
    kernel: Annotated[tuple[Count, ...], Field(max_length=3)] | None = None


class TracedGraph(Record):
    """The `operations` of the model with the id `model`, as they come on the wire."""

    model: Count
    operations: Annotated[tuple[TracedOperation, ...], Field(max_length=3_000)]


class ObservedModel(Record):
    """A Keras model that was called or trained, first in the cell at position `run`.

    `made` is "sequential", "functional" or "subclassed". `layers`: nested models are taken apart. Where
    `is_whole` is False they do not tell all (a subclass, a layer of the notebook's own, too many):
    `operations`, traced from a call, do. `joins_inside` counts the calls with several inputs in functional
    models inside of it. `own_train_step`: its class overrides Keras's `train_step`.
    `optimizer`, `rate`, `loss`, `metrics` are those that `compile` was given, by class or function name.
    """

    id: Count
    run: Count = 0
    name: Name = ""
    class_name: Name = ""
    made: Name = ""
    calls: Count = 0
    layers: Annotated[tuple[Layer, ...], Field(max_length=1_000)] = ()
    is_whole: bool = False
    joins_inside: Count = 0
    operations: Annotated[tuple[TracedOperation, ...], Field(max_length=3_000)] = ()
    parameters: Count = 0
    trainable_parameters: Count = 0
    own_train_step: bool = False
    optimizer: Name | None = None
    rate: Number | None = None
    loss: Name | None = None
    metrics: Annotated[tuple[Name, ...], Field(max_length=20)] = ()

    @property
    def has_joins(self) -> bool:
        """Whether something in it takes the outputs of several others."""
        fed = [layer.inputs for layer in self.layers] + [step.inputs for step in self.operations]
        return any(len(inputs) > 1 for inputs in fed)
