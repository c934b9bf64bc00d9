from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError

from grader.checks.accuracy import accuracy_at_least
from grader.checks.accuracy_shown import Line
from grader.evidence.record import Evidence
from grader.model import (
    CellRun,
    CellStatus,
    DatasetOrigin,
    DatasetUse,
    Limits,
    Mend,
    Outcome,
    Participant,
    Run,
    RunStatus,
    Source,
    Submission,
    Verdict,
)
from grader.notebook.facts import CodeFacts
from grader.notebook.outputs import read_outputs
from grader.notebook.records import Cell, CellKind, Notebook, Output, OutputKind, Readings

SHA = "0" * 64
LINES = {"mnist": Line(full=0.93, partly=0.85), "fashion_mnist": Line(full=0.83, partly=0.75)}
MNIST = """import tensorflow as tf
(x, y), (u, v) = tf.keras.datasets.mnist.load_data()
x = x.reshape(-1, 784).astype('float32') / 255
u = u.reshape(-1, 784).astype('float32') / 255
w1 = tf.Variable(tf.random.normal((784, 64), stddev=0.1))
w2 = tf.Variable(tf.random.normal((64, 10), stddev=0.1))
def model(images):
    return tf.nn.relu(images @ w1) @ w2
for step in range(500):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=model(x)))
    for variable, gradient in zip([w1, w2], tape.gradient(loss, [w1, w2])):
        variable.assign_sub(0.1 * gradient)
accuracy = tf.reduce_mean(tf.cast(tf.argmax(model(u), 1) == v, tf.float32))
"""
NO_TEST = MNIST.replace("model(u)", "model(x)").replace("== v", "== y")
TEST_DATA_IN_TRAINING = MNIST.replace("labels=y, logits=model(x)", "labels=v, logits=model(u)")
LINEAR = MNIST.replace("tf.nn.relu(images @ w1) @ w2", "images @ w1")
A_SUBMISSION = Submission(
    id="one",
    assignment="a1",
    participant=Participant(id="1"),
    folder=Path("a1/one"),
    notebook="a1.ipynb",
    notebook_sha256=SHA,
)
FASHION = MNIST.replace("datasets.mnist", "datasets.fashion_mnist")


def a_run(
    status: RunStatus = RunStatus.COMPLETED,
    origin: DatasetOrigin = DatasetOrigin.REAL,
    missing: Sequence[str] = (),
    mends: Sequence[Mend] = (),
    names: Sequence[str] = ("fashion_mnist", "mnist"),
) -> Run:
    return Run(
        key=SHA,
        status=status,
        cells=tuple(CellRun(cell=number, status=CellStatus.OK) for number in range(1, 9)),
        seed=1,
        limits=Limits(),
        datasets=tuple(DatasetUse(name=name, origin=origin, sha256=SHA) for name in names),
        missing_modules=tuple(missing),
        mends=tuple(mends),
    )


def printed(*texts: str, sources: Sequence[str] = ()) -> Notebook:
    """A notebook whose first cell loads and trains; each further cell printed a text."""
    code = list(sources) + ["report()"] * (len(texts) - len(sources))
    cells = zip(code, texts, strict=True)
    return Notebook(
        cells=tuple(
            Cell(
                number=number,
                kind=CellKind.CODE,
                source=source,
                outputs=(Output(kind=OutputKind.STREAM, text=text),) if text else (),
            )
            for number, (source, text) in enumerate(cells, start=1)
        )
    )


def judged(
    *texts: str,
    saved: Sequence[str] | None = None,
    run: Run | None = None,
    no_run: bool = False,
    sources: Sequence[str] = (MNIST,),
    lines: dict[str, Line] = LINES,
) -> Verdict:
    """The verdict when our run printed `texts` in the cells after the one that trains."""
    notebook = printed(*["", *(saved if saved is not None else texts)], sources=sources)
    rerun = None if no_run else read_outputs(printed(*["", *texts], sources=sources))
    evidence = Evidence(
        schema=1,
        submission=A_SUBMISSION,
        notebook=notebook,
        saved=read_outputs(notebook) if saved is None or saved else Readings(),
        run=None if no_run else run or a_run(),
        rerun=rerun,
    )
    return accuracy_at_least(evidence, thresholds=lines, band=0.02)


def test_a_test_accuracy_clear_of_the_line_is_met() -> None:
    verdict = judged("Test accuracy: 0.9612", saved=["Test accuracy: 0.9633"])
    assert verdict.outcome is Outcome.MET
    reason = verdict.reasons[0]
    assert (reason.cell, reason.numbers[0], reason.source) == (2, 0.9612, Source.RERUN)
    assert "0.9612" in reason.text
    assert verdict.reasons[1].source is Source.SAVED
    assert "0.9633" in verdict.reasons[1].text


