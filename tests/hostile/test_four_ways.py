"""One notebook has the same verdicts and evidence cold, forked, alone and among ten."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.execution.local import LocalExecutor
from grader.model import RunStatus, Source
from grader.pipeline import grade
from grader.sandbox.sources import ColdRooms, ForkedRooms, RoomSource
from hostile.classroom import Outcomes, a_course, a_notebook, an_honest_notebook, hand_in

LIMITS = "{wall_seconds: 120, reserve_seconds: 30}"
ONE = 100
GREEDY = (
    "import os, threading, time\n"
    "def work():\n    while time.monotonic() < end: pass\n"
    "end = time.monotonic() + 4\n"
    "threads = [threading.Thread(target=work) for _ in range(16)]\n"
    "for thread in threads: thread.start()\nos.fork(); os.fork()\n"
    "while time.monotonic() < end: pass"
)
TRAINING = """
import numpy as np, tensorflow as tf
(images, labels), (test_images, test_labels) = tf.keras.datasets.mnist.load_data()
def prepare(pixels): return tf.reshape(tf.cast(pixels, tf.float32) / 255.0, [-1, 784])
w1 = tf.Variable(tf.random.normal([784, 32]) * 0.05); b1 = tf.Variable(tf.zeros([32]))
w2 = tf.Variable(tf.random.normal([32, 10]) * 0.05); b2 = tf.Variable(tf.zeros([10]))
weights = [w1, b1, w2, b2]
def model(x): return tf.nn.relu(x @ w1 + b1) @ w2 + b2
data = tf.data.Dataset.from_tensor_slices((images[:4000], labels[:4000])).shuffle(4000).batch(100)
@tf.function
def step(x, y):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(tf.cast(y, tf.int32), model(x)))
    for v, g in zip(weights, tape.gradient(loss, weights)): v.assign_sub(0.2 * g)
    return loss
for epoch in range(2):
    for x, y in data: loss = step(prepare(x), y)
    print("loss", float(loss))
right = np.argmax(model(prepare(test_images[:2000])).numpy(), 1) == test_labels[:2000]
print("test accuracy:", right.mean())
"""

NOTEBOOK = a_notebook([TRAINING], names="Names: Una Example")  # made once: its cells get ids by chance


def graded(root: Path, ready_data: Path, source: RoomSource, neighbours: int) -> Outcomes:
    """The notebook's grade, with `neighbours` hand-ins beside it in rooms that are open at the same time."""
    course = a_course(root, LIMITS, ready_data)
    hand_in(course, ONE, NOTEBOOK)
    for number in range(neighbours):
        hand_in(course, ONE + 1 + number, an_honest_notebook(number, f"witness {number}"))
    for number, name in enumerate(("Gero Gross", "Gerda Gross")[:neighbours]):
        hand_in(course, ONE + 1 + number, a_notebook([GREEDY], names=f"Names: {name}"))
    [result] = grade(course.root / "submissions", course, LocalExecutor(1 + neighbours, source))
    assert result.lost == ()
    return Outcomes(course, result)


@pytest.fixture(scope="module")
def outcomes(
    ready_data: Path, kernel_parent: ForkedRooms, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Outcomes]:
    ways: dict[str, tuple[RoomSource, int]] = {
        "cold, alone": (ColdRooms(), 0),
        "forked, alone": (kernel_parent, 0),
        "forked, among ten": (kernel_parent, 9),
    }
    root = tmp_path_factory.mktemp("ways")
    return {
        name: graded(root / str(number), ready_data, *way) for number, (name, way) in enumerate(ways.items())
    }


def test_the_notebook_is_measured_whichever_way_it_runs(outcomes):
    for name, outcome in outcomes.items():
        assert outcome.run(ONE).status is RunStatus.COMPLETED, (name, outcome.run(ONE))
        sources = {source for c in outcome.grades[ONE].criteria for source in c.verdict.sources}
        assert Source.MEASURED in sources, "a notebook that is not measured compares too little"
    assert len({outcome.run(ONE).key for outcome in outcomes.values()}) == 1


@pytest.mark.parametrize("way", ["forked, alone", "forked, among ten"])
def test_verdicts_and_evidence_are_those_of_a_cold_kernel_alone(outcomes, way):
    assert outcomes[way].comparable(ONE) == outcomes["cold, alone"].comparable(ONE)


def test_a_greedy_neighbour_takes_no_time_from_the_others_budget(outcomes):
    """The two with sixteen threads in four processes ran at the same time; nobody was cut short for it."""
    among = outcomes["forked, among ten"]
    assert len(among.grades) == 10
    assert {among.run(number).status for number in among.grades} == {RunStatus.COMPLETED}
