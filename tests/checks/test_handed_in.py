"""What the rubric's `on_rerun_failure` makes of work that ran for its author and fails in our run."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from grader.assess import assess
from grader.checks.registry import all_checks
from grader.evidence.measured import Measured, MeasuredTraining
from grader.evidence.observed import ForwardOp, Observed, ObservedTraining
from grader.evidence.record import Evidence
from grader.model import (
    CellRun,
    CellStatus,
    DatasetOrigin,
    DatasetUse,
    Limits,
    Outcome,
    Participant,
    Run,
    RunStatus,
    Scale,
    Source,
    Submission,
    Verdict,
)
from grader.notebook.outputs import read_outputs
from grader.notebook.records import Cell, CellKind, Notebook, Output, OutputKind
from grader.rubric import Criterion, Rubric

SHA = "0" * 64
MODEL = """import tensorflow as tf
(x, y), (u, v) = tf.keras.datasets.mnist.load_data()
x, u = [a.reshape(-1, 784).astype('float32') / 255 for a in (x, u)]
w1 = tf.Variable(tf.random.normal((784, 64), stddev=0.1))
w2 = tf.Variable(tf.random.normal((64, 10), stddev=0.1))
def model(images):
    return tf.nn.relu(images @ w1) @ w2
"""
TRAINING = """for step in range(500):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=model(x)))
    for variable, gradient in zip([w1, w2], tape.gradient(loss, [w1, w2])):
        variable.assign_sub(0.1 * gradient)
