"""Watches trainings closely: losses, gradients and what goes into the layers, at steps that grow apart.

Only for scripts of which one wants to know why they fail. The loss is looked at in every step, all else when
a step is `due`. In a `tf.function` the graph does the same and writes into a table of its own.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from probes.listening import Site
from probes.plans import LOSSES
from probes.tape import Operation, Recording, key_of
from probes.trainings import Training
from probes.variables import hidden_variable

MOST_WEIGHTS, MOST_LAYERS = 60, 24
MOST_NUMBERS = 150_000  # that are sent of all trainings: some 4 MiB
_PRODUCTS = frozenset({"MatMul", "BatchMatMulV2", "BatchMatMulV3", "Einsum", "Conv2D"})
_PASS_ON = frozenset({"Reshape", "Identity", "Cast", "ReadVariableOp"})
_LINEAR = 250
_LAST = 10**7


def _schedule() -> list[int]:
    steps = {int(1.25**power) for power in range(75)} | {_LINEAR * part for part in range(1, 41)}
    return sorted(step for step in steps if step <= _LAST)


SCHEDULE = _schedule()
_DUE = frozenset(SCHEDULE)
Columns = dict[str, Any]  # by name, what one step shows: numbers, or tensors with one number each


class Watch:
    """What was seen of one training. `points`: by step, its columns; `layers`: what made each layer's input.

    `loss` of a point is the mean over the steps since the point before.
    """

    def __init__(self) -> None:
        self.steps = 0
        self.not_finite_from: int | None = None
        self.points: dict[int, dict[str, float]] = {}
        self.layers: tuple[str, ...] = ()
        self._sum, self._count = 0.0, 0
        self._tables: list[tuple[list[str], Any]] = []
        self._tallies: list[Any] = []

    def counted(self, loss: float) -> None:
        """One eager step with this loss."""
        self.steps += 1
        if math.isfinite(loss):
            self._sum, self._count = self._sum + loss, self._count + 1
        elif self.not_finite_from is None:
            self.not_finite_from = self.steps

    def seen(self, columns: dict[str, float]) -> None:
        """More columns of the step that was counted last."""
        point = self.points.setdefault(self.steps, {})
        if not point:
            point["loss"] = self._sum / self._count if self._count else math.nan
            self._sum, self._count = 0.0, 0
        point.update(columns)

    def tabled(self, names: list[str], table: Any) -> None:
        """A graph writes columns of these names into a table with a row for each step of the schedule."""
        self._tables.append((names, table))

    def tallied(self, tally: Any) -> None:
        """A graph keeps sum and number of its losses, and its first step without one, in a variable."""
        self._tallies.append(tally)

    def gather(self, steps: int) -> None:
        """Take in what graphs wrote, and the losses after the last point; `steps` were taken in all."""
        for names, table in self._tables:
            for row in table.numpy().tolist():
                if row[0]:
                    self.points.setdefault(int(row[0]), {}).update(zip(names, row[1:], strict=True))
        for tally in self._tallies:
            total, count, bad = tally.numpy().tolist()
            self._sum, self._count = self._sum + total, self._count + int(count)
            if bad and (self.not_finite_from is None or bad < self.not_finite_from):
                self.not_finite_from = int(bad)
        self.steps = max(self.steps, steps)
        if self.steps not in self.points and self._count:
            self.points[self.steps] = {"loss": self._sum / self._count}
        self._tables, self._tallies, self._count = [], [], 0


class Watcher:
    """Watches every training while it `is_on`."""

    def __init__(self) -> None:
        self.is_on = False
        self.tensorflow: Any = None
        self.watches: dict[int, tuple[Training, Watch]] = {}
        self._at_site: dict[tuple[int, int], Watch] = {}  # of the tape

    def is_due(self, site: Site) -> bool:
        """Whether the step that begins with a tape here is one to look at closely."""
        watch = self._at_site.get((id(site[0]), site[1]))
        return self.is_on and (watch is None or watch.steps + 1 in _DUE)

    def gradient_given(
        self, training: Training, site: Site, recording: Recording | None, target: Any, given: Sequence[Any]
    ) -> None:
        """A step of a training: `given` are pairs of slot and gradient, `site` that of its tape.

        A further request to the same tape tells only of more gradients; its `target` is None.
        """
        if not self.is_on:
            return
        _, watch = self.watches.setdefault(training.id, (training, Watch()))
        self._at_site[id(site[0]), site[1]] = watch
        if self.tensorflow.executing_eagerly():
            self._step(watch, recording, target, given)
        else:
            self._trace(training, watch, recording, target, given)

    def _step(self, watch: Watch, recording: Recording | None, target: Any, given: Sequence[Any]) -> None:
        if target is not None:
            watch.counted(float(self._loss(target)))
        if watch.steps not in _DUE:
            return
        columns = self._gradients(given)
        if recording is not None and target is not None:
            columns |= self._layers(watch, recording.operations, lambda tensor: hasattr(tensor, "numpy"))
        numbers = self.tensorflow.stack(list(columns.values())).numpy().tolist() if columns else []
        watch.seen(dict(zip(columns, numbers, strict=True)))

    def _trace(
        self, training: Training, watch: Watch, recording: Recording | None, target: Any, given: Sequence[Any]
    ) -> None:
        """Let the graph under construction write down what `_step` would see."""
        tf = self.tensorflow
        here = tf.compat.v1.get_default_graph()
        step = training.counter.read_value() - training.counted_before
        columns = {} if target is None else {"loss": self._tally(watch, self._loss(target), step)}
        columns |= self._gradients(given)
        if recording is not None and target is not None:
            is_here: Callable[[Any], bool] = lambda tensor: getattr(tensor, "graph", None) is here  # noqa: E731
            columns |= self._layers(watch, recording.operations, is_here)
        with tf.init_scope():
            table = hidden_variable(tf.zeros([len(SCHEDULE), 1 + len(columns)]), tf.float32)
        watch.tabled(list(columns), table)
        due = tf.constant(SCHEDULE, tf.int64)

        def written() -> Any:
            row = tf.stack([tf.cast(step, tf.float32), *columns.values()])
            is_row = tf.reshape(tf.equal(step, due), [-1, 1])
            table.assign(tf.where(is_row, tf.reshape(row, [1, -1]), table.read_value()))
            return tf.constant(True)

        tf.cond(tf.reduce_any(tf.equal(step, due)), written, lambda: tf.constant(False))

    def _tally(self, watch: Watch, loss: Any, step: Any) -> Any:
        """The mean loss since the last due step, and a tally of it that the graph keeps."""
        tf = self.tensorflow
        with tf.init_scope():
            tally = hidden_variable(tf.zeros([3]), tf.float32)
        watch.tallied(tally)
        before = tally.read_value()
        is_finite = tf.math.is_finite(loss)
        total = before[0] + tf.where(is_finite, loss, 0.0)
        count = before[1] + tf.cast(is_finite, tf.float32)
        is_first = tf.logical_and(tf.equal(before[2], 0.0), tf.logical_not(is_finite))
        bad = tf.where(is_first, tf.cast(step, tf.float32), before[2])
        keeps = tf.cast(tf.reduce_all(tf.not_equal(step, tf.constant(SCHEDULE, tf.int64))), tf.float32)
        tally.assign(tf.stack([total * keeps, count * keeps, bad]))
        return tf.where(count > 0.0, total / tf.maximum(count, 1.0), float("nan"))

    def _loss(self, target: Any) -> Any:
        """The number that the gradient is of: a mean where it is of many."""
        tf = self.tensorflow
        parts = [tf.reduce_mean(tf.cast(part, tf.float32)) for part in tf.nest.flatten(target)]
        return parts[0] if len(parts) == 1 else tf.add_n(parts)

    def _gradients(self, given: Sequence[Any]) -> Columns:
        tf = self.tensorflow
        columns = {}
        for slot, gradient in given:
            if 0 <= slot < MOST_WEIGHTS:
                values = getattr(gradient, "values", gradient)
                is_there = values is not None
                columns[f"gradient {slot}"] = (
                    tf.norm(tf.cast(values, tf.float32)) if is_there else tf.zeros([])
                )
        return columns

    def _layers(
        self, watch: Watch, operations: Sequence[Operation], is_here: Callable[[Any], bool]
    ) -> Columns:
        """What went into each product of data and weights, and into the loss."""
        producers = {key_of(tensor): op for op in operations for tensor in op.outputs}
        columns: Columns = {}
        layers: list[str] = []
        for op in operations:
            if op.type in _PRODUCTS and len(layers) < MOST_LAYERS:
                data = _data_of(op, producers)
                if data is not None and is_here(data):
                    made_by = _made_by(data, producers)
                    columns |= self._layer(f"layer {len(layers)}", data, made_by, is_first=not layers)
                    layers.append(made_by)
            elif op.type in LOSSES and is_here(op.inputs[0]):
                columns |= self._logits(op.inputs[0])
        watch.layers = tuple(layers)
        return columns

    def _layer(self, name: str, data: Any, made_by: str, *, is_first: bool) -> Columns:
        tf = self.tensorflow
        values = tf.cast(data, tf.float32)
        is_zero = tf.equal(values, 0.0)
        mean = tf.reduce_mean(values)
        columns = {
            f"{name} mean": mean,
            f"{name} deviation": tf.math.reduce_std(values),
            f"{name} zeros": tf.reduce_mean(tf.cast(is_zero, tf.float32)),
            f"{name} dead": tf.reduce_mean(tf.cast(tf.reduce_all(is_zero, axis=0), tf.float32)),
        }
        middle = {"Sigmoid": 0.5, "Tanh": 0.0}.get(made_by)
        if middle is not None:
            is_at_end = tf.abs(values - middle) > 0.98 * (1.0 - middle)
            columns[f"{name} saturated"] = tf.reduce_mean(tf.cast(is_at_end, tf.float32))
        if is_first:
            rows = tf.reshape(values, [tf.shape(values)[0], -1]) - mean
            along = tf.reduce_mean(rows[:, 1:] * rows[:, :-1])
            columns[f"{name} smoothness"] = along / (tf.reduce_mean(tf.square(rows)) + 1e-12)
        return columns

    def _logits(self, logits: Any) -> Columns:
        tf = self.tensorflow
        values = tf.cast(logits, tf.float32)
        off = tf.abs(tf.reduce_sum(values, axis=-1) - 1.0)
        return {
            "logits lowest": tf.reduce_min(values),
            "logits highest": tf.reduce_max(values),
            "logits off one": tf.reduce_max(off),
        }


def _data_of(op: Operation, producers: dict[int, Operation]) -> Any:
    """The input of a product that is no weight; None when both are, or none."""
    inputs = op.inputs[:2]
    is_weight = [_is_weight(tensor, producers) for tensor in inputs]
    if len(inputs) < 2 or is_weight[0] == is_weight[1]:
        return None
    return inputs[1] if is_weight[0] else inputs[0]


def _is_weight(tensor: Any, producers: dict[int, Operation]) -> bool:
    made = producers.get(key_of(tensor))
    while made is not None and made.type in _PASS_ON and made.inputs:
        if made.type == "ReadVariableOp":
            return True
        tensor = made.inputs[0]
        made = producers.get(key_of(tensor))
    return False


def _made_by(data: Any, producers: dict[int, Operation]) -> str:
    """The operation that gave a layer's input, those that only pass it on left aside; "" for none."""
    made = producers.get(key_of(data))
    while made is not None and made.type in _PASS_ON and made.inputs:
        made = producers.get(key_of(made.inputs[0]))
    return "" if made is None else made.type


def facts_of_watches(watcher: Watcher) -> Iterator[dict[str, Any]]:
    """The fields of `Watched`, of those with most steps first, as many as there is room for.

    One that cannot be told of is left out.
    """
    room = MOST_NUMBERS
    for training, watch in sorted(watcher.watches.values(), key=lambda pair: -pair[0].gradients):
        with contextlib.suppress(Exception):  # what a graph left may be out of reach
            told = _facts_of_watch(training, watch)
            room -= sum(len(point["columns"]) for point in told["points"])
            if room < 0:
                return
            yield told


def _facts_of_watch(training: Training, watch: Watch) -> dict[str, Any]:
    watch.gather(training.gradients)
    points = sorted(watch.points.items())
    return {
        "training": training.id,
        "steps": watch.steps,
        "not_finite_from": watch.not_finite_from,
        "layers": list(watch.layers),
        "points": [{"step": step, "columns": _rounded(columns)} for step, columns in points],
    }


def _rounded(columns: dict[str, float]) -> dict[str, float | None]:
    """Four digits of each number; None for what is none."""
    return {name: float(f"{x:.4g}") if math.isfinite(x) else None for name, x in columns.items()}
