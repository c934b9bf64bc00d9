"""Mutations of code, without running it: what is changed, what is kept, and that labels are checks' names."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from grader.checks.registry import all_checks
from grader.notebook.code import clean_source
from grader.references import source_of
from grader.rewriting.mutations import OPERATORS, Mutation, mutations_of

REFERENCES = Path(__file__).resolve().parents[2] / "reference_solutions" / "a1"
SHIPPED = [REFERENCES / "solution.ipynb", *sorted((REFERENCES / "variants").glob("*.ipynb"))]

SETUP = """import tensorflow as tf
import numpy as np
(x, y), (u, v) = tf.keras.datasets.fashion_mnist.load_data()  # the data
"""
TRAINING = """w = tf.Variable(tf.random.normal([784, 20], stddev=0.1))
for i in range(100):
    with tf.GradientTape() as tape:
        h = tf.nn.relu(x @ w + b)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, h @ w2))
    for p, g in zip([w], tape.gradient(loss, [w])):
        p.assign_sub(0.1 * g)
    print(i)
"""
TEST = "print(np.mean(np.argmax(tf.nn.relu(u @ w + b) @ w2, axis=1) == v))"


def a_notebook(*sources: str) -> dict[str, Any]:
    return {"cells": [{"cell_type": "code", "source": source} for source in sources]}


def mutated(name: str, *sources: str) -> list[str] | None:
    """The sources after the mutation of that name, None when there is none."""
    found = {mutation.name: mutation for mutation in mutations_of(a_notebook(*sources))}
    if name not in found:
        return None
    changed = {edit.cell: edit.source for edit in found[name].edits}
    return [changed.get(number, source) or "" for number, source in enumerate(sources, start=1)]


EXPECTED = {
    "activations-left-out": [
        ("h = tf.nn.relu(x @ w + b)", "h = (x @ w + b)"),
        ("tf.nn.relu(u @ w + b)", "(u @ w + b)"),
    ],
    "activations-are-identities": [("tf.nn.relu", "tf.identity")],
    "activations-left-out-in-training": [("h = tf.nn.relu(x @ w + b)", "h = (x @ w + b)")],
    "activations-left-out-in-tests": [("tf.nn.relu(u @ w + b)", "(u @ w + b)")],
    "hidden-layer-times-zero": [("x @ w + b)", "x @ w + b) * 0"), ("u @ w + b)", "u @ w + b) * 0")],
    "weights-start-at-zero": [("tf.random.normal([784, 20], stddev=0.1)", "tf.zeros([784, 20])")],
    "weights-start-alike": [("tf.random.normal([784, 20], stddev=0.1)", "tf.fill([784, 20], 0.05)")],
    "no-updates": [("p.assign_sub(0.1 * g)", "pass")],
    "copies-are-updated": [("p.assign_sub", "tf.Variable(p).assign_sub")],
    "rate-of-zero": [("p.assign_sub(0.1 * g)", "p.assign_sub(0.0 * (0.1 * g))")],
    "one-step": [("    print(i)\n", "    print(i)\n    break\n")],
    "uphill": [("assign_sub", "assign_add")],
    "labels-shuffled": [("# the data\n", "# the data\ny = y[np.random.permutation(len(y))]\n")],
    "labels-off-by-one": [("# the data\n", "# the data\ny = (y + 1) % 10\n")],
    "blank-images": [("# the data\n", "# the data\nx = x * 0\n")],
    "tested-on-training-data": [("# the data\n", "# the data\nu, v = x[:10000], y[:10000]\n")],
    "train-and-test-swapped": [("(x, y), (u, v)", "(u, v), (x, y)")],
    "fashion-is-mnist": [("fashion_mnist", "mnist")],
    "accuracy-written-down": [(TEST, "print(tf.constant(0.95))")],
    "labels-against-labels": [(TEST, "print(np.mean(v == v))")],
}


@pytest.mark.parametrize("name", EXPECTED)
def test_all_places_of_a_kind_are_changed_and_nothing_else(name):
    expected = [SETUP, TRAINING, TEST]
    for old, new in EXPECTED[name]:
        expected = [source.replace(old, new) for source in expected]
    assert mutated(name, SETUP, TRAINING, TEST) == expected


def test_every_operator_but_one_applies_to_the_plain_notebook():
    applied = {mutation.name for mutation in mutations_of(a_notebook(SETUP, TRAINING, TEST))}
    assert {operator.name for operator in OPERATORS} - applied == {"no-hidden-layer"}


@pytest.mark.parametrize(
    ("sizes", "without"),
    [
        ("m = make([784, 64, 10])", "m = make([784, 10])"),
        ("m = make([784] + [n] * 3 + [10], 0.1)", "m = make([784, 10], 0.1)"),
        (
            "m = [make(s) for s in [[784, 8, 10], [784, 8, 8, 10]]]",
            "m = [make(s) for s in [[784, 10], [784, 10]]]",
        ),
    ],
)
def test_lists_of_layer_sizes_lose_the_hidden_ones(sizes, without):
    assert mutated("no-hidden-layer", sizes) == [without]
    assert mutated("no-hidden-layer", "m = make([784, 10]); x = reshape([28, 28])") is None


@pytest.mark.parametrize("call", ["self.activation(z)", "model['act'](z)", "act_fn(z)", "tf.nn.relu(z)"])
def test_activations_are_found_however_they_are_called(call):
    assert mutated("activations-left-out", f"h = {call}") == ["h = (z)"]


def test_activations_within_each_other_are_all_left_out():
    source = "f = tf.matmul(tf.nn.relu(tf.matmul(tf.nn.tanh(x @ w), w2)), w3)"
    assert mutated("activations-left-out", source) == ["f = tf.matmul((tf.matmul((x @ w), w2)), w3)"]


def test_an_optimiser_has_a_rate_of_zero_and_no_copies():
    source = (
        "import tensorflow as tf\no = tf.keras.optimizers.Adam(learning_rate=r)\no.apply_gradients(zip(g, v))"
    )
    [changed] = mutated("rate-of-zero", source) or [""]
    assert "learning_rate=0.0 * (r)" in changed
    assert mutated("copies-are-updated", source) is None
    assert mutated("uphill", source) is None


def test_a_rate_that_cannot_be_reached_makes_no_mutation():
    assert mutated("rate-of-zero", "import tensorflow as tf\no.apply_gradients(zip(g, v))") is None


STEP = """def train(steps):
    @tf.function
    def step(a):
        with tf.GradientTape() as tape:
            pass
    for _ in range(steps):
        step(1)
