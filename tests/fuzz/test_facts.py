from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fuzz.strategies import ODD_JSON, TEXTS, fuzzed, in_time
from grader.evidence.image_operations import IMAGE_OPERATIONS
from grader.evidence.measured import Measured
from grader.evidence.measuring import Key, measure
from grader.evidence.modelled import WayFact
from grader.evidence.observed import Moment, Observed, UpdatePath, read_observed
from grader.evidence.operations import OPERATIONS, CannotComputeError
from grader.evidence.recomputing import recomputed, share_alike
from grader.execution.asking import Question
from grader.execution.drift import suggests_legacy_keras
from grader.execution.mends import is_known_mend
from grader.execution.modules import missing_module
from grader.model import CellRun, CellStatus, Limits, Run, RunStatus
from grader.sandbox.wire import parse_facts

NUMBERS = st.integers(-2, 10) | st.integers() | st.floats()
VALUES = {
    "kind": st.sampled_from(
        ["recorder", "training", "evaluation", "predictions", "replaced", "mend", "started"]
    )
    | TEXTS,
    "id": NUMBERS,
    "training": NUMBERS,
    "runs": st.lists(NUMBERS, max_size=3),
    "path": st.sampled_from([*UpdatePath]) | TEXTS,
    "gradients": NUMBERS,
    "updates": NUMBERS,
    "shapes": st.lists(st.lists(NUMBERS, max_size=3), max_size=3),
    "starts": st.lists(st.sampled_from(["zeros", "constant", "random"]) | TEXTS, max_size=3),
    "forward": st.lists(
        st.fixed_dictionaries(
            {"op": st.sampled_from(["MatMul", "Relu"]) | TEXTS}, optional={"weight": NUMBERS}
        ),
        max_size=4,
    ),
    "dataset": st.sampled_from(["mnist", "fashion_mnist", None]) | TEXTS,
    "scale": NUMBERS,
    "moment": st.sampled_from([*Moment]),
    "step": st.none() | NUMBERS,
    "fit": st.sampled_from(["", "x / 255"]),
    "classes": st.binary(max_size=150).map(lambda b: base64.b64encode(b).decode()) | TEXTS,
    "names": st.lists(st.sampled_from(["tf.matmul", "recorder: x"]) | ODD_JSON, max_size=3) | ODD_JSON,
    "run": NUMBERS,
    "word": TEXTS,
    "text": TEXTS,
    "name": TEXTS,
    "why_not": TEXTS,
    "part": st.sampled_from(["train", "test"]),
    "count": NUMBERS,
}
FACTS = st.fixed_dictionaries(
    {"kind": VALUES["kind"]},
    optional={name: value | ODD_JSON for name, value in VALUES.items() if name != "kind"},
)
LINES = st.lists(
    FACTS.map(lambda fact: json.dumps(fact).encode())
    | ODD_JSON.map(lambda v: json.dumps(v).encode())
    | st.binary(max_size=60),
    max_size=12,
).map(b"\n".join)
KEYS = {
    name: Key(labels=np.arange(120, dtype=np.uint8) % 10, kinds=np.arange(120, dtype=np.uint8) % 4)
    for name in ("mnist", "fashion_mnist")
}


@fuzzed
@given(LINES | st.binary(max_size=400))
def test_what_a_room_says_is_read(data: bytes) -> None:
    facts = in_time(parse_facts, data)
    believed = in_time(Question().believed, facts)
    observed = in_time(read_observed, believed)
    assert Observed.model_validate_json(observed.model_dump_json()).trainings is not None
    measured = in_time(measure, read_observed(facts).model_copy(update={"is_trusted": True}), KEYS)
    assert Measured.model_validate_json(measured.model_dump_json()) == measured
    for fact in facts:
        in_time(is_known_mend, fact.get("name"), fact.get("text"))
    assert all(json.dumps(fact).encode() for fact in believed)


