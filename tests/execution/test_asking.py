from __future__ import annotations

import re

from grader.execution.asking import Question


def asked() -> tuple[Question, str]:
    question = Question()
    [word] = re.findall(r"'([0-9a-f]{32})'", question.cell("/harness", "/run/settings/inputs", 60.0))
    return question, word


def test_an_answer_is_believed_and_its_word_is_not_kept():
    question, word = asked()
    told = [
        {"kind": "training", "id": 1},
        {"kind": "replaced", "names": [], "word": word},
        {"kind": "predictions", "training": 1, "word": word},
    ]
    assert question.believed(told) == [{k: v for k, v in fact.items() if k != "word"} for fact in told[1:]]


def test_what_was_said_before_the_question_or_without_its_word_is_no_answer():
    question, word = asked()
    told = [
        {"kind": "predictions", "training": 1},
        {"kind": "replaced", "names": [], "word": "guessed"},
        {"kind": "replaced", "names": ["tf.function"], "word": word},
    ]
    assert question.believed(told) == [
        {"kind": "replaced", "names": ["tf.function"]},
        {"kind": "replaced", "names": ["recorder: imitated on the wire"]},
    ]


def test_graphs_are_told_in_answers_only():
    question, word = asked()
    told = [{"kind": "replaced", "names": [], "word": word}, {"kind": "graph", "model": 1, "operations": []}]
    assert question.believed(told)[-1]["names"] == ["recorder: imitated on the wire"]


def test_no_answer_is_told_only_where_there_was_a_question():
    question, _ = asked()
    assert question.believed([]) == [{"kind": "replaced", "names": ["recorder: gave no answer at the end"]}]
    assert Question().believed([{"kind": "started"}]) == [{"kind": "started"}]


def test_trainings_told_on_the_way_give_way_to_those_of_the_answer():
    question, word = asked()
    early = {"kind": "training", "id": 1, "updates": 900}
    answer = {"kind": "training", "id": 2, "updates": 60}
    replaced = {"kind": "replaced", "names": []}
    told = [{"kind": "recorder"}, early, replaced | {"word": word}, answer | {"word": word}]
    assert question.believed(told) == [{"kind": "recorder"}, replaced, answer]
    assert Question().believed([early]) == [early], "a run that was cut short has nothing better"


def test_a_kernel_that_ended_by_itself_is_told_of():
    [fact] = Question().believed([], is_gone=True)
    assert fact["names"] == ["recorder: gone with the kernel before it could answer"]


def test_no_two_questions_have_the_same_word():
    assert asked()[1] != asked()[1]
