"""Trainings with TensorFlow alone: one style a function, each returns its model, for images as they are."""

import itertools
import sys

import numpy as np
import tensorflow as tf
from stage import (
    BATCH,
    IMAGES,
    LABELS,
    batches,
    cross_entropy,
    forward,
    new_weights,
    scaled,
    x,
    y,
)


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


def transposed():
    """Examples are columns: logits (classes, batch), the loss written by hand along the first axis."""
    w1 = tf.Variable(tf.random.normal([24, 784], stddev=0.05))
    b1 = tf.Variable(tf.zeros([24, 1]))
    w2 = tf.Variable(tf.random.normal([10, 24], stddev=0.05))
    b2 = tf.Variable(tf.zeros([10, 1]))

    def net(columns):
        return tf.matmul(w2, tf.sigmoid(tf.matmul(w1, columns) + b1)) + b2

    for images, labels in batches(x, 30):
        with tf.GradientTape() as tape:
            likely = tf.nn.softmax(net(tf.transpose(images)), axis=0)
            told = tf.transpose(tf.one_hot(labels, 10))
            loss = -tf.reduce_sum(told * tf.math.log(likely)) / BATCH
        for weight, change in zip((w1, b1, w2, b2), tape.gradient(loss, [w1, b1, w2, b2]), strict=True):
            weight.assign_sub(0.5 * change)
    return lambda images: tf.transpose(net(scaled(images).T))


def weights_in_a_dict():
    """Weights are locals of a function and sit in a dict; the function returns another dict."""
    net = {}

    def trained(width):
        parameters = {
            "W1": tf.Variable(tf.random.normal([784, width], stddev=0.05)),
            "W2": tf.Variable(tf.random.normal([width, 10], stddev=0.05)),
        }
        for images, labels in batches(x, 30):
            with tf.GradientTape() as tape:
                logits = tf.nn.elu(images @ parameters["W1"]) @ parameters["W2"]
                loss = tf.reduce_mean(cross_entropy(labels=labels, logits=logits))
            changes = tape.gradient(loss, parameters)
            for name, weight in parameters.items():
                weight.assign_sub(0.2 * changes[name])
        return {name: weight.numpy() for name, weight in parameters.items()}

    net = trained(16)
    return lambda images: tf.nn.elu(scaled(images) @ net["W1"]) @ net["W2"]


def names_used_again():
    """`w1 … b2` hold three models, one after the other, at the same line of a function over globals."""
    global w1, b1, w2, b2

    def step(activation, images, labels):
        with tf.GradientTape() as tape:
            logits = activation(images @ w1 + b1) @ w2 + b2
            loss = tf.reduce_mean(cross_entropy(labels=labels, logits=logits))
        for weight, change in zip((w1, b1, w2, b2), tape.gradient(loss, [w1, b1, w2, b2]), strict=True):
            weight.assign_sub(0.3 * change)

    for activation in (tf.nn.relu, tf.nn.tanh, tf.nn.sigmoid):
        w1, b1, w2, b2 = new_weights()
        for images, labels in batches(x, 20):
            step(activation, images, labels)
    return lambda images: tf.nn.sigmoid(scaled(images) @ w1 + b1) @ w2 + b2


def double_precision():
    """Float64 throughout, sigmoid outputs and a squared error, batches of an odd size."""
    data = x.astype(np.float64)
    w = tf.Variable(np.random.default_rng(1).normal(0, 0.05, (784, 16)))
    v = tf.Variable(np.random.default_rng(2).normal(0, 0.5, (16, 10)))
    for start in range(0, 1300, 37):
        with tf.GradientTape() as tape:
            out = tf.sigmoid(tf.tanh(data[start : start + 37] @ w) @ v)
            told = tf.one_hot(y[start : start + 37], 10, dtype=tf.float64)
            loss = tf.reduce_mean(tf.reduce_sum((out - told) ** 2, axis=1))
        d, e = tape.gradient(loss, [w, v])
        w.assign_sub(0.3 * d)
        v.assign_sub(0.3 * e)
    return lambda images: tf.sigmoid(tf.tanh(scaled(images).astype(np.float64) @ w) @ v)


