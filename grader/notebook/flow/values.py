"""The abstract values that stand for what a name holds while code is read: data, weights, functions.

Values say where something is from and what happened to it on the way, never what its numbers are.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from grader.notebook.facts import Level, Picked, Start
from grader.notebook.flow.chains import Chain, Origin, WeightInfo


@dataclass(slots=True, eq=False, frozen=True, kw_only=True)
class Data:
    """Numbers, tensors, arrays, or something unknown (`is_known` False).

    `start`/`how`/`shape` tell what it is filled with when it was made from nothing; `weights` are those
    it was computed from without a product; `gradients` are ids of gradient calls it came from; `scale`
    is a number it was multiplied with; `batch` the size of the batches it was cut into.
    """

    chain: Chain | None = None
    origins: frozenset[Origin] = frozenset()
    weights: tuple[WeightInfo, ...] = ()
    gradients: frozenset[int] = frozenset()
    start: Start | None = None
    how: str = ""
    shape: tuple[int | None, ...] | None = None
    scale: float | None = None
    batch: int | None = None
    picked: Picked = Picked.NO
    is_known: bool = True
    level: Level = Level.UNKNOWN


@dataclass(slots=True, eq=False)
class Const:
    """A number, a string, None, True or False written in the code (or computed from such)."""

    value: object


@dataclass(slots=True, eq=False)
class Items:
    """A list, tuple or set. `is_open`: there may be more items than these.

    `depth` is how many loops and branches that are only roughly followed it was made inside of.
    """

    items: list[Value]
    is_tuple: bool = False
    is_open: bool = False
    depth: int = 0


@dataclass(slots=True, eq=False)
class Table:
    """A dict with keys that are written in the code. `is_open`: there may be more."""

    items: dict[object, Value]
    is_open: bool = False


@dataclass(slots=True, eq=False)
class Library:
    """A module, function or class of a library, by its canonical name."""

    name: str


@dataclass(slots=True, eq=False)
class Scope:
    """Names and what they hold; `parent` is the scope around it, None for the notebook's own."""

    names: dict[str, Value]
    parent: Scope | None = None
    globals_: set[str] = field(default_factory=set)
    is_class: bool = False


FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(slots=True, eq=False)
class Function:
    """A function or lambda of the notebook."""

    node: FunctionNode
    scope: Scope
    cell: int
    name: str
    defaults: list[Value]
    keyword_defaults: dict[str, Value]
    owner: Class | None = None
    kind: str = ""  # "static", "class" or "property" for methods decorated so
    is_called: bool = False


@dataclass(slots=True, eq=False)
class Bound:
    """A callable with leading arguments already given: a method of an object, or a partial."""

    function: Value
    args: list[Value]
    kwargs: dict[str, Value] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Class:
    """A class of the notebook; `bases` may be classes of the notebook or of libraries."""

    name: str
    bases: list[Value]
    names: dict[str, Value]
    cell: int
    fields: list[str] = field(default_factory=list)
    instances: list[Instance] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Instance:
    """An object of a class of the notebook."""

    cls: Class
    attributes: dict[str, Value]


@dataclass(slots=True, eq=False)
class Thing:
    """An object of a library: an optimiser, a layer, a model, a tape. `state` is what we keep of it."""

    name: str
    args: list[Value]
    kwargs: dict[str, Value]
    state: dict[str, Value] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Method:
    """An attribute of a value that is not a class of the notebook, mostly about to be called."""

    owner: Value
    name: str


@dataclass(slots=True, eq=False)
class Variable:
    """A variable of TensorFlow (or a parameter of PyTorch)."""

    weight: WeightInfo


@dataclass(slots=True, eq=False)
class Stream:
    """Something that is gone through item by item, all of one kind: a `tf.data` pipeline, a range."""

    element: Value
    batch: int | None = None
    count: int | None = None


@dataclass(slots=True, eq=False)
class Choice:
    """One of several values; the code does not tell which."""

    options: tuple[Value, ...]


Value = (
    Data | Const | Items | Table | Library | Function | Bound | Class | Instance | Thing | Method | Variable
    | Stream | Choice
)  # fmt: skip

UNKNOWN = Data(is_known=False)
NUMBER = Data()
NONE = Const(None)
