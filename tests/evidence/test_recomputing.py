from __future__ import annotations

import base64
import itertools
from typing import Any

import numpy as np
import pytest
from bounded import bounded

from grader.checks.measurement import Model, doubt_about
from grader.evidence.measuring import Key, measure
from grader.evidence.modelled import WrittenModel
from grader.evidence.observed import ObservedTraining, read_observed
from grader.evidence.operations import CannotComputeError
from grader.evidence.recomputing import drawn, recomputed, share_alike

IMAGES = np.random.default_rng(3).integers(0, 256, (300, 4, 4), dtype=np.uint8)
FIRST, SECOND = (np.random.default_rng(seed).normal(size=size) for seed, size in ((1, (16, 8)), (2, (8, 10))))
BIAS = np.linspace(-1, 1, 8)


def an_array(value: Any, kind: str = "f2") -> dict[str, Any]:
    value = np.asarray(value)
    scale = float(np.abs(value).max()) if kind == "f2" else 1.0
    data = (value / scale if kind == "f2" else value).astype(f"<{kind}").tobytes()
    return {"shape": value.shape, "type": kind, "scale": scale, "data": base64.b64encode(data).decode()}


def a_step(op: str, inputs: str, output: str, **attributes: Any) -> dict[str, Any]:
    return {"op": op, "inputs": inputs.split(), "outputs": [output], "attributes": attributes}


STEPS = (
    a_step("MatMul", "x w1", "a", transpose_a=False, transpose_b=False),
    a_step("AddV2", "a b1", "b"),
    a_step("Relu", "b", "c"),
    a_step("MatMul", "c w2", "y"),
)


def a_model(*steps: dict[str, Any], **fields: Any) -> dict[str, Any]:
    told = {
        "training": 1,
        "ways": [{"dataset": "mnist", "scale": 1 / 255, "offset": 0.0}],
        "row_shape": [16],
        "entry": "x",
        "logits": "y",
        "steps": steps or STEPS,
        "weights": {"w1": 0, "b1": 1, "w2": 2},
        "values": [an_array(FIRST), an_array(BIAS), an_array(SECOND)],
    }
    return told | fields


def expected() -> np.ndarray:
    rows = IMAGES.reshape(-1, 16) / 255
    return (np.maximum(rows @ FIRST + BIAS, 0) @ SECOND).argmax(axis=1)


def computed(told: dict[str, Any], images: np.ndarray = IMAGES) -> np.ndarray:
    model = WrittenModel.model_validate(told)
    size = model.batch or 50
    batches = [images[start : start + size] for start in range(0, len(images), size)]
    return recomputed(model, model.ways[0], batches).argmax(axis=1)


def test_a_multilayer_perceptron_is_computed_from_what_was_written_down():
    assert np.mean(computed(a_model()) == expected()) > 0.99
    assert np.mean(computed(a_model(batch=128)) == expected()) > 0.99


def test_a_transposed_model_of_swapped_images_is_computed_too():
    steps = (a_step("MatMul", "w1 x", "a", transpose_a=True), a_step("MatMul", "w2 a", "y", transpose_a=True))
    way = {"dataset": "mnist", "preparation": "rows and columns swapped", "scale": 1.0, "offset": -1.0}
    told = a_model(*steps, ways=[way], is_transposed=True, is_logits_transposed=True)
    rows = IMAGES.swapaxes(1, 2).reshape(-1, 16) - 1.0
    assert np.mean(computed(told) == (rows @ FIRST @ SECOND).argmax(axis=1)) > 0.98


NUMBERS = {
    "zero": an_array(0, "i8"),
    "one": an_array(1, "i8"),
    "large": an_array(np.ones((1_000, 700))),
    "long": an_array(np.ones((2, 1_000, 1_100))),
}


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (a_model(a_step("PyFunc", "x", "y")), "the operation PyFunc"),
        (a_model(a_step("MatMul", "x nothing", "y")), "does not fit together"),
        (a_model(a_step("MatMul", "x w2", "y")), "does not fit together"),
        (
            a_model(a_step("Fill", "huge w1", "y"), constants={"huge": an_array([10**6, 10**6], "i8")}),
            "too large",
        ),
        (
            a_model(a_step("Tile", "w1 huge", "y"), constants={"huge": an_array([10**6, 9], "i8")}),
            "too large",
        ),
        (a_model(a_step("Relu", "w1", "y")), "no logits come out"),
        (a_model(why_not="too many weights"), "too many weights"),
        (
            a_model(ways=[{"dataset": "mnist", "preparation": "grey", "scale": 1, "offset": 0}]),
            "prepared in another",
        ),
        (a_model(a_step("Range", "zero one zero", "y"), constants=NUMBERS), "does not fit together"),
        (a_model(a_step("Pack", " ".join(["large"] * 50), "y"), constants=NUMBERS), "too large"),
        (
            a_model(a_step("Einsum", "large large", "y", equation="ab,ac->bac"), constants=NUMBERS),
            "too large",
        ),
        (
            a_model(a_step("Einsum", "long long", "y", equation="abc,abd->acd"), constants=NUMBERS),
            "too large",
        ),
    ],
)
def test_what_cannot_be_computed_says_why(told, why):
    with pytest.raises(CannotComputeError, match=why):
        computed(told)


