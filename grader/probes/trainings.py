"""The book of training runs: which weights were trained, how often, and what they were at which moment.

A training is one set of weights that gradients are asked for again and again. Its weights stay alive as
long as it is open; once they are given other values (or the room for open trainings is used up) it is closed
with a copy of its last values. Within a `tf.function` a hidden counter in the graph counts the steps, and
snapshots on the way are taken only between cells.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Site = tuple[Any, int]  # code object and line
Values = list[NDArray[Any]]

MOST_TRAININGS = 300
MOST_BYTES = 256 * 1024 * 1024
_SNAPSHOTS = frozenset({4, 32, 256, 2048, 16_384, 131_072})
_NEW_START = 0.5  # relative change of a weight above which it was started anew
_COMPARED = 512  # numbers per weight that are looked at to tell whether new tensors continue the old


class Training:
    """What is known of one training run; the attributes are told in `ObservedTraining` on the host."""

    def __init__(self, number: int, site: Site, weights: Sequence[Any]) -> None:
        self.id = number
        self.site = site
        self.weights = list(weights)
        self.slots = {id(weight): place for place, weight in enumerate(self.weights)}
        self.path = "unknown"
        self.eager_gradients = 0
        self.eager_updates = 0
        self.counted_gradient = 0  # the last one that an update was counted for
        self.updated_at = [0] * len(self.weights)  # the gradient that each weight's last update used
        self.counter: Any = None
        self.counted_before = 0
        self.runs: list[int] = []
        self.before: Values | None = None
        self.during: list[tuple[int, Values]] = []
        self.final: Values | None = None
        self.final_steps: int | None = None
        self.foreign_writes = 0
        self.plan: Any = None
        self.rows: NDArray[Any] | None = None
        self.sampled: Any = None  # a variable into which a graph copies rows of its data
        self.rate: float | None = None
        self.rate_probe: tuple[int, NDArray[Any], NDArray[Any]] | None = None
        self.why_not = "no step recorded"
        self.is_told_at = -1

    @property
    def shapes(self) -> list[list[int]]:
        """The shapes of the weights."""
        return [[int(dim) for dim in weight.shape] for weight in self.weights]

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
    def values(self) -> Values:
        """The weights as they are now, or as they were when the training was closed."""
        return self.final if self.final is not None else [value_of(weight) for weight in self.weights]

    @property
    def bytes(self) -> int:
        """How much memory one copy of the weights takes."""
        return sum(int(np.prod(shape)) * 4 for shape in self.shapes)

    def at_work_in(self, run: int) -> None:
        """Note that the cell at position `run` trained."""
        if not self.runs or self.runs[-1] != run:
            self.runs.append(run)


class Book:
    """All trainings of one run, and which of them owns which weight."""

    def __init__(self, current_run: Callable[[], int]) -> None:
        self.trainings: list[Training] = []
        self.latest: Training | None = None
        self.is_overfull = False
        self._owners: dict[int, Training] = {}
        self._at_site: dict[tuple[Any, ...], Training] = {}
        self._current_run = current_run
        self._bytes = 0

    def training_of(self, weight: Any) -> Training | None:
        """The open training that owns a weight."""
        return self._owners.get(id(weight))

    def requested(self, weights: Sequence[Any], site: Site, earlier: Training | None) -> Training | None:
        """The training that a request for gradients belongs to, a new one if need be.

        `earlier` is the training of an earlier request to the same tape: its set of weights grows.
        None when there are too many trainings.
        """
        owner = self._owners.get(id(weights[0]))
        if owner is None or not all(id(weight) in owner.slots for weight in weights):
            if earlier is not None and earlier.final is None:
                return self._grow(earlier, weights)
            weights = list({id(weight): weight for weight in weights}.values())
            owner = self._rebound(weights, site) or self._new(weights, site)
        self.latest = owner
        return owner

    def close(self, training: Training, values: Values | None = None) -> None:
        """Keep the last values of a training and let its weights go."""
        if training.final is not None:
            return
        training.final_steps = training.graph_steps
        if training.updates > max(training.is_told_at, 0):
            training.at_work_in(self._current_run())
        training.final = training.values if values is None else values
        for weight in training.weights:
            if self._owners.get(id(weight)) is training:
                del self._owners[id(weight)]
        training.slots = {}
        training.weights = training.final

    def snapshot(self, training: Training, step: int) -> None:
        """Keep the values after `step` updates, as far as there is room."""
        is_there = bool(training.during) and training.during[-1][0] == step
        if not is_there and self._bytes + training.bytes <= MOST_BYTES:
            self._bytes += training.bytes
            training.during.append((step, training.values))

    def asked(self, training: Training) -> None:
        """Count one eager gradient; take the snapshots that are due before the update that follows."""
        if training.eager_updates in _SNAPSHOTS and training.counter is None:
            self.snapshot(training, training.eager_updates)
        training.eager_gradients += 1
        training.at_work_in(self._current_run())

    def poll(self) -> None:
        """Between cells: see which graphs trained, and keep snapshots of their weights."""
        for training in self.trainings:
            if training.counter is None or training.final is not None:
                continue
            steps = training.updates
            if steps != max(training.is_told_at, 0):
                training.at_work_in(self._current_run())
                if not training.during or steps >= 8 * training.during[-1][0]:
                    self.snapshot(training, steps)

    def written(self, weight: Any, path: str) -> tuple[Training, int, NDArray[Any]] | None:
        """Before an eager write to a weight: count it, or give the old value when no gradient led here."""
        training = self._owners[id(weight)]
        slot = training.slots[id(weight)]
        if training.counter is None and training.updated_at[slot] < training.eager_gradients:
            training.updated_at[slot] = training.eager_gradients
            self.updated(training, path)
            return None
        return training, slot, value_of(weight)

    def updated(self, training: Training, path: str) -> None:
        """Count one update, at most one per gradient."""
        training.path = path
        if training.counted_gradient < training.eager_gradients:
            training.counted_gradient = training.eager_gradients
            training.eager_updates += 1

    def judge(self, training: Training, slot: int, old: NDArray[Any]) -> None:
        """After a write that no gradient led to: a new start of the weights, or a foreign write."""
        new = value_of(training.weights[slot])
        if training.updates == 0:
            if training.before is not None:
                training.before[slot] = new
            return
        is_first = training.before is not None and np.array_equal(new, training.before[slot])
        if relative_change(old, new) <= _NEW_START and not (is_first and new.any()):
            training.foreign_writes += 1
            return
        weights = list(training.weights)
        values = [old if at == slot else value_of(weight) for at, weight in enumerate(weights)]
        counter = training.counter
        self.close(training, values)
        if counter is not None:  # the compiled step goes on without asking us again
            self._continue(training, weights, counter)

    def _continue(self, training: Training, weights: list[Any], counter: Any) -> None:
        successor = self._new(weights, training.site)
        if successor is not None:
            successor.counter, successor.counted_before = counter, int(counter.numpy())
            successor.plan, successor.why_not = training.plan, training.why_not
            successor.sampled, successor.path = training.sampled, training.path

    def _new(self, weights: Sequence[Any], site: Site) -> Training | None:
        size = sum(int(np.prod([int(dim) for dim in weight.shape])) * 4 for weight in weights)
        if len(self.trainings) >= MOST_TRAININGS or self._bytes + 2 * size > MOST_BYTES:
            self.is_overfull = True
            return None
        for weight in weights:
            other = self._owners.get(id(weight))
            if other is not None:
                self.close(other)
        training = Training(len(self.trainings) + 1, site, weights)
        training.before = snapshot_of(weights)
        self._bytes += 2 * size
        self.trainings.append(training)
        self._own(training)
        return training

    def _own(self, training: Training) -> None:
        for weight in training.weights:
            self._owners[id(weight)] = training
        self._at_site[(training.site, *map(tuple, training.shapes))] = training

    def _grow(self, training: Training, weights: Sequence[Any]) -> Training:
        added = [w for w in {id(w): w for w in weights}.values() if id(w) not in training.slots]
        values = snapshot_of(added)
        training.before = None if training.before is None or values is None else training.before + values
        for weight in added:
            training.slots[id(weight)] = len(training.weights)
            training.weights.append(weight)
            training.updated_at.append(0)
        self._own(training)
        return training

    def _rebound(self, weights: Sequence[Any], site: Site) -> Training | None:
        """The training that these new objects continue: same place, same shapes, nearly the same values."""
        shapes = [tuple(int(dim) for dim in weight.shape) for weight in weights]
        training = self._at_site.get((site, *shapes))
        if training is None or training.final is not None or training.counter is not None:
            return None
        is_first_request = training.eager_gradients == training.eager_updates + 1
        if not is_first_request or (training.eager_updates and training.path != "rebound"):
            return None
        if not _is_continued(training.before, training.weights, weights):
            return None
        for weight in training.weights:
            self._owners.pop(id(weight), None)
        training.weights = list(weights)
        training.slots = {id(weight): place for place, weight in enumerate(weights)}
        for weight in weights:
            self._owners[id(weight)] = training
        self.updated(training, "rebound")
        return training


def value_of(weight: Any) -> NDArray[Any]:
    """A copy of a weight's value."""
    return np.array(weight if isinstance(weight, np.ndarray) else weight.numpy())