@fuzzed
@given(
    TEXTS
    | st.builds(
        "{}{}".format, st.sampled_from(["ModuleNotFoundError: No module named '", "ValueError: "]), TEXTS
    ),
    TEXTS,
)
def test_messages_of_errors_are_read(message: str, version: str) -> None:
    in_time(missing_module, message)
    cells = (CellRun(cell=1, status=CellStatus.FAILED, error=message.encode("utf-8", "replace").decode()),)
    run = Run(key="0" * 64, status=RunStatus.CELL_FAILED, cells=cells, seed=0, limits=Limits())
    assert in_time(suggests_legacy_keras, run, version) in (True, False)


TENSORS = st.sampled_from(["x", "w", "b", "i", "j", "a", "c", "y"])
STEPS = st.fixed_dictionaries(
    {
        "op": st.sampled_from(sorted({*OPERATIONS, *IMAGE_OPERATIONS}))
        | st.sampled_from(["RandomUniform", "PyFunc"])
        | TEXTS,
        "inputs": st.lists(TENSORS, max_size=4),
        "outputs": st.lists(TENSORS, min_size=1, max_size=2),
        "attributes": st.dictionaries(
            st.sampled_from(["transpose_a", "keep_dims", "DstT", "axis", "equation", "begin_mask", "alpha"])
            | st.sampled_from(["strides", "dilations", "ksize", "padding", "explicit_paddings", "epsilon"]),
            st.booleans()
            | st.integers(-3, 30)
            | st.sampled_from(["ab,bc->ac", "...", "ab,ab", "SAME", "VALID", "EXPLICIT"])
            | st.lists(st.sampled_from([0, 1, 2, -1, 10**9, "x"]) | NUMBERS, max_size=8)
            | NUMBERS,
        ),
    }
)


def an_array(shape: list[int], kind: str, seed: int) -> dict[str, Any]:
    """Small numbers of a shape as a room tells them."""
    numbers = np.random.default_rng(seed).integers(-3, 5, shape).astype(f"<{kind}")
    return {"shape": shape, "type": kind, "data": base64.b64encode(numbers.tobytes()).decode()}


ARRAYS = st.builds(
    an_array, st.lists(st.integers(0, 6), max_size=4), st.sampled_from(["f2", "f8", "i8"]), st.integers(0, 99)
)
TOLD_MODELS = st.fixed_dictionaries(
    {"training": st.just(1), "entry": TENSORS, "logits": TENSORS, "steps": st.lists(STEPS, max_size=8)},
    optional={
        "row_shape": st.sampled_from([[784], [28, 28], [28, 28, 1], [0], [7]]),
        "is_transposed": st.booleans(),
        "is_integer": st.booleans(),
        "is_logits_transposed": st.booleans(),
        "batch": st.none() | st.integers(1, 50),
        "constants": st.dictionaries(TENSORS, ARRAYS, max_size=4),
        "weights": st.dictionaries(TENSORS, st.integers(-1, 3), max_size=3),
        "values": st.lists(ARRAYS, max_size=3),
        "why_not": st.just(""),
        "ways": ODD_JSON,
    },
)
IMAGES = np.arange(40 * 784, dtype=np.uint8).reshape(40, 28, 28)


@fuzzed
@given(TOLD_MODELS)
def test_models_are_computed_or_the_reason_is_said(told: dict[str, Any]) -> None:
    way = {"dataset": "mnist", "scale": 1 / 255, "offset": 0.0}
    observed = read_observed([{"kind": "written", **told}])
    models = observed.written or read_observed([{"kind": "written", **(told | {"ways": [way]})}]).written
    for model in models:
        try:
            scores = in_time(recomputed, model, WayFact.model_validate(way), IMAGES)
        except CannotComputeError as reason:
            said = str(reason)
        else:
            said = f"{share_alike(np.zeros(40, np.uint8), scores)} alike"
        assert said
