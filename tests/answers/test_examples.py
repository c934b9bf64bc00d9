"""Labelled answers beside a rubric: what is read, and what is said about a wrong file."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from grader.answers.examples import FEWEST_OF_EACH, Label, read_examples
from grader.answers.questions import read_questions
from grader.errors import RubricError

ROOT = Path(__file__).resolve().parents[2]
ZEROS = (ROOT / "rubrics" / "a1" / "zeros.jsonl").read_text("utf-8")


def a_file(**counts: int) -> str:
    return "\n".join(
        json.dumps({"set": "own", "language": "en", "kind": "right", "expect": label, "text": f"no. {n}"})
        for label, count in counts.items()
        for n in range(count)
    )


def test_ours_are_read() -> None:
    counts = Counter(one.expect for one in read_examples(ZEROS))
    assert counts.total() == ZEROS.count("\n")
    assert min(counts[label] for label in Label) >= FEWEST_OF_EACH


def test_no_answer_that_measures_is_learned_from() -> None:
    own = (one for one in read_examples(ZEROS) if one.kind != "copied")  # not the task's text
    learned = {" ".join(one.text.split()) for one in own}
    for folder in ("ordinary", "second_reading"):
        files = sorted((ROOT / "tests" / "answers" / folder).glob("*.yaml"))
        assert files
        for file in files:
            text = " ".join(file.read_text("utf-8").split())
            copied = [one for one in learned if len(one) > 40 and one in text]
            assert copied == []


def test_other_line_ends_may_stand_in_a_text() -> None:
    content = a_file(met=30, not_met=30, review=30).replace("no. 7", "no.\u2028seven\x85")
    assert read_examples(content)[7].text == "no.\u2028seven\x85"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "there are 0 answers labelled 'met', and 30 are needed: add some, or leave `examples` out"),
        (a_file(met=30, not_met=30, review=29), "there are 29 answers labelled 'review'"),
        (a_file(met=1, good=1), "line 2 is no labelled answer (expect: "),
        ("[]", "line 1 is no labelled answer (Input should be an object): write"),
        (a_file(met=1) + "\n\n" + a_file(met=1), "line 2 is no labelled answer"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(content: str, sentence: str) -> None:
    with pytest.raises(ValueError) as raised:
        read_examples(content)
    assert str(raised.value).startswith(sentence)


def test_a_question_names_a_file_beside_it(tmp_path: Path) -> None:
    questions = tmp_path / "answers.yaml"
    head = "schema: 1\nquestions:\n  why:\n    asks: Why?\n    words: [why]\n"
    questions.write_text(head + "    examples: own.jsonl\n", "utf-8")
    with pytest.raises(RubricError, match=r"line 6: own\.jsonl cannot be read \(No such file"):
        read_questions(questions)
    (tmp_path / "own.jsonl").write_text("no", "utf-8")
    with pytest.raises(RubricError, match=r"line 6: own\.jsonl: line 1 is no labelled answer"):
        read_questions(questions)
    (tmp_path / "own.jsonl").write_bytes(b"\xff")
    with pytest.raises(RubricError, match=r"line 6: own\.jsonl is not UTF-8 text: save"):
        read_questions(questions)
    content = a_file(met=30, not_met=30, review=30)
    (tmp_path / "own.jsonl").write_text(content, "utf-8")
    assert read_questions(questions)["why"].examples == content
    questions.write_text(head + "    examples: ../own.jsonl\n", "utf-8")
    with pytest.raises(RubricError, match="line 6: `examples`"):
        read_questions(questions)
