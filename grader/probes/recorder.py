"""The recorder: hears what TensorFlow does in a notebook, and measures at the end what was trained.

Four calls make it: `install` and `look_around` before student code runs, `cell_ended` after each cell,
`measure` at the end.
Student code runs in the same process and can forge all of it; see README.md.
"""

from __future__ import annotations

import contextlib
import time
import weakref
from collections.abc import Callable
from typing import Any

from probes import measuring
from probes.evaluations import Evaluations
from probes.hooks import Hooks, Listener
from probes.matching import keep_rows
from probes.plans import CannotReplay, build_plan
from probes.surroundings import Surroundings
from probes.tape import OperationListener, Recording
from probes.trainings import Book, Site, Training

VERSION = 1
MOST_WEIGHTS = 200
_SAMPLED_ROWS = 16
_SMALL = 20_000  # numbers in a weight from which the learning rate is read

Send = Callable[..., None]


class _TapeState:
    """What is known of one open tape."""

    __slots__ = ("recording", "site", "training")

    def __init__(self, site: Site, recording: Recording | None) -> None:
        self.site = site
        self.recording = recording
        self.training: Training | None = None


class Recorder(Listener):
    """Everything that was heard in one kernel. No method that a hook calls raises."""

    def __init__(self, send: Send, current_run: Callable[[], int] | None) -> None:
        self.send = send
        self.ended_cells = 0
        self._told_run = current_run
        self.hooks = Hooks(self)
        self.operations = OperationListener()
        self.book = Book(self.current_run)
        self.evaluations = Evaluations(self.operations)
        self.surroundings: Surroundings | None = None
        self.tensorflow: Any = None
        self.failures = 0
        self._tapes: weakref.WeakKeyDictionary[Any, _TapeState] = weakref.WeakKeyDictionary()
        self._is_wanted: dict[Site, bool] = {}
        self._regions: list[str] = []
        self._is_busy = False
        self._open_tapes = 0

    def current_run(self) -> int:
        """The position of the cell that runs now, from 1."""
        return self._told_run() if self._told_run is not None else self.ended_cells + 1

    def tensorflow_imported(self, tensorflow: Any) -> None:
        """Hook into TensorFlow, and say so."""
        self.tensorflow = tensorflow
        self.hooks.enter_tensorflow(tensorflow)
        self.send("recorder", version=VERSION)

    def tape_entered(self, tape: Any, site: Site) -> None:
        """Begin to record when nothing is known yet of the tapes at this place."""
        if self._is_busy:
            return
        try:
            self._open_tapes += 1
            self.evaluations.close(self.current_run())
            recording = None
            if self._is_wanted.get(site, True) or not self.tensorflow.executing_eagerly():
                recording = self.operations.start(Recording())
            self._tapes[tape] = _TapeState(site, recording)
        except Exception:  # noqa: BLE001 - the hooks' boundary: student code never sees our failures
            self.failures += 1

    def tape_exited(self) -> None:
        """Count the tapes that are open."""
        self._open_tapes = max(0, self._open_tapes - 1)

    def reading(self, variable: Any) -> None:
        """With no tape open this may be the beginning of an evaluation."""
        if self._open_tapes or self._is_busy or self._regions or self.evaluations.is_off:
            return
        training = self.book.training_of(variable)
        if training is None or not self.tensorflow.executing_eagerly():
            return
        self._is_busy = self.operations.is_deaf = True
        try:
            self.evaluations.reading(training, training.slots[id(variable)], self.current_run())
        except Exception:  # noqa: BLE001 - the hooks' boundary: student code never sees our failures
            self.failures += 1
        finally:
            self._is_busy = self.operations.is_deaf = False

    def tape_left(self, tape: Any) -> None:
        """Stop recording its operations."""
        try:
            state = self._tapes.get(tape)
            if state is not None and state.recording is not None:
                self.operations.stop(state.recording)
        except Exception:  # noqa: BLE001 - the hooks' boundary: student code never sees our failures
            self.failures += 1

    def gradient_given(self, tape: Any, sources: Any, gradients: Any, site: Site) -> None:
        """Count the step for the training that owns the sources; look closer at the first two."""
        if self._is_busy:
            return
        self._is_busy = self.operations.is_deaf = True
        try:
            self._gradient_given(tape, sources, gradients, site)
        except Exception:  # noqa: BLE001 - the hooks' boundary: student code never sees our failures
            self.failures += 1
        finally:
            self._is_busy = self.operations.is_deaf = False

    def _gradient_given(self, tape: Any, sources: Any, gradients: Any, site: Site) -> None:
        tf = self.tensorflow
        state = self._tapes.get(tape)
        weights = [_weight(source) for source in _flat(sources)]
        if state is None or not weights or len(weights) > MOST_WEIGHTS:
            return
        is_eager = tf.executing_eagerly()
        with contextlib.nullcontext() if is_eager else tf.init_scope():
            training = self.book.requested(weights, site, state.training)
        if training is None:
            return
        is_repeated, state.training = state.training is training, training
        if not is_eager:
            self._count_in_graph(training, is_repeated)
        elif not is_repeated:
            self.book.asked(training)
        if state.recording is not None:
            self._plan(training, state.recording)
            self._probe_rate(training, weights, _flat(gradients))
        if is_eager:
            self._is_wanted[state.site] = training.eager_gradients < 2 or (
                training.plan is None and training.eager_gradients < 4
            )

    def _count_in_graph(self, training: Training, is_repeated: bool) -> None:
        tf = self.tensorflow
        if training.counter is None:
            with tf.init_scope():
                training.counter = hidden_variable(0, tf.int64)
        if not is_repeated:
            training.counter.assign_add(1)
        training.path = self._path()

    def _path(self) -> str:
        for name in ("fit", "optimizer"):
            if name in self._regions:
                return name
        return "assign"

    def _plan(self, training: Training, recording: Recording) -> None:
        tf = self.tensorflow
        try:
            plan = build_plan(recording, training.weights)
        except CannotReplay as reason:
            if training.plan is None:
                training.why_not = str(reason)
            return
        if training.plan is None or tf.executing_eagerly():
            training.plan, training.why_not = plan, ""
        if hasattr(plan.entry_tensor, "numpy"):
            training.rows = keep_rows(plan.entry_tensor.numpy(), plan.is_transposed)
        elif plan.entry_tensor.graph is tf.compat.v1.get_default_graph():
            self._sample_in_graph(training, plan)
        else:
            value = tf.get_static_value(plan.entry_tensor)
            training.rows = None if value is None else keep_rows(value, plan.is_transposed)

    def _sample_in_graph(self, training: Training, plan: Any) -> None:
        """Let the graph copy a few rows of its data into a variable at each step."""
        tf = self.tensorflow
        width = 1
        for dim in plan.row_shape:
            width *= dim
        if training.sampled is None:
            with tf.init_scope():
                training.sampled = hidden_variable(tf.zeros([_SAMPLED_ROWS, width]), tf.float32)
        rows = tf.transpose(plan.entry_tensor) if plan.is_transposed else plan.entry_tensor
        chosen = tf.gather(rows, tf.range(_SAMPLED_ROWS) % tf.shape(rows)[0])
        training.sampled.assign(tf.cast(tf.reshape(chosen, [_SAMPLED_ROWS, width]), tf.float32))

    def _probe_rate(self, training: Training, weights: list[Any], gradients: list[Any]) -> None:
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
        if self._is_busy or self.book.training_of(variable) is None:
            return None
        try:
            if not self.tensorflow.executing_eagerly():
                self.book.training_of(variable).path = self._path()
                return None
            self._is_busy = self.operations.is_deaf = True
            seen = self.book.written(variable, self._path())
            training = self.book.training_of(variable)
            if seen is None and training is not None and training.rate_probe is not None:
                slot = training.slots[id(variable)]
                return (training, slot, None) if slot == training.rate_probe[0] else None
            return seen
        except Exception:  # noqa: BLE001 - the hooks' boundary: student code never sees our failures
            self.failures += 1
            return None
        finally:
            self._is_busy = self.operations.is_deaf = False

    def assigned(self, variable: Any, seen: Any) -> None:
        """Judge a write that no gradient led to; read the learning rate from one that it did."""
        self._is_busy = self.operations.is_deaf = True
        try:
            training, slot, old = seen
            if old is not None:
                self.book.judge(training, slot, old)
            else:
                training.rate = measuring.rate_of(*training.rate_probe[1:], variable.numpy())
                training.rate_probe = None
        except Exception:  # noqa: BLE001 - the hooks' boundary: student code never sees our failures
            self.failures += 1
        finally:
            self._is_busy = self.operations.is_deaf = False

    def region_entered(self, name: str) -> None:
        """An optimiser or Keras's fit is at work."""
        self._regions.append(name)
        training = self.book.latest
        if name == "optimizer" and training is not None and training.final is None:
            if training.counter is not None:
                training.path = self._path()
            elif training.counted_gradient < training.eager_gradients:
                self.book.updated(training, self._path())

    def region_left(self, name: str) -> None:
        """It is no longer."""
        if name in self._regions:
            self._regions.reverse()
            self._regions.remove(name)
            self._regions.reverse()

    def cell_ended(self) -> None:
        """Clean up, and tell of the trainings that went on in this cell."""
        try:
            self._is_busy = True
            self.evaluations.close(self.current_run())
            self.operations.stop_all()
            self._regions.clear()
            self._open_tapes = 0
            if self.tensorflow is not None:
                self.hooks.remember_keras(self.tensorflow)
                self.book.poll()
                measuring.tell_trainings(self.book, self.send)
        except Exception:  # noqa: BLE001 - the hooks' boundary: student code never sees our failures
            self.failures += 1
        finally:
            self._is_busy = False
            self.ended_cells += 1
            self.evaluations.cell_begins()

    def measure(self, folder: str, seconds: float) -> None:
        """Predict for the inputs in `folder` (<dataset>.npy) within `seconds`, and send what comes out."""
        deadline = time.monotonic() + seconds
        self.operations.stop_all()
        around = [] if self.surroundings is None else self.surroundings.replaced()
        self.send("replaced", names=around if self.tensorflow is None else self.hooks.replaced() + around)
        if self.tensorflow is None:
            return
        self._is_busy = True
        self.book.poll()
        measuring.Measurement(self.book, self.evaluations.found, self.send, folder, deadline).run()