def snapshot_of(weights: Sequence[Any]) -> Values | None:
    """Copies of all values, None when one has no value yet."""
    try:
        values = [value_of(weight) for weight in weights]
    except Exception:  # noqa: BLE001 - a variable without a value, in whatever way TensorFlow says so
        return None
    is_whole = all(value.shape == tuple(weight.shape) for value, weight in zip(values, weights, strict=True))
    return values if is_whole else None


def relative_change(old: NDArray[Any], new: NDArray[Any]) -> float:
    """‖new - old‖ relative to ‖old‖; to ‖new‖ where old is all zero."""
    if old.shape != new.shape:
        return 1.0
    size = float(np.linalg.norm(old)) or float(np.linalg.norm(new)) or 1.0
    return float(np.linalg.norm(new.astype(np.float64) - old)) / size


def _is_continued(before: Values | None, old: Sequence[Any], new: Sequence[Any]) -> bool:
    """Whether new weights are the old ones a step later, by some numbers of each."""
    was, now = _sampled(old), _sampled(new)
    started_anew = any(a.any() and not b.any() for a, b in zip(was, now, strict=True))
    is_first = before is not None and all((a == b).all() for a, b in zip(_sampled(before), now, strict=True))
    if started_anew or is_first:
        return False
    return relative_change(np.concatenate(was), np.concatenate(now)) < _NEW_START


def _sampled(weights: Sequence[Any]) -> Values:
    values = [np.asarray(w if isinstance(w, np.ndarray) else w.numpy()).ravel() for w in weights]
    return [value[:: max(1, value.size // _COMPARED)] for value in values]
