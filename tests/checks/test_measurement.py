"""Criteria that go by what was observed and measured, on evidence that was built by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from grader.checks.accuracy import _wants_more_seeds, accuracy_at_least
from grader.checks.accuracy_shown import Line
from grader.checks.evaluation import evaluated_on_test_data
from grader.checks.experiments import experiments, trained_on
from grader.checks.low_level import low_level_tensorflow
from grader.checks.measurement import doubt_about, doubt_about_training, flags_of_measurement, measured_models
from grader.checks.mlp import hidden_layer, nonlinear_activation, random_initialisation
from grader.checks.registry import all_checks
from grader.evidence.measured import Measured, MeasuredTraining
from grader.evidence.observed import ForwardOp, Observed, ObservedEvaluation, ObservedTraining
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
    Source,
    Submission,
)
from grader.model import RunStatus as Status
from grader.notebook.machinery import Reach
from grader.notebook.outputs import read_outputs
from grader.notebook.records import Cell, CellKind, Notebook, Output, OutputKind

SHA = "0" * 64
LINES = {"mnist": Line(full=0.80, partly=0.50)}
MLP = (ForwardOp(op="MatMul", weight=0), ForwardOp(op="Relu"), ForwardOp(op="MatMul", weight=2))
CODE = """import tensorflow as tf
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
print('test accuracy', tf.reduce_mean(tf.cast(tf.argmax(model(u), 1) == v, tf.float32)).numpy())
"""

EXPERIMENTS = """import tensorflow as tf
(x, y), (u, v) = tf.keras.datasets.mnist.load_data()
x = x.reshape(-1, 784).astype('float32') / 255
u = u.reshape(-1, 784).astype('float32') / 255
for size in [16, 64, 256]:
    w1 = tf.Variable(tf.random.normal((784, size), stddev=0.1))
    w2 = tf.Variable(tf.random.normal((size, 10), stddev=0.1))
    for step in range(500):
        with tf.GradientTape() as tape:
            logits = tf.nn.relu(x @ w1) @ w2
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
        for variable, gradient in zip([w1, w2], tape.gradient(loss, [w1, w2])):
            variable.assign_sub(0.1 * gradient)
    right = tf.argmax(tf.nn.relu(u @ w1) @ w2, 1) == v
    print(size, 'test accuracy', tf.reduce_mean(tf.cast(right, tf.float32)).numpy())
