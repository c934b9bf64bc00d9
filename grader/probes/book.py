"""The book of training runs: which weights were trained, how often, and what they were at which moment.

The weights of a training stay alive as long as it is open; once they are given other values (or the room for
open trainings is used up) it is closed with a copy of its last values. Within a `tf.function` a hidden
counter in the graph counts the steps, and snapshots on the way are taken only between cells.
"""

from __future__ import annotations

import hashlib
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from probes.listening import Site
from probes.predicting import Snapshot, Values
from probes.trainings import Training, relative_change, snapshot_of
from probes.variables import value_of

MOST_TRAININGS = 300
MOST_BYTES = 256 * 1024 * 1024
_SNAPSHOTS = frozenset({4, 32, 256, 2048, 16_384, 131_072})
_NEW_START = 0.5  # relative change of a weight above which it was started anew
_MOST_COPIES = 5_000  # of one weight, kept as fingerprints
_FINGERPRINTED = 4_096  # numbers of a weight that make a fingerprint
_COMPARED = 512  # numbers per weight that are looked at to tell whether new tensors continue the old


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
        self._last_id = 0
        self._replaced: dict[int, Training] = {}  # by first weights
        self._handed_out: dict[int, set[bytes]] = {}

    def training_of(self, weight: Any) -> Training | None:
        """The open training that owns a weight."""
        return self._owners.get(id(weight))

    def training_replacing(self, weight: Any) -> Training | None:
        """The training that began with a weight and has put others in its place since."""
        return self._replaced.get(id(weight))

    def requested(
        self, weights: Sequence[Any], site: Site, earlier: Training | None, place: int
    ) -> Training | None:
        """The training that a request for gradients belongs to, a new one if need be.

        It is the request number `place`, from 0, to its tape, and `earlier` the training of those before: its
        set of weights grows. None when there are too many trainings.
        """
        owner = self._owners.get(id(weights[0]))
        if owner is self.latest and owner is not None and place == 0 and _are_same(owner.weights, weights):
            return owner  # as nearly always
        weights = list({id(weight): weight for weight in weights}.values())
        if owner is None or not all(id(weight) in owner.slots for weight in weights):
            if earlier is None or earlier.final is not None:
                owner = self._rebound(weights, site) or self._new(weights, site)
            else:
                owner = earlier
                if not self._takes_place(earlier, weights, place):
                    self._grow(earlier, weights)
        if owner is not None and place == len(owner.requests):
            owner.requests.append([owner.slots[id(weight)] for weight in weights])
        self.latest = owner
        return owner

    def close(self, training: Training, values: Snapshot | None = None) -> None:
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
        training.weights = training.final.weights
        training.state = training.final.state

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
            training.note_work(self._current_run())
            if training.counter is None or training.final is not None:
                continue
            steps = training.updates
            if steps and training.starts is not None and len(training.starts) == len(training.weights):
                training.before = Snapshot([value_of(s) for s in training.starts], training.state_values)
                training.starts = None
            if steps != max(training.is_told_at, 0):
                training.at_work_in(self._current_run())
                if not training.during or steps >= 8 * training.during[-1][0]:
                    self.snapshot(training, steps)

    def counts(self, training: Training, weight: Any, path: str) -> bool:
        """Before an eager write to a weight: count it as an update, if a gradient led here."""
        slot = training.slots[id(weight)]
        if training.updated_at[slot] >= training.eager_gradients:
            return False
        training.updated_at[slot] = training.eager_gradients
        self.updated(training, path)
        return True

    def written(self, weight: Any, path: str) -> tuple[Training, int, NDArray[Any]] | None:
        """Before an eager write to a weight: count it, or give the old value when no gradient led here."""
        training = self._owners[id(weight)]
        if self.counts(training, weight, path):
            return None
        return training, training.slots[id(weight)], value_of(weight)

    def updated(self, training: Training, path: str) -> None:
        """Count one update, at most one per gradient."""
        training.path = path
        if training.counted_gradient < training.eager_gradients:
            training.counted_gradient = training.eager_gradients
            training.eager_updates += 1

    def handed_out(self, weight: Any, value: NDArray[Any]) -> None:
        """A copy of a weight is given away, which may be put back later (`EarlyStopping` does that)."""
        seen = self._handed_out.setdefault(id(weight), set())
        if len(seen) < _MOST_COPIES:
            seen.add(_fingerprint(value))

    def judge(self, training: Training, slot: int, old: NDArray[Any]) -> None:
        """After a write that no gradient led to: a new start of the weights, or a foreign write."""
        new = value_of(training.weights[slot])
        if training.updates == 0:
            if training.before is not None:
                training.before.weights[slot] = new
            return
        is_first = training.before is not None and np.array_equal(new, training.before.weights[slot])
        if _fingerprint(new) in self._handed_out.get(id(training.weights[slot]), ()):
            return
        if relative_change(old, new) <= _NEW_START and not (is_first and new.any()):
            training.foreign_writes += 1
            return
        weights = list(training.weights)
        values = [old if at == slot else value_of(weight) for at, weight in enumerate(weights)]
        counter, state = training.counter, training.state
        self.close(training, Snapshot(values, training.state_values))
        if counter is None:
            return
        successor = self._new(weights, training.site)
        if successor is not None:  # the compiled step goes on without asking us again
            successor.has_state(state)
            successor.counter, successor.counted_before = counter, int(counter.numpy())
            successor.plan, successor.why_not = training.plan, training.why_not
            successor.called, successor.replay = training.called, training.replay
            successor.path = training.path

    def _new(self, weights: Sequence[Any], site: Site) -> Training | None:
        size = sum(int(np.prod([int(dim) for dim in weight.shape])) * 4 for weight in weights)
        if len(self.trainings) >= MOST_TRAININGS or self._bytes + 2 * size > MOST_BYTES:
            self._forget_passing()
        if len(self.trainings) >= MOST_TRAININGS or self._bytes + 2 * size > MOST_BYTES:
            self.is_overfull = True
            return None
        for weight in weights:
            other = self._owners.get(id(weight))
            if other is not None:
                self.close(other)
        self._last_id += 1
        training = Training(self._last_id, site, weights)
        training.before = snapshot_of(weights)
        self._bytes += 2 * size
        self.trainings.append(training)
        self._own(training)
        return training

    def _forget_passing(self) -> None:
        for training in self.trainings:
            if training.is_passing and training is not self.latest:
                self.close(training)
                self._bytes -= 2 * training.bytes
        self.trainings = [t for t in self.trainings if not t.is_passing or t is self.latest]

    def _own(self, training: Training) -> None:
        for weight in training.weights:
            self._owners[id(weight)] = training
        self._at_site[(training.site, *map(tuple, training.shapes))] = training

    def _grow(self, training: Training, weights: Sequence[Any]) -> None:
        added = [weight for weight in weights if id(weight) not in training.slots]
        values = snapshot_of(added)
        if training.before is not None:
            before = None if values is None else training.before.weights + values.weights
            training.before = None if before is None else training.before._replace(weights=before)
        for weight in added:
            training.slots[id(weight)] = len(training.weights)
            training.weights.append(weight)
            training.updated_at.append(0)
            self._owners[id(weight)] = training

    def _rebound(self, weights: Sequence[Any], site: Site) -> Training | None:
        """The training that these new objects continue: same place, same shapes, nearly the same values."""
        training = self._at_site.get((site, *map(_shape, weights)))
        if training is None or training.final is not None or training.counter is not None:
            return None
        is_first_request = training.eager_gradients == training.eager_updates + 1
        if not is_first_request or (training.eager_updates and training.path != "rebound"):
            return None
        slots = training.requests[0]
        before = None if training.before is None else [training.before.weights[slot] for slot in slots]
        if not _is_continued(before, [training.weights[slot] for slot in slots], weights):
            return None
        self._put(training, slots, weights)
        self.updated(training, "rebound")
        return training

    def _takes_place(self, training: Training, weights: Sequence[Any], place: int) -> bool:
        """Whether a later request to a tape asks for new objects, too, and if so put them into the book."""
        if training.path != "rebound" or place >= len(training.requests):
            return False
        slots = training.requests[place]
        if list(map(_shape, weights)) != [_shape(training.weights[slot]) for slot in slots]:
            return False
        self._put(training, slots, weights)
        return True

    def _put(self, training: Training, slots: Sequence[int], weights: Sequence[Any]) -> None:
        """Let new objects stand for the weights at some slots."""
        if not training.first_weights:
            training.first_weights = list(training.weights)
            self._replaced |= {id(weight): training for weight in training.weights}
        for slot, weight in zip(slots, weights, strict=True):
            old = training.weights[slot]
            self._owners.pop(id(old), None)
            training.slots.pop(id(old), None)
            training.weights[slot] = weight
            training.slots[id(weight)] = slot
            self._owners[id(weight)] = training