"""


def test_the_loop_around_a_step_in_a_function_is_left_after_one_step():
    assert mutated("one-step", STEP, "for n in [1, 2]:\n    train(n)\n") == [
        f"{STEP}        break\n",
        "for n in [1, 2]:\n    train(n)\n",
    ]


def test_predictions_are_recognised_through_a_name():
    source = "p = tf.argmax(f(u), 1)\nr = tf.equal(p, v)\na = tf.reduce_mean(tf.cast(r, tf.float32))"
    [changed] = mutated("labels-against-labels", source) or [""]
    assert "tf.equal(v, v)" in changed
    [changed] = mutated("accuracy-written-down", f"import tensorflow as tf\n{source}") or [""]
    assert changed.endswith("a = tf.constant(0.95)")


@pytest.mark.parametrize("source", ["x = (", "print('hello')", "a == b", "np.mean(losses)", ""])
def test_code_without_such_places_is_left_alone(source):
    assert list(mutations_of(a_notebook(source))) == []


def of_shipped(path: Path) -> tuple[dict[str, Any], list[Mutation]]:
    notebook = json.loads(path.read_text("utf-8"))
    return notebook, list(mutations_of(notebook))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_mutations_of_what_we_ship_are_python_and_differ_from_it(path):
    notebook, found = of_shipped(path)
    assert len(found) >= 15
    assert len({mutation.name for mutation in found}) == len(found)
    for mutation in found:
        for edit in mutation.edits:
            assert edit.cell is not None
            assert edit.source != source_of(notebook["cells"][edit.cell - 1])
            ast.parse(clean_source(edit.source or ""))


def test_labels_are_names_of_checks():
    assert frozenset[str]().union(*(operator.breaks for operator in OPERATORS)) <= set(all_checks())
    assert all(operator.breaks for operator in OPERATORS)
