"""A student's own notebook is run, without a sandbox where there is none, and what came of it is told."""

from __future__ import annotations

from student.conftest import REPOSITORY, finding, told

from grader.checks.previews import Sight
from grader.errors import SandboxError
from grader.student import running
from grader.student.checking import check_notebook
from grader.student.wording import how_it_was_looked_at

TWO_SIZES = """
# %% [markdown]
# Assignment 4
Alex Example
# %%
import time
import tensorflow as tf
layers = tf.keras.layers
(x_train, y_train), (x_test, y_test) = tf.keras.datasets.cifar10.load_data()
data = tf.data.Dataset.from_tensor_slices((x_train[:320] / 255., y_train[:320])).batch(16)
# %%
def a_network(growth):
    x = inputs = tf.keras.Input((32, 32, 3))
    x = layers.Conv2D(8, 3, strides=4, padding='same')(x)
    for _ in range(3):
        x = layers.Concatenate()([x, layers.Conv2D(growth, 3, padding='same', activation='relu')(x)])
    return tf.keras.Model(inputs, layers.Dense(10)(layers.Flatten()(x)))
# %%
loss_of = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
for growth in (2, 8):
    for how in ('eager', 'graph'):
        network, optimizer = a_network(growth), tf.keras.optimizers.Adam()
        def step(x, y):
            with tf.GradientTape() as tape:
                loss = loss_of(y, network(x, training=True))
            gradients = tape.gradient(loss, network.trainable_variables)
            optimizer.apply_gradients(zip(gradients, network.trainable_variables))
        take = tf.function(step) if how == 'graph' else step
        for epoch in range(3):
            start = time.time()
            for x, y in data:
                take(x, y)
        print(f'growth {growth}, {how}: {1000 * (time.time() - start) / 20:.1f} ms per step')
#> growth 2, eager: 20.1 ms per step
#> growth 2, graph: 3.2 ms per step
#> growth 8, eager: 22.0 ms per step
#> growth 8, graph: 4.8 ms per step
# %% [markdown]
The larger the network, the less is gained by the graph.
"""


def test_a_notebook_of_ones_own_is_run_without_a_sandbox_where_there_is_none(write, tmp_path, monkeypatch):
    def no_sandbox() -> None:
        raise SandboxError("no bubblewrap here")

    monkeypatch.setattr(running, "check_room", no_sandbox)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    looked = check_notebook(write(TWO_SIZES), assignment="a4", course=REPOSITORY, execute=True)
    assert "run without a sandbox, as a program of yours" in how_it_was_looked_at(looked)
    assert finding(looked, "runs").sight is Sight.FOUND, told(looked, "runs")
    for name in ("dense-block", "functional-api"):
        assert finding(looked, name).sight is Sight.FOUND, told(looked, name)
    assert "weights are compared both ways" in told(looked, "tf-function")
    assert finding(looked, "tf-function").sight is Sight.LATER
