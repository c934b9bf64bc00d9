from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from grader.checks.evaluation import evaluated_on_test_data
from grader.checks.experiments import (
    experiments,
    misclassified_looked_at,
    trained_on,
)
from grader.checks.mlp_configurations import distinct
from grader.evidence.record import Evidence
from grader.model import Outcome, Participant, Source, Submission
from grader.notebook.facts import Configuration
from grader.notebook.outputs import read_outputs
from grader.notebook.records import Cell, CellKind, Notebook, Output, OutputKind, Readings

LOAD = """import tensorflow as tf
import numpy as np
import matplotlib.pyplot as plt
(x, y), (xt, yt) = tf.keras.datasets.mnist.load_data()
x, xt = [tf.reshape(tf.cast(a, tf.float32) / 255, (-1, 784)) for a in (x, xt)]
"""
RUN = """def run(n=50, act=tf.nn.relu, rate=0.1, std=0.1, steps=100):
    global net
    W1 = tf.Variable(tf.random.normal([784, n], stddev=std))
    W2 = tf.Variable(tf.random.normal([n, 10], stddev=std))
    net = lambda a: act(a @ W1) @ W2
    for step in range(steps):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=net(x)))
        for v, g in zip([W1, W2], tape.gradient(loss, [W1, W2])):
            v.assign_sub(rate * g)
    return np.mean(np.argmax(net(xt), axis=1) == yt)
"""
ONE = "print('test accuracy', run())"


def printed(*lines: str) -> tuple[Output, ...]:
    return (Output(kind=OutputKind.STREAM, text="\n".join(lines) + "\n"),) if lines else ()


A_FIGURE = Output(kind=OutputKind.DISPLAY, image="AAAA", image_type="image/png")


def code(source: str, *outputs: Output) -> Cell:
    return Cell(number=1, kind=CellKind.CODE, source=source, outputs=outputs)


def words(text: str) -> Cell:
    return Cell(number=1, kind=CellKind.MARKDOWN, source=text)


def evidence(*cells: Cell, rerun: Readings | None = None) -> Evidence:
    numbered = tuple(cell.model_copy(update={"number": n}) for n, cell in enumerate(cells, start=1))
    notebook = Notebook(cells=numbered)
    submission = Submission(
        id="one",
        assignment="a1",
        participant=Participant(id="1"),
        folder=Path("a1/one"),
        notebook="a1.ipynb",
        notebook_sha256="0" * 64,
    )
    return Evidence(submission=submission, notebook=notebook, saved=read_outputs(notebook), rerun=rerun)


def accuracies(*values: float) -> tuple[Output, ...]:
    return printed(*[f"test accuracy {value}" for value in values])


THREE = (0.91, 0.93, 0.95)


@pytest.mark.parametrize(
    "loop",
    [
        "for n in [10, 50, 250]:\n    print('test accuracy', run(n))",
        "for act in (tf.nn.relu, tf.tanh, tf.sigmoid):\n    print('test accuracy', run(act=act))",
        "for rate in 0.01, 0.1, 1.0:\n    print('test accuracy', run(rate=rate))",
        "for std in [0.0, 0.1, 1.0]:\n    print('test accuracy', run(std=std))",
        "configs = {'small': {'n': 5}, 'large': {'n': 500}, 'tanh': {'act': tf.tanh}}\n"
        "for name, config in configs.items():\n    print('test accuracy', run(**config))",
        "results = [run(n) for n in (5, 50, 500)]\nfor r in results: print('test accuracy', r)",
        "print('test accuracy', run(5))\nprint('test accuracy', run(6))\nprint('test accuracy', run(7))",
        "import itertools as it\n"
        "for n, a in it.product([5, 6], [tf.tanh, tf.nn.elu]):\n    print('test accuracy', run(n, a))",
        "list(map(lambda n: print('test accuracy', run(n)), [1, 2, 3]))",
    ],
)
def test_configurations_that_really_vary_are_experiments(loop: str) -> None:
    verdict = experiments(evidence(code(LOAD), code(RUN), code(loop, *accuracies(*THREE))))
    assert verdict.outcome is Outcome.MET
    assert verdict.sources == (Source.SOURCE, Source.SAVED)


WRITTEN = """for n, found in [(10, 0.9112), (50, 0.9312), (250, 0.9512)]:
    run(n)
    print(n, 'test accuracy', found)
"""


def test_results_that_stand_in_the_code_are_none() -> None:
    outputs = accuracies(0.9112, 0.9312, 0.9512)
    assert (
        experiments(evidence(code(LOAD), code(RUN), code(WRITTEN, *outputs))).outcome is Outcome.NEEDS_REVIEW
    )


