"""One training run: what is known of a set of weights that gradients are asked for again and again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from probes.listening import Site
from probes.predicting import Predictor, Snapshot, Values
from probes.variables import value_of


class Links:
    """What else of the notebook a training belongs to; models, functions and pipelines by their ids.

    `fed` counts steps by pipeline, None for those that a graph took from it by itself. `place` is the name of
    the function in which its tape was opened, `is_in_library` whether that is a library's.
    """

    def __init__(self) -> None:
        self.place = ""
        self.is_in_library = False
        self.model: int | None = None
        self.function: int | None = None
        self.fed: dict[int, int | None] = {}
        self.last_draw: tuple[int, int] | None = None
        self.optimizer: str | None = None
        self.optimizer_rate: float | None = None


class Training:
    """What is known of one training run; the attributes are told in `ObservedTraining` on the host."""

    def __init__(self, number: int, site: Site, weights: Sequence[Any]) -> None:
        self.id = number
        self.site = site
        self.weights = list(weights)
        self.slots = {id(weight): place for place, weight in enumerate(self.weights)}
        self.requests: list[list[int]] = []  # the slots that the first, second … request to a tape asks for
        self.path = "unknown"
        self.eager_gradients = 0
        self.eager_updates = 0
        self.counted_gradient = 0  # the last one that an update was counted for
        self.updated_at = [0] * len(self.weights)  # the gradient that each weight's last update used
        self.counter: Any = None
        self.counted_before = 0
        self.runs: list[int] = []
        self.work: dict[int, tuple[int, int]] = {}  # gradients by run, eager ones and those of graphs
        self.before: Snapshot | None = None
        self.starts: list[Any] | None = None  # variables into which a graph copies the weights it begins with
        self.during: list[tuple[int, Snapshot]] = []
        self.final: Snapshot | None = None
        self.final_steps: int | None = None
        self.foreign_writes = 0
        self.first_weights: list[Any] = []  # that were replaced by others at the first step
        self.state: list[Any] = []  # variables of the model that owns the weights, other than these
        self.plan: Any = None
        self.called: Predictor | None = None  # the model that owns the weights
        self.replay: Predictor | None = None  # the recorded operations
        self.rate: float | None = None
        self.rate_probe: tuple[int, NDArray[Any], NDArray[Any]] | None = None
        self.links = Links()
        self.why_not = "no step recorded"
        self.is_told_at = -1

    @property
    def shapes(self) -> list[list[int]]:
        """The shapes of the weights."""
        return [[int(dim) for dim in weight.shape] for weight in self.weights]

    @property
    def parameters(self) -> int:
        """How many numbers the weights hold."""
        return sum(int(np.prod(shape)) for shape in self.shapes)

    @property
    def graph_steps(self) -> int:
        """Steps that a graph took."""
        if self.final_steps is not None:
            return self.final_steps
        return 0 if self.counter is None else int(self.counter.numpy()) - self.counted_before

    @property
    def gradients(self) -> int:
        """How often gradients were computed."""
        return self.eager_gradients + self.graph_steps

    @property
    def updates(self) -> int:
        """After how many of them the weights changed."""
        return self.eager_updates + self.graph_steps

    @property
    def predictors(self) -> list[Predictor]:
        """The forward passes that were found, the best one first."""
        return [found for found in (self.called, self.replay) if found is not None]

    @property
    def values(self) -> Snapshot:
        """The values as they are now, or as they were when the training was closed."""
        if self.final is not None:
            return self.final
        return Snapshot([value_of(weight) for weight in self.weights], self.state_values)

    @property
    def state_values(self) -> Values:
        """The values of the state as they are now."""
        return [value_of(variable) for variable in self.state]

    @property
    def bytes(self) -> int:
        """How much memory one copy takes."""
        sizes = [int(np.prod(tuple(variable.shape))) for variable in (*self.weights, *self.state)]
        return sum(sizes) * 4

    @property
    def is_passing(self) -> bool:
        """One request for gradients of tensors that changed nothing, as for a picture of them."""
        is_of_tensors = not any(hasattr(weight, "handle") for weight in self.weights)
        return self.updates == 0 and self.gradients <= 1 and is_of_tensors

    def has_state(self, state: Sequence[Any]) -> None:
        """The weights belong to a model that has these variables, too."""
        self.state = list(state)
        if self.before is not None:
            self.before = self.before._replace(state=self.state_values)

    def note_work(self, run: int) -> None:
        """At the end of the cell at position `run`: note the gradients that were computed in it."""
        known = [sum(counts) for counts in zip(*self.work.values(), strict=True)] or [0, 0]
        eager, graph = self.eager_gradients - known[0], self.graph_steps - known[1]
        if eager or graph:
            before = self.work.get(run, (0, 0))
            self.work[run] = before[0] + eager, before[1] + graph

    def at_work_in(self, run: int) -> None:
        """Note that the cell at position `run` trained."""
        if not self.runs or self.runs[-1] != run:
            self.runs.append(run)


def snapshot_of(weights: Sequence[Any]) -> Snapshot | None:
    """Copies of all values, None when one has no value yet."""
    try:
        values = [value_of(weight) for weight in weights]
    except Exception:  # noqa: BLE001 - a variable without a value, in whatever way TensorFlow says so
        return None
    is_whole = all(value.shape == tuple(weight.shape) for value, weight in zip(values, weights, strict=True))
    return Snapshot(values, []) if is_whole else None


def relative_change(old: NDArray[Any], new: NDArray[Any]) -> float:
    """‖new - old‖ relative to ‖old‖; to ‖new‖ where old is all zero."""
    if old.shape != new.shape:
        return 1.0
    size = float(np.linalg.norm(old)) or float(np.linalg.norm(new)) or 1.0
    return float(np.linalg.norm(new.astype(np.float64) - old)) / size
