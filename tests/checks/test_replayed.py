"""What a saved curve is worth whose beginning our run saw before its time was up."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from grader.assess import assess
from grader.checks.accuracy_shown import Line
from grader.checks.registry import all_checks
from grader.checks.replayed import flags_of_replays
from grader.evidence.measured import Measured, MeasuredTraining
from grader.evidence.observed import ForwardOp, Observed, ObservedTraining
from grader.evidence.record import Evidence
from grader.model import (
    CellRun,
    CellStatus,
    CriterionGrade,
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
)
from grader.notebook.machinery import Reach
from grader.notebook.outputs import read_outputs
from grader.notebook.records import Cell, CellKind, Notebook, Output, OutputKind
from grader.rubric import Criterion, Rubric

SHA = "0" * 64
CODE = """import tensorflow as tf
(x, y), (u, v) = tf.keras.datasets.mnist.load_data()
x = x.reshape(-1, 784).astype('float32') / 255
u = u.reshape(-1, 784).astype('float32') / 255
w1 = tf.Variable(tf.random.normal((784, 64), stddev=0.1))
w2 = tf.Variable(tf.random.normal((64, 10), stddev=0.1))
def model(images):
    return tf.nn.relu(images @ w1) @ w2
def test():
    return tf.reduce_mean(tf.cast(tf.argmax(model(u), 1) == v, tf.float32))
for step in range(100000):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=model(x)))
    for variable, gradient in zip([w1, w2], tape.gradient(loss, [w1, w2])):
        variable.assign_sub(0.1 * gradient)
    if step % 1000 == 0:
        print('step', step, 'test accuracy:', test().numpy())
