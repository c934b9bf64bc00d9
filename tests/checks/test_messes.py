"""Messes that change nothing of what a notebook does: good work is never *not met* for them.

And the other way round: what was not done is not met by them.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from grader.checks.registry import all_checks
from grader.evidence.record import Evidence
from grader.model import Outcome, Participant, Submission
from grader.notebook.outputs import read_outputs
from grader.notebook.reading import read_notebook

Cells = list[dict[str, Any]]
HAND_INS = Path(__file__).parent / "hand_ins"
CHECKS = (
    *("hidden-layer", "nonlinear-activation", "random-initialisation", "low-level-tensorflow"),
    "evaluated-on-test-data",
)
DEMO = """(a_tr, b_tr), _ = tf.keras.datasets.mnist.load_data()
demo_w = tf.Variable(tf.zeros([784, 10]))
for i in range(100):
    with tf.GradientTape() as demo_tape:
        demo_x = tf.cast(a_tr[:128].reshape(-1, 784), tf.float32)
        demo_l = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=b_tr[:128], logits=demo_x @ demo_w))
    demo_w.assign_sub(0.1 * demo_tape.gradient(demo_l, demo_w))
"""  # noqa: E501
BESIDE = """keras_demo = tf.keras.Sequential([tf.keras.layers.Dense(64, "relu"), tf.keras.layers.Dense(10)])
keras_demo.compile("adam", tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True), ["accuracy"])
(k_x, k_y), _ = tf.keras.datasets.mnist.load_data()
keras_demo.fit(k_x.reshape(-1, 784), k_y)
"""
JUNK = (
    *("!nvidia-smi", "%load_ext tensorboard", "print(tf.__version__)", "%%time\npass", "?tf.matmul"),
    *("import warnings\nwarnings.filterwarnings('ignore')", "tf.random.set_seed(42)", "some = 5"),
    *("'''notes: relu is good'''", "def unused(a):\n    return a * 2", "%%capture\n!pip install tensorflow"),
    *("from google.colab import drive\ndrive.mount('/content/drive')", "#@title Setup", DEMO),
    "v = tf.Variable(3.0)\nwith tf.GradientTape() as t0:\n    z0 = v * v\nt0.gradient(z0, v)",
)
BROKEN = (
    "def later(:",
    "x = ",
    "for i in range(3)",
    "plt.plot(undefined_name)",
    "1/0",
    "raise ValueError('no')",
)


def a_code_cell(source: str) -> dict[str, Any]:
    return {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": None}


def add_junk(cells: Cells, random: Random) -> None:
    cells.insert(random.randrange(1, len(cells) + 1), a_code_cell(random.choice(JUNK)))


def add_text(cells: Cells, random: Random) -> None:
    text = random.choice(["# Überschrift", "Hier laden wir die Daten.", "Names: Alex Example", "## 2. Model"])
    place = random.randrange(len(cells) + 1)
    cells.insert(place, {"cell_type": "markdown", "metadata": {}, "source": text})


def break_the_end(cells: Cells, random: Random) -> None:
    cells.append(a_code_cell(random.choice(BROKEN)))


def add_keras(cells: Cells, random: Random) -> None:
    cells.append(a_code_cell(BESIDE))


def run_twice(cells: Cells, random: Random) -> None:
    place = random.randrange(len(cells))
    cells.insert(place + 1, dict(cells[place]))


def indent_by_tabs(cells: Cells, random: Random) -> None:
    cell = random.choice(cells)
    if "'''" not in cell["source"] and '"""' not in cell["source"]:
        cell["source"] = cell["source"].replace("    ", "\t")


def split_a_cell(cells: Cells, random: Random) -> None:
    place = random.randrange(len(cells))
    cell = cells[place]
    try:
        body = ast.parse(cell["source"]).body if cell["cell_type"] == "code" else []
    except SyntaxError:
        return
    if len(body) < 2:
        return
    second = random.choice(body[1:])
    first_line = min([second.lineno, *(d.lineno for d in getattr(second, "decorator_list", []))]) - 1
    lines = cell["source"].split("\n")
    if any((node.end_lineno or 0) > first_line for node in body[: body.index(second)]):
        return  # several statements on one line
    cells[place : place + 1] = [
        a_code_cell("\n".join(lines[:first_line])),
        {**cell, "source": "\n".join(lines[first_line:])},
    ]


def join_two_cells(cells: Cells, random: Random) -> None:
    place = random.randrange(len(cells))
    pair = cells[place : place + 2]
    if len(pair) < 2 or any(c["cell_type"] != "code" or c["source"].startswith("%%") for c in pair):
        return
    joined = a_code_cell(pair[0]["source"] + "\n" + pair[1]["source"])
    joined["outputs"] = pair[0]["outputs"] + pair[1]["outputs"]
    cells[place : place + 2] = [joined]


MESSES: tuple[Callable[[Cells, Random], None], ...] = (
    *(add_junk, add_text, break_the_end, run_twice, indent_by_tabs, split_a_cell, join_two_cells),
)


def verdicts(cells: Cells, metadata: dict[str, Any]) -> dict[str, Outcome]:
    notebook = read_notebook(json.dumps(metadata | {"cells": cells}).encode())
    submission = Submission(
        id="one",
        assignment="a1",
        participant=Participant(id="1"),
        folder=Path("a1/one"),
        notebook="a1.ipynb",
        notebook_sha256="0" * 64,
    )
    evidence = Evidence(submission=submission, notebook=notebook, saved=read_outputs(notebook))
    checks = all_checks()
    return {name: checks[name](evidence, checks[name].parameters()).outcome for name in CHECKS}


def told(text: str) -> dict[str, str]:
    lines = [line.removeprefix("verdicts:") for line in text.split("\n") if line.startswith("verdicts:")]
    return dict(pair.split("=") for line in lines for pair in line.split())


TEXTS = {file.stem: file.read_text("utf-8") for file in sorted(HAND_INS.glob("*.txt"))}
GOOD = [name for name, text in TEXTS.items() if all(told(text).get(check) == "met" for check in CHECKS)]
LACKING = [name for name, text in TEXTS.items() if "not_met" in (told(text).get(check) for check in CHECKS)]


@given(st.sampled_from(GOOD), st.integers(0, 2**32))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_good_work_is_never_lost_in_a_mess(notebook_of, name, seed):
    random = Random(seed)
    notebook = notebook_of(TEXTS[name])
    messes = random.choices((*MESSES, add_keras), k=random.randrange(1, 7))
    for mess in messes:
        mess(notebook["cells"], random)
    found = verdicts(notebook.pop("cells"), notebook)
    lost = {check for check, outcome in found.items() if outcome in (Outcome.NOT_MET, Outcome.PARTLY_MET)}
    assert lost == set(), [mess.__name__ for mess in messes]


@given(st.sampled_from(LACKING), st.integers(0, 2**32))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_a_mess_meets_nothing_that_was_not_done(notebook_of, name, seed):
    random = Random(seed)
    notebook = notebook_of(TEXTS[name])
    for mess in random.choices(MESSES, k=random.randrange(1, 6)):
        mess(notebook["cells"], random)
    found = verdicts(notebook.pop("cells"), notebook)
    lacking = {check for check, outcome in told(TEXTS[name]).items() if outcome == "not_met"} & set(CHECKS)
    assert [check for check in lacking if found[check] is Outcome.MET] == []


def test_there_are_enough_of_both():
    assert len(GOOD) >= 15
    assert len(LACKING) >= 8