def test_the_best_model_is_judged() -> None:
    assert judged("zero init, test accuracy: 0.0980", "Test accuracy: 0.9612").outcome is Outcome.MET


@pytest.mark.parametrize("value", [0.9301, 0.9499, 0.9112, 0.8612, 0.8405, 0.5012, 0.1412])
def test_numbers_near_a_line_or_far_below_are_left_to_a_person(value: float) -> None:
    assert judged(f"Test accuracy: {value}").outcome is Outcome.NEEDS_REVIEW


def test_clearly_between_the_lines_is_partly_met() -> None:
    verdict = judged("Test accuracy: 0.8912")
    assert verdict.outcome is Outcome.PARTLY_MET
    assert verdict.fraction == Decimal("0.5")


@pytest.mark.parametrize("value", ["0.0980", "0.1135", "0.1290"])
def test_nothing_but_chance_on_real_data_is_not_met(value: str) -> None:
    assert judged(f"train acc 0.1012, test acc {value}").outcome is Outcome.NOT_MET


@pytest.mark.parametrize("value", ["0.0980", "0.5012", "0.8912"])
@pytest.mark.parametrize(
    "run",
    [
        a_run(origin=DatasetOrigin.STAND_IN),
        a_run(status=RunStatus.CUT_SHORT),
        a_run(status=RunStatus.CELL_FAILED),
        a_run(status=RunStatus.TIMED_OUT),
        a_run(mends=[Mend(name="adam-lr", text="Adam(lr=…) was read as learning_rate.")]),
        a_run(names=["cifar10"]),
    ],
    ids=["stand-in", "cut short", "failed", "timed out", "mended", "other data"],
)
def test_a_low_figure_costs_nothing_unless_it_is_beyond_doubt(value: str, run: Run) -> None:
    assert judged(f"Test accuracy: {value}", run=run).outcome is Outcome.NEEDS_REVIEW


@pytest.mark.parametrize("value", ["0.0980", "0.8912"])
@pytest.mark.parametrize(
    "also",
    ["test accuracy: 0.9512", "val_accuracy: 0.9512", "accuracy: 0.9512"],
    ids=["test", "val", "unknown"],
)
def test_a_better_number_as_handed_in_keeps_points_open(value: str, also: str) -> None:
    verdict = judged(f"Test accuracy: {value}", saved=[also])
    assert verdict.outcome is Outcome.NEEDS_REVIEW


def test_chance_on_test_data_is_left_open_when_training_looked_well() -> None:
    assert judged("train acc 0.9512", "Test accuracy: 0.0980").outcome is Outcome.NEEDS_REVIEW


def test_a_good_figure_on_a_stand_in_is_met() -> None:
    verdict = judged("Test accuracy: 0.9612", run=a_run(origin=DatasetOrigin.STAND_IN))
    assert verdict.outcome is Outcome.MET
    assert "stand-in" in verdict.reasons[0].text


def test_what_was_reached_before_a_later_cell_failed_counts() -> None:
    assert judged("Test accuracy: 0.9612", run=a_run(status=RunStatus.CELL_FAILED)).outcome is Outcome.MET


def test_saved_outputs_alone_earn_nothing() -> None:
    verdict = judged("", saved=["Test accuracy: 0.9912"])
    assert verdict.outcome is Outcome.NEEDS_REVIEW
    assert "0.9912" in verdict.reasons[-1].text


def test_no_run_and_a_lost_run_are_not_checked() -> None:
    assert judged("Test accuracy: 0.9612", no_run=True).outcome is Outcome.NOT_CHECKED
    assert judged("Test accuracy: 0.9612", run=a_run(status=RunStatus.LOST)).outcome is Outcome.NOT_CHECKED


def test_a_library_that_we_lack_is_our_fault() -> None:
    verdict = judged("", run=a_run(status=RunStatus.CELL_FAILED, missing=["numba"]))
    assert verdict.outcome is Outcome.NOT_CHECKED
    assert "numba" in verdict.reasons[0].text


@pytest.mark.parametrize(
    "source",
    [
        'print("test accuracy: 0.9712")',
        'print("test accuracy:", 0.9712)',
        'print("test accuracy:", 97.12, "%")',
        "acc = 0.97123\nprint(f'test accuracy: {acc:.4f}')",
    ],
)
def test_a_number_that_stands_in_the_code_earns_nothing(source: str) -> None:
    verdict = judged("test accuracy: 0.9712", sources=[MNIST, source])
    assert verdict.outcome is Outcome.NEEDS_REVIEW
    assert "stands in the notebook's code" in verdict.reasons[0].text


