"""Run as a program beside the recorder: functions that train eagerly and as graphs, timed by hand and by it.

usage: training_functions.py GRADER_FOLDER WORK_FOLDER

Leaves WORK_FOLDER/timed.json: the facts, the ratios measured by hand, and whether variables are as they were.
"""

import json
import time
from statistics import median
from time import perf_counter, sleep

import numpy as np
import stage  # first: the recorder is there before TensorFlow
import tensorflow as tf
from probes import recorder

facts, by_hand = [], {}
recorder.begin(lambda kind, word="", **fact: facts.append({"kind": kind, **fact}), times=True)
x, y = tf.random.uniform((32, 200)), tf.range(32) % 10


def make_step(width):
    weights = [tf.Variable(tf.random.normal(shape, stddev=0.1)) for shape in ((200, width), (width, 10))]

    def step(images, labels):
        with tf.GradientTape() as tape:
            logits = tf.nn.relu(images @ weights[0]) @ weights[1]
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
            loss = tf.reduce_mean(losses)
        for weight, gradient in zip(weights, tape.gradient(loss, weights), strict=True):
            weight.assign_sub(0.1 * gradient)
        return loss

    return step, weights


def ratio_by_hand(eager, graph):
    ratios = []
    graph(x, y)
    for _ in range(60):
        seconds = []
        for call in (eager, graph):
            began = perf_counter()
            call(x, y).numpy()
            seconds.append(perf_counter() - began)
        ratios.append(seconds[0] / seconds[1])
    return median(ratios)


def sizes():
    kept = []
    for width in (8, 2048):
        step, weights = make_step(width)
        graph = tf.function(step)
        for _ in range(6):
            step(x, y)
            graph(x, y)
        kept += weights
        with recorder._recorder.hearing.closed():
            by_hand[sum(int(np.prod(weight.shape)) for weight in weights)] = ratio_by_hand(
                step, tf.function(step)
            )
    return kept


def sleeper():
    weight = tf.Variable(tf.random.normal((200, 3)))

    def sleepy(images):
        sleep(0.25)
        time.sleep(0.25)
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(images @ weight)
        weight.assign_sub(0.001 * tape.gradient(loss, weight))
        return loss

    graph = tf.function(sleepy)
    for _ in range(3):
        sleepy(x)
        graph(x)
    return [weight]


def counter():
    weight = tf.Variable(tf.random.normal((200, 4)))

    @tf.function
    def numbered(images, number):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(images @ weight) * number
        weight.assign_sub(0.001 * tape.gradient(loss, weight))
        return loss

    for number in range(6):
        numbered(x, number)
    return [weight]


class Trainer:
    """A plain step and a graph as methods; two of them are told apart though their code is the same."""

    def __init__(self, width):
        self.weight = tf.Variable(tf.random.normal((200, width)))

    def plain(self, images):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(images @ self.weight)
        self.weight.assign_sub(0.001 * tape.gradient(loss, self.weight))

    @tf.function
    def in_graph(self, images):
        self.plain(images)


def methods():
    trainers = [Trainer(width) for width in (5, 6)]
    for trainer in trainers:
        for _ in range(3):
            trainer.plain(x)
            trainer.in_graph(x)
    return [trainer.weight for trainer in trainers]


def fitted():
    kept = []
    for is_eager in (True, False):
        layers = [tf.keras.Input((200,)), tf.keras.layers.Dense(7), tf.keras.layers.Dense(10)]
        model = tf.keras.Sequential(layers)
        model.compile("sgd", "mse", run_eagerly=is_eager)
        model.fit(x, tf.zeros((32, 10)), batch_size=16, verbose=0)
        kept += [weight.value for weight in model.weights]
    return kept


def through_python():
    weight = tf.Variable(tf.random.normal((200, 8)))

    def step_with_python(images):
        end = perf_counter() + 0.1 * tf.executing_eagerly()
        while perf_counter() < end:
            pass
        images = tf.ensure_shape(tf.py_function(lambda value: value, [images], tf.float32), (32, 200))
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(images @ weight) + tf.reduce_sum(tf.constant(np.ones(300_000, "float32")))
        weight.assign_sub(0.001 * tape.gradient(loss, weight))

    graph = tf.function(step_with_python)
    for _ in range(3):
        step_with_python(x)
        graph(x)
    return [weight]


def gives_up():
    weight = tf.Variable(tf.random.normal((200, 9)))
    calls = []

    def counted(images):
        calls.append(1)
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(images @ weight)
        gradient = tape.gradient(loss, weight)
        if len(calls) < 6:
            weight.assign_sub(0.001 * gradient)

    graph = tf.function(counted)
    for _ in range(3):
        counted(x)
        graph(x)
    return [weight]


variables = []
for cell in (sizes, sleeper, counter, methods, fitted, through_python, gives_up):
    variables += cell()
    recorder.cell_ended()
before = [variable.numpy() for variable in variables]
recorder.measure(str(stage.WORK / "inputs"), 60, "word")
is_restored = all(np.array_equal(old, new.numpy()) for old, new in zip(before, variables, strict=True))
told = {"facts": facts, "by_hand": by_hand, "is_restored": is_restored}
told["failure"] = recorder._recorder.hearing.first_failure
(stage.WORK / "timed.json").write_text(json.dumps(told, default=str))
