"""Forward passes outside of training: which weights, on which images, and how they differ from training.

Listening begins when a trained variable is read in eager mode with no tape open and no update under way, and
ends at the next tape, at the end of the cell, or when the same variable is read again. A call of a Keras
model is an evaluation by itself. What listening costs is measured; within a cell it stays under 1 % of the
time and 0.1 s of processor time, so that what is heard does not depend on what else the machine does.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from probes.calling import CalledModel, ModelCall
from probes.feeds import feed_of
from probes.plans import (
    ACTIVATIONS,
    LARGEST_CONSTANT_BYTES,
    LOSSES,
    CannotReplay,
    Plan,
    build_plan,
)
from probes.predicting import Predictor
from probes.replay import Replay
from probes.tape import Operation, OperationListener, Recording
from probes.trainings import Training

FEWEST_ROWS = 50
MOST_EVALUATIONS = 60
_MOST_ROWS = 16
_MOST_FRUITLESS = 30
_MOST_ALIKE = 4  # evaluations of one training in one cell
_SHARE, _ALLOWANCE_SECONDS = 0.01, 0.1
_CLASSES = frozenset({"ArgMax", "TopKV2", "InTopKV2", "InTopK"})
_PRODUCTS = frozenset({"MatMul", "Conv2D", "BatchMatMulV2", "Einsum"})
_SAME_AS = {"Add": "Add", "AddV2": "Add", "BiasAdd": "Add", "_FusedMatMul": "MatMul"}
_COMPARED = (ACTIVATIONS | {"MatMul", "Conv2D", "Add", "MaxPool"}) - {"Softmax", "LogSoftmax"}


class HeardTensor:
    """What is kept of a tensor: large ones leave only their shape and, from outside, their edges."""

    __slots__ = ("_columns", "_id", "_rows", "dtype", "held", "shape")

    def __init__(self, tensor: Any, is_from_outside: bool) -> None:
        self._id = tensor._id
        self.dtype = tensor.dtype
        self.shape = tensor.shape
        is_resource = tensor.dtype.name == "resource"
        is_small = is_resource or self.shape.num_elements() * self.dtype.size <= LARGEST_CONSTANT_BYTES
        self.held = tensor if is_small else None
        self._rows: NDArray[Any] | None = None
        self._columns: NDArray[Any] | None = None
        if is_from_outside and not is_resource and (self.shape.rank or 0) >= 2:
            values = tensor._numpy()
            self._rows = np.array(values[:_MOST_ROWS])
            self._columns = np.array(values[:, :_MOST_ROWS]) if self.shape.rank == 2 else None

    def numpy(self) -> Any:
        """The value of a small tensor."""
        return self.held.numpy() if self.held is not None else None

    def first_rows(self, is_transposed: bool) -> NDArray[np.float32] | None:
        """Some rows of a batch, flat; None of a large tensor that was computed on the way."""
        rows = self._columns.T if is_transposed and self._columns is not None else self._rows
        if rows is None:
            held = self.numpy()
            if held is None:
                return None
            rows = held.T if is_transposed else held
        return np.array(rows[:_MOST_ROWS], dtype=np.float32).reshape(min(len(rows), _MOST_ROWS), -1)


class LightRecording(Recording):
    """A recording that keeps no large tensor alive, and measures what it costs."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0
        self._heard: dict[int, HeardTensor] = {}

    def add(self, operation: Operation) -> None:
        """Keep one eager operation; those of a graph under construction are none of ours."""
        begun = time.thread_time()
        if all(hasattr(t, "_numpy") for t in (*operation.inputs, *operation.outputs)):
            inputs = tuple(self._hear(t, is_from_outside=True) for t in operation.inputs)
            outputs = tuple(self._hear(t, is_from_outside=False) for t in operation.outputs)
            super().add(Operation(operation.type, inputs, operation.attributes, outputs))
        self.seconds += time.thread_time() - begun + 5e-6  # TensorFlow's own part of calling us

    def _hear(self, tensor: Any, is_from_outside: bool) -> HeardTensor:
        heard = self._heard.get(tensor._id)
        if heard is None:
            heard = self._heard[tensor._id] = HeardTensor(tensor, is_from_outside)
        return heard


class Evaluation:
    """One forward pass that was reduced to classes, or whose logits left TensorFlow.

    `updates` are those of its training when it was evaluated; `difference` names how the operations differ
    from those of training, "" when they do not; `forward` is empty for the call of a model; `is_stale`: the
    weights are those from before the training.
    """

    def __init__(
        self,
        training: Training,
        predictor: Predictor,
        *,
        run: int,
        count: int,
        updates: int,
        forward: tuple[tuple[str, int | None], ...] = (),
        difference: str = "",
        is_stale: bool = False,
    ) -> None:
        self.training = training
        self.predictor = predictor
        self.run = run
        self.count = count
        self.updates = updates
        self.forward = forward
        self.difference = difference
        self.is_stale = is_stale

    @property
    def is_other(self) -> bool:
        """Whether other operations are done than in training."""
        trained = self.training.plan
        return bool(self.forward) and trained is not None and trained.forward != self.forward