def test_a_comment_with_the_number_does_no_harm() -> None:
    verdict = judged("test accuracy: 0.9712", sources=[MNIST, "# we got 0.9712 here\nreport()"])
    assert verdict.outcome is Outcome.MET


def test_a_perfect_score_is_most_likely_one_batch() -> None:
    assert judged("Test accuracy: 1.0").outcome is Outcome.NEEDS_REVIEW


@pytest.mark.parametrize(
    "text", ["accuracy: 0.9712", "val_accuracy: 0.9712", "train accuracy: 0.9712", "no number"]
)
def test_only_test_accuracies_count(text: str) -> None:
    assert judged(text).outcome is Outcome.NEEDS_REVIEW


def test_each_data_set_has_its_own_line() -> None:
    assert judged("test accuracy: 0.8612", sources=[FASHION]).outcome is Outcome.MET
    assert judged("test accuracy: 0.8612", sources=[MNIST]).outcome is Outcome.NEEDS_REVIEW


@pytest.mark.parametrize("label", ["'coarse'", "label_mode='coarse'"])
def test_coarse_classes_of_cifar100_are_left_to_a_person(label: str) -> None:
    fine = FASHION.replace("fashion_mnist.load_data()", "cifar100.load_data()")
    coarse = fine.replace("load_data()", f"load_data({label})")
    run, text = a_run(names=["cifar100"]), "Test accuracy: 0.5000"
    lines = {"cifar100": Line(full=0.20, partly=0.08)}
    assert judged(text, run=run, sources=(fine,), lines=lines).outcome is Outcome.MET
    imported = f"from keras.datasets import cifar100\n{coarse.replace('tf.keras.datasets.', '')}"
    assert judged(text, run=run, sources=(imported,), lines=lines).outcome is Outcome.NEEDS_REVIEW
    verdict = judged(text, run=run, sources=(coarse,), lines=lines)
    assert verdict.outcome is Outcome.NEEDS_REVIEW
    assert "20 coarse classes" in verdict.reasons[0].text


def test_with_two_data_sets_a_number_counts_where_it_is_clear() -> None:
    both = [MNIST, "report()", FASHION]
    assert judged("test accuracy: 0.9612", "", "", sources=both).outcome is Outcome.MET
    assert judged("", "", "test accuracy: 0.8712", sources=both).outcome is Outcome.NEEDS_REVIEW
    assert judged("", "", "Fashion MNIST test accuracy: 0.8712", sources=both).outcome is Outcome.MET


def test_two_data_sets_between_their_lines_are_left_to_a_person() -> None:
    both = [MNIST, "report()", FASHION]
    verdict = judged("test accuracy: 0.8912", "", "Fashion test accuracy: 0.8312", sources=both)
    assert verdict.outcome is Outcome.NEEDS_REVIEW


def test_a_data_set_without_a_line_is_left_to_a_person() -> None:
    cifar = MNIST.replace("datasets.mnist", "datasets.cifar10")
    assert judged("test accuracy: 0.9612", sources=[cifar]).outcome is Outcome.NEEDS_REVIEW


@pytest.mark.parametrize(("full", "partly"), [(0.8, 0.9), (1.2, 0.5), (0.5, 0.0)])
def test_a_line_that_makes_no_sense_cannot_be_built(full: float, partly: float) -> None:
    with pytest.raises(ValidationError):
        Line(full=full, partly=partly)


def test_printed_numbers_without_any_training_earn_nothing() -> None:
    notebook = printed("", "test accuracy: 0.9612", sources=[MNIST])
    evidence = Evidence(
        schema=1,
        submission=A_SUBMISSION,
        notebook=notebook,
        saved=read_outputs(notebook),
        run=a_run(),
        rerun=read_outputs(notebook),
    )
    evidence.__dict__["facts"] = CodeFacts(is_complete=True)  # what the code tells: nothing is trained
    assert accuracy_at_least(evidence, thresholds=LINES).outcome is Outcome.NEEDS_REVIEW


@pytest.mark.parametrize("code", [NO_TEST, TEST_DATA_IN_TRAINING, LINEAR, "print('Test accuracy: 0.9612')"])
def test_a_number_that_does_not_come_from_testing_a_trained_mlp_decides_nothing(code: str) -> None:
    assert judged("Test accuracy: 0.9612", sources=[code]).outcome is Outcome.NEEDS_REVIEW
    assert judged("Test accuracy: 0.1012", sources=[code]).outcome is Outcome.NEEDS_REVIEW


def test_an_accuracy_of_code_that_fails_in_our_run_is_left_to_a_person() -> None:
    failed = a_run().model_copy(update={"cells": (CellRun(cell=1, status=CellStatus.FAILED),)})
    assert judged("Test accuracy: 0.9612", run=failed).outcome is Outcome.NEEDS_REVIEW