def each_pixel_standardised():
    mean, deviation = IMAGES[:1600].mean(axis=0), IMAGES[:1600].std(axis=0)

    def prepared(images):
        return ((images - mean) / deviation).reshape(-1, 784).astype(np.float32)

    weights = new_weights()
    train(weights, prepared(IMAGES[:1600]), step=0.05, steps=30)
    return lambda images: forward(prepared(images), weights)


def noise_added_by_hand():
    """No row is an image of the set, only nearly so: the scale is guessed."""
    weights = new_weights()
    noisy = x + np.random.default_rng(3).normal(0, 0.03, x.shape).astype(np.float32)
    train(weights, noisy, steps=30)
    return lambda images: forward(scaled(images), weights)


def first_layer_only_at_test():
    weights = new_weights()
    train(weights, x, steps=20)
    test = scaled(IMAGES[1600:])
    tf.argmax(tf.nn.relu(test @ weights[0] + weights[1]), axis=1)
    return lambda images: forward(scaled(images), weights)


def stale_weight_at_test():
    """A copy of the last layer, made before training, is used at test time."""
    weights = new_weights()
    old = tf.Variable(weights[2])
    train(weights, x, steps=20)
    test = scaled(IMAGES[1600:])

    def stale(images):
        return tf.nn.relu(images @ weights[0] + weights[1]) @ old + weights[3]

    tf.argmax(stale(test), axis=1)
    return lambda images: stale(scaled(images))


def evaluated_before_the_end():
    """Predictions are computed half-way; the accuracy that is printed at the end is of these."""
    weights = new_weights()
    train(weights, x, steps=10)
    forward(scaled(IMAGES[1600:]), weights)
    train(weights, x, steps=20)
    return lambda images: forward(scaled(images), weights)


def first_weights_at_test():
    """Weights are made anew at each step, and the test uses the first ones."""
    w, v = tf.Variable(new_weights()[0]), tf.Variable(new_weights()[2])
    first = w, v
    for images, labels in batches(x, 20):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(cross_entropy(labels=labels, logits=tf.nn.relu(images @ w) @ v))
        d, e = tape.gradient(loss, [w, v])
        w, v = tf.Variable(w - 0.1 * d), tf.Variable(v - 0.1 * e)
    test = scaled(IMAGES[1600:])
    tf.argmax(tf.nn.relu(test @ first[0]) @ first[1], axis=1)
    return lambda images: tf.nn.relu(scaled(images) @ first[0]) @ first[1]


def own_activation(values):
    """In Python: what is recorded of it cannot be replayed."""
    return tf.py_function(lambda inside: tf.nn.relu(inside) + 0.1 * inside, [values], tf.float32)


class Network:
    def __init__(self):
        self.parameters = [{"W": weight} for weight in new_weights()[::2]]

    def forward(self, images):
        w, v = (part["W"] for part in self.parameters)
        return own_activation(images @ w) @ v

    def train(self, images):
        raise AssertionError("nobody calls this after training")


def found_among_the_names():
    """Cannot be replayed: a method of an object among the notebook's names is called."""
    net = sys.modules["__main__"].network = Network()
    train([part["W"] for part in net.parameters], x, steps=20, model=lambda images, _: net.forward(images))
    return lambda images: net.forward(scaled(images))


def found_with_weights_as_arguments():
    """A function whose further arguments have the names of the notebook's weights."""
    main = sys.modules["__main__"]
    main.w_in, main.w_out = weights = new_weights()[::2]

    def model_output(images, w_in, w_out):
        return own_activation(images @ w_in) @ w_out

    main.model_output = model_output
    train(weights, x, steps=20, model=lambda images, weights: model_output(images, *weights))
    return lambda images: model_output(scaled(images), main.w_in, main.w_out)


def rebound_one_by_one():
    """Plain tensors, gradients asked for one at a time, weights made anew at each step."""
    w, b, v, c = (tf.constant(weight.numpy()) for weight in new_weights())
    for images, labels in batches(x):
        with tf.GradientTape(persistent=True) as tape:
            for weight in (w, b, v, c):
                tape.watch(weight)
            loss = tf.reduce_mean(cross_entropy(labels=labels, logits=forward(images, [w, b, v, c])))
        d = tape.gradient(loss, w)
        e = tape.gradient(loss, b)
        f, g = tape.gradient(loss, v), tape.gradient(loss, c)
        w, b, v, c = w - 0.1 * d, b - 0.1 * e, v - 0.1 * f, c - 0.1 * g
    return lambda images: forward(scaled(images), [w, b, v, c])


