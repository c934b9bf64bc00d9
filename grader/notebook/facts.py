"""The records of what a notebook's code does: data loaded, models, trainings, evaluations, displays."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from grader.model import Record

CellNumber = Annotated[int, Field(ge=1)]


class Start(StrEnum):
    """How a weight starts out, as the code tells."""

    RANDOM = "random"
    ZEROS = "zeros"
    CONSTANT = "constant"  # the same number everywhere, or numbers written out
    DEFAULT = "default"  # what the layer does when nothing is said; random in Keras and PyTorch
    UNKNOWN = "unknown"


class Level(StrEnum):
    """What a matrix product is written with."""

    TENSORFLOW = "tensorflow"
    KERAS = "keras"
    NUMPY = "numpy"
    TORCH = "torch"
    UNKNOWN = "unknown"


class StepKind(StrEnum):
    """What a step of a forward pass does to what flows through."""

    PRODUCT = "product"  # a matrix product with a weight
    ACTIVATION = "activation"  # a non-linear function of each number
    LINEAR = "linear"  # reshape, bias, scaling, mean: nothing non-linear; such steps are not kept
    OTHER = "other"  # a layer that is neither (a convolution), or something not understood


class Part(StrEnum):
    """Which part of a data set something was taken from."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"
    UNKNOWN = "unknown"


class Weight(Record):
    """A weight of a model. `how` tells its initialisation in the code's own words (`tf.zeros`).

    `id` tells weights apart within one notebook; `shape` has None for what is not written as a number.
    `is_one` is False for one made in a loop (or a branch) that may make any number of them.
    """

    id: int
    name: str = ""
    cell: CellNumber
    line: int
    start: Start
    how: str = ""
    shape: tuple[int | None, ...] | None = None
    is_variable: bool = True
    is_one: bool = True


class Step(Record):
    """One step of a forward pass. `name` is the canonical name (`tf.nn.relu`, `@`).

    `weight` is set for products only, None there when it is not known which weight is used; `width` is
    the number of units of that layer where it is written.
    """

    kind: StepKind
    name: str
    cell: CellNumber
    line: int
    level: Level = Level.UNKNOWN
    weight: Weight | None = None
    width: int | None = None


class ForwardPass(Record):
    """What happens to the data on its way through a model, in order.

    `is_complete` is False when something on the way was not understood: then there may be more
    steps than these. `function` is the function or class it stands in, empty for code of a cell.
    """

    steps: tuple[Step, ...]
    function: str = ""
    is_complete: bool = True

    @property
    def products(self) -> tuple[Step, ...]:
        """The matrix products with a weight, in order."""
        return tuple(step for step in self.steps if step.kind is StepKind.PRODUCT)

    @property
    def hidden_layers(self) -> int:
        """Hidden layers that were seen: one less than the matrix products."""
        return max(0, len(self.products) - 1)

    @property
    def is_mlp(self) -> bool:
        """True when nothing but activations and linear steps stands before its last product."""
        last = max((i for i, step in enumerate(self.steps) if step.kind is StepKind.PRODUCT), default=-1)
        return last >= 0 and all(step.kind is not StepKind.OTHER for step in self.steps[:last])

    @property
    def is_plain(self) -> bool:
        """True when it is all understood and nothing but products, activations and linear steps."""
        return self.is_complete and all(step.kind is not StepKind.OTHER for step in self.steps)

    @property
    def cell(self) -> int:
        """The cell of its last product (of its last step when there is none)."""
        return (self.products or self.steps)[-1].cell

    @property
    def between(self) -> tuple[tuple[Step, ...], ...]:
        """The steps between each product and the next one; one entry per hidden layer."""
        gaps: list[list[Step]] = []
        for step in self.steps:
            if step.kind is StepKind.PRODUCT:
                gaps.append([])
            elif gaps:
                gaps[-1].append(step)
        return tuple(tuple(gap) for gap in gaps[:-1])

    @property
    def hidden_activations(self) -> tuple[str, ...]:
        """The name of the first activation of each hidden layer; "" for a layer without one."""
        return tuple(
            next((step.name for step in gap if step.kind is StepKind.ACTIVATION), "") for gap in self.between
        )

    @property
    def level(self) -> Level:
        """What its products are written with; UNKNOWN when they are mixed or there are none."""
        levels = {step.level for step in self.products}
        return levels.pop() if len(levels) == 1 else Level.UNKNOWN


