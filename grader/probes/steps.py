"""Gradient steps: what is done when a tape opens, gradients are computed, and weights are written or read."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from probes.around import Around
from probes.book import Book
from probes.calling import called_model
from probes.evaluations import Evaluations
from probes.feeds import feed_of
from probes.hearing import Hearing, heard
from probes.listening import KERAS_METHODS, Listener, Site
from probes.plans import CannotReplay, Plan, build_plan
from probes.replay import Replay
from probes.tape import OperationListener, Recording
from probes.trainings import Training
from probes.variables import hidden_variable, variable_behind
from probes.watching import Watcher

MOST_WEIGHTS = 1_000
_SMALL = 20_000  # numbers in a weight from which the learning rate is read
_LARGEST_START = 32 * 1024 * 1024  # bytes
_RESIDUAL = 1e-3
_STATE = "_recorded_state"  # of a tape


class _TapeState:
    """What is known of one open tape; `is_studied`: its recording is to show the forward pass."""

    __slots__ = ("is_studied", "recording", "requests", "site", "training")

    def __init__(self, site: Site, recording: Recording | None, *, is_studied: bool) -> None:
        self.site = site
        self.recording = recording
        self.is_studied = is_studied
        self.requests = 0
        self.training: Training | None = None


class Steps(Listener):
    """Writes the book of trainings from what is heard. No method that a hook calls raises."""

    def __init__(
        self,
        hearing: Hearing,
        operations: OperationListener,
        book: Book,
        evaluations: Evaluations,
        around: Around,
        watcher: Watcher,
    ) -> None:
        self.hearing = hearing
        self.operations = operations
        self.book = book
        self.evaluations = evaluations
        self.around = around
        self.watcher = watcher
        self.tensorflow: Any = None
        self.open_tapes = 0
        self.regions: list[str] = []
        self._updates_before_fit: list[int] = []
        self._is_wanted: dict[tuple[int, int], tuple[Any, bool]] = {}  # by place; the code object is kept

    def cell_ended(self) -> None:
        """Forget what an interrupted cell has left open."""
        self.regions.clear()
        self._updates_before_fit.clear()
        self.open_tapes = 0

    @heard
    def tape_entered(self, tape: Any, site: Site) -> None:
        """Begin to record when nothing is known yet of the tapes at this place."""
        self.open_tapes += 1
        self.evaluations.close()
        if self.tensorflow.executing_eagerly():
            self.around.timings.tape_opened(sys._getframe(), site[0])
        known = getattr(tape, _STATE, None)
        if known is not None:  # entered again
            if known.recording is not None:
                self.operations.start(known.recording)
            return
        recording = None
        _, is_wanted = self._is_wanted.get((id(site[0]), site[1]), (None, True))
        is_studied = is_wanted or not self.tensorflow.executing_eagerly()
        if is_studied or self.watcher.is_due(site):
            recording = self.operations.start(Recording())
        setattr(tape, _STATE, _TapeState(site, recording, is_studied=is_studied))

    def tape_exited(self) -> None:
        """Count the tapes that are open."""
        self.open_tapes = max(0, self.open_tapes - 1)

    def tape_left(self, tape: Any) -> None:
        """Stop recording its operations."""
        state = getattr(tape, _STATE, None)
        if state is not None and state.recording is not None:
            self._tape_left(state.recording)

    @heard
    def _tape_left(self, recording: Recording) -> None:
        self.operations.stop(recording)

    def reading(self, variable: Any) -> None:
        """With no tape open this may be the beginning of an evaluation."""
        if not (self.open_tapes or self.regions or self.hearing.is_deaf):
            training = self.book.training_of(variable)
            replacing = None if training is not None else self.book.training_replacing(variable)
            if training is not None or replacing is not None:
                self._reading(variable, training, replacing)

    @heard
    def _reading(self, variable: Any, training: Training | None, replacing: Training | None) -> None:
        if not self.tensorflow.executing_eagerly() or self.evaluations.is_off:
            return
        if training is not None:
            self.evaluations.reading(training, training.slots[id(variable)])
        elif replacing is not None:
            self.evaluations.reading_first(replacing, variable)

    def handed_out(self, variable: Any, value: Any) -> None:
        """A copy that may be put back later, as the best one."""
        if not self.hearing.is_deaf and self.book.training_of(variable) is not None:
            self._handed_out(variable, value)

    @heard
    def _handed_out(self, variable: Any, value: Any) -> None:
        self.book.handed_out(variable, value)

    @heard
    def gradient_given(self, tape: Any, target: Any, sources: Any, gradients: Any, site: Site) -> None:
        """Count the step for the training that owns the sources; look closer at the first two."""
        tf = self.tensorflow
        state = getattr(tape, _STATE, None)
        weights = [variable_behind(source) for source in _flat(sources)]
        if state is None or not weights or len(weights) > MOST_WEIGHTS:
            return
        is_eager = tf.executing_eagerly()
        with contextlib.nullcontext() if is_eager else tf.init_scope():
            training = self.book.requested(weights, site, state.training, state.requests)
        state.requests += 1
        if training is None:
            return
        is_repeated, state.training = state.training is training, training
        self.around.gradient_asked(training, state.site[0], is_eager=is_eager, is_repeated=is_repeated)
        if not is_eager:
            self._count_in_graph(training, is_repeated)
        elif not is_repeated:
            self.book.asked(training)
        if state.is_studied:
            self._learn(training, state.recording)
            self._probe_rate(training, weights, _flat(gradients))
        if is_eager:
            self._note_wanted(state.site, training)
        if self.watcher.is_on:
            slots = [training.slots.get(id(weight), -1) for weight in weights]
            given = list(zip(slots, _flat(gradients), strict=False))
            loss = None if is_repeated else target
            self.watcher.gradient_given(training, state.site, state.recording, loss, given)

    def _note_wanted(self, site: Site, training: Training) -> None:
        is_wanted = training.eager_gradients < 2 or (training.eager_gradients < 4 and not training.predictors)
        self._is_wanted[id(site[0]), site[1]] = site[0], is_wanted

    def _count_in_graph(self, training: Training, is_repeated: bool) -> None:
        tf = self.tensorflow
        if training.counter is None:
            with tf.init_scope():
                training.counter = hidden_variable(0, tf.int64)
        if not is_repeated:
            training.counter.assign_add(1)
            if training.before is None and training.bytes <= _LARGEST_START:
                self._keep_start_in_graph(training)
        training.path = self._path()

    def _keep_start_in_graph(self, training: Training) -> None:
        """Weights that the graph itself makes have no value yet: let it copy them before the first step."""
        tf = self.tensorflow
        if training.starts is None:
            with tf.init_scope():
                training.starts = [
                    hidden_variable(tf.zeros(weight.shape, weight.dtype), weight.dtype)
                    for weight in training.weights
                ]

        def copied() -> Any:
            for start, weight in zip(training.starts, training.weights, strict=True):
                start.assign(weight)
            return tf.constant(True)

        is_first = tf.less_equal(training.counter.read_value(), 1)
        tf.cond(is_first, copied, lambda: tf.constant(False))

    def _path(self) -> str:
        for name in ("fit", "optimizer"):
            if name in self.regions:
                return name
        return "assign"

    def _learn(self, training: Training, recording: Recording) -> None:
        """See how the forward pass can be run again."""
        called = called_model(recording.calls, training.weights)
        if called is not None:
            self.around.model_trained(training, called.model)
            if self._is_taken(training.called):
                training.called = called
                with self.tensorflow.init_scope():
                    training.has_state(called.state)
            _also(training.called, called)
        try:
            plan = build_plan(recording, training.weights)
            replay = _replay_of(plan)
            if self._is_taken(training.replay):
                training.plan, training.replay = replay.plan, replay
            _also(training.replay, replay)
            training.why_not = ""
        except CannotReplay as reason:
            if training.plan is None:
                training.why_not = "" if training.called is not None else str(reason)

    def _is_taken(self, old: Any) -> bool:
        """What was recorded later is taken in eager mode: a graph is traced again for odd batches."""
        return old is None or self.tensorflow.executing_eagerly()

    def _probe_rate(self, training: Training, weights: Sequence[Any], gradients: Sequence[Any]) -> None:
        """Keep one small weight and its gradient, to compare with the change that follows."""
        if training.eager_gradients not in (1, 2) or not self.tensorflow.executing_eagerly():
            return
        for weight, gradient in reversed(list(zip(weights, gradients, strict=False))):
            if hasattr(gradient, "numpy") and 0 < gradient.shape.num_elements() <= _SMALL:
                slot = training.slots[id(weight)]
                training.rate_probe = (slot, gradient.numpy(), weight.numpy())
                return

    def assigning(self, variable: Any) -> Any:
        """Count an update of a training's weight."""
        training = self.book.training_of(variable)
        if training is None or self.hearing.is_deaf:
            return None
        is_plain = training.rate_probe is None and self.tensorflow.executing_eagerly()
        if is_plain and self.book.counts(training, variable, self._path()):
            return None  # as nearly always
        return self._assigning(variable)

    @heard
    def _assigning(self, variable: Any) -> Any:
        if not self.tensorflow.executing_eagerly():
            self.book.training_of(variable).path = self._path()
            return None
        seen = self.book.written(variable, self._path())
        training = self.book.training_of(variable)
        if seen is None and training is not None and training.rate_probe is not None:
            slot = training.slots[id(variable)]
            return (training, slot, None) if slot == training.rate_probe[0] else None
        return seen

    @heard
    def assigned(self, variable: Any, seen: Any) -> None:
        """Judge a write that no gradient led to; read the learning rate from one that it did."""
        training, slot, old = seen
        if old is not None:
            self.book.judge(training, slot, old)
        else:
            _, gradient, before = training.rate_probe
            training.rate = rate_of(gradient, before, variable.numpy())
            training.rate_probe = None

    def region_entered(self, name: str, owner: Any = None, data: Any = None) -> None:
        """An optimiser or a method of a Keras model is at work."""
        self.regions.append(name)
        if name == "optimizer":
            self._optimizer_entered(owner)
        elif name in KERAS_METHODS:
            self.around.data_given(data, name)
            self._data_given(name, owner, data)

    @heard
    def _data_given(self, name: str, model: Any, data: Any) -> None:
        training = self.training_of_model(model)
        if name == "fit":
            self._updates_before_fit.append(0 if training is None else training.updates)
        elif training is not None and not self.evaluations.is_off:
            self.evaluations.data_given(training, data)

    def training_of_model(self, model: Any) -> Training | None:
        """The open training that owns weights of a Keras model."""
        owners = (self.book.training_of(variable_behind(variable)) for variable in model.variables)
        return next(filter(None, owners), None)

    @heard
    def _optimizer_entered(self, optimizer: Any) -> None:
        training = self.book.latest
        if training is None or training.final is not None:
            return
        self.around.optimizer_used(training, optimizer)
        if training.counter is not None:
            training.path = self._path()
        elif training.counted_gradient < training.eager_gradients:
            self.book.updated(training, self._path())

    def region_left(self, name: str, owner: Any = None) -> None:
        """It is no longer."""
        if self.regions and self.regions[-1] == name:
            self.regions.pop()
        elif name in self.regions:
            self.regions.remove(name)
        if name == "fit":
            self._fit_ended(owner)
        if name in KERAS_METHODS:
            self.around.data_done()

    @heard
    def _fit_ended(self, model: Any) -> None:
        before = self._updates_before_fit.pop()
        training = self.training_of_model(model)
        if training is not None:
            self.around.fitted(training, model, training.updates - before)


