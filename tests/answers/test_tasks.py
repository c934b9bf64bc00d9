"""What is taken for the task's own text, and what a student says to "you" is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from grader.answers.tasks import is_of_the_task
from grader.notebook.prose import Passage

LABELLED = [
    entry
    for file in sorted(Path(__file__).parent.glob("*/*.yaml"))
    for entry in yaml.safe_load(file.read_text("utf-8"))
    if isinstance(entry, dict) and "text" in entry
]


def texts(kinds: set[str]) -> list[Any]:
    return [entry["text"].strip() for entry in LABELLED if entry["kind"] in kinds]


def test_no_right_answer_is_taken_for_the_task():
    right = texts({"right"})
    assert len([text for text in right if " you " in text]) > 20
    assert [text for text in right if is_of_the_task(Passage(cell=1, text=text))] == []


@pytest.mark.parametrize(
    "text",
    [
        "There you are!",
        "What do you think is the most sensible order?",
        "Next, explore what you have built: try other sizes. See how your changes affect the results.",
        "Think about how the results differ. You can experiment with a simple dataset.",
        "A description of what the orders do, and which one you think is the most sensible.",
    ],
)
def test_what_asks_or_tells_the_reader_is_of_the_task(text):
    assert is_of_the_task(Passage(cell=1, text=text))


@pytest.mark.parametrize(
    "text",
    [
        "If you start with zeros, you get the same gradient for every neuron. You never break the symmetry.",
        "Think of a book: every epoch you read its chapters in another order.",
        "Probably because then all neurons would learn the same?",
    ],
)
def test_what_explains_to_anybody_is_not(text):
    assert not is_of_the_task(Passage(cell=1, text=text))
