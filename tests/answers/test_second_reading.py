"""An answer that is read twice: decided where both readings agree, never wrong by the second alone."""

from __future__ import annotations

import pytest

from grader.answers import second_reading
from grader.answers.examples import Label
from grader.answers.judging import Stand
from grader.answers.questions import Question
from grader.answers.second_reading import chances, judge_twice, reads_as_none
from grader.notebook.prose import Passage

RIGHT = "All neurons of a layer get the same gradient, so they stay the same."
PART = "All neurons have the same output."
WRONG = "With zeros one divides by zero and gets NaN."
UNSURE = f"I am not sure. {RIGHT}"
BOTH = f"{RIGHT} Also one divides by zero."


def a_passage(question: Question, text: str) -> Passage:
    return Passage(cell=1, text=text, answers_to=question.asks)


@pytest.mark.parametrize(
    ("text", "reads", "sure", "stand"),
    [
        (RIGHT, Label.MET, 0.8, Stand.RIGHT),
        (RIGHT, Label.MET, 0.79, Stand.OPEN),
        (RIGHT, Label.NOT_MET, 1.0, Stand.OPEN),
        (RIGHT, Label.REVIEW, 1.0, Stand.OPEN),
        (PART, Label.MET, 0.8, Stand.RIGHT),
        (PART, Label.MET, 0.79, Stand.OPEN),
        (PART, Label.NOT_MET, 1.0, Stand.OPEN),
        (WRONG, Label.NOT_MET, 0.8, Stand.WRONG),
        (WRONG, Label.NOT_MET, 0.79, Stand.OPEN),
        (WRONG, Label.MET, 1.0, Stand.OPEN),
        (UNSURE, Label.MET, 1.0, Stand.OPEN),
        (BOTH, Label.MET, 1.0, Stand.OPEN),
        ("Nobody knows.", Label.MET, 1.0, Stand.OPEN),
        ("Nobody knows.", Label.NOT_MET, 1.0, Stand.OPEN),
    ],
)
def test_it_is_decided_where_both_readings_agree(
    text: str,
    reads: Label,
    sure: float,
    stand: Stand,
    questions: dict[str, Question],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rest = next(label for label in Label if label is not reads)
    monkeypatch.setattr(
        second_reading,
        "chances",
        lambda examples, text: {**dict.fromkeys(Label, 0.0), rest: 1 - sure, reads: sure},
    )
    assert judge_twice(questions["zeros"], [a_passage(questions["zeros"], text)]).stand is stand


def test_without_labelled_answers_it_is_read_once(questions: dict[str, Question]) -> None:
    alone = questions["zeros"].model_copy(update={"examples": ""})
    for text, stand in ((RIGHT, Stand.RIGHT), (PART, Stand.OPEN), (WRONG, Stand.WRONG)):
        judged = judge_twice(alone, [a_passage(alone, text)])
        assert (judged.stand, judged.is_likened) == (stand, False)
    assert reads_as_none(alone, [a_passage(alone, RIGHT)])


def test_chances_are_shares_and_always_the_same(questions: dict[str, Question]) -> None:
    told = chances(questions["zeros"].examples, RIGHT)
    assert set(told) == set(Label)
    assert sum(told.values()) == pytest.approx(1)
    second_reading._learned.cache_clear()
    assert chances(questions["zeros"].examples, RIGHT) == pytest.approx(told)


def test_what_labelled_answers_say_reads_as_they_are_labelled(questions: dict[str, Question]) -> None:
    examples = questions["zeros"].examples
    assert chances(examples, "Then all units stay alike, for they get the same gradient.")[Label.MET] > 0.8
    assert chances(examples, "The training only takes longer then, it ends the same.")[Label.NOT_MET] > 0.5
    assert chances(examples, "It has to do with vanishing gradients.")[Label.REVIEW] > 0.8