_recorder: Recorder | None = None


def install(
    after_import: Callable[[str, Callable[[Any], None]], None],
    send: Send,
    current_run: Callable[[], int] | None = None,
) -> None:
    """Hook in as soon as TensorFlow and Keras are imported; `send(kind, **fact)` takes the facts.

    `current_run` tells the position of the running cell; without it cells are counted by `cell_ended`.
    """
    global _recorder
    recorder = _recorder = Recorder(send, current_run)
    after_import("tensorflow", recorder.tensorflow_imported)
    for module, owner, method, region in (
        ("keras.src.optimizers.base_optimizer", "BaseOptimizer", "apply", "optimizer"),
        ("keras.src.backend.tensorflow.trainer", "TensorFlowTrainer", "fit", "fit"),
        ("keras.src.backend.tensorflow.trainer", "TensorFlowTrainer", "train_on_batch", "fit"),
        ("tf_keras.src.optimizers.optimizer", "_BaseOptimizer", "apply_gradients", "optimizer"),
        ("tf_keras.src.optimizers.optimizer", "Optimizer", "apply_gradients", "optimizer"),
        ("tf_keras.src.optimizers.legacy.optimizer_v2", "OptimizerV2", "apply_gradients", "optimizer"),
        ("tf_keras.src.engine.training", "Model", "fit", "fit"),
        ("tf_keras.src.engine.training", "Model", "train_on_batch", "fit"),
    ):
        after_import(
            module,
            lambda found, owner=owner, method=method, region=region: recorder.hooks.enter_class(  # type: ignore[misc]
                found, owner, method, region
            ),
        )


