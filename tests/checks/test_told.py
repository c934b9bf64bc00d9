"""What text, comments and noted numbers tell of work that is no longer in the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from grader.checks.told import tells_of, tells_of_experiments
from grader.evidence.record import Evidence
from grader.model import Participant, Submission
from grader.notebook.outputs import read_outputs
from grader.notebook.records import Cell, CellKind, Notebook


def evidence(code: str = "x = 1", text: str = "") -> Evidence:
    cells = [Cell(number=1, kind=CellKind.CODE, source=code)]
    if text:
        cells.append(Cell(number=2, kind=CellKind.MARKDOWN, source=text))
    notebook = Notebook(cells=tuple(cells))
    submission = Submission(
        id="one",
        assignment="a1",
        participant=Participant(id="1"),
        folder=Path("a1/one"),
        notebook="a1.ipynb",
        notebook_sha256="0" * 64,
    )
    return Evidence(submission=submission, notebook=notebook, saved=read_outputs(notebook))


@pytest.mark.parametrize(
    "text",
    [
        "With sigmoid the network learns slowly.",
        "Small initialisation is fine, big initialisation diverges.",
        "ReLU works best.",
        "A hidden size of 16 leads to underfitting.",
        "Bei sigmoid lernt das Netz langsam, mit relu schnell.",
        "Tanh und ReLU sind gleich gut.",
        "I played around with the number of neurons.",
        "We tested 32, 64 and 128 units.",
        "Das Netz mit 10 Neuronen war zu klein.",
        "16 -> 90, 64 -> 94, 256 -> 95",
        "| h | acc |\n|---|---|\n| 16 | 91 |\n| 32 | 93 |",
        "Learning rate 1.0 explodes.",
        "Hidden layer size 5: bad. Hidden layer size 500: good.",
        "Eine zweite verdeckte Schicht bringt 1 % dazu.",
        "0.91 then 0.95",
        "siehe Anhang",
        "![curves](curves.png)",
    ],
)
def test_words_about_experiments_are_heard(text):
    assert tells_of_experiments(evidence(text=text))


@pytest.mark.parametrize(
    "text",
    [
        "# Assignment 1\n\nNames: Alex Example (234567), Sam Sample (234568)",
        "With zeros all hidden neurons are equal, they get the same gradient and stay equal.",
        "I think one should wrap the layers and the training step.",
        "## 2. Model",
        "25.04.2026",
    ],
)
def test_answers_names_and_headings_tell_of_none(text):
    assert not tells_of_experiments(evidence(text=text))


@pytest.mark.parametrize(
    "code",
    [
        "# hidden = tf.nn.tanh(x @ w)",
        "plt.plot([16, 32, 64], [0.91, 0.93, 0.95])",
        "results = {'relu': 95.1, 'tanh': 94.2, 'sigmoid': 90.0}",
        "size = int(input('hidden size? '))",
        "import numpy as np\naccuracies = np.load('accuracies.npy')",
    ],
)
def test_code_out_of_use_noted_results_and_settings_that_are_asked_for_tell_of_experiments(code):
    assert tells_of_experiments(evidence(code))


@pytest.mark.parametrize("code", ["# training data", "shape = (28, 28, 1)", "sizes = [784, 128, 10]"])
def test_plain_code_tells_of_none(code):
    assert not tells_of_experiments(evidence(code))


def test_only_a_line_with_a_result_or_a_trial_tells_of_a_thing():
    fashion = re.compile("fashion", re.IGNORECASE)
    assert tells_of(evidence(text="On Fashion-MNIST it reaches 85 %."), fashion) == 2
    assert tells_of(evidence(text="Bonus: Fashion-MNIST"), fashion) is None
    assert tells_of(evidence(text="Bonus: Fashion-MNIST\n\nOur model reaches 93 %."), fashion) is None