class TrainingKind(StrEnum):
    """How a training finds and applies its changes."""

    TAPE_ASSIGN = "tape_assign"  # GradientTape, and the variables changed by hand
    TAPE_OPTIMIZER = "tape_optimizer"  # GradientTape, and an optimizer's apply_gradients
    MINIMIZE = "minimize"  # an optimizer's minimize(loss)
    GRADIENTS_ONLY = "gradients_only"  # gradients are taken, and no update was seen
    KERAS_FIT = "keras_fit"
    KERAS_BATCHES = "keras_batches"  # train_on_batch
    TF1_SESSION = "tf1_session"
    TORCH = "torch"
    OTHER_LIBRARY = "other_library"  # e.g. scikit-learn


class Configuration(Record):
    """What tells one experiment from another; None or empty where the code does not say it plainly.

    `sizes` are the widths of the hidden layers, `starts` how the weights of the products start out,
    `rest` anything else that was varied ("batch 128").
    """

    sizes: tuple[int | None, ...] = ()
    activations: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    optimizer: str = ""
    learning_rate: float | None = None
    dataset: str = ""
    rest: tuple[str, ...] = ()


class Training(Record):
    """One training of one model, as far as the code tells.

    `is_called` is False for one in a function that nothing calls. `model` is the forward pass that
    its loss is computed from, None when that is not known. `cell` is where its code stands, `run_cell`
    the cell that sets it going (another one when it stands in a function).
    """

    kind: TrainingKind
    cell: CellNumber
    line: int
    run_cell: CellNumber = 1
    function: str = ""
    model: ForwardPass | None = None
    datasets: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    configuration: Configuration = Configuration()
    is_called: bool = True


class Evaluation(Record):
    """Predictions held against labels, or a model asked for its accuracy. `how` is the call."""

    cell: CellNumber
    line: int
    run_cell: CellNumber = 1
    how: str
    model: ForwardPass | None = None
    datasets: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    is_called: bool = True


class DataLoad(Record):
    """A data set taken into the notebook; `dataset` is "" when the code does not say which."""

    dataset: str
    cell: CellNumber
    line: int
    how: str


class Picked(StrEnum):
    """How what is shown was chosen by holding predictions against labels."""

    NO = "no"
    WRONG = "wrong"
    RIGHT = "right"
    EITHER = "either"


class Display(Record):
    """An image shown: `imshow`, `matshow`, `tf.summary.image`."""

    cell: CellNumber
    line: int
    run_cell: CellNumber = 1
    how: str
    picked: Picked = Picked.NO
    is_called: bool = True


class Unresolved(Record):
    """Something in the code that was not understood, and so may hide a model or a training."""

    cell: CellNumber
    line: int
    text: str


class CodeFacts(Record):
    """What the code of a notebook does, read without running it.

    `is_complete` is True when everything that could hide a model, a training or an evaluation was
    understood; only then may the absence of something be held against a hand-in. `models` are all
    forward passes, those that reach no training and no evaluation too; `parts_seen` are the parts of
    the data sets that went through any of them.
    """

    loads: tuple[DataLoad, ...] = ()
    models: tuple[ForwardPass, ...] = ()
    trainings: tuple[Training, ...] = ()
    evaluations: tuple[Evaluation, ...] = ()
    displays: tuple[Display, ...] = ()
    parts_seen: tuple[Part, ...] = ()
    unresolved: tuple[Unresolved, ...] = ()
    is_complete: bool = True