def look_around(shell: Any, content: str) -> None:
    """Remember what notebooks run with, once the `shell` stands; the hand-in's files lie in `content`."""
    if _recorder is not None:
        _recorder.surroundings = Surroundings(shell, content)


def cell_ended(*_: Any) -> None:
    """After each cell: send the trainings that changed."""
    if _recorder is not None:
        _recorder.cell_ended()


def measure(folder: str, seconds: float) -> None:
    """After the last cell: send predictions of all trained models for the inputs in `folder`."""
    if _recorder is not None:
        _recorder.measure(folder, seconds)


def _flat(structure: Any) -> list[Any]:
    """The leaves of nested lists, tuples and dicts, in TensorFlow's order; flat lists are quick."""
    if type(structure) in (list, tuple) and not any(isinstance(x, (list, tuple, dict)) for x in structure):
        return list(structure)
    import tensorflow as tf

    leaves: list[Any] = tf.nest.flatten(structure)
    return leaves


def hidden_variable(value: Any, dtype: Any) -> Any:
    """A variable of our own, made past the creators with which a `tf.function` watches over its variables."""
    from tensorflow.python.ops.resource_variable_ops import ResourceVariable

    return ResourceVariable(value, dtype=dtype, trainable=False)


def _weight(source: Any) -> Any:
    """The variable or tensor behind a source of gradients; Keras's variables wrap one."""
    inner = getattr(source, "_value", None)
    return inner if inner is not None and hasattr(inner, "handle") else source
