"""Data sets and mends inside the room, with the real TensorFlow: one notebook per Keras."""

from __future__ import annotations

import pytest

from grader.datasets.finding import find_dataset
from grader.model import KerasFlavour, RunStatus

LOAD = """
import tensorflow as tf
from tensorflow.keras import layers
(a, b), (c, d) = tf.keras.datasets.mnist.load_data()
(e, f), _ = tf.keras.datasets.fashion_mnist.load_data()
print(a.shape, a.dtype, b.shape, c.shape, e.shape, f.dtype)
"""

KERAS_3_CODE = """
import numpy as np
import matplotlib.pyplot as plt
from tensorflow.keras.layers.experimental import preprocessing
plt.style.use('seaborn-whitegrid')
v = tf.Variable(np.float(1.0), dtype=tf.float32)
optimizer = tf.keras.optimizers.SGD(lr=0.5, decay=1.0)
optimizer.minimize(lambda: v * v, [v])
optimizer.minimize(lambda: v * v, [v])
metric = tf.keras.metrics.Mean()
metric(3.0); metric.reset_states()
model = tf.keras.Sequential([tf.keras.Input((1,)), layers.Dense(1)])
model.compile("sgd", "mse", experimental_run_tf_function=False)
tf.distribute.get_strategy().experimental_run_v2(lambda: None)
tf.function(lambda x: x, experimental_relax_shapes=True)(1)
w = tf.Variable([[1.0]])
optimizer.apply_gradients([(tf.constant([[1.0]]), w)])
print(float(w[0, 0]))
print(float(v), float(metric.result()), preprocessing.Rescaling(0.5)(tf.constant([2.0])).numpy())
"""

KERAS_2_CODE = """
optimizer = tf.keras.optimizers.Adam(lr=0.1)
for _ in range(2):
    inputs = tf.keras.Input((3,))
    model = tf.keras.Model(inputs, layers.Dense(2)(tf.nn.relu(inputs)))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(tf.ones((2, 3))))
    optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables))
print("both trained")
"""


@pytest.fixture(scope="session")
def stand_ins(tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    return tuple(
        find_dataset(name, data=None, course_data=None, cache=cache) for name in ("mnist", "fashion_mnist")
    )


def printed(executed, cell):
    return "".join(o.get("text", "") for o in executed.cells[cell - 1].outputs if o.get("name") == "stdout")


def test_keras_3_loads_our_data_and_old_calls_are_mended_and_told(run_cells, stand_ins):
    run, executed = run_cells(LOAD, KERAS_3_CODE, datasets=stand_ins)
    assert run.status is RunStatus.COMPLETED, run.cells
    assert printed(executed, 1) == "(60000, 28, 28) uint8 (60000,) (10000, 28, 28) (60000, 28, 28) uint8\n"
    # By hand: 1 - 0.5 * 2 * 1 = 0 after the first step, and 0 stays 0.
    # An optimiser of its own for another variable: 1 - 0.5 * 1.
    assert printed(executed, 2) == "0.5\n0.0 0.0 [1.]\n"
    told = {mend.name: mend.cell for mend in run.mends}
    assert told == {
        "seaborn style": 2,
        "np.float": 2,
        "lr": 2,
        "decay": 2,
        "minimize": 2,
        "shared optimizer": 2,
        "reset_states": 2,
        "experimental_run_tf_function": 2,
        "experimental_run_v2": 2,
        "keras.layers.experimental.preprocessing": 2,
    }


def test_legacy_keras_loads_our_data_and_runs_what_keras_3_refuses(run_cells, stand_ins):
    run, executed = run_cells(LOAD, KERAS_2_CODE, datasets=stand_ins, keras=KerasFlavour.LEGACY)
    assert run.status is RunStatus.COMPLETED, run.cells
    assert printed(executed, 1).startswith("(60000, 28, 28) uint8")
    assert printed(executed, 2) == "both trained\n"
    assert [mend.name for mend in run.mends] == ["legacy optimizers"]
