from __future__ import annotations

from pathlib import Path

import pytest

from grader.answers.questions import is_met, read_questions
from grader.errors import RubricError

RIGHT = """
schema: 1
groups:
  unit: [neuron*, hidden unit*]
questions:
  zeros:
    asks: Why not zeros?
    words: [zero]
    subjects:
      zeros: {named: [zero*], default: true}
    claims:
      alike: {says: All are alike., said: ["<unit> .. same"], true_of: [zeros]}
    met: [alike]
"""


def told(tmp_path: Path, text: str) -> list[str]:
    """What is wrong with a file, without its name."""
    path = tmp_path / "answers.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(RubricError) as caught:
        read_questions(path)
    return [line.partition(", ")[2] for line in str(caught.value).split("\n")]


def test_a_file_gives_its_questions(tmp_path: Path) -> None:
    (tmp_path / "answers.yaml").write_text(RIGHT, "utf-8")
    question = read_questions(tmp_path / "answers.yaml")["zeros"]
    assert question.asks == "Why not zeros?"
    assert question.claims[0].said == ("<unit> .. same",)
    assert question.subjects[0].is_default


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("<unit>", "<units>", "line 12: there is no group 'units'; there are unit"),
        ("true_of: [zeros]", "true_of: [zero]", "line 12: there is no subject 'zero': did you mean 'zeros'?"),
        ("met: [alike]", "met: [alikes]", "line 13: there is no claim 'alikes': did you mean 'alike'?"),
        ("says:", "say:", "line 12: unknown key `say`: did you mean 'says'?"),
        (
            "true_of: [zeros]",
            "true_if: [epoch-separate]",
            "line 12: there is no fact 'epoch-separate': did you mean 'epochs-separate'?",
        ),
        ("neuron*, hidden", "neuron*, (hidden", "line 4: '(hidden unit*' in the group 'unit' is neither"),
        ("asks: Why not zeros?", "", "line 6: `asks` is missing"),
        ("schema: 1", "schema: 2", "line 2: `schema`: should be less than or equal to 1, not 2"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    assert any(line.startswith(sentence) for line in told(tmp_path, RIGHT.replace(old, new))), told(
        tmp_path, RIGHT.replace(old, new)
    )


@pytest.mark.parametrize(
    ("conditions", "asserted", "denied", "expected"),
    [
        (["a"], {"a"}, set(), True),
        (["a"], set(), {"a"}, True),
        (["not a"], {"a"}, set(), False),
        (["not a"], set(), {"a"}, True),
        (["a and b"], {"a"}, set(), False),
        (["a and b"], {"a"}, {"b"}, True),
        (["a and b", "c"], {"c"}, set(), True),
        ([], {"a"}, set(), False),
    ],
)
def test_a_condition_asks_for_its_claims(
    conditions: list[str], asserted: set[str], denied: set[str], expected: bool
) -> None:
    assert is_met(conditions, asserted, denied) is expected