def _fingerprint(value: NDArray[Any]) -> bytes:
    some = value.ravel()[:: max(1, value.size // _FINGERPRINTED)]
    return hashlib.sha256(np.ascontiguousarray(some).tobytes()).digest()


def _are_same(first: Sequence[Any], second: Sequence[Any]) -> bool:
    """Whether two lists hold the same objects; variables would compare their values."""
    return len(first) == len(second) and all(map(operator.is_, first, second))


def _shape(weight: Any) -> tuple[int, ...]:
    return tuple(int(dim) for dim in weight.shape)


def _is_continued(before: Values | None, old: Sequence[Any], new: Sequence[Any]) -> bool:
    """Whether new weights are the old ones a step later, by some numbers of each."""
    was, now = _sampled(old), _sampled(new)
    started_anew = any(a.any() and not b.any() for a, b in zip(was, now, strict=True))
    first = [] if before is None else _sampled(before)
    is_first = before is not None and all((a == b).all() for a, b in zip(first, now, strict=True))
    if started_anew or is_first:
        return False
    return relative_change(np.concatenate(was), np.concatenate(now)) < _NEW_START


def _sampled(weights: Sequence[Any]) -> Values:
    values = [np.asarray(w if isinstance(w, np.ndarray) else w.numpy()).ravel() for w in weights]
    return [value[:: max(1, value.size // _COMPARED)] for value in values]