def _replay_of(plan: Plan) -> Replay:
    feeds = [feed_of(entry.tensor, entry.is_transposed) for entry in plan.entries]
    known = [feed for feed in feeds if feed is not None]
    if len(known) < len(feeds):
        raise CannotReplay("an input of unknown shape")
    return Replay(plan.without_data(), known)


def _also(kept: Any, other: Any) -> None:
    """Let the feeds of the predictor that is kept know of those of another one of the same model."""
    for feed, again in zip(kept.feeds, other.feeds, strict=False):
        feed.also(again)


def _flat(structure: Any) -> Sequence[Any]:
    """The leaves of nested lists, tuples and dicts, in TensorFlow's order; flat lists are quick."""
    if type(structure) in (list, tuple) and not any(isinstance(x, (list, tuple, dict)) for x in structure):
        return list(structure)
    import tensorflow as tf

    leaves: list[Any] = tf.nest.flatten(structure)
    return leaves


def rate_of(gradient: NDArray[Any], old: NDArray[Any], new: NDArray[Any]) -> float | None:
    """The rate of plain gradient descent, new = old - rate × gradient; None when the change is another."""
    change = (new.astype(np.float64) - old).ravel()
    along = gradient.astype(np.float64).ravel()
    size = float(along @ along)
    if size == 0 or not change.any():
        return None
    rate = -float(change @ along) / size
    residual = float(np.linalg.norm(change + rate * along)) / float(np.linalg.norm(change))
    return rate if residual < _RESIDUAL and rate > 0 else None
