"""Notebooks about the gain of `tf.function`: the words that stand for their common parts."""

from __future__ import annotations

_MODELS = """
import time
import tensorflow as tf

clock, fast = time.perf_counter, None
x, y = tf.random.uniform([32, 50]), tf.range(32) % 10

def network(width):
    return [tf.Variable(tf.random.normal(shape) * 0.1) for shape in ([50, width], [width, 10])]

def train(weights):
    with tf.GradientTape() as tape:
        logits = tf.nn.relu(x @ weights[0]) @ weights[1]
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
    for weight, gradient in zip(weights, tape.gradient(loss, weights)):
        weight.assign_sub(0.01 * gradient)
"""

_COMPARISON = """
for width in (8, 4096):
    for name in ("eager", "graph"):
        step = make_step(width)
        fast = tf.function(step) if name == "graph" else None
        run = fast or step
        run()
        started = clock()
        for _ in range(20):
            run()
        print(f"width {width}, {name}: {1000 * (clock() - started) / 20:.3f} ms per step")
"""

WORDS = {"MODELS": _MODELS, "COMPARISON": _COMPARISON}
"""What the words in `notebooks/timed/` stand for."""
