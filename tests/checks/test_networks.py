"""The criteria of assignments 3 and 4, on evidence that was built by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from grader.checks.accuracy import accuracy_at_least
from grader.checks.accuracy_shown import Line
from grader.checks.cnn import convolutional_network, custom_training_loop, keras_training_tools
from grader.checks.densenet import BlockKind, connected_blocks, densenet_sequential, functional_api
from grader.checks.network_experiments import (
    accuracy_beyond,
    network_experiments,
    network_looked_into,
    network_trained_on,
)
from grader.checks.person import for_a_person
from grader.checks.tested_network import network_tested
from grader.evidence.around import Layer, ObservedModel
from grader.evidence.measured import Measured, MeasuredTraining
from grader.evidence.observed import ForwardOp, Observed, ObservedEvaluation, ObservedTraining, UpdatePath
from grader.evidence.record import Evidence
from grader.model import (
    Attachment,
    CellRun,
    CellStatus,
    DatasetOrigin,
    DatasetUse,
    Limits,
    Outcome,
    Participant,
    Run,
    RunStatus,
    Submission,
)
from grader.notebook.machinery import Reach
from grader.notebook.outputs import read_outputs
from grader.notebook.records import Cell, CellKind, Notebook, Output, OutputKind

SHA = "0" * 64
CONVOLUTIONS = (
    ForwardOp(op="Conv2D", weight=0),
    ForwardOp(op="Relu"),
    ForwardOp(op="Conv2D", weight=1),
    ForwardOp(op="MatMul", weight=2),
)
DENSE_ONLY = (ForwardOp(op="MatMul", weight=0), ForwardOp(op="Relu"), ForwardOp(op="MatMul", weight=1))
LOOP = """import tensorflow as tf
(x, y), (u, v) = tf.keras.datasets.cifar10.load_data()
L = tf.keras.layers
model = tf.keras.Sequential([L.Conv2D(8, 3), L.Flatten(), L.Dense(10)])
loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
adam, mean = tf.keras.optimizers.Adam(), tf.keras.metrics.Mean()
for step in range(500):
    with tf.GradientTape() as tape:
        value = loss(y, model(x))
    adam.apply_gradients(zip(tape.gradient(value, model.trainable_variables), model.trainable_variables))
