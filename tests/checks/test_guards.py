"""*Not met* is never said against what was seen while it ran, or while another file may hold the work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from grader.checks.registry import all_checks
from grader.evidence.observed import ForwardOp, Observed, ObservedEvaluation, ObservedTraining
from grader.evidence.record import Evidence
from grader.model import (
    Attachment,
    CellRun,
    CellStatus,
    Limits,
    Outcome,
    Participant,
    Run,
    RunStatus,
    Source,
    Submission,
    Verdict,
)
from grader.notebook.outputs import read_outputs
from grader.notebook.records import Cell, CellKind, Notebook

SHA = "0" * 64
LINEAR = """import tensorflow as tf
(x, y), (u, v) = tf.keras.datasets.mnist.load_data()
x = x.reshape(-1, 784).astype('float32') / 255
w = tf.Variable(tf.zeros((784, 10)))
for step in range(500):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=x @ w))
    w.assign_sub(0.1 * tape.gradient(loss, w))
"""
RELU = (ForwardOp(op="MatMul", weight=0), ForwardOp(op="Relu"), ForwardOp(op="MatMul", weight=1))
DEEP = ObservedTraining(
    id=1,
    path="assign",
    updates=500,
    shapes=((784, 64), (64, 10)),
    starts=("random", "random"),
    forward=RELU,
    dataset="mnist",
)
TEST = ObservedEvaluation(run=1, training=1, part="test")


def judge(
    check: str,
    *trainings: ObservedTraining,
    tests: tuple[ObservedEvaluation, ...] = (),
    files: tuple[str, ...] = (),
    online_text: str | None = None,
    source: str = LINEAR,
    run: Run | None = None,
    **parameters: Any,
) -> Verdict:
    notebook = Notebook(cells=(Cell(number=1, kind=CellKind.CODE, source=source),))
    submission = Submission(
        id="one",
        assignment="a1",
        participant=Participant(id="1"),
        folder=Path("a1/one"),
        notebook="a1.ipynb",
        notebook_sha256=SHA,
        attachments=tuple(Attachment(name=name, size_bytes=1, sha256=SHA) for name in files),
        online_text=online_text,
    )
    seen = Observed(is_trusted=True, trainings=trainings, evaluations=tests)
    found = all_checks()[check]
    given = {"submission": submission, "notebook": notebook, "saved": read_outputs(notebook)}
    evidence = Evidence(**given, observed=seen, run=run)
    return found(evidence, found.parameters(**parameters))


STRUCTURE = ("hidden-layer", "nonlinear-activation", "low-level-tensorflow", "random-initialisation")
ABSENT = (*STRUCTURE, "evaluated-on-test-data", "experiments", "misclassified-looked-at")


@pytest.mark.parametrize("check", ABSENT)
def test_a_linear_model_alone_does_not_meet_it(check):
    assert judge(check).outcome is Outcome.NOT_MET


@pytest.mark.parametrize("check", STRUCTURE)
def test_a_deep_model_that_was_seen_in_training_leaves_it_to_a_person(check):
    verdict = judge(check, DEEP)
    assert verdict.outcome is Outcome.NEEDS_REVIEW
    assert verdict.reasons[0].source is Source.OBSERVED


@pytest.mark.parametrize("check", STRUCTURE)
def test_a_linear_model_that_was_seen_in_training_changes_nothing(check):
    linear = DEEP.model_copy(update={"shapes": ((784, 10),), "starts": ("zeros",), "forward": RELU[:1]})
    assert judge(check, linear).outcome is Outcome.NOT_MET


@pytest.mark.parametrize(
    ("check", "changed"),
    [
        ("nonlinear-activation", {"forward": (RELU[0], RELU[2])}),
        ("random-initialisation", {"starts": ("zeros", "zeros")}),
        ("low-level-tensorflow", {"path": "fit"}),
        ("hidden-layer", {"updates": 10}),
    ],
)
def test_what_was_seen_must_speak_of_the_criterion_itself(check, changed):
    seen = ObservedTraining.model_validate(DEEP.model_dump() | changed)
    assert judge(check, seen).outcome is Outcome.NOT_MET


NEVER_RUN = """import tensorflow as tf
(x, y), (u, v) = tf.keras.datasets.mnist.load_data()
x = x.reshape(-1, 784).astype('float32') / 255
w = tf.Variable(tf.random.normal((784, 64)))
o = tf.Variable(tf.random.normal((64, 10)))
try:
    train_another_model()