def test_results_that_stand_in_the_code_still_speak_for_further_experiments() -> None:
    once = "print('test accuracy', run())\nprint('test accuracy before', 0.9112)"
    found = evidence(code(LOAD), code(RUN), code(once, *accuracies(0.95, 0.9112)))
    assert experiments(found).outcome is Outcome.NEEDS_REVIEW


def test_results_of_the_rerun_count_when_none_were_saved() -> None:
    loop = "for n in [10, 50, 250]:\n    print('test accuracy', run(n))"
    rerun = evidence(code(LOAD), code(RUN), code(loop, *accuracies(*THREE))).saved
    found = evidence(code(LOAD), code(RUN), code(loop, *printed("Training")), rerun=rerun)
    assert experiments(found).sources == (Source.SOURCE, Source.RERUN)


def test_one_configuration_and_nothing_else_is_no_experiment() -> None:
    verdict = experiments(evidence(code(LOAD), code(RUN), code(ONE, *accuracies(0.95))))
    assert (verdict.outcome, verdict.fraction) == (Outcome.NOT_MET, Decimal(0))


@pytest.mark.parametrize(
    "cells",
    [
        [code(LOAD), code(RUN), code("for i in range(3):\n    print('test', run())", *accuracies(*THREE))],
        [code(LOAD), code(RUN), code(ONE, *accuracies(0.95)), words("I also tried 10 and 100 hidden units.")],
        [code(LOAD), code(RUN), code(ONE, *accuracies(0.95)), words("Mit 10 Neuronen war es schlechter.")],
        [code(LOAD), code(RUN), code(ONE, *accuracies(0.95)), words("tanh: 93 %, relu: 95 %")],
        [code(LOAD), code(RUN), code(ONE + "\n# print(run(act=tf.tanh))", *accuracies(0.95))],
        [code(LOAD), code(RUN), code(ONE, *accuracies(0.91, 0.95))],
        [code(LOAD), code(RUN), code(ONE), code("for n in [1, 2, 3]:\n    run(n)")],
        [code(LOAD), code(RUN), code("for n in (5, 50):\n    print('test', run(n))", *accuracies(0.9, 0.95))],
        [code(LOAD), code(RUN), code("for s in (5, 50, 500):\n    run(steps=s)", *accuracies(*THREE))],
        [code(LOAD), code(RUN), code("import helfer\nhelfer.alle(run)", *accuracies(0.95))],
        [code(LOAD), code(RUN), code("print(run(int(input())))", *accuracies(0.95)), code("x = = 3")],
    ],
)  # fmt: skip
def test_what_is_neither_varied_for_certain_nor_absent_is_for_a_person(cells: Sequence[Cell]) -> None:
    verdict = experiments(evidence(*cells))
    assert verdict.outcome is Outcome.NEEDS_REVIEW
    assert len(verdict.reasons) >= 2


DECAY = """W1, W2 = tf.Variable(tf.random.normal([784, 9])), tf.Variable(tf.random.normal([9, 10]))
net = lambda a: tf.tanh(a @ W1) @ W2
rate = 0.5
for epoch in range(5):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=net(x)))
    for v, g in zip([W1, W2], tape.gradient(loss, [W1, W2])):
        v.assign_sub(rate * g)
    rate = rate * 0.9
    print('test accuracy', np.mean(np.argmax(net(xt), 1) == yt))
"""
MOMENTUM = (
    DECAY.replace("rate = rate * 0.9", "m = 0")
    .replace("rate = 0.5", "rate = 0.5; m = 0.0")
    .replace("v.assign_sub(rate * g)", "m = 0.9 * m + 0.1 * g; v.assign_sub(rate * m)")
)


@pytest.mark.parametrize("training", [DECAY, MOMENTUM])
def test_one_training_whose_rate_changes_is_one_experiment(training: str) -> None:
    found = evidence(code(LOAD), code(training, *accuracies(0.7, 0.8, 0.9, 0.92, 0.93)))
    verdict = experiments(found)
    assert verdict.outcome is Outcome.NEEDS_REVIEW
    assert verdict.reasons[0].text.startswith("1 different")


def test_configurations_that_may_be_the_same_count_once() -> None:
    known = Configuration(sizes=(50,), activations=("tf.nn.relu",), learning_rate=0.1)
    unknown = Configuration(sizes=(None,), activations=("tf.nn.relu",))
    other = Configuration(sizes=(60,), activations=("tf.nn.relu",))
    deeper = Configuration(sizes=(50, 50), activations=("tf.nn.relu", "tf.nn.relu"))
    assert distinct([known, unknown, known]) == (known,)
    assert distinct([known, other, deeper]) == (known, other, deeper)


def test_an_accuracy_in_the_text_is_no_accuracy_in_the_outputs() -> None:
    found = evidence(code(LOAD), code(RUN), code(ONE), words("Test accuracy: 0.95"))
    assert evaluated_on_test_data(found).outcome is Outcome.NEEDS_REVIEW


