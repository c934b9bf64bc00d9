from __future__ import annotations

from xml.etree import ElementTree

from grader.evidence.around import ObservedPipeline
from grader.evidence.observed import Observed, ObservedTraining
from grader.model import Reason, met
from grader.report.pictures.pipelines import pipelines_seen
from grader.report.pictures.svg import WIDTH

NODES = [
    {"op": "from_tensor_slices", "tensors": [{"dtype": "uint8", "shape": (60000, 28, 28)}]},
    {"op": "map", "arguments": {"function": "prepare"}, "inputs": [0]},
    {"op": "shuffle", "arguments": {"buffer_size": 10000, "seed": 3}, "inputs": [1]},
    {"op": "repeat", "arguments": {"count": -1}, "inputs": [2]},
    {"op": "batch", "arguments": {"batch_size": 64, "drop_remainder": False}, "inputs": [3]},
    {"op": "prefetch", "arguments": {"buffer_size": -1}, "inputs": [4]},
]
ELEMENTS = [
    {"dtype": "float32", "shape": (64, 784), "least": 0, "largest": 1},
    {"dtype": "int32", "shape": (64,), "least": 0, "largest": 9},
]


def observed(nodes=NODES, elements=ELEMENTS, is_trusted=True):
    pipeline = ObservedPipeline.model_validate({"id": 1, "nodes": nodes, "elements": elements, "draws": 300})
    training = ObservedTraining.model_validate(
        {
            "id": 1,
            "updates": 300,
            "shapes": ((784, 100), (100,), (100, 10)),
            "pipelines": [{"id": 1, "steps": 300}],
        }
    )
    return Observed(is_trusted=is_trusted, pipelines=(pipeline,), trainings=(training,))


def pictures(an_evidence, a_criterion, seen):
    return list(pipelines_seen(an_evidence(observed=seen), a_criterion(met(Reason(text="Seen.")))))


def test_operations_what_was_given_and_what_was_fed_stand_one_below_the_other(an_evidence, a_criterion):
    (picture,) = pictures(an_evidence, a_criterion, observed())
    assert picture.description.split("; ") == [
        "from_tensor_slices(): of uint8 (60,000, 28, 28)",
        "map(prepare)",
        "shuffle(10,000, seed=3)",
        "repeat()",
        "batch(64)",
        "prefetch(AUTOTUNE)",
        "gives: images: float32 (64, 784), values from 0 to 1, labels: int32 (64), values from 0 to 9",
        "feeds a training: its weights: 784 → 100 → 10, 300 of 300 steps.",
    ]


def test_whatever_was_seen_fits_the_picture(an_evidence, a_criterion):
    long = [{"op": f"operation_{'x' * 80}", "inputs": [place - 1] if place else []} for place in range(50)]
    (picture,) = pictures(an_evidence, a_criterion, observed(nodes=long, elements=[]))
    drawn = ElementTree.fromstring(picture.svg("x"))
    texts = [node.text or "" for node in drawn.iter() if node.tag.endswith("}text") or node.tag == "text"]
    assert texts
    assert max(len(text) for text in texts) * 6.8 < WIDTH
    assert "and 34 more operations" in texts
    assert "what it gave was not seen" in texts


def test_nothing_is_drawn_of_what_is_not_trusted(an_evidence, a_criterion):
    assert pictures(an_evidence, a_criterion, observed(is_trusted=False)) == []
