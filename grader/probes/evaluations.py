"""Forward passes outside of training: which weights, on which images, and how they differ from training.

Listening begins when a trained variable is read in eager mode with no tape open and no update under way, and
ends at the next tape, at the end of the cell, or when the same variable is read again. What it costs is
measured; within a cell it stays under 1 % of the time and 0.1 s.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from probes.plans import (
    ACTIVATIONS,
    LARGEST_CONSTANT_BYTES,
    LOSSES,
    CannotReplay,
    Plan,
    build_plan,
)
from probes.tape import Operation, OperationListener, Recording
from probes.trainings import Training

FEWEST_ROWS = 50
MOST_EVALUATIONS = 60
_MOST_ROWS = 16
_MOST_FRUITLESS = 30
_MOST_ALIKE = 4  # evaluations of one training in one cell
_SHARE, _ALLOWANCE_SECONDS = 0.01, 0.1
_CLASSES = frozenset({"ArgMax", "TopKV2", "InTopKV2", "InTopK"})
_SAME_AS = {"Add": "Add", "AddV2": "Add", "BiasAdd": "Add", "_FusedMatMul": "MatMul"}
_COMPARED = (ACTIVATIONS | {"MatMul", "Conv2D", "Add", "MaxPool"}) - {"Softmax", "LogSoftmax"}


class HeardTensor:
    """What is kept of a tensor: large ones leave only their shape and, from outside, their first rows."""

    __slots__ = ("_id", "dtype", "held", "rows", "shape")

    def __init__(self, tensor: Any, is_from_outside: bool) -> None:
        self._id = tensor._id
        self.dtype = tensor.dtype
        self.shape = tensor.shape
        is_resource = tensor.dtype.name == "resource"
        is_small = is_resource or self.shape.num_elements() * self.dtype.size <= LARGEST_CONSTANT_BYTES
        self.held = tensor if is_small else None
        self.rows: NDArray[Any] | None = None
        if is_from_outside and not is_resource and (self.shape.rank or 0) >= 2:
            self.rows = np.array(tensor._numpy()[:_MOST_ROWS])

    def numpy(self) -> Any:
        """The value of a small tensor."""
        return self.held.numpy() if self.held is not None else None


class LightRecording(Recording):
    """A recording that keeps no large tensor alive, and measures what it costs."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0
        self._heard: dict[int, HeardTensor] = {}

    def add(self, operation: Operation) -> None:
        """Keep one eager operation; those of a graph under construction are none of ours."""
        begun = time.perf_counter()
        if all(hasattr(t, "_numpy") for t in (*operation.inputs, *operation.outputs)):
            inputs = tuple(self._hear(t, is_from_outside=True) for t in operation.inputs)
            outputs = tuple(self._hear(t, is_from_outside=False) for t in operation.outputs)
            super().add(Operation(operation.type, inputs, operation.attributes, outputs))
        self.seconds += time.perf_counter() - begun + 5e-6  # TensorFlow's own part of calling us

    def _hear(self, tensor: Any, is_from_outside: bool) -> HeardTensor:
        heard = self._heard.get(tensor._id)
        if heard is None:
            heard = self._heard[tensor._id] = HeardTensor(tensor, is_from_outside)
        return heard


class Evaluation:
    """One forward pass that was reduced to classes, or whose logits left TensorFlow."""

    def __init__(self, run: int, training: Training, plan: Plan) -> None:
        self.run = run
        self.training = training
        self.plan = plan
        self.count = int(plan.recorded_batch or 0)
        kept = plan.entry_tensor.rows if plan.entry_tensor.rows is not None else plan.entry_tensor.numpy()
        kept = np.asarray(kept, dtype=np.float32)
        self.rows: NDArray[np.float32] = kept[:_MOST_ROWS].reshape(min(len(kept), _MOST_ROWS), -1)

    @property
    def difference(self) -> str:
        """How the operations differ from those of training, "" when they do not."""
        trained = self.training.plan
        return "" if trained is None else difference_of(trained.forward, self.plan.forward)


class Evaluations:
    """Listens for evaluations, within a budget per cell."""

    def __init__(self, operations: OperationListener) -> None:
        self.found: list[Evaluation] = []
        self.is_off = False
        self._operations = operations
        self._recording: LightRecording | None = None
        self._training: Training | None = None
        self._first_slot = -1
        self.cell_begins()

    def cell_begins(self) -> None:
        """A new budget."""
        self._begun = time.perf_counter()
        self._spent = 0.0
        self._fruitless = 0
        self.is_off = len(self.found) >= MOST_EVALUATIONS

    def reading(self, training: Training, slot: int, run: int) -> None:
        """A trained variable is about to be read."""
        if training.counter is None and training.updated_at[slot] < training.eager_gradients:
            return  # to compute its update
        if self._recording is not None and slot != self._first_slot and training is self._training:
            return
        self.close(run)
        allowed = _ALLOWANCE_SECONDS + _SHARE * (time.perf_counter() - self._begun)
        if self._spent > allowed or self._fruitless > _MOST_FRUITLESS:
            return
        self._recording, self._training, self._first_slot = LightRecording(), training, slot
        self._operations.start(self._recording)

    def close(self, run: int) -> None:
        """See what was heard, if anything."""
        recording, training = self._recording, self._training
        if recording is None or training is None:
            return
        begun = time.perf_counter()
        self._recording = self._training = None
        self._operations.stop(recording)
        evaluation = _evaluation_in(recording, training, run)
        if evaluation is None:
            self._fruitless += 1
        elif self._is_new(evaluation):
            self.found.append(evaluation)
        self.is_off = len(self.found) >= MOST_EVALUATIONS
        self._spent += recording.seconds + time.perf_counter() - begun

    def _is_new(self, evaluation: Evaluation) -> bool:
        alike = [e for e in self.found if e.run == evaluation.run and e.training is evaluation.training]
        return len(alike) < _MOST_ALIKE


def _evaluation_in(recording: LightRecording, training: Training, run: int) -> Evaluation | None:
    types = {operation.type for operation in recording.operations}
    if types & LOSSES and not types & _CLASSES:
        return None
    if training.final is not None or "MatMul" not in types:
        return None
    try:
        plan = build_plan(recording, training.weights)
    except CannotReplay:
        return None
    is_long = plan.recorded_batch is not None and plan.recorded_batch >= FEWEST_ROWS
    return Evaluation(run, training, plan) if is_long and not plan.is_transposed else None


def difference_of(
    trained: tuple[tuple[str, int | None], ...], evaluated: tuple[tuple[str, int | None], ...]
) -> str:
    """What an evaluation leaves out, or adds, among layers and activations; "" when nothing."""
    left_out, added = _counted(trained), _counted(evaluated)
    told = []
    for name, count in sorted((left_out - added).items()):
        told.append(f"{count} layer(s) fewer" if name == "MatMul" else f"{name} left out")
    for name, count in sorted((added - left_out).items()):
        told.append(f"{count} layer(s) more" if name == "MatMul" else f"{name} added")
    return ", ".join(told)[:200]


def _counted(forward: tuple[tuple[str, int | None], ...]) -> Counter[str]:
    names = [_SAME_AS.get(name, name) for name, _ in forward]
    return Counter(name for name in names if name in _COMPARED)