"""
FIT = """import tensorflow as tf
(x, y), (u, v) = tf.keras.datasets.cifar10.load_data()
L = tf.keras.layers
model = tf.keras.Sequential([L.Conv2D(8, 3), L.Flatten(), L.Dense(10)])
model.compile("adam", "sparse_categorical_crossentropy", ["accuracy"])
model.fit(x, y)
"""
JOINED = FIT.replace("model.compile", "z = tf.keras.layers.Concatenate()\nmodel.compile")


def image(*layers: Layer) -> tuple[Layer, ...]:
    return (Layer(kind="InputLayer", shape=(32, 32, 3)), *layers)


def conv(source: int, filters: int = 8, kernel: int = 3) -> Layer:
    config: dict[str, Any] = {"filters": filters, "kernel_size": (kernel, kernel)}
    return Layer(kind="Conv2D", name="conv", config=config, shape=(32, 32, filters), inputs=(source,))


def join(kind: str, channels: int, *sources: int) -> Layer:
    return Layer(kind=kind, shape=(32, 32, channels), inputs=sources)


PLAIN = image(conv(0), conv(1), Layer(kind="Dense", inputs=(2,)))
TWO_LAYERS = image(
    conv(0, 16),
    Layer(kind="MaxPooling2D", shape=(32, 32, 16), inputs=(1,)),
    *(conv(2), join("Concatenate", 24, 2, 3), conv(4), join("Concatenate", 32, 4, 5)),
)
DENSENET = (*TWO_LAYERS, conv(6), join("Concatenate", 40, 6, 7))
RESNET = image(conv(0), conv(1), join("Add", 8, 1, 2), conv(3), join("Add", 8, 3, 4))


def a_model(layers: tuple[Layer, ...] = PLAIN, **fields: Any) -> ObservedModel:
    return ObservedModel.model_validate(
        {"id": 1, "name": "net", "made": "functional", "layers": layers, "is_whole": True} | fields
    )


def a_training(**fields: Any) -> ObservedTraining:
    usual: dict[str, Any] = {
        "id": 1,
        "runs": (1,),
        "path": UpdatePath.OPTIMIZER,
        "gradients": 500,
        "updates": 500,
        "forward": CONVOLUTIONS,
        "shapes": ((3, 3, 3, 8), (3, 3, 8, 8), (512, 10), (10,)),
        "dataset": "cifar10",
        "place": "train",
        "model": 1,
    }
    return ObservedTraining.model_validate(usual | fields)


def by_fit(**fields: Any) -> ObservedTraining:
    return a_training(**{"path": UpdatePath.FIT, "is_in_library": True, "place": "train_step"} | fields)


def measured(accuracy: float = 0.6, **fields: Any) -> MeasuredTraining:
    usual: dict[str, Any] = {"training": 1, "dataset": "cifar10", "examples": 5_000, "accuracy": accuracy}
    usual |= {"before": 0.1, "noised": accuracy, "shifted": accuracy, "changed": 0.8}
    return MeasuredTraining.model_validate(usual | {"why_not_computed": "not recorded"} | fields)


def a_test(**fields: Any) -> ObservedEvaluation:
    usual: dict[str, Any] = {"run": 1, "training": 1, "part": "test", "dataset": "cifar10", "count": 500}
    return ObservedEvaluation.model_validate(usual | fields)


def an_evidence(
    source: str = LOOP,
    *trainings: ObservedTraining,
    models: tuple[ObservedModel, ...] = (a_model(),),
    tests: tuple[ObservedEvaluation, ...] = (a_test(),),
    measures: tuple[MeasuredTraining, ...] = (measured(),),
    prints: str = "Test accuracy: 0.61\n",
    status: RunStatus = RunStatus.COMPLETED,
    origin: DatasetOrigin = DatasetOrigin.REAL,
    **fields: Any,
) -> Evidence:
    text = Output(kind=OutputKind.STREAM, text=prints)
    figure = Output(kind=OutputKind.DISPLAY, image="AAAA", image_type="image/png")
    outputs = (text, figure) if "imshow" in source else (text,)
    cells = (Cell(number=1, kind=CellKind.CODE, source=source, outputs=outputs),)
    notebook = Notebook(cells=cells)
    submission = Submission.model_validate(
        {
            **{"id": "one", "assignment": "a3", "participant": Participant(), "folder": Path("one")},
            **{"notebook": "one.ipynb", "notebook_sha256": SHA, "attachments": fields.pop("attachments", ())},
        }
    )
    run = Run(
        key="1" * 64,
        seed=1,
        status=status,
        limits=Limits(),
        cells=(CellRun(cell=1, status=CellStatus.OK),),
        datasets=tuple(
            DatasetUse(name=name, origin=origin, sha256=SHA) for name in ("cifar10", "cifar100", "mnist")
        ),
    )
    observed = Observed(
        is_trusted=True, trainings=trainings or (a_training(),), models=models, evaluations=tests
    )
    return Evidence.model_validate(
        {
            **{"submission": submission, "notebook": notebook, "saved": read_outputs(notebook), "run": run},
            **{
                "rerun": read_outputs(notebook),
                "observed": observed,
                "measured": Measured(trainings=measures),
            },
            **fields,
        }
    )


MET, PARTLY, NOT_MET, REVIEW = (
    Outcome.MET,
    Outcome.PARTLY_MET,
    Outcome.NOT_MET,
    Outcome.NEEDS_REVIEW,
)


# A network, trained by hand ---------------------------------------------------------------------------


def test_a_convolutional_network_with_a_loop_of_its_own_is_met():
    evidence = an_evidence()
    assert convolutional_network(evidence).outcome is MET
    assert custom_training_loop(evidence).outcome is MET
    assert keras_training_tools(evidence).outcome is MET


def test_fit_is_not_a_loop_of_ones_own_however_good_it_is():
    verdict = custom_training_loop(an_evidence(FIT, by_fit(), measures=(measured(0.95),)))
    assert verdict.outcome is NOT_MET
    assert "GradientTape" in verdict.reasons[0].text


def test_a_train_step_with_the_tape_in_it_counts():
    source = FIT.replace("model.fit", "with tf.GradientTape() as tape: pass\nmodel.fit")
    assert custom_training_loop(an_evidence(source, by_fit(is_in_library=False))).outcome is MET


@pytest.mark.parametrize(
    "fields",
    [
        {"attachments": (Attachment(name="training.py", size_bytes=10, sha256=SHA),)},
        {"source": FIT + "# the GradientTape is in the other file\n"},
    ],
)
def test_fit_is_for_a_person_where_a_tape_may_be_elsewhere(fields):
    assert custom_training_loop(an_evidence(fields.pop("source", FIT), by_fit(), **fields)).outcome is REVIEW


def test_a_tape_in_the_code_that_trained_nothing_does_not_make_fit_a_loop():
    source = FIT + "with tf.GradientTape() as tape: pass\n"
    assert custom_training_loop(an_evidence(source, by_fit())).outcome is REVIEW
    first_in_a_cell = by_fit(is_in_library=False, place="<module>")
    assert custom_training_loop(an_evidence(source, first_in_a_cell)).outcome is REVIEW


def test_a_network_without_a_convolution_is_none():
    source = LOOP.replace("Conv2D(8, 3)", "Dense(8)")
    evidence = an_evidence(source, a_training(forward=DENSE_ONLY), models=(a_model(image()),))
    assert convolutional_network(evidence).outcome is NOT_MET


def test_convolutions_of_low_level_tensorflow_are_half_of_it():
    source = LOOP.replace("L.Conv2D(8, 3)", "lambda x: tf.nn.conv2d(x, w, 1, 'SAME')")
    evidence = an_evidence(source, a_training(model=None), models=())
    assert convolutional_network(evidence).outcome is PARTLY


@pytest.mark.parametrize(
    "check", [convolutional_network, custom_training_loop, network_tested, functional_api]
)
def test_what_was_hardly_trained_meets_nothing(check):
    assert check(an_evidence(LOOP, a_training(updates=10))).outcome is REVIEW


@pytest.mark.parametrize(
    "check",
    [convolutional_network, custom_training_loop, network_tested, network_experiments, connected_blocks],
)
def test_code_that_reaches_into_the_recorder_meets_nothing(check):
    reach = Reach(cell=1, what="gc.get_objects")
    evidence = an_evidence(JOINED, models=(a_model(DENSENET),), reaches=(reach,))
    assert check(evidence).outcome is REVIEW


def test_a_missing_metric_costs_half_and_no_tool_at_all_everything():
    source = LOOP.replace("tf.keras.metrics.Mean()", "0")
    assert keras_training_tools(an_evidence(source)).outcome is PARTLY
    bare = "import tensorflow as tf\nx = tf.zeros(3)\n"
    assert keras_training_tools(an_evidence(bare, a_training(model=None), models=())).outcome is NOT_MET


def test_what_compile_was_given_are_tools_of_keras():
    model = a_model(optimizer="Adam", loss="sparse_categorical_crossentropy", metrics=("accuracy",))
    assert keras_training_tools(an_evidence(FIT, by_fit(), models=(model,))).outcome is MET


def test_the_mean_that_keras_takes_of_the_loss_is_no_metric_of_the_notebook():
    model = a_model(optimizer="Adam", loss="sparse_categorical_crossentropy", metrics=("Mean",))
    assert keras_training_tools(an_evidence(FIT, by_fit(), models=(model,))).outcome is REVIEW


def test_softmax_before_a_loss_that_applies_it_is_told_and_costs_nothing_here():
    twice = LOOP.replace("Dense(10)", "Dense(10, activation='softmax')")
    told = [keras_training_tools(an_evidence(source)) for source in (LOOP, twice)]
    assert [verdict.outcome for verdict in told] == [MET, MET]
    assert ["expects logits" in verdict.reasons[-1].text for verdict in told] == [False, True]


# Tested, and how well ---------------------------------------------------------------------------------


def test_test_images_through_the_trained_network_and_an_accuracy_are_met():
    assert network_tested(an_evidence()).outcome is MET


def test_a_metric_that_is_never_reset_is_told_where_what_it_shows_is_not_what_was_measured():
    updated = LOOP + "mean.update_state(value)\n"
    for source, prints, is_told in (
        (updated, "Test accuracy: 0.5100\n", True),
        (updated, "Test accuracy: 0.5900\n", False),
        (updated + "mean.reset_state()\n", "Test accuracy: 0.5100\n", False),
        (LOOP, "Test accuracy: 0.5100\n", False),
    ):
        verdict = network_tested(an_evidence(source, prints=prints, measures=(measured(0.6),)))
        assert verdict.outcome is MET
        assert ("nowhere reset" in verdict.reasons[-1].text) is is_told


def test_labels_of_the_shape_n_1_are_recognised_and_named():
    verdict = network_tested(an_evidence(prints="Test accuracy: 0.1000\n"))
    assert verdict.outcome is PARTLY
    assert "shape (n, 1)" in verdict.reasons[0].text


def test_an_accuracy_of_guessing_is_right_where_nothing_was_learned():
    assert (
        network_tested(an_evidence(prints="Test accuracy: 0.1130\n", measures=(measured(0.11),))).outcome
        is MET
    )


def test_another_scale_at_test_time_is_recognised_and_named():
    tests = (a_test(difference="other scale"),)
    verdict = network_tested(an_evidence(tests=tests, measures=(measured(0.6, as_evaluated=0.2),)))
    assert verdict.outcome is PARTLY
    assert "scaled in another way" in verdict.reasons[0].text


def test_another_scale_that_measures_as_well_costs_nothing_by_itself():
    tests = (a_test(difference="other scale"),)
    assert (
        network_tested(an_evidence(tests=tests, measures=(measured(0.6, as_evaluated=0.59),))).outcome
        is REVIEW
    )


def test_a_wrong_model_at_test_time_is_named():
    verdict = network_tested(an_evidence(tests=(a_test(training=7),)))
    assert verdict.outcome is REVIEW
    assert any("not the one that was trained" in reason.text for reason in verdict.reasons)


def test_no_test_at_all_is_not_met_where_the_code_names_none():
    assert network_tested(an_evidence(tests=(), prints="loss 1.2\n")).outcome is NOT_MET
    source = LOOP + "test_images = u\n"
    assert network_tested(an_evidence(source, tests=(), prints="loss 1.2\n")).outcome is REVIEW


LINES = {"cifar10": Line(full=0.5, partly=0.3), "cifar100": Line(full=0.2, partly=0.08)}


def accuracy_of(evidence: Evidence) -> Outcome:
    return accuracy_at_least(evidence, thresholds=LINES, band=0.02, convolutional=True).outcome


@pytest.mark.parametrize(
    ("accuracy", "outcome"), [(0.61, MET), (0.40, PARTLY), (0.25, REVIEW), (0.51, REVIEW)]
)
def test_the_accuracy_of_a_network_is_measured_on_what_it_was_trained_on(accuracy, outcome):
    prints = f"Test accuracy: {accuracy:.2f}\n"
    assert accuracy_of(an_evidence(prints=prints, measures=(measured(accuracy),))) is outcome


def test_a_measurement_that_no_output_bears_out_is_for_a_person():
    assert accuracy_of(an_evidence(prints="done\n")) is REVIEW


def test_a_measurement_that_was_computed_outside_need_not_be_borne_out():
    computed = measured(agreement=0.99, why_not_computed="")
    assert accuracy_of(an_evidence(prints="done\n", measures=(computed,))) is MET
    forged = measured(agreement=0.9, why_not_computed="")
    assert accuracy_of(an_evidence(prints="done\n", measures=(forged,))) is REVIEW


def test_the_accuracy_of_a_network_without_convolutions_is_for_a_person():
    computed = measured(0.9, agreement=1.0, why_not_computed="")
    evidence = an_evidence(
        LOOP, a_training(forward=DENSE_ONLY), models=(a_model(image()),), measures=(computed,)
    )
    assert accuracy_of(evidence) is REVIEW
    assert accuracy_at_least(evidence, thresholds=LINES).outcome is MET


@pytest.mark.parametrize(
    ("accuracy", "outcome"), [(0.25, MET), (0.12, PARTLY), (0.05, REVIEW), (0.011, NOT_MET)]
)
def test_guessing_on_a_hundred_classes_is_one_in_a_hundred(accuracy, outcome):
    found = measured(accuracy, dataset="cifar100", before=0.01)
    source, prints = LOOP.replace("cifar10.", "cifar100."), f"Test accuracy: {accuracy:.3f}\n"
    tests = (a_test(dataset="cifar100"),)
    assert accuracy_of(an_evidence(source, tests=tests, prints=prints, measures=(found,))) is outcome


def test_on_a_stand_in_no_accuracy_costs_points():
    evidence = an_evidence(
        prints="Test accuracy: 0.40\n", measures=(measured(0.4),), origin=DatasetOrigin.STAND_IN
    )
    assert accuracy_of(evidence) is REVIEW


# Experiments and bonus --------------------------------------------------------------------------------

RESULTS = "a: test accuracy 0.51\nb: test accuracy 0.52\nc: test accuracy 0.53\n"

TWO_RESULTS = "a: test accuracy 0.51\nb: test accuracy 0.52\n"


def trainings(*fields: dict[str, Any]) -> tuple[ObservedTraining, ...]:
    return tuple(a_training(id=number, **given) for number, given in enumerate(fields, start=1))


def test_three_different_networks_with_results_are_experiments():
    varied = trainings({}, {"optimizer": "SGD"}, {"shapes": ((5, 5, 3, 8), (3, 3, 8, 8), (512, 10), (10,))})
    assert network_experiments(an_evidence(LOOP, *varied, prints=RESULTS)).outcome is MET


def test_one_configuration_trained_many_times_is_one():
    evidence = an_evidence(LOOP, *trainings({}, {}, {}), prints=RESULTS)
    assert network_experiments(evidence).outcome is NOT_MET


def test_configurations_trained_too_shortly_to_count_are_told_and_cost_nothing():
    other = {"shapes": ((5, 5, 3, 8), (3, 3, 8, 8), (512, 10), (10,))}
    brief = ({**other, "updates": 40}, {"optimizer": "SGD", "updates": 12})
    verdict = network_experiments(an_evidence(LOOP, *trainings({}, *brief), prints="test accuracy 0.5\n"))
    assert verdict.outcome is REVIEW
    text = "2 more were trained for fewer than 50 steps (40 at most), which does not count."
    assert text in [reason.text for reason in verdict.reasons]


@pytest.mark.parametrize("brief", [{"updates": 40}, {"optimizer": "SGD", "updates": 1}])
def test_the_same_configuration_or_a_single_step_is_no_experiment_that_was_too_short(brief):
    evidence = an_evidence(LOOP, *trainings({}, brief), prints="test accuracy 0.5\n")
    assert network_experiments(evidence).outcome is NOT_MET


def test_the_same_network_on_another_data_set_is_no_experiment():
    other = {"dataset": "mnist", "shapes": ((3, 3, 1, 8), (3, 3, 8, 8), (392, 10), (10,))}
    assert (
        network_experiments(an_evidence(LOOP, *trainings({}, other), prints=TWO_RESULTS)).outcome is NOT_MET
    )


def test_two_configurations_are_half_of_three():
    evidence = an_evidence(LOOP, *trainings({}, {"optimizer": "SGD"}), prints="test accuracy 0.5\n")
    assert network_experiments(evidence).outcome is PARTLY


@pytest.mark.parametrize(
    ("code", "fields"),
    [
        ("kernel_regularizer = 'l2'\n", {}),
        ("images = tf.image.random_flip_left_right(images)\n", {}),
        ("", {"updates": 2_000}),
    ],
)
def test_trainings_that_look_alike_but_may_differ_are_for_a_person(code, fields):
    evidence = an_evidence(LOOP + code, *trainings({}, fields), prints=TWO_RESULTS)
    assert network_experiments(evidence).outcome is REVIEW
    alone = an_evidence(LOOP + code, a_training(**fields), prints="test accuracy 0.5\n")
    assert network_experiments(alone).outcome is NOT_MET


def test_the_losses_and_what_layers_are_punished_by_tell_configurations_apart():
    losses = (a_model(loss="mse"), a_model(id=2, loss="categorical_crossentropy"))
    evidence = an_evidence(LOOP, *trainings({}, {"model": 2}), models=losses, prints=TWO_RESULTS)
    assert network_experiments(evidence, at_least=2).outcome is MET
    punished = PLAIN[1].model_copy(update={"config": PLAIN[1].config | {"kernel_regularizer": "L2 0.01"}})
    models = (a_model(), a_model((PLAIN[0], punished, *PLAIN[2:]), id=2))
    evidence = an_evidence(LOOP, *trainings({}, {"model": 2}), models=models, prints=TWO_RESULTS)
    assert network_experiments(evidence, at_least=2).outcome is MET


def test_experiments_tell_what_each_configuration_was():
    varied = trainings({"optimizer_rate": 0.01, "batch": 64, "parameters": 1_234}, {"optimizer": "SGD"})
    told = [reason.text for reason in network_experiments(an_evidence(LOOP, *varied)).reasons]
    assert any("rate 0.01; batches of 64" in text and "1,234 weights" in text for text in told)
    assert any("SGD" in text for text in told)


def test_text_that_tells_of_more_leaves_it_to_a_person():
    source = LOOP + "# we also tried 5x5 filters: 0.48, then 7x7: 0.41, both worse\nlr = [0.1, 0.01, 0.001]\n"
    assert network_experiments(an_evidence(source, prints="test accuracy 0.5\n")).outcome is REVIEW


@pytest.mark.parametrize(
    ("accuracy", "outcome", "fraction"),
    [(0.92, MET, 1), (0.83, PARTLY, 2), (0.72, PARTLY, 1), (0.6, NOT_MET, 0)],
)
def test_each_step_beyond_is_worth_its_share(accuracy, outcome, fraction):
    verdict = accuracy_beyond(
        an_evidence(measures=(measured(accuracy),), prints=f"Test accuracy: {accuracy:.2f}\n"),
        dataset="cifar10",
        steps=(0.7, 0.8, 0.9),
    )
    assert verdict.outcome is outcome
    assert outcome is MET or round(float(verdict.fraction or 0) * 3) == fraction


def test_just_below_the_first_step_is_for_a_person():
    for told in (measured(0.69), measured(0.65, examples=300)):
        found = an_evidence(measures=(told,), prints="Test accuracy: 0.69\n")
        assert accuracy_beyond(found, dataset="cifar10", steps=(0.7, 0.8, 0.9)).outcome is REVIEW


def test_what_only_the_room_told_goes_nowhere():
    far = an_evidence(measures=(measured(0.93),), prints="Test accuracy: 0.61\n")
    assert accuracy_beyond(far, dataset="cifar10", steps=(0.7, 0.9)).outcome is REVIEW
    half = an_evidence(measures=(measured(0.4),), prints="done\n")
    assert accuracy_of(half) is REVIEW


def test_training_on_another_set_only_goes_nowhere_on_this_one():
    evidence = an_evidence(LOOP, a_training(dataset="mnist"), measures=(measured(0.9, dataset="mnist"),))
    assert accuracy_beyond(evidence, dataset="cifar10", steps=(0.7,)).outcome is NOT_MET
    assert network_trained_on(evidence, datasets=("cifar10", "cifar100")).outcome is NOT_MET
    assert network_trained_on(evidence, datasets=("mnist",)).outcome is MET


def test_feature_maps_shown_are_looked_at_and_no_image_at_all_is_not():
    source = LOOP + "maps = model.layers[0](u[:1])\nplt.imshow(maps[0, ..., 0])\n"
    assert network_looked_into(an_evidence(source)).outcome is MET
    assert network_looked_into(an_evidence()).outcome is NOT_MET
    assert network_looked_into(an_evidence(LOOP + "for image in u: pass\n")).outcome is NOT_MET
    other = LOOP + "plt.imshow(u[0])\n"
    assert network_looked_into(an_evidence(other)).outcome is REVIEW


def test_a_comment_or_a_figure_that_our_run_does_not_show_is_no_look_into_the_network():
    said = LOOP + "# plt.imshow(model.layers[0](u[:1])[0, ..., 0])\n"
    assert network_looked_into(an_evidence(said)).outcome is REVIEW
    shown = an_evidence(LOOP + "maps = model.layers[0](u[:1])\nplt.imshow(maps[0, ..., 0])\n")
    pasted = shown.model_copy(update={"rerun": an_evidence().rerun})
    assert network_looked_into(pasted).outcome is REVIEW
    cut_short = CellRun(cell=1, status=CellStatus.INTERRUPTED)
    ended = shown.run.model_copy(update={"cells": (cut_short,), "status": RunStatus.CUT_SHORT})
    assert network_looked_into(pasted.model_copy(update={"run": ended})).outcome is MET


@pytest.mark.parametrize(
    "line", ["sns.heatmap(model.layers[0].kernel[..., 0, 0])", "plot_feature_maps(u)", "visualise(model)"]
)
def test_other_ways_to_show_what_a_network_sees_are_not_taken_for_none(line):
    assert network_looked_into(an_evidence(f"{LOOP}{line}\n")).outcome is REVIEW


# Blocks -----------------------------------------------------------------------------------------------


def with_model(layers: tuple[Layer, ...], source: str = JOINED, **fields: Any) -> Evidence:
    return an_evidence(source, by_fit(), models=(a_model(layers, **fields),))


def test_a_densenet_is_met_and_a_resnet_is_named_so():
    assert connected_blocks(with_model(DENSENET)).outcome is MET
    verdict = connected_blocks(with_model(RESNET))
    assert verdict.outcome is NOT_MET
    assert "That is a ResNet" in verdict.reasons[0].text


def test_a_rubric_can_ask_for_a_resnet():
    source = JOINED.replace("Concatenate", "Add")
    assert connected_blocks(with_model(RESNET, source), kind=BlockKind.RESIDUAL, at_least=1).outcome is MET
    verdict = connected_blocks(with_model(DENSENET, source), kind=BlockKind.RESIDUAL, at_least=1)
    assert verdict.outcome is NOT_MET
    assert "That is a DenseNet" in verdict.reasons[0].text


def test_two_layers_per_block_are_half_of_three():
    assert connected_blocks(with_model(TWO_LAYERS)).outcome is PARTLY


def test_a_plain_network_has_no_block():
    verdict = connected_blocks(with_model(PLAIN))
    assert verdict.outcome is NOT_MET
    assert "nothing is concatenated" in verdict.reasons[0].text


@pytest.mark.parametrize("fields", [{"is_whole": False}, {"layers": ()}])
def test_a_graph_that_is_not_known_whole_is_for_a_person(fields):
    layers = fields.pop("layers", PLAIN)
    assert connected_blocks(with_model(layers, is_whole=False, **{})).outcome is REVIEW


def test_a_run_that_was_cut_short_costs_no_block():
    evidence = an_evidence(JOINED, by_fit(), status=RunStatus.CUT_SHORT)
    assert connected_blocks(evidence).outcome is REVIEW


def test_a_ready_made_network_is_for_a_person():
    source = JOINED + "net = tf.keras.applications.DenseNet121(weights=None)\n"
    assert connected_blocks(with_model(DENSENET, source)).outcome is REVIEW


def test_a_network_of_ones_own_counts_beside_a_ready_made_one():
    source = JOINED + "net = tf.keras.applications.DenseNet121(weights=None)\n"
    names = [f"conv2d_{at}" for at in range(len(DENSENET))]
    own = tuple(layer.model_copy(update={"name": name}) for layer, name in zip(DENSENET, names, strict=True))
    longer = (*DENSENET, conv(8), join("Concatenate", 48, 8, 9))
    models = (a_model(longer, id=2, name="densenet121"), a_model(own))
    both = (by_fit(id=1), by_fit(id=2, model=2))
    verdict = connected_blocks(an_evidence(source, *both, models=models))
    assert verdict.outcome is MET
    assert "`net`" in verdict.reasons[0].text


def test_a_function_of_ones_own_may_have_the_name_of_a_ready_made_network():
    source = JOINED + "def DenseNet121(x):\n    return x\nDenseNet121(model)\n"
    assert connected_blocks(with_model(DENSENET, source)).outcome is MET


def test_a_network_without_a_block_is_told_what_is_not_connected():
    chain = image(conv(0), conv(1), conv(2), join("Concatenate", 24, 1, 2, 3))
    chain = tuple(layer.model_copy(update={"name": f"step_{at}"}) for at, layer in enumerate(chain))
    verdict = connected_blocks(with_model(chain))
    assert verdict.outcome is NOT_MET
    assert "there is 1 concatenation, " in verdict.reasons[0].text
    assert "`step_3`, for one, does not receive `step_1`" in verdict.reasons[0].text


def test_a_block_that_rests_on_one_concatenation_is_for_a_person():
    layers = image(conv(0), conv(1), join("Concatenate", 16, 1, 2), conv(3))
    assert connected_blocks(with_model(layers)).outcome is REVIEW


def test_a_step_that_nobody_knows_costs_no_block():
    strange = image(conv(0), Layer(kind="NewLayer", name="odd", shape=(32, 32, 8), inputs=(1,)), conv(2))
    verdict = connected_blocks(with_model(strange))
    assert verdict.outcome is REVIEW
    assert any("`odd`" in reason.text for reason in verdict.reasons)


@pytest.mark.parametrize("check", [connected_blocks, functional_api])
def test_a_network_that_was_built_but_not_trained_is_for_a_person(check):
    plain, dense = a_model(PLAIN, made="sequential"), a_model(DENSENET, id=2, name="other")
    assert check(an_evidence(JOINED, by_fit(), models=(plain,))).outcome is NOT_MET
    assert check(an_evidence(JOINED, by_fit(), models=(plain, dense))).outcome is REVIEW


@pytest.mark.parametrize(
    ("made", "layers", "outcome"),
    [
        ("functional", DENSENET, MET),
        ("sequential", DENSENET, PARTLY),
        ("subclassed", DENSENET, PARTLY),
        ("sequential", PLAIN, NOT_MET),
        ("functional", PLAIN, REVIEW),
    ],
)
def test_the_functional_api_is_what_a_branching_network_is_built_with(made, layers, outcome):
    assert functional_api(with_model(layers, made=made)).outcome is outcome


@pytest.mark.parametrize("made", ["sequential", "subclassed"])
def test_a_functional_network_in_another_model_is_functional(made):
    assert functional_api(with_model(DENSENET, made=made, joins_inside=3)).outcome is MET
    assert densenet_sequential(with_model(DENSENET, made="sequential", joins_inside=3)).outcome is REVIEW


def test_a_subclass_of_which_the_graph_is_not_known_costs_no_functional_api():
    assert functional_api(with_model(PLAIN, made="subclassed", is_whole=False)).outcome is REVIEW


def test_a_sequential_densenet_is_the_bonus():
    assert densenet_sequential(with_model(DENSENET, made="sequential")).outcome is MET
    assert densenet_sequential(with_model(DENSENET)).outcome is NOT_MET


def test_a_sequential_densenet_that_was_built_and_not_trained_is_for_a_person():
    models = (a_model(DENSENET), a_model(DENSENET, id=2, made="sequential"))
    verdict = densenet_sequential(an_evidence(JOINED, by_fit(), models=models))
    assert verdict.outcome is REVIEW
    assert "not seen to be trained" in verdict.reasons[-1].text


def test_what_a_person_judges_is_laid_out():
    verdict = for_a_person(an_evidence(LOOP), words=("GradientTape", "timeit"))
    assert verdict.outcome is REVIEW
    assert [reason.cell for reason in verdict.reasons] == [None, 1]


def test_a_test_that_only_the_code_shows_counts_where_what_was_measured_bears_it_out():
    source = FIT + "print('Test accuracy', model.evaluate(u, v)[1])\n"
    assert network_tested(an_evidence(source, by_fit(), tests=())).outcome is MET
    assert (
        network_tested(an_evidence(source, by_fit(), tests=(), measures=(measured(0.4),))).outcome is REVIEW
    )


def test_of_keras_the_data_sets_alone_are_no_tools_of_it():
    source = """import tensorflow as tf
(x, y), (u, v) = tf.keras.datasets.mnist.load_data()
loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=tf.nn.conv2d(x, w, 1, "SAME"))
accuracy, optimizer = 0.0, None
"""
    evidence = an_evidence(source, a_training(model=None), models=())
    assert keras_training_tools(evidence).outcome is NOT_MET
    assert (
        keras_training_tools(
            an_evidence("from keras import *\n" + source, a_training(model=None), models=())
        ).outcome
        is REVIEW
    )