"""


def a_log(seed: int, points: int, *, rate: float = 1.0, last: str = "") -> str:
    draw = random.Random(seed)
    errors = [0.8 * (1 + rate * n) ** -0.6 * (1 + draw.gauss(0, 0.005)) for n in range(points)]
    lines = [f"step {1000 * n} test accuracy: {1 - error:.4f}" for n, error in enumerate(errors)]
    return "\n".join([*lines, last])


SAVED, OURS = a_log(1, 100), a_log(2, 30)  # ends with 0.949; our run saw 0.894


def a_notebook(log: str, code: str) -> Notebook:
    output = Output(kind=OutputKind.STREAM, text=log)
    return Notebook(cells=(Cell(number=1, kind=CellKind.CODE, source=code, outputs=(output,)),))


def some_evidence(saved: str = SAVED, ours: str = OURS, code: str = CODE, **fields: object) -> Evidence:
    run = Run(
        key=SHA,
        status=RunStatus.CUT_SHORT,
        seed=1,
        limits=Limits(),
        cells=(CellRun(cell=1, status=CellStatus.INTERRUPTED, error="KeyboardInterrupt: "),),
        datasets=(DatasetUse(name="mnist", origin=DatasetOrigin.REAL, sha256=SHA),),
    )
    submission = Submission(
        id="one",
        assignment="a1",
        participant=Participant(id="1"),
        folder=Path("a1/one"),
        notebook="a1.ipynb",
        notebook_sha256=SHA,
    )
    notebook = a_notebook(saved, code)
    given = {"submission": submission, "notebook": notebook, "saved": read_outputs(notebook), "run": run}
    given |= {"rerun": read_outputs(a_notebook(ours, code))}
    return Evidence(**given | fields)


def judged(evidence: Evidence, *accepts: Source) -> CriterionGrade:
    check = all_checks()["accuracy-at-least"]
    criterion = Criterion(
        id="accuracy",
        title="It is accurate.",
        points=1,
        check=check,
        parameters=check.parameters(thresholds={"mnist": Line(full=0.90, partly=0.85)}, band=0.02),
        accepts=accepts or (Source.REPLAYED, Source.RERUN, Source.MEASURED),
    )
    rubric = Rubric(
        schema=1, assignment="a1", title="A", edition=2026, scale=Scale.POINTS, criteria=(criterion,)
    )
    return assess(evidence, rubric).criteria[0]


def measured_at(accuracy: float, **seen: object) -> dict[str, object]:
    forward = (ForwardOp(op="MatMul", weight=0), ForwardOp(op="Relu"), ForwardOp(op="MatMul", weight=2))
    usual = {"id": 1, "gradients": 500, "updates": 500, "forward": forward, "shapes": ((784, 64), (64, 10))}
    training = ObservedTraining.model_validate({**usual, "starts": ("random", "random"), "runs": (1,)} | seen)
    result = MeasuredTraining(
        training=1,
        dataset="mnist",
        examples=5000,
        accuracy=accuracy,
        shifted=accuracy,
        noised=accuracy,
        before=0.1,
        changed=0.9,
    )
    return {
        "observed": Observed(is_trusted=True, trainings=(training,)),
        "measured": Measured(trainings=(result,)),
    }


def test_the_end_of_a_curve_that_begins_as_in_our_run_counts_where_replays_are_accepted():
    verdict = judged(some_evidence()).verdict
    assert verdict.outcome is Outcome.MET
    assert [reason.source for reason in verdict.reasons] == [Source.REPLAYED, Source.REPLAYED]
    assert "step 29000 of 99000" in verdict.reasons[1].text
    assert Source.REPLAYED in verdict.sources


@pytest.mark.parametrize("accepts", [(Source.RERUN, Source.MEASURED), (Source.SAVED,), (Source.MEASURED,)])
def test_where_replays_are_not_accepted_a_person_decides(accepts):
    measured = some_evidence(**measured_at(0.87))
    assert judged(measured).verdict.outcome is Outcome.MET
    for evidence in (some_evidence(), measured):
        assert judged(evidence, *accepts).verdict.outcome is Outcome.NEEDS_REVIEW


def test_a_model_that_was_not_done_learning_is_judged_by_the_saved_end_of_its_curve():
    verdict = judged(some_evidence(**measured_at(0.87))).verdict
    assert verdict.outcome is Outcome.MET
    assert Source.MEASURED in verdict.sources, "what was measured when time was up stands beside it"


@pytest.mark.parametrize(
    "seen", [measured_at(0.7), measured_at(0.87, runs=(2,)), measured_at(0.87, updates=9)]
)
def test_a_loop_that_trains_nothing_can_print_any_curve_twice_and_earns_nothing(seen):
    """What is measured is a small model of another cell, or far from what our run printed last."""
    assert judged(some_evidence(**seen)).verdict.outcome is Outcome.NEEDS_REVIEW


@pytest.mark.parametrize(
    "changed",
    [
        {"saved": a_log(1, 100, rate=4.0)},
        {"saved": a_log(1, 30, last="Test accuracy: 0.9712")},
        {"saved": a_log(1, 40)},
        {"saved": "Test accuracy: 0.9712"},
        {"saved": a_log(1, 100, last="step 100000 test accuracy: 0.9991")},
        {"ours": a_log(2, 5)},
        {"code": f"{CODE}\nhoped_for = {a_log(1, 100).split()[-1]}\n"},
        {"code": CODE.replace("model(u), 1) == v", "model(x), 1) == y")},
        {"reaches": (Reach(cell=1, what="gc.get_objects"),)},
    ],
    ids=[
        *("another learning rate", "printed by hand", "ends below the line", "no curve", "a leap at the end"),
        *("too few points", "stands in the code", "not test data", "reaches into the machinery"),
    ],
)
def test_what_is_no_replay_settles_nothing_and_costs_nothing(changed):
    assert judged(some_evidence(**changed)).verdict.outcome is Outcome.NEEDS_REVIEW


def test_a_curve_that_our_run_did_not_print_is_not_held_against_the_others():
    saved = SAVED + "\n" + "\n".join(f"step {n} loss: {n}" for n in range(9))
    assert judged(some_evidence(saved)).verdict.outcome is Outcome.MET


def test_a_mismatch_is_told_with_both_sides_and_earns_nothing():
    evidence = some_evidence(saved=a_log(1, 100, rate=4.0))
    [flag] = flags_of_replays(evidence)
    assert "does not go as in our run" in flag
    assert any("does not go as in our run" in reason.text for reason in judged(evidence).verdict.reasons)


def test_a_loss_that_goes_otherwise_spoils_the_accuracy_beside_it():
    def with_losses(log: str, factor: float) -> str:
        return log + "\n" + "\n".join(f"step {n}: loss {factor * (1 + n) ** -0.6:.4f}" for n in range(20))

    alike = some_evidence(with_losses(SAVED, 1.0) + "\nstep 20: loss 0.16", with_losses(OURS, 1.0))
    assert judged(alike).verdict.outcome is Outcome.MET
    apart = some_evidence(with_losses(SAVED, 1.5) + "\nstep 20: loss 0.24", with_losses(OURS, 1.0))
    assert judged(apart).verdict.outcome is Outcome.NEEDS_REVIEW


def test_nothing_is_not_met_by_what_was_cut_short():
    below = some_evidence(saved=a_log(1, 100, rate=0.01), ours=a_log(2, 30, rate=0.01))
    assert judged(below).verdict.outcome is Outcome.NEEDS_REVIEW