"""


def a_training(number: int = 1, **fields: Any) -> ObservedTraining:
    given = {"id": number, "gradients": 500, "updates": 500, "forward": MLP}
    given |= {"shapes": ((784, 64), (64, 10)), "starts": ("random", "random")}
    return ObservedTraining.model_validate(given | fields)


def a_measurement(number: int = 1, accuracy: float = 0.95, **fields: Any) -> MeasuredTraining:
    given = {"before": 0.1, "changed": 0.9, "noised": accuracy - 0.01, "shifted": accuracy - 0.05}
    return MeasuredTraining.model_validate(
        {"training": number, "dataset": "mnist", "examples": 5000, "accuracy": accuracy} | given | fields
    )


def evidence(
    *measured: MeasuredTraining,
    trainings: tuple[ObservedTraining, ...] = (a_training(),),
    printed: str = "test accuracy 0.9500",
    source: str = CODE,
    origin: DatasetOrigin = DatasetOrigin.REAL,
    is_trusted: bool = True,
    repeats: tuple[Measured, ...] = (),
    **observed: Any,
) -> Evidence:
    output = Output(kind=OutputKind.STREAM, text=printed)
    cell = Cell(number=1, kind=CellKind.CODE, source=source, outputs=(output,))
    notebook = Notebook(cells=(cell,))
    return Evidence(
        schema=1,
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
        rerun=read_outputs(notebook),
        run=Run(
            key=SHA,
            status=Status.COMPLETED,
            cells=(CellRun(cell=1, status=CellStatus.OK),),
            seed=1,
            limits=Limits(),
            datasets=(DatasetUse(name="mnist", origin=origin, sha256=SHA),),
        ),
        observed=Observed(is_trusted=is_trusted, trainings=trainings, **observed),
        measured=Measured(trainings=measured),
        repeats=repeats,
    )


def accuracy(found: Evidence) -> Outcome:
    return accuracy_at_least(found, thresholds=LINES, band=0.02).outcome


def test_the_measured_accuracy_counts_and_the_reported_one_stands_beside_it():
    verdict = accuracy_at_least(evidence(a_measurement(accuracy=0.948)), thresholds=LINES)
    assert verdict.outcome is Outcome.MET
    assert verdict.reasons[0].source is Source.MEASURED
    assert "5,000 images" in verdict.reasons[0].text
    assert "0.948" in verdict.reasons[0].text
    assert verdict.reasons[1].cell == 1


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        (0.83, Outcome.MET),
        (0.81, Outcome.NEEDS_REVIEW),
        (0.79, Outcome.NEEDS_REVIEW),
        (0.70, Outcome.PARTLY_MET),
        (0.51, Outcome.NEEDS_REVIEW),
        (0.30, Outcome.NEEDS_REVIEW),
    ],
)
def test_the_lines_and_the_band_around_them(value, outcome):
    assert accuracy(evidence(a_measurement(accuracy=value))) is outcome


def test_near_a_line_two_more_seeds_are_asked_for_and_the_best_counts():
    parameters = all_checks()["accuracy-at-least"].parameters(thresholds=LINES)
    near = evidence(a_measurement(accuracy=0.79))
    assert _wants_more_seeds(near, parameters)
    assert not _wants_more_seeds(evidence(a_measurement(accuracy=0.9)), parameters)
    again = tuple(Measured(trainings=(a_measurement(accuracy=value),)) for value in (0.785, 0.801))
    repeated = near.model_copy(update={"repeats": again})
    assert not _wants_more_seeds(repeated, parameters)
    assert accuracy(repeated) is Outcome.MET
    worse = tuple(Measured(trainings=(a_measurement(accuracy=value),)) for value in (0.785, 0.78))
    assert accuracy(near.model_copy(update={"repeats": worse})) is Outcome.PARTLY_MET


@pytest.mark.parametrize(
    "forged",
    [{"agreement": 0.4}, {"is_untold": True}, {"noised": 0.1}, {"why_not_computed": "too many weights"}],
)
def test_a_seed_with_which_the_room_forges_its_answers_earns_nothing(forged):
    near = evidence(a_measurement(accuracy=0.79), printed="test accuracy 0.7900")
    again = tuple(Measured(trainings=(a_measurement(**{"accuracy": 0.95} | forged),)) for _ in range(2))
    assert accuracy(near.model_copy(update={"repeats": again})) is not Outcome.MET


def test_chance_after_a_training_is_not_met_when_nothing_speaks_against_it():
    chance = a_measurement(accuracy=0.11)
    assert accuracy(evidence(chance, printed="test accuracy 0.1135")) is Outcome.NOT_MET
    assert accuracy(evidence(chance, printed="test accuracy 0.9700")) is Outcome.NEEDS_REVIEW


def test_a_stand_in_costs_no_points():
    for value in (0.11, 0.6):
        found = evidence(
            a_measurement(accuracy=value), printed="test accuracy 0.1", origin=DatasetOrigin.STAND_IN
        )
        assert accuracy(found) is Outcome.NEEDS_REVIEW
    assert accuracy(evidence(a_measurement(), origin=DatasetOrigin.STAND_IN)) is Outcome.MET


CHEATS = {
    "one step": (a_training(updates=1), a_measurement()),
    "weights pasted in": (a_training(foreign_writes=2), a_measurement()),
    "trained at home": (a_training(), a_measurement(before=0.9)),
    "a memory of the public images": (a_training(), a_measurement(noised=0.12)),
    "images compared where they lie": (a_training(), a_measurement(shifted=0.2)),
    "a constant": (a_training(), a_measurement(changed=0.01)),
    "no rise": (a_training(), a_measurement(accuracy=0.29, before=0.25)),
    "no hidden layer": (a_training(forward=MLP[:1]), a_measurement()),
}


@pytest.mark.parametrize("cheat", CHEATS)
def test_what_was_not_trained_here_makes_nothing_met(cheat):
    training, measurement = CHEATS[cheat]
    found = evidence(measurement, trainings=(training,), printed="test accuracy 0.9700")
    assert accuracy(found) is Outcome.NEEDS_REVIEW
    if cheat != "no hidden layer":
        [model] = measured_models(found)
        assert doubt_about(model)


def test_an_honest_training_is_in_no_doubt():
    [model] = measured_models(evidence(a_measurement()))
    assert doubt_about(model) == ""


def test_a_printed_accuracy_counts_only_where_a_training_could_not_be_measured():
    unmeasured = a_training(why_not="another batch-shaped input")
    assert accuracy(evidence(trainings=(unmeasured,))) is Outcome.MET
    assert accuracy(evidence(trainings=())) is Outcome.NEEDS_REVIEW
    assert accuracy(evidence(trainings=(unmeasured,), is_trusted=False)) is Outcome.NEEDS_REVIEW
    other = unmeasured.model_copy(update={"id": 2})
    forged = evidence(a_measurement(agreement=0.4), trainings=(a_training(), other))
    assert accuracy(forged) is Outcome.NEEDS_REVIEW, "who forged one answer is not believed what it prints"
    killed = evidence(trainings=(unmeasured,))
    killed = killed.model_copy(update={"run": killed.run.model_copy(update={"status": Status.OUT_OF_MEMORY})})
    assert accuracy(killed) is Outcome.NEEDS_REVIEW, "nobody could be asked"


STRUCTURE = (hidden_layer, low_level_tensorflow)


def test_predictions_that_the_weights_do_not_give_make_nothing_met():
    assert accuracy(evidence(a_measurement(agreement=0.99))) is Outcome.MET
    assert accuracy(evidence(a_measurement(agreement=0.4))) is Outcome.NEEDS_REVIEW


def test_what_only_the_room_says_is_met_where_a_test_in_the_code_says_the_same():
    told = a_measurement(accuracy=0.95, why_not_computed="the operation Conv2D")
    borne_out = accuracy_at_least(evidence(told, printed="test accuracy 0.9480"), thresholds=LINES)
    assert borne_out.outcome is Outcome.MET
    assert "could not be computed (the operation Conv2D)" in borne_out.reasons[-1].text
    for printed in ("test accuracy 0.8800", "done"):
        verdict = accuracy_at_least(evidence(told, printed=printed), thresholds=LINES)
        assert verdict.outcome is Outcome.NEEDS_REVIEW
        assert "outside of it (the operation Conv2D)" in verdict.reasons[0].text


def test_a_recorder_that_does_not_tell_how_a_model_predicts_was_another():
    untold = evidence(a_measurement(is_untold=True, why_not_computed="the room did not tell how"))
    assert hidden_layer(untold).outcome is Outcome.NEEDS_REVIEW
    assert accuracy(untold) is Outcome.NEEDS_REVIEW
    assert any("somebody may have spoken" in flag for flag in flags_of_measurement(untold))


@pytest.mark.parametrize("check", [hidden_layer, low_level_tensorflow, evaluated_on_test_data])
def test_code_that_reaches_into_what_runs_it_leaves_all_to_a_person(check):
    reach = Reach(what="sys.modules", cell=3)
    forged = evidence(a_measurement()).model_copy(update={"reaches": (reach,)})
    verdict = check(forged)
    assert verdict.outcome is Outcome.NEEDS_REVIEW
    assert "cell 3: `sys.modules`" in verdict.reasons[0].text
    assert accuracy(forged) is Outcome.NEEDS_REVIEW
    assert any("reaches into what runs it" in flag for flag in flags_of_measurement(forged))


@pytest.mark.parametrize("check", STRUCTURE)
def test_structure_is_met_only_by_a_model_that_was_seen_trained(check):
    assert check(evidence(a_measurement())).outcome is Outcome.MET
    one_step = evidence(a_measurement(), trainings=(a_training(updates=1),))
    assert check(one_step).outcome is Outcome.NEEDS_REVIEW
    assert "50 steps" in check(one_step).reasons[0].text
    assert check(evidence(trainings=(a_training(),), is_trusted=False)).outcome is Outcome.NEEDS_REVIEW
    unseen = evidence(a_measurement()).model_copy(update={"observed": None, "measured": None})
    assert check(unseen).outcome is Outcome.MET


def test_a_long_training_of_a_shallower_model_is_told_as_one():
    told = doubt_about_training(evidence(trainings=(a_training(updates=700),)), hidden_layers=2)
    assert told.text.endswith("(for up to 700 steps), but none with 2 hidden layers or more for 50.")


LINEAR = (ForwardOp(op="MatMul", weight=0), ForwardOp(op="AddV2"), ForwardOp(op="MatMul", weight=2))
UNREADABLE = "exec(open('model.py').read())\n"


@pytest.mark.parametrize(
    ("check", "fields"),
    [(nonlinear_activation, {"forward": LINEAR}), (random_initialisation, {"starts": ("zeros", "constant")})],
)
def test_what_every_training_lacks_is_not_met_where_the_code_cannot_be_read(check, fields):
    def judged(*trainings: ObservedTraining, **more: Any) -> Outcome:
        return check(evidence(trainings=trainings, source=UNREADABLE, **more)).outcome

    assert judged(a_training(**fields)) is Outcome.NOT_MET
    assert judged(a_training(**fields), a_training(2)) is Outcome.NEEDS_REVIEW
    assert judged(a_training(**fields), a_training(2, why_not="unknown", **fields)) is Outcome.NEEDS_REVIEW
    assert judged(a_training(updates=3, **fields)) is Outcome.NEEDS_REVIEW
    assert judged(a_training(**fields), is_trusted=False) is Outcome.NEEDS_REVIEW


def test_experiments_need_trainings_of_fifty_steps():
    printed = "16 test accuracy 0.91\n64 test accuracy 0.93\n256 test accuracy 0.94\n"

    def judged(updates: int, count: int = 3, **fields: Any):
        trainings = tuple(a_training(n, updates=updates) for n in range(count))
        found = evidence(trainings=trainings, source=EXPERIMENTS, printed=printed, **fields)
        return experiments(found, at_least=3)

    assert judged(500).outcome is Outcome.MET
    for verdict in (judged(1), judged(500, count=2), judged(500, is_trusted=False)):
        assert verdict.outcome is Outcome.NEEDS_REVIEW
        assert verdict.reasons[0].source is Source.OBSERVED


@pytest.mark.parametrize(
    ("seen", "outcome"),
    [
        (("mnist",), Outcome.NEEDS_REVIEW),
        (("mnist", "fashion_mnist"), Outcome.MET),
        (("mnist", None), Outcome.MET),
    ],
)
def test_a_training_on_a_data_set_is_one_that_may_have_been_on_it(seen, outcome):
    trainings = tuple(a_training(number, dataset=name) for number, name in enumerate(seen))
    found = evidence(trainings=trainings, source=CODE.replace("datasets.mnist", "datasets.fashion_mnist"))
    assert trained_on(found, dataset="fashion_mnist").outcome is outcome
    few = tuple(training.model_copy(update={"updates": 1}) for training in trainings)
    found = evidence(trainings=few, source=CODE.replace("datasets.mnist", "datasets.fashion_mnist"))
    assert trained_on(found, dataset="fashion_mnist").outcome is Outcome.NEEDS_REVIEW


def test_configurations_of_a_few_steps_are_no_experiments_beside_a_long_training():
    printed = "16 test accuracy 0.91\n64 test accuracy 0.93\n256 test accuracy 0.94\n"

    def judged(*updates: int):
        trainings = tuple(a_training(number, updates=count) for number, count in enumerate(updates))
        return experiments(evidence(trainings=trainings, source=EXPERIMENTS, printed=printed), at_least=3)

    assert judged(1000, 1, 1, 1).outcome is Outcome.NEEDS_REVIEW
    assert judged(49, 50, 50, 49).outcome is Outcome.NEEDS_REVIEW
    assert judged(50, 50, 50).outcome is Outcome.MET


@pytest.mark.parametrize(("places", "outcome"), [((1, 1, 1), Outcome.MET), ((1, 2, 2), Outcome.NEEDS_REVIEW)])
def test_long_trainings_in_other_cells_make_no_configuration_an_experiment(places, outcome):
    printed = "16 test accuracy 0.91\n64 test accuracy 0.93\n256 test accuracy 0.94\n"
    trainings = tuple(a_training(number, runs=(place,)) for number, place in enumerate(places))
    verdict = experiments(evidence(trainings=trainings, source=EXPERIMENTS, printed=printed), at_least=3)
    assert verdict.outcome is outcome


def test_a_test_of_another_forward_pass_is_half_of_the_evaluation():
    other = ObservedEvaluation(run=1, training=1, part="test", count=10_000, difference="Relu left out")
    same = other.model_copy(update={"difference": ""})
    worse = a_measurement(as_evaluated=0.6)
    half = evaluated_on_test_data(evidence(worse, evaluations=(other,)))
    assert half.outcome is Outcome.PARTLY_MET
    assert "Relu left out" in half.reasons[0].text
    assert evaluated_on_test_data(evidence(worse, evaluations=(other, same))).outcome is Outcome.MET
    as_good = a_measurement(as_evaluated=0.945)
    assert evaluated_on_test_data(evidence(as_good, evaluations=(other,))).outcome is Outcome.MET


def test_flags_tell_what_a_ta_should_know():
    gap = evidence(a_measurement(accuracy=0.6), replaced=("tf.matmul",), printed="test accuracy 0.9700")
    flags = " ".join(flags_of_measurement(gap))
    assert "tf.matmul" in flags
    assert "0.970" in flags
    assert "0.600" in flags
    assert "saw no TensorFlow" in " ".join(flags_of_measurement(evidence(is_trusted=False)))
    patched = evidence(is_trusted=False, replaced=("recorder: GradientTape.gradient",))
    assert "patched, silenced or imitated" in " ".join(flags_of_measurement(patched))
    assert list(flags_of_measurement(evidence(a_measurement()))) == []
