"""Fixes are found and put in whatever way the scripts are written: classes, dictionaries, chains of lists."""

from __future__ import annotations

import pytest

from grader.fixes.finding import find_fixes
from grader.fixes.records import BrokenScript
from grader.fixes.steps import steps_constant

CHAIN = """
import tensorflow as tf
from datasets import MNISTDataset

data = MNISTDataset(*arrays, batch_size=128)
train_steps = 1500
learning_rate = 0.1
w_range = 0.8
Ws, bs = [], []
for n_in, n_out in [(784, 100), (100, 100), (100, 10)]:
    Ws.append(tf.Variable(tf.random.uniform([n_in, n_out], -w_range, w_range)))
    bs.append(tf.Variable(tf.zeros(n_out)))


def model_forward(inputs):
    x = inputs
    for ind, (w, b) in enumerate(zip(Ws, bs)):
        x = tf.matmul(x, w) + b
        if ind != len(Ws) - 1:
            x = tf.nn.relu(x)
    return x


for step in range(train_steps):
    img_batch, lbl_batch = data.next_batch()
    with tf.GradientTape() as tape:
        xent = loss_of(model_forward(img_batch), lbl_batch)
    for grad, var in zip(tape.gradient(xent, Ws + bs), Ws + bs):
        var.assign_sub(learning_rate * grad)
"""
MODULE = """
import tensorflow as tf

steps = 2000
ds = tf.data.Dataset.from_tensor_slices(load()).shuffle(10000).batch(64).repeat()


class Dense(tf.Module):
    def __init__(self, n_in, n_out, activation=None):
        super().__init__()
        self.w = tf.Variable(tf.random.uniform([n_in, n_out], -0.1, 0.1))
        self.b = tf.Variable(tf.fill([n_out], -10.0))
        self.activation = activation

    def __call__(self, x):
        y = x @ self.w + self.b
        return y if self.activation is None else self.activation(y)


model = MLP([Dense(784, 100, tf.nn.relu), Dense(100, 10)])
optimizer = tf.keras.optimizers.SGD(learning_rate=0.1)


@tf.function
def train_step(images, labels):
    with tf.GradientTape() as tape:
        loss = loss_of(model(images), labels)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))


if __name__ == "__main__":
    for step, (images, labels) in zip(range(steps), ds):
        train_step(images, labels)
"""
DICTIONARY = """
import tensorflow as tf

EPOCHS = 3


def init(shape):
    return tf.Variable(tf.zeros(shape))


weights = {"w1": init([784, 128]), "b1": init([128]), "out": init([128, 10]), "b_out": init([10])}


def net(x):
    x = tf.nn.sigmoid(tf.matmul(x, weights["w1"]) + weights["b1"])
    return tf.nn.softmax(tf.matmul(x, weights["out"]) + weights["b_out"], axis=0)


for epoch in range(EPOCHS):
    for images, labels in tf.data.Dataset.from_tensor_slices(load()).batch(100):
        with tf.GradientTape() as tape:
            loss = loss_of(labels, net(images))
        grads = tape.gradient(loss, weights)
        for key in weights:
            weights[key].assign_sub(0.1 * grads[key])
"""
SCRIPTS = [
    BrokenScript(name=f"fail{number}", source=source)
    for number, source in enumerate((CHAIN, MODULE, DICTIONARY), start=1)
]
WAYS = [
    ("fail1", "Gewichte zwischen -0,1 und 0,1 initialisieren.", "uniform([n_in, n_out], -0.1, 0.1)"),
    ("fail1", "`w_range = 0.1`", "w_range = 0.1"),
    ("fail1", "Use tanh instead of ReLU.", "x = tf.nn.tanh(x)"),
    ("fail1", "We reduce the learning rate to 1e-3.", "learning_rate = 0.001"),
    ("fail2", "The biases should start at zero.", "self.b = tf.Variable(tf.zeros([n_out]))"),
    (
        "fail2",
        "```diff\n-self.b = x\n+self.b = tf.Variable(tf.zeros(n_out))\n```",
        "self.b = tf.Variable(tf.zeros(n_out))",
    ),
    ("fail2", "Use Adam.", "optimizer = tf.keras.optimizers.Adam(learning_rate=0.1)"),
    (
        "fail3",
        "```python\ndef init(shape):\n    return tf.Variable(tf.random.normal(shape))\n```",
        "return tf.Variable(tf.random.normal(shape))",
    ),
    ("fail3", "The weights should be drawn between -0.1 and 0.1.", "(tf.random.uniform(shape, -0.1, 0.1))"),
    ("fail3", "`axis=1` instead of `axis=0`", "weights['b_out'], axis=1)"),
    ("fail3", "Remove the softmax from the model.", "return tf.matmul(x, weights['out']) + weights['b_out']"),
]


@pytest.mark.parametrize(("script", "text", "line"), WAYS)
def test_a_fix_is_put_into_a_script_of_another_style(a_notebook, script, text, line):
    found = find_fixes(a_notebook(f"## {script}.py\n\n{text}"), {}, SCRIPTS)
    assert any(line in fix.source for fix in found.fixes)
    assert {fix.script for fix in found.fixes} == {script}


def test_the_number_of_steps_is_found():
    assert [steps_constant(script.source) for script in SCRIPTS] == ["train_steps", "steps", "EPOCHS"]


def test_a_whole_mended_script_is_known(a_notebook):
    for script, old, new in zip(
        SCRIPTS, ("= 0.8", "-10.0", "tf.zeros("), ("= 0.1", "0.0", "glorot("), strict=True
    ):
        [fix] = find_fixes(a_notebook(("code", script.source.replace(old, new))), {}, SCRIPTS).fixes
        assert (fix.script, fix.is_sure) == (script.name, True)