def test_an_evaluation_with_its_accuracy_shown_is_met() -> None:
    verdict = evaluated_on_test_data(evidence(code(LOAD), code(RUN), code(ONE, *accuracies(0.95))))
    assert verdict.outcome is Outcome.MET
    assert verdict.reasons[1].numbers == (0.95,)


@pytest.mark.parametrize(
    "cells",
    [
        [code(LOAD), code(RUN), code("run()\nprint('test accuracy', 0.95)", *accuracies(0.95))],
        [
            code(LOAD),
            code(RUN),
            code("run()\nprint(f'test accuracy {95} %')", *printed("test accuracy 95 %")),
        ],
        [code(LOAD), code(RUN), code(ONE, *accuracies(1.0))],
        [code(LOAD), code(RUN), code("print('test')", *accuracies(0.9512)), code(ONE)],
    ],
    ids=["written down", "in a string", "everything right", "before it is computed"],
)
def test_an_accuracy_that_the_test_cannot_have_computed_is_for_a_person(cells: Sequence[Cell]) -> None:
    assert evaluated_on_test_data(evidence(*cells)).outcome is Outcome.NEEDS_REVIEW


def test_a_test_without_the_activation_is_for_a_person() -> None:
    run = RUN.replace("np.argmax(net(xt)", "np.argmax(xt @ W1 @ W2")
    verdict = evaluated_on_test_data(evidence(code(LOAD), code(run), code(ONE, *accuracies(0.45))))
    assert verdict.outcome is Outcome.NEEDS_REVIEW
    assert "another forward pass" in " ".join(reason.text for reason in verdict.reasons)


SHOW_WRONG = "p = np.argmax(net(xt), 1)\nbad = np.where(p != yt)[0]\nplt.imshow(xt[bad[0]])"


def test_misclassified_images_shown_are_met_only_with_a_figure() -> None:
    cells = [code(LOAD), code(RUN), code(ONE, *accuracies(0.95))]
    assert misclassified_looked_at(evidence(*cells, code(SHOW_WRONG, A_FIGURE))).outcome is Outcome.MET
    assert misclassified_looked_at(evidence(*cells, code(SHOW_WRONG))).outcome is Outcome.NEEDS_REVIEW


@pytest.mark.parametrize(
    ("last", "outcome"),
    [
        (code("plt.imshow(tf.reshape(xt[0], (28, 28)))", A_FIGURE), Outcome.NEEDS_REVIEW),
        (code(SHOW_WRONG.replace("!=", "=="), A_FIGURE), Outcome.NEEDS_REVIEW),
        (words("![picture](attachment:wrong.png)"), Outcome.NEEDS_REVIEW),
        (code("from helfer import zeige\nzeige(net, xt, yt)", A_FIGURE), Outcome.NEEDS_REVIEW),
        (code("plt.plot([1, 2])", A_FIGURE), Outcome.NOT_MET),
        (words("nothing to see"), Outcome.NOT_MET),
    ],
)
def test_other_images_are_for_a_person_and_none_is_not_met(last: Cell, outcome: Outcome) -> None:
    assert misclassified_looked_at(evidence(code(LOAD), code(RUN), code(ONE), last)).outcome is outcome


FASHION = LOAD.replace("datasets.mnist", "datasets.fashion_mnist")


@pytest.mark.parametrize(
    ("cells", "outcome"),
    [
        ([code(FASHION), code(RUN), code(ONE, *accuracies(0.85))], Outcome.MET),
        ([code(LOAD), code(RUN), code(ONE, *accuracies(0.95))], Outcome.NOT_MET),
        ([code(FASHION), code(RUN), code(ONE)], Outcome.NEEDS_REVIEW),
        ([code(LOAD), code("# fashion_mnist would be next"), code(RUN), code(ONE)], Outcome.NEEDS_REVIEW),
        ([code(LOAD), code("np.load('data.npz')"), code(RUN), code(ONE)], Outcome.NEEDS_REVIEW),
        ([code(FASHION), code("print('accuracy', 0.99)", *accuracies(0.99))], Outcome.NEEDS_REVIEW),
    ],
)
def test_training_on_another_data_set(cells: Sequence[Cell], outcome: Outcome) -> None:
    assert trained_on(evidence(*cells), dataset="fashion_mnist").outcome is outcome


def test_an_empty_notebook_is_judged_without_a_fault() -> None:
    nothing = evidence(words("nothing"))
    assert experiments(nothing).outcome is Outcome.NOT_MET
    assert evaluated_on_test_data(nothing).outcome is Outcome.NOT_MET
    assert trained_on(nothing, dataset="fashion_mnist").outcome is Outcome.NEEDS_REVIEW