def test_a_model_that_keeps_much_is_given_up(monkeypatch):
    monkeypatch.setattr("grader.evidence.recomputing._MOST_BYTES", 1_000_000)
    given = {"much": an_array([100, 100], "i8"), "half": an_array(0.5, "f8")}
    kept = [a_step("Fill", "much half", f"kept{n}") for n in range(20)]
    used = [a_step("AddV2", f"kept{n} kept{n}", "z") for n in range(20)]
    with pytest.raises(CannotComputeError, match="too much at once"):
        computed(a_model(*kept, *used, *STEPS, constants=given))
    assert np.mean(computed(a_model(*kept, *STEPS, constants=given)) == expected()) > 0.99  # nobody uses them


def test_a_model_that_takes_long_is_given_up(monkeypatch):
    monkeypatch.setattr("grader.evidence.recomputing.SECONDS", 1.0)  # some machines are through in five
    large = an_array(np.ones((1000, 1000)))
    steps = [a_step("MatMul", "x w1", "a0")]
    steps += [a_step("MatMul", f"a{n} w2", f"a{n + 1}") for n in range(998)]
    told = a_model(*steps, values=[an_array(np.ones((16, 1000))), an_array(BIAS), large], logits="a998")
    with bounded(), pytest.raises(CannotComputeError, match="longer than"):
        computed(told)


def test_of_a_slow_model_fewer_images_are_computed(monkeypatch):
    ticks = itertools.count()
    monkeypatch.setattr("grader.evidence.recomputing.time.thread_time", lambda: next(ticks) * 0.1)
    classes = computed(a_model(batch=20))
    assert 200 <= len(classes) < len(IMAGES)
    assert np.mean(classes == expected()[: len(classes)]) > 0.99


def test_an_array_whose_length_is_not_its_shape_s_is_refused():
    with pytest.raises(ValueError, match="another length"):
        WrittenModel.model_validate(a_model(values=[an_array(FIRST) | {"shape": [16, 10**7]}]))


# Through the facts -------------------------------------------------------------------------------------

LABELS = expected().astype(np.uint8)
KEYS = {"mnist": Key(LABELS, np.arange(300, dtype=np.uint8) % 4, IMAGES)}
MANY = np.random.default_rng(6).integers(0, 256, (8_000, 4, 4), dtype=np.uint8)
OTHERS = np.arange(8_000, dtype=np.uint8) % 10
KEYS_OF_MANY = {"mnist": Key(OTHERS, np.zeros(8_000, dtype=np.uint8), MANY, secret=b"of the course")}


def told_by_a_room(classes: np.ndarray, keys: dict[str, Key] = KEYS, **model: Any) -> Any:
    encoded = base64.b64encode(classes.astype(np.uint8).tobytes()).decode()
    facts = [
        {"kind": "recorder"},
        {"kind": "predictions", "training": 1, "dataset": "mnist", "moment": "after", "classes": encoded},
        {"kind": "written", **(a_model() | model)},
    ]
    return measure(read_observed(facts), keys).trainings[0]


def test_predictions_of_the_weights_are_agreed_with():
    measured = told_by_a_room(expected())
    assert measured.accuracy > 0.99
    assert (measured.agreement or 0.0) > 0.99


def test_predictions_that_the_weights_do_not_give_are_a_forgery():
    """Also ones that are all right: as from a table of known images, or the nearest neighbours."""
    measured = told_by_a_room(LABELS, values=[an_array(FIRST), an_array(BIAS), an_array(SECOND[::-1])])
    assert measured.accuracy < 0.5
    assert (measured.agreement or 0.0) < 0.5
    seen = ObservedTraining(id=1, updates=500)
    assert "what its weights give" in doubt_about(Model(seen, measured))


def test_who_tells_the_truth_of_the_first_inputs_only_is_found_out():
    honest = computed(a_model(), MANY)
    assert told_by_a_room(honest, KEYS_OF_MANY).agreement == 1.0
    forged = np.where(np.arange(8_000) < 2_000, honest, OTHERS)
    measured = told_by_a_room(forged, KEYS_OF_MANY)
    assert measured.accuracy < 0.3
    assert measured.agreement < 0.6


def test_which_inputs_are_computed_with_hangs_on_the_secret_and_on_the_answers():
    model = WrittenModel.model_validate(a_model(batch=30))
    first, second = (drawn(model, 7_000, np.random.default_rng(seed)) for seed in (1, 2))
    places = np.concatenate(first)
    assert len(places) == len(set(places.tolist())) == 1_980
    assert set(places.tolist()) != set(np.concatenate(second).tolist())
    assert all(batch[0] % 30 == 0 and (np.diff(batch) == 1).all() for batch in first)
    assert [batch.tolist() for batch in drawn(model, 20, np.random.default_rng(1))] == [list(range(20))]