except ValueError:
    for step in range(500):
        with tf.GradientTape() as tape:
            logits = tf.nn.relu(x @ w) @ o
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
        for variable, gradient in zip([w, o], tape.gradient(loss, [w, o])):
            variable.assign_sub(0.1 * gradient)
"""
RAN = Run(
    key=SHA,
    status=RunStatus.COMPLETED,
    seed=1,
    limits=Limits(),
    cells=(CellRun(cell=1, status=CellStatus.OK),),
)


@pytest.mark.parametrize(
    ("check", "changed"),
    [
        ("nonlinear-activation", {"forward": (RELU[0], RELU[2])}),
        ("random-initialisation", {"starts": ("constant", "constant")}),
        ("low-level-tensorflow", {"path": "fit", "is_in_library": True}),
    ],
)
def test_code_that_never_runs_meets_nothing_that_every_training_was_seen_to_deny(check, changed):
    assert judge(check, DEEP, source=NEVER_RUN, run=RAN).outcome is Outcome.MET
    seen = ObservedTraining.model_validate(DEEP.model_dump() | changed)
    assert judge(check, seen, source=NEVER_RUN, run=RAN).outcome is Outcome.NEEDS_REVIEW
    assert judge(check, seen, DEEP, source=NEVER_RUN, run=RAN).outcome is Outcome.MET


def test_a_test_counts_when_its_images_go_through_a_trained_deep_model():
    assert judge("evaluated-on-test-data", DEEP, tests=(TEST,)).outcome is Outcome.NEEDS_REVIEW
    elsewhere = TEST.model_copy(update={"training": 2})
    assert judge("evaluated-on-test-data", DEEP, tests=(elsewhere,)).outcome is Outcome.NOT_MET


def test_several_trainings_that_were_seen_may_be_experiments():
    assert judge("experiments", DEEP).outcome is Outcome.NOT_MET
    assert judge("experiments", DEEP, DEEP.model_copy(update={"id": 2})).outcome is Outcome.NEEDS_REVIEW


def test_a_training_on_the_data_set_that_was_seen_leaves_the_bonus_open():
    on_fashion = DEEP.model_copy(update={"dataset": "fashion_mnist"})
    assert judge("trained-on", DEEP, dataset="fashion_mnist").outcome is Outcome.NOT_MET
    assert judge("trained-on", on_fashion, dataset="fashion_mnist").outcome is Outcome.NEEDS_REVIEW


@pytest.mark.parametrize("check", ABSENT)
@pytest.mark.parametrize("file", ["fashion.ipynb", "report.pdf", "my net.py", "plots/relu.png"])
def test_another_file_may_hold_what_the_notebook_lacks(check, file):
    verdict = judge(check, files=(file,))
    assert verdict.outcome is Outcome.NEEDS_REVIEW
    assert file in verdict.reasons[0].text


@pytest.mark.parametrize("file", ["datasets.py", "data/train.csv", ".ipynb_checkpoints/a1.ipynb", "w.npy"])
def test_data_and_the_courses_own_files_hold_no_work(file):
    assert judge("hidden-layer", files=(file,)).outcome is Outcome.NOT_MET


def test_a_text_given_online_may_tell_of_what_the_notebook_lacks():
    assert judge("experiments", online_text="See my other Colab").outcome is Outcome.NEEDS_REVIEW
