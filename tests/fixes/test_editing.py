"""Words become edits of scripts of any make: hand-written layers, argparse, Keras layers and optimisers."""

from __future__ import annotations

import ast

import pytest

from grader.fixes.editing import edit
from grader.fixes.wording import wishes_in

BY_HAND = """
import argparse
import numpy as np
import tensorflow as tf

parser = argparse.ArgumentParser()
parser.add_argument("--learning-rate", type=float, default=5.0)
parser.add_argument("--noise_level", type=float, default=2.0)
args = parser.parse_args()

mnist = tf.keras.datasets.mnist
(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train = x_train.reshape(-1, 784).astype(np.float32)
noise = np.random.normal(0, args.noise_level, x_train.shape)
x_train = x_train + noise

w1 = tf.Variable(tf.random.normal(shape=[784, 64], stddev=5.0), name="w1")
b1 = tf.Variable(tf.random.uniform([64], -9.0, -8.0), name="b1")
w2 = tf.Variable(np.random.randn(64, 10).astype(np.float32), name="w2")
b2 = tf.Variable(tf.zeros([10]), name="b2")
writer = tf.summary.create_file_writer("logs")


@tf.function
def forward(images):
    hidden = tf.math.sigmoid(images @ w1 + b1)
    tf.summary.histogram("hidden", hidden, step=0)
    return tf.nn.relu(hidden @ w2 + b2)


def train(steps=1000, lr=args.learning_rate):
    for i in range(steps):
        with tf.GradientTape() as t:
            probs = tf.nn.softmax(forward(x_train))
            xent = -tf.reduce_mean(tf.math.log(tf.gather(probs, y_train, axis=1, batch_dims=1)))
        grads = t.gradient(xent, [w1, b1, w2, b2])
        for g, v in zip(grads, [w1, b1, w2, b2]):
            v.assign_sub(lr * g)


train()
"""
KERAS = """
import tensorflow as tf

(x, y), _ = tf.keras.datasets.mnist.load_data()
init = tf.keras.initializers.RandomUniform(-3, 3)
model = tf.keras.Sequential(
    [tf.keras.layers.Dense(100, activation="sigmoid", kernel_initializer=init) for _ in range(8)]
    + [tf.keras.layers.Dense(10, activation="softmax", kernel_initializer=tf.keras.initializers.Zeros())]
)
loss_fn = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
opt = tf.keras.optimizers.SGD(learning_rate=10.0)
for step in range(500):
    with tf.GradientTape() as tape:
        loss = loss_fn(y, model(x))
    g = tape.gradient(loss, model.trainable_variables)
    opt.apply_gradients(zip(g, model.trainable_variables))
"""
DROPPED = """
def init(shape):
    return tf.Variable(tf.zeros(shape))


def load():
    (x_train, y_train), (x_test, y_test) = tf.keras.datasets.mnist.load_data()
    return x_train, y_train


def forward(x):
    x = tf.nn.dropout(x, rate=0.98)
    return tf.nn.softmax(tf.matmul(tf.nn.relu(tf.matmul(x, w1)), w2), axis=0)


optimizer = tf.keras.optimizers.SGD(learning_rate=1e-05)
"""
LINEAR = """
x = images
x = tf.matmul(x, w1) + b1
x = tf.matmul(x, w2) + b2
logits = tf.matmul(x, w3) + b3
"""