def test_images_are_drawn_one_by_one():
    model = WrittenModel.model_validate(a_model(a_step("MaxPool", "x", "y")))
    places = np.concatenate(drawn(model, 7_000, np.random.default_rng(1)))
    assert len(places) == len(set(places.tolist())) == 600
    assert places.max() > 6_500
    assert (np.diff(places) != 1).sum() > 500


@pytest.mark.parametrize("batch", [2_700, 4_001, 7_900])
def test_a_room_that_chooses_the_size_of_batches_hides_no_input(batch):
    """All that whole batches leave over would be forged."""
    honest = computed(a_model(), MANY)
    forged = np.where(np.arange(8_000) < 8_000 // batch * batch, honest, OTHERS)
    measured = told_by_a_room(forged, KEYS_OF_MANY, batch=batch)
    assert measured.accuracy == pytest.approx(np.mean(honest == OTHERS), abs=0.005)


NOTHING = [an_array(part) | {"scale": 0.0} for part in (FIRST, BIAS, SECOND)]
WITH_ONE_MORE = (*STEPS[:3], a_step("MatMul", "c w2", "z"), a_step("AddV2", "z far", "y"))


@pytest.mark.parametrize(
    "model",
    [
        {"values": NOTHING},
        {
            "steps": WITH_ONE_MORE,
            "values": [an_array(FIRST), an_array(BIAS), an_array(np.pad(SECOND, ((0, 0), (0, 1))))],
            "constants": {"far": an_array([*np.zeros(10), -1e6], "f8")},
        },
    ],
    ids=["all scores are equal", "one score makes all others about equal"],
)
def test_weights_that_leave_it_open_bear_out_no_forged_answers(model):
    measured = told_by_a_room(OTHERS, KEYS_OF_MANY, **model)
    assert measured.accuracy < 0.2
    assert measured.agreement < 0.2


def test_the_few_answers_that_may_differ_by_rounding_earn_nothing():
    honest = computed(a_model(), MANY)
    wrong = np.flatnonzero(honest != OTHERS)
    forged = honest.copy()
    forged[wrong[::50]] = OTHERS[wrong[::50]]
    measured = told_by_a_room(forged, KEYS_OF_MANY)
    assert measured.agreement >= 0.97
    assert measured.accuracy == pytest.approx(np.mean(honest == OTHERS), abs=0.008)


def test_where_computing_took_long_already_it_is_left(monkeypatch):
    monkeypatch.setattr("grader.evidence.measuring._COMPUTING_SECONDS", 0.0)
    measured = told_by_a_room(expected())
    assert (measured.agreement, measured.why_not_computed) == (None, "better ones were")


def test_a_convolutional_network_is_computed_from_what_was_written_down():
    kernel, dense = (
        np.random.default_rng(seed).normal(size=size) for seed, size in ((4, (3, 3, 1, 4)), (5, (4, 10)))
    )
    around = {"strides": [1, 1, 1, 1], "dilations": [1, 1, 1, 1], "padding": "SAME", "data_format": "NHWC"}
    steps = (
        a_step("Conv2D", "x w1", "a", **around),
        a_step("Relu", "a", "b"),
        a_step("Mean", "b axes", "c", keep_dims=False),
        a_step("MatMul", "c w2", "y"),
    )
    told = a_model(
        *steps,
        row_shape=[4, 4, 1],
        weights={"w1": 0, "w2": 1},
        values=[an_array(kernel), an_array(dense)],
        constants={"axes": an_array([1, 2], "i8")},
    )
    padded = np.pad(IMAGES / 255, ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    features = np.einsum("nhwij,ijc->nhwc", windows, kernel[:, :, 0])
    logits = np.maximum(features, 0).mean(axis=(1, 2)) @ dense
    assert np.mean(computed(told) == logits.argmax(axis=1)) > 0.99


def test_where_nothing_can_be_computed_the_reason_is_kept():
    assert (
        told_by_a_room(LABELS, why_not="a loop inside a function").why_not_computed
        == "a loop inside a function"
    )
    untold = told_by_a_room(LABELS, ways=[])
    assert untold.is_untold
    assert share_alike(np.zeros(0, np.uint8), np.zeros((3, 10))) is None


def test_a_class_that_is_best_but_for_rounding_agrees_and_no_other_does():
    scores = np.array([[0.0, 1.0, 0.995], [0.0, 1.0, 0.9], [5.0, 5.0, 5.0], [0.0, 1.0, np.nan], [0, 1, 2]])
    assert share_alike(np.array([2, 1, 0, 255, 2], np.uint8), scores) == 1.0
    assert share_alike(np.array([0, 2, 3, 1, 255], np.uint8), scores) == 0.0