"""
TEST = "print('test accuracy', tf.reduce_mean(tf.cast(tf.argmax(model(u), 1) == v, tf.float32)).numpy())"
FORWARD = (ForwardOp(op="MatMul", weight=0), ForwardOp(op="Relu"), ForwardOp(op="MatMul", weight=1))
SEEN = ObservedTraining(
    id=1, updates=500, shapes=((784, 64), (64, 10)), starts=("random", "random"), forward=FORWARD
)
LINES = {"mnist": {"full": 0.80, "partly": 0.50}}
CHECKS: dict[str, tuple[str, dict[str, Any]]] = {
    "hidden-layer": ("hidden-layer", {}),
    "evaluation": ("evaluated-on-test-data", {}),
    "accuracy": ("accuracy-at-least", {"thresholds": LINES}),
}


def evidence(
    *,
    failed: tuple[int, ...] = (3,),
    saved: str = "test accuracy 0.9312",
    status: RunStatus = RunStatus.CELL_FAILED,
    seen: tuple[ObservedTraining, ...] = (SEEN,),
    measured: tuple[MeasuredTraining, ...] = (),
) -> Evidence:
    printed = (Output(kind=OutputKind.STREAM, text=f"{saved}\n"),) if saved else ()
    sources = (MODEL, TRAINING, TEST)
    cells = [
        Cell(number=n, kind=CellKind.CODE, source=s, outputs=printed if n == 3 else ())
        for n, s in enumerate(sources, 1)
    ]
    notebook = Notebook(cells=tuple(cells))
    executed = Notebook(cells=tuple(cell.model_copy(update={"outputs": ()}) for cell in cells))
    runs = [
        CellRun(cell=n, status=CellStatus.FAILED, error="NameError: name 'h_1' is not defined")
        if n in failed
        else CellRun(cell=n, status=CellStatus.OK)
        for n in (1, 2, 3)
    ]
    return Evidence(
        submission=Submission(
            id="one",
            assignment="a1",
            participant=Participant(id="1"),
            folder=Path("a1/one"),
            notebook="a1.ipynb",
            notebook_sha256=SHA,
        ),
        notebook=notebook,
        saved=read_outputs(notebook),
        rerun=read_outputs(executed),
        observed=Observed(is_trusted=True, trainings=seen),
        measured=Measured(trainings=measured),
        run=Run(
            key=SHA,
            status=status,
            cells=tuple(runs),
            seed=1,
            limits=Limits(),
            datasets=(DatasetUse(name="mnist", origin=DatasetOrigin.REAL, sha256=SHA),),
        ),
    )


def judge(found: Evidence, criterion: str, on_rerun_failure: str = "review") -> Verdict:
    name, parameters = CHECKS[criterion]
    check = all_checks()[name]
    asked = Criterion(
        id=criterion,
        title="It works.",
        points=Decimal(1),
        accepts=(Source.RERUN, Source.MEASURED) if criterion == "accuracy" else tuple(Source),
        on_rerun_failure=on_rerun_failure,
        check=check,
        parameters=check.parameters(**parameters),
    )
    rubric = Rubric(schema=1, assignment="a1", title="A", edition=2026, scale=Scale.POINTS, criteria=(asked,))
    [criterion_grade] = assess(found, rubric).criteria
    return criterion_grade.verdict


@pytest.mark.parametrize("criterion", ["evaluation", "accuracy"])
def test_by_default_a_person_decides_with_both_sides_laid_out(criterion):
    verdict = judge(evidence(), criterion)
    assert verdict.outcome is Outcome.NEEDS_REVIEW
    saved, rerun = verdict.reasons[:2]
    assert "as handed in" in saved.text
    assert "0.9312" in saved.text
    assert (saved.source, saved.cell) == (Source.SAVED, 3)
    assert "NameError: name 'h_1' is not defined" in rerun.text
    assert (rerun.source, rerun.cell) == (Source.RERUN, 3)


@pytest.mark.parametrize("criterion", ["evaluation", "accuracy"])
def test_saved_lets_the_saved_outputs_meet_it_and_says_so(criterion):
    verdict = judge(evidence(), criterion, "saved")
    assert verdict.outcome is Outcome.MET
    assert "this rubric lets the saved outputs count" in verdict.reasons[0].text
    assert any("NameError" in reason.text for reason in verdict.reasons)


@pytest.mark.parametrize("criterion", ["evaluation", "accuracy"])
def test_partly_gives_half_for_the_saved_outputs(criterion):
    verdict = judge(evidence(), criterion, "partly")
    assert verdict.outcome is Outcome.PARTLY_MET
    assert verdict.fraction == Decimal("0.5")


def test_half_of_what_the_saved_outputs_reach_in_part_is_a_quarter():
    verdict = judge(evidence(saved="test accuracy 0.6512"), "accuracy", "partly")
    assert verdict.fraction == Decimal("0.25")


def test_a_failing_training_cell_lets_the_code_as_handed_in_count_for_the_model():
    found = evidence(failed=(2, 3), seen=())
    assert judge(found, "hidden-layer").outcome is Outcome.NEEDS_REVIEW
    assert judge(found, "hidden-layer", "saved").outcome is Outcome.MET


def test_a_model_that_was_seen_to_be_no_model_gets_nothing_by_a_cell_that_fails_elsewhere():
    found = evidence(seen=(SEEN.model_copy(update={"updates": 1}),))
    assert judge(found, "hidden-layer", "saved").outcome is Outcome.NEEDS_REVIEW


def test_what_could_be_measured_stands_above_the_saved_outputs():
    measured = MeasuredTraining(training=1, dataset="mnist", examples=4000, accuracy=0.31, before=0.1)
    verdict = judge(evidence(measured=(measured,)), "accuracy", "saved")
    assert verdict.outcome is Outcome.NEEDS_REVIEW


@pytest.mark.parametrize("saved", ["", "test accuracy 0.1012", "it works"])
def test_saved_outputs_that_show_no_success_change_nothing(saved):
    assert judge(evidence(saved=saved), "accuracy", "saved").outcome is Outcome.NEEDS_REVIEW


@pytest.mark.parametrize("status", [RunStatus.COMPLETED, RunStatus.LOST])
def test_only_a_run_that_failed_lets_saved_outputs_count(status):
    verdict = judge(evidence(failed=(), status=status), "accuracy", "saved")
    assert verdict.outcome in (Outcome.NEEDS_REVIEW, Outcome.NOT_CHECKED)


def test_a_run_that_was_cut_short_is_one_that_failed():
    verdict = judge(evidence(status=RunStatus.CUT_SHORT), "accuracy", "saved")
    assert verdict.outcome is Outcome.MET
