"""What does the recorder cost? Trains with and without it, in turns, and prints a Markdown table.

    python benchmarks/recorder.py [--turns N] [--steps N] [STYLE ...]

For each style two equal trainings run in one process, each for a few steps in turn: one with the recorder's
hooks in TensorFlow and Keras, one without. A turn is short, and medians over many turns are compared, so that
other work on the machine matters little; TensorFlow has one thread. What a training costs once, for its first
steps, is told beside it. Needs TensorFlow; takes some minutes on two cores. The table in docs/performance.md
comes from here.
"""

import argparse
import gc
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

GRADER = Path(__file__).resolve().parents[1] / "grader"
SEED = 7
BATCH = 128
ROWS = 12_800
FIRST_STEPS = 20

Training = Callable[[int], None]  # goes on for some steps


def main() -> None:
    """Measures every style and prints a row for each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("styles", nargs="*", default=list(STYLES), metavar="STYLE")
    parser.add_argument("--turns", type=int, default=300)
    parser.add_argument("--steps", type=int, default=10, help="steps of one turn")
    wanted = parser.parse_args()
    os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "", "KERAS_BACKEND": "tensorflow"}
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    hooks = Hooks()
    measured(low_level_loop, hooks, turns=1, steps=1)  # what is slow the first time in a process
    print(
        "| training | without (µs a step) | with (µs a step) | ratio | once (ms) |\n|---|---|---|---|---|",
        flush=True,
    )
    for name in wanted.styles:
        without, recorded, once = measured(STYLES[name], hooks, wanted.turns, wanted.steps)
        ratio, told = recorded / without, name.replace("_", " ")
        print(f"| {told} | {without:.0f} | {recorded:.0f} | {ratio:.3f} | {once:.0f} |", flush=True)


class Hooks:
    """The recorder's hooks, which can be taken out and put in again."""

    def __init__(self) -> None:
        sys.path[:0] = [str(GRADER), str(GRADER / "sandbox" / "room")]
        import after_import
        import keras  # noqa: F401 - so that all hooks are there
        from probes import recorder

        self.recorder = recorder
        recorder.install(after_import.after_import)
        recorder.begin(lambda kind, **fact: None)
        self._hooks = list(recorder._recorder.hooks._hooks)

    def put(self, *, is_in: bool) -> None:
        """Put the hooks in or take them out."""
        for hook in self._hooks:
            setattr(hook.owner, hook.name, hook.ours if is_in else hook.ours.__wrapped__)


def measured(
    style: Callable[[], Training], hooks: Hooks, turns: int, steps: int
) -> tuple[float, float, float]:
    """The time of a step without and with the recorder (µs), and what it costs once (ms)."""
    gc.collect()
    gc.disable()  # collecting falls upon either of the two by chance
    trainings, first = {}, {}
    for is_recorded in (False, True):
        hooks.put(is_in=is_recorded)
        trainings[is_recorded] = style()
        first[is_recorded] = seconds_of(trainings[is_recorded], FIRST_STEPS)
    seconds: dict[bool, list[float]] = {False: [], True: []}
    for turn in range(2 * turns):
        is_recorded = turn % 4 in (1, 2)
        hooks.put(is_in=is_recorded)
        seconds[is_recorded].append(seconds_of(trainings[is_recorded], steps))
    hooks.put(is_in=True)
    hooks.recorder.cell_ended()
    gc.enable()
    without, recorded = (statistics.median(seconds[way]) / steps for way in (False, True))
    once = first[True] - first[False] - FIRST_STEPS * (recorded - without)
    return without * 1e6, recorded * 1e6, once * 1e3


def seconds_of(training: Training, steps: int) -> float:
    """How long some steps take."""
    begun = time.perf_counter()
    training(steps)
    return time.perf_counter() - begun


def data() -> tuple[Any, Any]:
    """As many random images and labels as a hundred batches need."""
    random = np.random.default_rng(SEED)
    return random.random((ROWS, 784), dtype=np.float32), random.integers(0, 10, ROWS)


def batches(steps: int) -> Iterator[tuple[Any, Any]]:
    """Arrays, one batch after the other, again from the start at the end."""
    for number in range(steps):
        at = number * BATCH % ROWS
        yield X[at : at + BATCH], Y[at : at + BATCH]


def step_by_hand() -> Callable[[Any, Any], None]:
    """One step of gradient descent for an MLP with 128 hidden units, with TensorFlow's own means."""
    import tensorflow as tf

    w, b = tf.Variable(tf.random.normal([784, 128], stddev=0.05)), tf.Variable(tf.zeros([128]))
    v, c = tf.Variable(tf.random.normal([128, 10], stddev=0.05)), tf.Variable(tf.zeros([10]))

    def step(images: Any, labels: Any) -> None:
        with tf.GradientTape() as tape:
            logits = tf.nn.relu(images @ w + b) @ v + c
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
        for weight, change in zip((w, b, v, c), tape.gradient(loss, [w, b, v, c]), strict=True):
            weight.assign_sub(0.1 * change)

    return step


def keras_model() -> Any:
    """The same as a Keras model, compiled."""
    import keras

    net = keras.Sequential([keras.layers.Dense(128, "relu"), keras.layers.Dense(10)])
    net.compile("sgd", keras.losses.SparseCategoricalCrossentropy(True))
    return net


def low_level_loop() -> Training:
    """Eager, from arrays."""
    step = step_by_hand()

    def training(steps: int) -> None:
        for images, labels in batches(steps):
            step(images, labels)

    return training


def low_level_loop_over_tf_data() -> Training:
    """Eager, from a pipeline."""
    import tensorflow as tf

    step = step_by_hand()
    pipeline = iter(tf.data.Dataset.from_tensor_slices((X, Y)).shuffle(1_000).repeat().batch(BATCH))

    def training(steps: int) -> None:
        for _ in range(steps):
            step(*next(pipeline))

    return training


def low_level_loop_in_a_tf_function() -> Training:
    """One compiled step, called for each batch."""
    import tensorflow as tf

    step = tf.function(step_by_hand())

    def training(steps: int) -> None:
        for images, labels in batches(steps):
            step(tf.constant(images), tf.constant(labels))

    return training


def keras_model_in_a_tape() -> Training:
    """Eager, with a Keras model and optimiser."""
    import keras
    import tensorflow as tf

    net, loss_of = keras_model(), keras.losses.SparseCategoricalCrossentropy(True)
    optimizer = keras.optimizers.SGD(0.1)

    def training(steps: int) -> None:
        for images, labels in batches(steps):
            with tf.GradientTape() as tape:
                loss = loss_of(labels, net(images, training=True))
            changes = tape.gradient(loss, net.trainable_variables)
            optimizer.apply_gradients(zip(changes, net.trainable_variables, strict=True))

    return training


def keras_fit() -> Training:
    """Keras's own loop."""
    net = keras_model()

    def training(steps: int) -> None:
        rows = steps * BATCH
        net.fit(X[:rows], Y[:rows], batch_size=BATCH, verbose=0)

    return training


X, Y = data()
STYLES = {
    style.__name__: style
    for style in (
        low_level_loop,
        low_level_loop_over_tf_data,
        low_level_loop_in_a_tf_function,
        keras_model_in_a_tape,
        keras_fit,
    )
}

if __name__ == "__main__":
    main()
