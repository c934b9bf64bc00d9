"""The criteria on the tf.data script, on evidence built by hand: what the recorder saw of a pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from grader.checks.feeding import trained_from_pipeline
from grader.checks.pipelines import pipeline_batches, pipeline_images, pipeline_labels, pipeline_shuffled
from grader.evidence.around import Layer, ObservedModel, ObservedPipeline
from grader.evidence.feeding import fed_trainings
from grader.evidence.observed import ForwardOp, Observed, ObservedTraining
from grader.evidence.record import Evidence
from grader.model import Attachment, CellRun, CellStatus, Limits, Outcome, Participant, Run, Submission
from grader.model import RunStatus as Status
from grader.notebook.machinery import Reach
from grader.notebook.outputs import read_outputs
from grader.notebook.records import Cell, CellKind, Notebook

MET, PARTLY, LOST, REVIEW = Outcome.MET, Outcome.PARTLY_MET, Outcome.NOT_MET, Outcome.NEEDS_REVIEW
SHA = "0" * 64
MLP = (ForwardOp(op="MatMul", weight=0), ForwardOp(op="Relu"), ForwardOp(op="MatMul", weight=1))
CODE = "import tensorflow as tf\ndata = tf.data.Dataset.from_tensor_slices((x, y))\n"
ALL = (trained_from_pipeline, pipeline_images, pipeline_labels, pipeline_batches, pipeline_shuffled)
SOURCE = {
    "op": "from_tensor_slices",
    "tensors": [{"dtype": "float32", "shape": (60000, 784)}, {"dtype": "int32", "shape": (60000,)}],
}


def chain(*operations: str, source: dict[str, Any] = SOURCE) -> list[dict[str, Any]]:
    """Nodes one after the other: `shuffle 100`, `batch 32`, `map`."""
    names = {"shuffle": "buffer_size", "batch": "batch_size", "repeat": "count"}
    nodes = [source]
    for place, operation in enumerate(operations):
        name, _, number = operation.partition(" ")
        arguments = {names[name]: int(number)} if number else {}
        nodes.append({"op": name, "arguments": arguments, "inputs": [place]})
    return nodes


def component(dtype: str, shape: tuple[int | None, ...], least: float, largest: float) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "least": least, "largest": largest}


IMAGES, LABELS = component("float32", (100, 784), 0, 1), component("int32", (100,), 0, 9)
TYPICAL = ("shuffle 60000", "batch 100", "repeat -1")


def a_pipeline(
    *operations: str, images: dict[str, Any] = IMAGES, labels: dict[str, Any] = LABELS, **fields: Any
) -> ObservedPipeline:
    given = {"id": 1, "run": 1, "draws": 500, "elements": [images, labels]}
    return ObservedPipeline.model_validate(given | {"nodes": chain(*(operations or TYPICAL))} | fields)


def a_training(**fields: Any) -> ObservedTraining:
    given = {"id": 1, "runs": (1,), "gradients": 500, "updates": 500, "forward": MLP, "batch": 100}
    given |= {"shapes": ((784, 64), (64, 10)), "starts": ("random", "random"), "part": "train"}
    given |= {"scale": 1 / 255, "offset": 0.0, "pipelines": [{"id": 1, "steps": 500}]}
    return ObservedTraining.model_validate(given | fields)


def evidence(
    *pipelines: ObservedPipeline,
    trainings: tuple[ObservedTraining, ...] = (a_training(),),
    code: str = CODE,
    status: Status = Status.COMPLETED,
    is_trusted: bool = True,
    reaches: tuple[Reach, ...] = (),
    models: tuple[ObservedModel, ...] = (),
    attachments: tuple[Attachment, ...] = (),
) -> Evidence:
    notebook = Notebook(cells=(Cell(number=3, kind=CellKind.CODE, source=code),))
    submission = Submission(
        id="one",
        assignment="a2",
        participant=Participant(id="1"),
        folder=Path("a2/one"),
        notebook="a2.ipynb",
        notebook_sha256=SHA,
        attachments=attachments,
    )
    return Evidence(
        submission=submission,
        notebook=notebook,
        saved=read_outputs(notebook),
        run=Run(
            key=SHA,
            status=status,
            cells=(CellRun(cell=3, status=CellStatus.OK),),
            seed=1,
            limits=Limits(),
        ),
        observed=Observed(is_trusted=is_trusted, trainings=trainings, pipelines=pipelines, models=models),
        reaches=reaches,
    )


# Which pipeline fed the training ----------------------------------------------------------------------


def test_a_usual_pipeline_meets_everything_and_the_reasons_name_its_cell():
    for check in ALL:
        verdict = check(evidence(a_pipeline()))
        assert verdict.outcome is MET
        assert verdict.reasons[0].cell == 3


@pytest.mark.parametrize(
    "operations", [TYPICAL, ("cache", "map", "repeat -1", "shuffle 100", "batch 8", "prefetch")]
)
def test_operations_may_stand_in_any_sensible_order(operations):
    assert pipeline_shuffled(evidence(a_pipeline(*operations))).outcome is MET


def test_steps_that_a_graph_took_by_itself_are_fed():
    graph = a_training(pipelines=[{"id": 1, "steps": None}], batch=None)
    assert trained_from_pipeline(evidence(a_pipeline(draws=0), trainings=(graph,))).outcome is MET


def test_a_pipeline_built_anew_in_each_epoch_is_one():
    epochs = [a_pipeline(id=number, draws=125) for number in range(1, 5)]
    training = a_training(pipelines=[{"id": number, "steps": 125} for number in range(1, 5)])
    (fed,) = fed_trainings(evidence(*epochs, trainings=(training,)).observed)
    assert fed.steps == 500


def test_a_pipeline_that_is_only_tested_with_on_the_way_feeds_nothing():
    tested = a_pipeline(
        "batch 1000", images=IMAGES | {"shape": (1000, 784)}, labels=LABELS | {"shape": (1000,)}
    )
    training = a_training(pipelines=[{"id": 1, "steps": 499}])
    assert trained_from_pipeline(evidence(tested, trainings=(training,))).outcome is REVIEW


def test_a_pipeline_that_is_never_gone_through_while_arrays_are_fed_is_not_met():
    by_hand = evidence(trainings=(a_training(pipelines=()),))
    looked_at = evidence(a_pipeline(*TYPICAL, "take", draws=1), trainings=(a_training(pipelines=()),))
    for found in (by_hand, looked_at):
        for check in ALL:
            assert check(found).outcome is LOST
    assert "500 steps on arrays" in trained_from_pipeline(by_hand).reasons[0].text
    assert "cell 3" in trained_from_pipeline(by_hand).reasons[0].text


def test_a_test_set_that_is_gone_through_does_not_make_the_training_one_from_a_pipeline():
    rows = {"op": "from_tensor_slices", "tensors": [{"dtype": "float32", "shape": (10000, 784)}]}
    tested = a_pipeline(nodes=chain("batch 100", source=rows), draws=100)
    assert trained_from_pipeline(evidence(tested, trainings=(a_training(pipelines=()),))).outcome is LOST


@pytest.mark.parametrize(
    "pipeline",
    [
        a_pipeline(draws=600),  # put into a list, and trained on in another cell
        a_pipeline(
            "batch 60000",
            images=IMAGES | {"shape": (60000, 784)},
            labels=LABELS | {"shape": (60000,)},
            draws=1,
        ),
        a_pipeline(draws=0),  # a graph took from it
        a_pipeline(where="fit", draws=0),
        a_pipeline(images=IMAGES | {"shape": (None, 784)}, labels=LABELS | {"shape": (None,)}, draws=1),
    ],
)
def test_a_pipeline_that_may_have_given_the_arrays_is_for_a_person(pipeline):
    found = evidence(pipeline, trainings=(a_training(pipelines=()),))
    assert {check(found).outcome for check in ALL} == {REVIEW}


@pytest.mark.parametrize(
    "fields",
    [
        {"status": Status.CUT_SHORT},
        {"status": Status.CELL_FAILED},
        {"is_trusted": False},
        {"reaches": (Reach(what="sys.modules", cell=3),)},
        {"attachments": (Attachment(name="train.py", size_bytes=9, sha256=SHA),)},
        {"trainings": (a_training(pipelines=(), part=None),)},
        {"trainings": (a_training(pipelines=(), updates=49),)},
    ],
)
def test_where_it_is_not_certain_nothing_is_denied(fields):
    found = evidence(**{"trainings": (a_training(pipelines=()),), **fields})
    assert {check(found).outcome for check in ALL} == {REVIEW}


def test_a_linear_model_is_no_multilayer_perceptron():
    linear = a_training(forward=(ForwardOp(op="MatMul", weight=0),), shapes=((784, 10),))
    found = evidence(a_pipeline(), trainings=(linear,))
    assert {check(found).outcome for check in ALL} == {LOST}
    assert "linear" in trained_from_pipeline(found).reasons[0].text


def test_a_tour_without_any_training_is_not_met():
    code = CODE.replace("(x, y)", "[1, 2, 3]") + "for batch in data.batch(2):\n    print(batch)\n"
    assert trained_from_pipeline(evidence(a_pipeline(), trainings=(), code=code)).outcome is LOST
    hidden = code + "from elsewhere import train\ntrain(data)\n"
    assert trained_from_pipeline(evidence(a_pipeline(), trainings=(), code=hidden)).outcome is REVIEW


def test_what_was_seen_alone_meets_nothing_where_no_code_builds_a_pipeline():
    found = evidence(a_pipeline(), code="import tensorflow as tf\n")
    assert {check(found).outcome for check in ALL} == {REVIEW}


def test_a_run_that_is_missing_is_not_checked():
    found = evidence(a_pipeline()).model_copy(update={"run": None, "observed": None})
    assert {check(found).outcome for check in ALL} == {Outcome.NOT_CHECKED}


def test_a_pipeline_over_files_is_for_a_person():
    files = a_pipeline(nodes=chain("batch 100", source={"op": "TFRecord"}))
    assert trained_from_pipeline(evidence(files)).outcome is REVIEW


# What it gives ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("images", "scale", "outcome"),
    [
        (component("float32", (100, 784), 0, 1), 1 / 255, MET),
        (component("float64", (100, 28, 28), 0, 1), 1 / 255, MET),
        (component("float32", (100, 784), 0, 255), 1 / 255, MET),  # scaled in the step
        (component("uint8", (100, 784), 0, 255), 1 / 255, MET),
        (component("float32", (100, 784), 0, 255), 1.0, LOST),
        (component("uint8", (100, 784), 0, 255), 1.0, LOST),
        (component("float32", (100, 784), 0, 255), None, REVIEW),
        (component("float32", (100, 784), 0, 0.0039), 1 / 65025, REVIEW),  # scaled twice
        (component("float32", (100, 784), -1, 1), 2 / 255, REVIEW),
        (component("float32", (100, 784), -0.42, 2.8), 3.2 / 255, REVIEW),  # standardised
        (component("uint8", (100, 784), 0, 1), 1.0, REVIEW),
    ],
)
def test_images_are_judged_by_what_was_given(images, scale, outcome):
    found = evidence(a_pipeline(images=images), trainings=(a_training(scale=scale),))
    assert pipeline_images(found).outcome is outcome


@pytest.mark.parametrize(
    ("kind", "scale", "is_whole", "outcome"),
    [
        ("Rescaling", 1 / 255, True, MET),
        ("Rescaling", 0.5, True, REVIEW),
        ("Normalization", None, True, REVIEW),
        ("Dense", None, False, REVIEW),
        ("Dense", None, True, LOST),
    ],
)
def test_a_layer_may_scale_the_pixels(kind, scale, is_whole, outcome):
    layer = Layer(kind=kind, config={} if scale is None else {"scale": scale, "offset": 0.0})
    model = ObservedModel(id=7, layers=(layer,), is_whole=is_whole)
    raw = a_pipeline(images=component("uint8", (100, 28, 28), 0, 255))
    training = a_training(scale=1.0, model=7)
    assert pipeline_images(evidence(raw, trainings=(training,), models=(model,))).outcome is outcome


@pytest.mark.parametrize(
    ("labels", "code", "outcome"),
    [
        (component("int32", (100,), 0, 9), CODE, MET),
        (component("int64", (100, 1), 0, 9), CODE, MET),
        (component("uint8", (100,), 0, 9), CODE, MET),
        (component("float32", (100,), 0, 9), CODE, LOST),
        (component("float32", (100,), 0, 9), CODE + "z = tf.cast(y, tf.int32)\n", REVIEW),
        (component("float32", (100,), 0, 9), CODE + "z = y.astype('int64')\n", REVIEW),
        (component("float32", (100, 10), 0, 1), CODE, REVIEW),
        (component("int32", (100, 10), 0, 1), CODE, REVIEW),
    ],
)
def test_labels_are_judged_by_what_was_given(labels, code, outcome):
    assert pipeline_labels(evidence(a_pipeline(labels=labels), code=code)).outcome is outcome


def test_single_examples_are_no_minibatches():
    single = {"images": IMAGES | {"shape": (784,)}, "labels": LABELS | {"shape": ()}}
    found = evidence(a_pipeline("shuffle 60000", **single), trainings=(a_training(batch=1),))
    assert pipeline_batches(found).outcome is LOST
    of_one = {"images": IMAGES | {"shape": (1, 784)}, "labels": LABELS | {"shape": (1,)}}
    found = evidence(a_pipeline("shuffle 60000", "batch 1", **of_one), trainings=(a_training(batch=1),))
    assert pipeline_batches(found).outcome is LOST


def test_elements_that_are_no_pairs_are_for_a_person():
    found = evidence(a_pipeline(elements=[IMAGES]))
    assert {check(found).outcome for check in (pipeline_images, pipeline_labels, pipeline_batches)} == {
        REVIEW
    }


# How it is shuffled -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operations", "outcome"),
    [
        (("shuffle 100", "batch 100"), MET),
        (("shuffle 99", "batch 100"), PARTLY),
        (("shuffle 1", "batch 100"), LOST),
        (("batch 100",), LOST),
        (("batch 100", "shuffle 600"), REVIEW),
        (("batch 100", "unbatch", "shuffle 600", "batch 100"), MET),
        (("shuffle", "batch 100"), REVIEW),
        (("shuffle 1", "shuffle 5000", "batch 100"), MET),
    ],
)
def test_a_buffer_counts_where_it_holds_examples(operations, outcome):
    assert pipeline_shuffled(evidence(a_pipeline(*operations))).outcome is outcome


@pytest.mark.parametrize(
    "code",
    [
        "import numpy as np\np = np.random.permutation(60000)\n",
        "rng.shuffle(order)\n",
        "from sklearn.utils import shuffle\nx, y = shuffle(x, y)\n",
    ],
)
def test_what_the_code_shuffles_by_hand_is_for_a_person(code):
    assert pipeline_shuffled(evidence(a_pipeline("batch 100"), code=CODE + code)).outcome is REVIEW


def test_experiments_with_other_pipelines_shuffle_nothing_here():
    code = CODE + "for b in tf.data.Dataset.range(8).shuffle(8).batch(3):\n    print(b)\n"
    assert pipeline_shuffled(evidence(a_pipeline("batch 100"), code=code)).outcome is LOST


@pytest.mark.parametrize("source", ["from_generator", "range", "variant"])
def test_a_source_that_may_draw_at_random_is_for_a_person(source):
    nodes = chain("batch 100", source={"op": source})
    assert pipeline_shuffled(evidence(a_pipeline(nodes=nodes))).outcome is REVIEW


@pytest.mark.parametrize(("seeds", "outcome"), [((None, None), LOST), ((1, 2), LOST), ((3, 3), MET)])
def test_images_and_labels_that_are_shuffled_apart_no_longer_belong_together(seeds, outcome):
    shapes = ((60000, 784), (60000,))
    nodes: list[dict[str, Any]] = []
    for shape, seed in zip(shapes, seeds, strict=True):
        source = {"op": "from_tensor_slices", "tensors": [{"dtype": "float32", "shape": shape}]}
        arguments = {"buffer_size": 500, "seed": seed}
        nodes += [source, {"op": "shuffle", "arguments": arguments, "inputs": [len(nodes)]}]
    nodes += [
        {"op": "zip", "inputs": [1, 3]},
        {"op": "batch", "arguments": {"batch_size": 100}, "inputs": [4]},
    ]
    assert pipeline_shuffled(evidence(a_pipeline(nodes=nodes))).outcome is outcome


def test_a_bad_trial_beside_a_good_training_costs_nothing():
    bad = a_pipeline("batch 100", id=2)
    trainings = (a_training(id=2, pipelines=[{"id": 2, "steps": 500}], updates=900), a_training())
    assert pipeline_shuffled(evidence(a_pipeline(), bad, trainings=trainings)).outcome is MET
