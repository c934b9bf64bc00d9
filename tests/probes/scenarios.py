"""Run as a program beside the recorder: trains small nets in many styles, one style a "cell".

usage: scenarios.py GRADER_FOLDER WORK_FOLDER

Leaves WORK_FOLDER/said.json: `facts` (all that was sent) and `cells`, per style the position of the cell and
the classes that the style's own model gives for the inputs at the end of the cell.
"""

import itertools
import json
import os
import sys
import warnings
from pathlib import Path

GRADER, WORK = Path(sys.argv[1]), Path(sys.argv[2])
sys.path[:0] = [str(GRADER), str(GRADER / "sandbox" / "room")]
os.environ |= {"KERAS_HOME": str(WORK), "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}

import after_import  # noqa: E402
from probes import recorder  # noqa: E402

after_import.install()
FACTS = []
recorder.install(after_import.after_import, lambda kind, **fact: FACTS.append({"kind": kind, **fact}))
assert "tensorflow" not in sys.modules

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import numpy as np
    import tensorflow as tf

warnings.simplefilter("error")
warnings.filterwarnings("ignore", category=DeprecationWarning)
RANDOM = np.random.default_rng(0)
COUNT, BATCH = 2_000, 40
PROTOTYPES = (RANDOM.random((10, 28, 28)) < 0.1) * 200


def drawn(labels):
    is_on = RANDOM.random((len(labels), 28, 28)) < 0.6
    return (PROTOTYPES[labels] * is_on + RANDOM.integers(0, 50, is_on.shape)).astype(np.uint8)


LABELS = RANDOM.integers(0, 10, COUNT)
IMAGES = drawn(LABELS)
INPUTS = drawn(RANDOM.integers(0, 10, 400)) // 2 + drawn(RANDOM.integers(0, 10, 400)) // 2

(WORK / "datasets").mkdir()
(WORK / "inputs").mkdir()
np.savez(WORK / "datasets" / "mnist.npz", x_train=IMAGES[:1600], x_test=IMAGES[1600:])
np.save(WORK / "inputs" / "mnist.npy", INPUTS)
cross_entropy = tf.nn.sparse_softmax_cross_entropy_with_logits
y = LABELS[:1600]


def scaled(images, way="unit"):
    flat = images.reshape(len(images), -1).astype(np.float32)
    return {"unit": flat / 255, "raw": flat, "signed": flat / 127.5 - 1}[way]


def batches(x, steps=50):
    for step in range(steps):
        at = slice(step * BATCH % 1600, step * BATCH % 1600 + BATCH)
        yield x[at], y[at]


def new_weights(deviation=0.05, width=24):
    return [
        tf.Variable(tf.random.normal([784, width], stddev=deviation)),
        tf.Variable(tf.zeros([width])),
        tf.Variable(tf.random.normal([width, 10], stddev=deviation)),
        tf.Variable(tf.zeros([10])),
    ]


def forward(x, weights):
    return tf.nn.relu(x @ weights[0] + weights[1]) @ weights[2] + weights[3]


def classes(logits):
    return np.argmax(np.asarray(logits), axis=1).tolist()


x = scaled(IMAGES[:1600])


def globals_and_assign_sub():
    global w1, b1, w2, b2
    w1, b1, w2, b2 = new_weights()
    for images, labels in batches(x):
        with tf.GradientTape() as tape:
            hidden = tf.nn.relu(tf.matmul(images, w1) + b1)
            logits = tf.matmul(hidden, w2) + b2
            loss = tf.reduce_mean(cross_entropy(labels=labels, logits=logits))
        d1, e1, d2, e2 = tape.gradient(loss, [w1, b1, w2, b2])
        w1.assign_sub(0.3 * d1)
        b1.assign_sub(0.3 * e1)
        w2.assign_sub(0.3 * d2)
        b2.assign_sub(0.3 * e2)
    return lambda images: forward(scaled(images), [w1, b1, w2, b2])


def train(weights, data, step=0.3, steps=50, model=forward, labels_as="index"):
    for images, labels in batches(data, steps):
        with tf.GradientTape() as tape:
            logits = model(images, weights)
            if labels_as == "index":
                loss = tf.reduce_mean(cross_entropy(labels=labels, logits=logits))
            else:
                probabilities = tf.nn.softmax(logits)
                told = tf.one_hot(labels, 10)
                loss = -tf.reduce_mean(tf.reduce_sum(told * tf.math.log(probabilities + 1e-9), axis=1))
        for weight, change in zip(weights, tape.gradient(loss, weights), strict=True):
            weight.assign(weight - step * change)


def list_of_weights():
    weights = new_weights()
    train(weights, x)
    return lambda images: forward(scaled(images), weights)


def own_cross_entropy():
    weights = new_weights()
    train(weights, x, labels_as="one hot")
    return lambda images: forward(scaled(images), weights)


def raw_pixels():
    weights = new_weights(0.01)
    train(weights, scaled(IMAGES[:1600], "raw"), step=1e-6)
    return lambda images: forward(scaled(images, "raw"), weights)


def signed_pixels():
    weights = new_weights()
    train(weights, scaled(IMAGES[:1600], "signed"), step=0.1)
    return lambda images: forward(scaled(images, "signed"), weights)


def class_with_methods():
    class Net:
        def __init__(self):
            self.layers = [new_weights()[:2], new_weights()[2:]]

        def __call__(self, images):
            (w, b), (v, c) = self.layers
            return tf.nn.sigmoid(images @ w + b) @ v + c

    net = Net()
    for images, labels in batches(x):
        weights = [weight for layer in net.layers for weight in layer]
        with tf.GradientTape(persistent=True) as tape:
            loss = tf.reduce_mean(cross_entropy(labels=labels, logits=net(images)))
        for weight in weights:
            weight.assign_sub(0.5 * tape.gradient(loss, weight))
        del tape
    return lambda images: net(scaled(images))


class Module(tf.Module):
    def __init__(self):
        super().__init__()
        self.w, self.b, self.v, self.c = new_weights()

    def __call__(self, images):
        return forward(images, [self.w, self.b, self.v, self.c])


def module_and_optimizer():
    net, optimizer = Module(), tf.keras.optimizers.Adam(0.01)
    for images, labels in batches(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(cross_entropy(labels=labels, logits=net(images)))
        gradients = tape.gradient(loss, net.trainable_variables)
        optimizer.apply_gradients(zip(gradients, net.trainable_variables, strict=True))
    return lambda images: net(scaled(images))


def compiled_step():
    weights = new_weights()

    @tf.function
    def step(images, labels):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(cross_entropy(labels=labels, logits=forward(images, weights)))
        for weight, change in zip(weights, tape.gradient(loss, weights), strict=True):
            weight.assign_sub(0.3 * change)
        return loss

    for images, labels in batches(x):
        step(tf.constant(images), tf.constant(labels))
    return lambda images: forward(scaled(images), weights)


def compiled_for_two_models():
    """One compiled step is traced for one model after another."""

    class Net:
        def __init__(self):
            self.weights = new_weights()

    @tf.function
    def step(net, images, labels):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(cross_entropy(labels=labels, logits=forward(images, net.weights)))
        for weight, change in zip(net.weights, tape.gradient(loss, net.weights), strict=True):
            weight.assign_sub(0.3 * change)
        return loss

    for _ in range(2):
        net = Net()
        for images, labels in batches(x):
            step(net, tf.constant(images), tf.constant(labels))
    return lambda images: forward(scaled(images), net.weights)


def compiled_loop():
    weights = new_weights()
    data = tf.data.Dataset.from_tensor_slices((x, y)).batch(BATCH)

    @tf.function
    def epoch():
        for images, labels in data:
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(cross_entropy(labels=labels, logits=forward(images, weights)))
            for weight, change in zip(weights, tape.gradient(loss, weights), strict=True):
                weight.assign_sub(0.3 * change)

    epoch()
    epoch()
    return lambda images: forward(scaled(images), weights)


def compiled_forward():
    weights = new_weights()

    @tf.function
    def net(images):
        return forward(images, weights)

    train(weights, x, model=lambda images, _: net(tf.constant(images)))
    return lambda images: forward(scaled(images), weights)


def compiled_again():
    """The same compiled step trains the same variables again after they were initialised anew."""
    weights = new_weights()

    @tf.function
    def step(images, labels):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(cross_entropy(labels=labels, logits=forward(images, weights)))
        for weight, change in zip(weights, tape.gradient(loss, weights), strict=True):
            weight.assign_sub(0.3 * change)

    for _ in range(2):
        for weight, fresh in zip(weights, new_weights(), strict=True):
            weight.assign(fresh)
        for images, labels in batches(x, 30):
            step(tf.constant(images), tf.constant(labels))
    return lambda images: forward(scaled(images), weights)


def rebound_variables():
    w, b, v, c = new_weights()
    for images, labels in batches(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(cross_entropy(labels=labels, logits=forward(images, [w, b, v, c])))
        d, e, f, g = tape.gradient(loss, [w, b, v, c])
        w, b = tf.Variable(w - 0.1 * d), tf.Variable(b - 0.1 * e)
        v, c = tf.Variable(v - 0.1 * f), tf.Variable(c - 0.1 * g)
    return lambda images: forward(scaled(images), [w, b, v, c])


def rebound_tensors():
    weights = [tf.constant(weight.numpy()) for weight in new_weights()]
    for images, labels in batches(x):
        with tf.GradientTape() as tape:
            tape.watch(weights)
            loss = tf.reduce_mean(cross_entropy(labels=labels, logits=forward(images, weights)))
        changes = tape.gradient(loss, weights)
        weights = [weight - 0.1 * change for weight, change in zip(weights, changes, strict=True)]
    return lambda images: forward(scaled(images), weights)


def keras_net(*extra):
    return tf.keras.Sequential(
        [
            tf.keras.layers.Input((28, 28)),
            tf.keras.layers.Rescaling(1 / 255),
            tf.keras.layers.Flatten(),
            tf.keras.layers.Dense(24, activation="relu"),
            *extra,
            tf.keras.layers.Dense(10),
        ]
    )


def keras_layers():
    net, optimizer = keras_net(), tf.keras.optimizers.SGD(0.3)
    for images, labels in batches(IMAGES[:1600]):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(cross_entropy(labels=labels, logits=net(images, training=True)))
        changes = tape.gradient(loss, net.trainable_variables)
        optimizer.apply(changes, net.trainable_variables)
    return net


def keras_fit():
    net = keras_net()
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    net.compile(tf.keras.optimizers.SGD(0.1), loss, metrics=["accuracy"])
    net.fit(IMAGES[:1600], y, epochs=2, batch_size=BATCH, verbose=0)
    return net


def keras_fit_softmax():
    net = tf.keras.Sequential(
        [
            tf.keras.layers.Dense(24, activation="relu"),
            tf.keras.layers.BatchNormalization(),
            tf.keras.layers.Dense(10, activation="softmax"),
        ]
    )
    net.compile("adam", "sparse_categorical_crossentropy")
    net.fit(x, y, epochs=2, batch_size=50, verbose=0)
    return lambda images: np.concatenate(
        [net(batch, training=True) for batch in np.split(scaled(images), len(images) // 50)]
    )


def initialised_anew():
    weights = new_weights()
    train(weights, x, steps=20)
    for weight, fresh in zip(weights, new_weights(), strict=True):
        weight.assign(fresh)
    train(weights, x, steps=30)
    return lambda images: forward(scaled(images), weights)


def all_zero():
    weights = [tf.Variable(tf.zeros_like(weight)) for weight in new_weights()]
    train(weights, x, steps=20)
    return lambda images: forward(scaled(images), weights)


def dropout():
    weights = new_weights(width=64)

    def model(images, weights):
        hidden = tf.nn.dropout(tf.nn.relu(images @ weights[0] + weights[1]), 0.2)
        return hidden @ weights[2] + weights[3]

    train(weights, x, model=model)
    return lambda images: forward(scaled(images), weights)


def whole_set_at_once():
    weights = new_weights()
    for _ in range(10):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(cross_entropy(labels=y, logits=forward(x, weights)))
        for weight, change in zip(weights, tape.gradient(loss, weights), strict=True):
            weight.assign_sub(0.3 * change)
    return lambda images: forward(scaled(images), weights)


def regularised_layers():
    layers = [784, 32, 16, 10]
    ws = [tf.Variable(tf.random.truncated_normal(pair, stddev=0.1)) for pair in itertools.pairwise(layers)]
    bs = [tf.Variable(tf.zeros([width])) for width in layers[1:]]

    def model(images):
        out = tf.reshape(tf.cast(images, tf.float32) / 255.0, [-1, 784])
        for w, b in zip(ws[:-1], bs[:-1], strict=True):
            out = tf.nn.tanh(tf.add(tf.matmul(out, w), b))
        return tf.add(tf.matmul(out, ws[-1]), bs[-1])

    for images, labels in tf.data.Dataset.from_tensor_slices((IMAGES[:1600], y)).batch(BATCH):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(
                tf.nn.softmax_cross_entropy_with_logits(tf.one_hot(labels, 10), model(images))
            ) + 1e-3 * sum(tf.reduce_sum(w**2) for w in ws)
        changes = tape.gradient(loss, {"w": ws, "b": bs})
        for weight, change in zip(ws + bs, changes["w"] + changes["b"], strict=True):
            weight.assign_sub(0.2 * change)
    return model


def bias_add():
    weights = new_weights()

    def model(images, weights):
        hidden = tf.nn.sigmoid(tf.nn.bias_add(tf.matmul(images, weights[0]), weights[1]))
        return tf.nn.bias_add(tf.matmul(hidden, weights[2]), weights[3])

    train(weights, x, model=model)
    return lambda images: model(scaled(images), weights)


def forgets_relu_at_test():
    weights = new_weights()
    test = scaled(IMAGES[1600:])

    def without_relu(images):
        return (images @ weights[0] + weights[1]) @ weights[2] + weights[3]

    train(weights, x)
    right = tf.equal(tf.argmax(without_relu(test), axis=1), LABELS[1600:])
    tf.reduce_mean(tf.cast(right, tf.float32))
    return lambda images: without_relu(scaled(images))


def evaluates_each_epoch():
    weights = new_weights()
    test = scaled(IMAGES[1600:], "raw")
    for _ in range(3):
        train(weights, x, steps=20)
        np.mean(np.argmax(forward(test, weights).numpy(), axis=1) == LABELS[1600:])
        tf.argmax(forward(x, weights), axis=1)
    return lambda images: forward(scaled(images, "raw"), weights)


def raises_inside_the_tape():
    try:
        with tf.GradientTape():
            tf.constant(1.0) + 1
            raise KeyError("student's own")
    except KeyError:
        pass
    assert not tf.__internal__.__dict__.get("callbacks")
    from tensorflow.python.eager import context

    assert not context.context().op_callbacks


STYLES = (
    *(globals_and_assign_sub, list_of_weights, own_cross_entropy, raw_pixels, signed_pixels),
    *(class_with_methods, module_and_optimizer, compiled_step, compiled_loop, compiled_forward),
    *(compiled_again, rebound_variables, rebound_tensors, keras_layers, keras_fit, keras_fit_softmax),
    *(initialised_anew, all_zero, dropout, whole_set_at_once, regularised_layers, forgets_relu_at_test),
    *(evaluates_each_epoch, bias_add, raises_inside_the_tape, compiled_for_two_models),
)

cells = {}
for number, style in enumerate(STYLES, start=1):
    if len(sys.argv) > 3 and style.__name__ not in sys.argv[3:]:
        recorder.cell_ended()
        continue
    tf.random.set_seed(number)
    net = style()
    recorder.cell_ended()
    cells[style.__name__] = {"run": number, "classes": classes(net(INPUTS)) if net is not None else None}

recorder.measure(str(WORK / "inputs"), 100, "word")
said = {"facts": FACTS, "cells": cells, "failures": recorder._recorder.failures}
(WORK / "said.json").write_text(json.dumps(said, default=str))
