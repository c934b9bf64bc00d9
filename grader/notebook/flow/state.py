"""What is kept while code is gone through: where we are, what was found, how many steps are left."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from grader.notebook.facts import DataLoad, Level, Part, Picked, Start, StepKind, TrainingKind, Unresolved
from grader.notebook.flow.chains import Chain, RawStep, WeightInfo, new_chain
from grader.notebook.flow.merging import weight_of
from grader.notebook.flow.values import UNKNOWN, Class, Data, Function, Scope, Value

MAX_EVENTS = 400
_MAX_UNRESOLVED = 40


class OutOfStepsError(Exception):
    """The code is too long or too tangled to be gone through to its end."""


@dataclass(slots=True, eq=False)
class Frame:
    """One call that we are in: the function, its names, what it returns."""

    function: str
    cell: int
    scope: Scope
    node: ast.AST | None = None
    owner: Class | None = None
    me: Value | None = None
    returns: list[Value] = field(default_factory=list)
    yields: list[Value] = field(default_factory=list)
    picked: list[Picked] = field(default_factory=list)
    loops: list[int | None] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Gradient:
    """A gradient call: of which loss (its chains), and what was then done with the gradients."""

    id: int
    cell: int
    line: int
    function: str
    run_cell: int
    is_called: bool
    loss: Data
    loops: tuple[int | None, ...]
    kind: TrainingKind = TrainingKind.GRADIENTS_ONLY
    learning_rate: float | None = None
    optimizer: str = ""


@dataclass(slots=True, eq=False)
class Update:
    """A training that is one call: `fit`, `minimize`, `backward`."""

    kind: TrainingKind
    cell: int
    line: int
    function: str
    run_cell: int
    is_called: bool
    data: Data
    loops: tuple[int | None, ...]
    learning_rate: float | None = None
    optimizer: str = ""
    rest: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class Test:
    """Predictions held against labels."""

    cell: int
    line: int
    function: str
    run_cell: int
    is_called: bool
    how: str
    predictions: Data
    labels: Data


@dataclass(slots=True, eq=False)
class Shown:
    """An image shown."""

    cell: int
    line: int
    run_cell: int
    is_called: bool
    how: str
    picked: Picked


Caller = Callable[[Value, list[Value], dict[str, Value]], Value]


class State:
    """Everything that changes while code is gone through. `call` calls a value, as the code would."""

    def __init__(self, steps: int) -> None:
        self.steps_left = steps
        self.call: Caller = lambda *_: UNKNOWN
        self.line = 1
        self.run_cell = 1
        self.is_called = True
        self.globals = Scope({})
        self.frames: list[Frame] = [Frame("", 1, self.globals)]
        self.functions: list[Function] = []
        self.classes: list[Class] = []
        self.loads: dict[tuple[str, int, int], DataLoad] = {}
        self.unresolved: dict[tuple[int, int, str], Unresolved] = {}
        self.gradients: dict[int, Gradient] = {}
        self.updates: list[Update] = []
        self.tests: list[Test] = []
        self.shown: list[Shown] = []
        self.chains: list[Chain] = []
        self.parts_seen: set[Part] = set()  # of the data that went through a matrix product
        self.later: dict[str, tuple[int, ast.stmt]] = {}
        self.stars: list[str] = []  # modules whose names were all imported
        self.define: Callable[[int, ast.stmt], None] = lambda *_: None
        self.store: Callable[[ast.Attribute | ast.Subscript, Value], None] = lambda *_: None
        self.expansions = 0
        self.depth = 0
        self.rough_depth = 0  # loops and branches around us that are only roughly followed
        self._weights = 0
        self._events = 0

    @property
    def frame(self) -> Frame:
        """The call that we are in."""
        return self.frames[-1]

    @property
    def cell(self) -> int:
        """The cell whose code is gone through, which for a function is where it is written."""
        return self.frame.cell

    def tick(self, node: ast.AST) -> None:
        """Count one step and note the line."""
        self.steps_left -= 1
        if self.steps_left < 0:
            raise OutOfStepsError
        self.line = getattr(node, "lineno", self.line)

    def charge(self, *values: Value) -> None:
        """Count the work of taking values as data."""
        self.steps_left -= sum(weight_of(value) for value in values) // 4

    def unclear(self, text: str) -> None:
        """Note something that was not understood; code that nothing calls is not spoken of."""
        key = (self.cell, self.line, text)
        if self.is_called and len(self.unresolved) < _MAX_UNRESOLVED:
            self.unresolved[key] = Unresolved(cell=self.cell, line=max(self.line, 1), text=text)

    def loaded(self, dataset: str, how: str) -> None:
        """Note that a data set was loaded."""
        key = (dataset, self.cell, self.line)
        if self.is_called and len(self.loads) < MAX_EVENTS:
            self.loads[key] = DataLoad(dataset=dataset, cell=self.cell, line=self.line, how=how)

    def new_weight(self, made_of: Data, *, how: str, level: Level, is_variable: bool = True) -> WeightInfo:
        """A new weight that starts as `made_of` says."""
        self._weights += 1
        start = made_of.start or Start.UNKNOWN
        if made_of.gradients:
            start = Start.UNKNOWN
        return WeightInfo(
            self._weights,
            self.cell,
            self.line,
            start,
            made_of.how or how,
            made_of.shape,
            level,
            is_variable,
            is_one=not self.rough_depth,
        )

    def step(
        self,
        data: Data,
        kind: StepKind,
        name: str,
        *,
        level: Level = Level.UNKNOWN,
        weight: WeightInfo | None = None,
        width: int | None = None,
        is_complete: bool = True,
    ) -> Data:
        """The data after one more step of a forward pass; starts a chain where there is none yet."""
        chain = data.chain if data.chain is not None else new_chain(is_complete=data.is_known)
        if kind is StepKind.PRODUCT:
            self.saw(data)
        if kind is not StepKind.LINEAR:
            raw = RawStep(kind, name, self.cell, self.line, level, weight, width, self.frame.function)
            chain = chain.then(raw, is_complete=is_complete)
            if len(self.chains) < 2000:
                self.chains.append(chain)
        if not self.is_called:
            chain.is_complete = False
        return replace(data, chain=chain, start=None, how="", shape=None, scale=None, weights=())

    def saw(self, data: Data) -> None:
        """Note which part of a data set goes through a model; a symbolic input has none."""
        self.parts_seen.update(origin.part for origin in data.origins)
        if not data.origins and not data.is_known:
            self.parts_seen.add(Part.UNKNOWN)

    def room_for_event(self) -> bool:
        """True while events are still recorded; beyond that the code counts as not understood."""
        self._events += 1
        if self._events > MAX_EVENTS:
            self.unclear("there are too many trainings and evaluations to follow")
        return self._events <= MAX_EVENTS

    def loops(self) -> tuple[int | None, ...]:
        """How often the loops that we are in go round, outermost first; None where not written."""
        return tuple(count for frame in self.frames for count in frame.loops)

    def picked(self) -> Picked:
        """How the conditions that we are inside of pick by prediction."""
        marks = [mark for frame in self.frames for mark in frame.picked if mark is not Picked.NO]
        return marks[-1] if marks else Picked.NO