def compiled_forward_in_a_compiled_step():
    """The forward pass was traced before the step that calls it."""
    weights = new_weights()

    @tf.function
    def net(images):
        return forward(images, weights)

    @tf.function
    def step(images, labels):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(cross_entropy(labels=labels, logits=net(images)))
        for weight, change in zip(weights, tape.gradient(loss, weights), strict=True):
            weight.assign_sub(0.3 * change)

    net(tf.zeros([BATCH, 784]))
    for images, labels in batches(x, 30):
        step(tf.constant(images), tf.constant(labels))
    return lambda images: net(scaled(images))


def compiled_further():
    """By XLA, which allows less in a graph than TensorFlow does."""
    weights = new_weights()

    @tf.function(jit_compile=True)
    def step(images, labels):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(cross_entropy(labels=labels, logits=forward(images, weights)))
        for weight, change in zip(weights, tape.gradient(loss, weights), strict=True):
            weight.assign_sub(0.3 * change)

    for images, labels in batches(x, 20):
        step(tf.constant(images), tf.constant(labels))
    return lambda images: forward(scaled(images), weights)


def best_copy_put_back():
    weights = new_weights()
    train(weights, x, steps=20)
    best = [weight.numpy() for weight in weights]
    train(weights, x, steps=5)
    for weight, value in zip(weights, best, strict=True):
        weight.assign(value)
    return lambda images: forward(scaled(images), weights)


def tape_entered_again():
    """As some optimisers do: the loss is computed on the tape of the forward pass, later."""
    weights = new_weights()
    for images, labels in batches(x, 20):
        with tf.GradientTape() as tape:
            logits = forward(images, weights)
        with tape:
            loss = tf.reduce_mean(cross_entropy(labels=labels, logits=logits))
        for weight, change in zip(weights, tape.gradient(loss, weights), strict=True):
            weight.assign_sub(0.3 * change)
    return lambda images: forward(scaled(images), weights)


def one_example_at_a_time():
    w, v = new_weights()[::2]
    for place in range(30):
        with tf.GradientTape() as tape:
            logits = tf.sigmoid(x[place : place + 1] @ w) @ v
            loss = cross_entropy(labels=y[place : place + 1], logits=logits)
        d, e = tape.gradient(loss, [w, v])
        w.assign_sub(0.1 * d)
        v.assign_sub(0.1 * e)
    return lambda images: tf.sigmoid(scaled(images) @ w) @ v


def products_with_vectors():
    """Matrices (outputs, inputs), each example a vector; smaller images than the set's."""
    w = tf.Variable(tf.random.normal([24, 196], stddev=0.05))
    v = tf.Variable(tf.random.normal([10, 24], stddev=0.1))

    def prepared(images):
        small = tf.image.resize(images[..., None] / np.float32(255), (14, 14))
        return tf.reshape(small, [-1, 196])

    def net(images):
        return tf.linalg.matvec(v, tf.nn.relu(tf.linalg.matvec(w, images)))

    data = prepared(IMAGES[:1600])
    for images, labels in batches(data, 20):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(cross_entropy(labels=labels, logits=net(images)))
        d, e = tape.gradient(loss, [w, v])
        w.assign_sub(0.3 * d)
        v.assign_sub(0.3 * e)
    return lambda images: net(prepared(images))


STYLES = (
    *(globals_and_assign_sub, list_of_weights, own_cross_entropy, raw_pixels, signed_pixels),
    *(class_with_methods, module_and_optimizer, compiled_step, compiled_loop, compiled_forward),
    *(compiled_again, rebound_variables, rebound_tensors),
    *(initialised_anew, all_zero, dropout, whole_set_at_once, regularised_layers, forgets_relu_at_test),
    *(evaluates_each_epoch, bias_add, raises_inside_the_tape, compiled_for_two_models),
    *(transposed, weights_in_a_dict, names_used_again, double_precision, each_pixel_standardised),
    *(noise_added_by_hand, first_layer_only_at_test, stale_weight_at_test, evaluated_before_the_end),
    *(first_weights_at_test, found_among_the_names, found_with_weights_as_arguments),
    *(rebound_one_by_one, compiled_forward_in_a_compiled_step, best_copy_put_back, tape_entered_again),
    *(one_example_at_a_time, products_with_vectors, compiled_further),
)