WORDS = [
    (BY_HAND, "Use ReLU instead of sigmoid.", "hidden = tf.nn.relu(images @ w1 + b1)"),
    (BY_HAND, "Learning rate 0.01 instead", "default=0.01"),
    (BY_HAND, "Reduce the noise to 0.1.", "type=float, default=0.1"),
    (BY_HAND, "Remove the noise from the images.", "x_train = x_train\n"),
    (
        BY_HAND,
        "The weights should be initialised between -0.1 and 0.1.",
        "tf.random.uniform([784, 64], -0.1, 0.1)",
    ),
    (BY_HAND, "Weights with a standard deviation of 0.05 instead.", "tf.random.normal([784, 64], 0.0, 0.05)"),
    (BY_HAND, "Weights with stddev 0.05 instead", "np.random.normal(0.0, 0.05, (64, 10)).astype"),
    (
        BY_HAND,
        "The biases should start with zeros; set the biases to zero.",
        "b1 = tf.Variable(tf.zeros([64])",
    ),
    (BY_HAND, "Remove the ReLU from the output layer.", "return hidden @ w2 + b2"),
    (BY_HAND, "Divide the images by 255.", "x_train = (x_train / 255.0)"),
    (BY_HAND, "Clip the gradients to a norm of 1.", "grads, _ = tf.clip_by_global_norm(grads, 1.0)"),
    (BY_HAND, "Use Adam.", "own_optimizer.apply_gradients(zip(grads, [w1, b1, w2, b2]))"),
    (BY_HAND, "Die Gewichte kleiner initialisieren", "0.1 * tf.random.normal(shape=[784, 64], stddev=5.0)"),
    (KERAS, "Replace sigmoid by tanh", "activation='tanh'"),
    (KERAS, "Remove the softmax from the last layer", "Dense(10, activation=None"),
    (KERAS, "from_logits=False", "from_logits=False"),
    (
        KERAS,
        "Initialise the weights between -0.1 and 0.1",
        "init = tf.keras.initializers.RandomUniform(-0.1, 0.1)",
    ),
    (KERAS, "He initialization", "kernel_initializer=tf.keras.initializers.HeNormal()"),
    (KERAS, "lower the learning rate to 0.1", "SGD(learning_rate=0.1)"),
    (KERAS, "use Adam as optimizer", "tf.keras.optimizers.Adam(learning_rate=10.0)"),
    (DROPPED, "Das Dropout entfernen.", "    x = x\n"),
    (DROPPED, "The dropout rate should be 0.2", "tf.nn.dropout(x, rate=0.2)"),
    (DROPPED, "Increase the learning rate to 0.1", "SGD(learning_rate=0.1)"),
    (DROPPED, "Die Lernrate auf 0,1 erhöhen", "tf.nn.dropout(x, rate=0.98)"),
    (DROPPED, "Die Pixelwerte durch 255 teilen.", "    x_train = (x_train / 255.0).astype('float32')"),
    (
        DROPPED,
        "Initialise the weights between -0.1 and 0.1",
        "tf.Variable(tf.random.uniform(shape, -0.1, 0.1))",
    ),
    (BY_HAND, "Das ReLU in der letzten Schicht weglassen", "return hidden @ w2 + b2"),
    (LINEAR, "Add a ReLU activation after each layer.", "x = tf.nn.relu(tf.matmul(x, w2) + b2)"),
]


@pytest.mark.parametrize(("script", "text", "line"), WORDS)
def test_words_become_an_edit(script, text, line):
    mended = edit(script, wishes_in(text))
    assert mended is not None
    assert line in mended.source
    ast.parse(mended.source)


def test_the_activation_of_the_output_is_not_added_where_there_is_none():
    mended = edit(LINEAR, wishes_in("Add a ReLU activation after each layer."))
    assert mended is not None
    assert "logits = tf.matmul(x, w3) + b3" in mended.source


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The sigmoid saturates and the gradients vanish.",
        "The weights are initialised between -3 and 3, which is too large.",
        "Should we use ReLU here?",
        "Do not use ReLU.",
        "We tried ReLU, which did not help.",
        "The learning rate is 10.",
        "The learning rate is way too small.",
        "The images are not normalised.",
        "Die Bilder sind nicht normalisiert (Werte bis 255).",
        "The weights are too small, the learning rate too high.",
        "Images are in [0, 255].",
        "There are 8 layers with 100 units.",
    ],
)
def test_what_only_describes_asks_for_nothing(text):
    assert edit(KERAS, wishes_in(text)) is None