class Evaluations:
    """Listens for evaluations, within a budget per cell."""

    def __init__(self, operations: OperationListener, current_run: Callable[[], int]) -> None:
        self.found: list[Evaluation] = []
        self.is_off = False
        self._operations = operations
        self._current_run = current_run
        self._recording: LightRecording | None = None
        self._training: Training | None = None
        self._first_slot = -1
        self._updates = 0
        self._is_stale = False
        self.cell_begins()

    def cell_begins(self) -> None:
        """A new budget."""
        self._begun = time.perf_counter()
        self._spent = 0.0
        self._fruitless = 0
        self.is_off = len(self.found) >= MOST_EVALUATIONS

    def reading(self, training: Training, slot: int) -> None:
        """A trained variable is about to be read."""
        if training.counter is None and training.updated_at[slot] < training.eager_gradients:
            return  # to compute its update
        self._read(training, slot, is_stale=False)

    def reading_first(self, training: Training, variable: Any) -> None:
        """A variable is about to be read that the training has replaced by others since."""
        if training.eager_updates > 1:
            slot = [id(weight) for weight in training.first_weights].index(id(variable))
            self._read(training, slot, is_stale=True)

    def _read(self, training: Training, slot: int, *, is_stale: bool) -> None:
        if self._recording is not None and slot != self._first_slot and training is self._training:
            return
        self.close()
        if self._is_over_budget():
            return
        self._recording, self._training, self._first_slot = LightRecording(), training, slot
        self._updates, self._is_stale = 0 if is_stale else training.updates, is_stale
        self._operations.start(self._recording)

    def model_called(self, training: Training, call: ModelCall) -> None:
        """A Keras model that was trained has been called outside of a tape."""
        self._evaluated_by(training, lambda: CalledModel(call, training.weights))

    def data_given(self, training: Training, data: Any) -> None:
        """A model that was trained is about to `evaluate` or `predict` data."""
        called = training.called
        if isinstance(called, CalledModel):
            self._evaluated_by(training, lambda: called.fed_with(data))

    def _evaluated_by(self, training: Training, predictor_of: Callable[[], CalledModel | None]) -> None:
        self.close()
        if self._is_over_budget() or self._is_known_enough(training):
            return
        begun = time.thread_time()
        predictor = predictor_of()
        if predictor is not None and (predictor.count or 0) >= FEWEST_ROWS:
            evaluation = Evaluation(
                training,
                predictor,
                run=self._current_run(),
                count=predictor.count or 0,
                updates=training.updates,
                difference="training=True" if predictor.was_training else "",
            )
            self._add(evaluation)
        self._spent += time.thread_time() - begun

    def close(self) -> None:
        """See what was heard, if anything."""
        recording, training = self._recording, self._training
        if recording is None or training is None:
            return
        begun = time.thread_time()
        self._recording = self._training = None
        self._operations.stop(recording)
        evaluation = self._evaluation_in(recording, training)
        if evaluation is None:
            self._fruitless += 1
        elif not self._is_known_enough(training):
            self._add(evaluation)
        self._spent += recording.seconds + time.thread_time() - begun

    def _add(self, evaluation: Evaluation) -> None:
        self.found.append(evaluation)
        self.is_off = len(self.found) >= MOST_EVALUATIONS

    def _is_over_budget(self) -> bool:
        allowed = _ALLOWANCE_SECONDS + _SHARE * (time.perf_counter() - self._begun)
        return self._spent > allowed or self._fruitless > _MOST_FRUITLESS

    def _is_known_enough(self, training: Training) -> bool:
        run = self._current_run()
        alike = [e for e in self.found if e.run == run and e.training is training]
        return len(alike) >= _MOST_ALIKE

    def _evaluation_in(self, recording: LightRecording, training: Training) -> Evaluation | None:
        types = {operation.type for operation in recording.operations}
        if types & LOSSES and not types & _CLASSES:
            return None
        if training.final is not None or not types & _PRODUCTS:
            return None
        try:
            plan = build_plan(recording, training.first_weights if self._is_stale else training.weights)
        except CannotReplay:
            return None
        feeds = [feed_of(entry.tensor, entry.is_transposed) for entry in plan.entries]
        known = [feed for feed in feeds if feed is not None]
        if len(known) < len(feeds) or (plan.recorded_batch or 0) < FEWEST_ROWS:
            return None
        trained = training.plan
        difference = "" if trained is None else difference_of(trained, plan)
        stale = "weights from before the training" if self._is_stale else ""
        return Evaluation(
            training,
            Replay(plan.without_data(), known),
            run=self._current_run(),
            count=plan.recorded_batch or 0,
            updates=self._updates,
            forward=plan.forward,
            difference=", ".join(filter(None, (stale, difference))),
            is_stale=self._is_stale,
        )


def difference_of(trained: Plan, evaluated: Plan) -> str:
    """What an evaluation leaves out, adds, or takes from elsewhere; "" when nothing."""
    left_out, added = _counted(trained.forward), _counted(evaluated.forward)
    told = []
    for name, count in sorted((left_out - added).items()):
        told.append(f"{count} layer(s) fewer" if name == "MatMul" else f"{name} left out")
    for name, count in sorted((added - left_out).items()):
        told.append(f"{count} layer(s) more" if name == "MatMul" else f"{name} added")
    missing = _weights_in(trained.forward) - _weights_in(evaluated.forward)
    if not told and missing:
        told.append(f"{len(missing)} of the trained weights not used")
    return ", ".join(told)[:200]


def _weights_in(forward: tuple[tuple[str, int | None], ...]) -> set[int]:
    return {weight for _, weight in forward if weight is not None}


def _counted(forward: tuple[tuple[str, int | None], ...]) -> Counter[str]:
    names = [_SAME_AS.get(name, name) for name, _ in forward]
    return Counter(name for name in names if name in _COMPARED)
