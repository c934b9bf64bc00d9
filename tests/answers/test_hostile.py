"""Texts that mean harm: read in bounded time, never obeyed, never a crash."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from bounded import bounded
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.answers.clauses import sentences_of
from grader.answers.judging import judge
from grader.answers.orders import orders_told
from grader.answers.questions import Question
from grader.notebook.answering import find_answer, text_beside
from grader.notebook.prose import Passage, read_prose
from grader.notebook.records import Cell, CellKind, Notebook


@pytest.mark.parametrize(
    "piece",
    ["same ", "neuron same gradient ", "not ", "shuffle, ", "shuffle -> batch -> ", "a, ", "? ", "\n", "S-B-",
     "batch epoch mixed ", "((", "|", "e.g. ", "before ", "x" * 1000],
)  # fmt: skip
def test_megabytes_are_read_in_bounded_time(piece: str, questions: dict[str, Question]) -> None:
    text = piece * (2_000_000 // len(piece))
    notebook = Notebook(cells=(Cell(number=1, kind=CellKind.MARKDOWN, source=text),))
    prose = read_prose(notebook)
    with bounded():
        for name in ("zeros", "interface"):
            question = questions[name]
            judge(question, find_answer(prose, question_words=question.words, question=question.asks))
        orders_told(text_beside(prose, questions["orders"].asks), {}, questions["orders"])


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                *("same", "neurons", "zero", "random", "not", "no", "shuffle", "batch", "repeat", "epoch"),
                *(",", ".", "?", "!", ";", ":", "(", ")", "->", "|", "\n", "*", "`", "0"),
                *("and", "because", "instead", "of", "S-B-R", "before", "after", "twice", "maybe"),
            ]
        ),
        max_size=60,
    )
)
def test_no_text_crashes_the_reader(questions: dict[str, Question], words: list[str]) -> None:
    passage = Passage(cell=1, text=" ".join(words))
    for sentence in sentences_of(passage.text):
        assert passage.text[sentence.start : sentence.end].strip()
    judge(questions["zeros"], [passage])
    judge(questions["interface"], [passage])
    orders_told([passage], {1: "shuffle-batch-repeat"}, questions["orders"])


def test_many_passages_are_read_in_bounded_time(
    questions: dict[str, Question], an_evidence: Callable[..., object]
) -> None:
    passages = [
        Passage(cell=n, text="batch, shuffle, repeat: whole batches are shuffled") for n in range(1, 5001)
    ]
    with bounded():
        told = orders_told(passages, {}, questions["orders"])
    assert len(told.spoken) >= 5000
