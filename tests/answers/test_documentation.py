"""The example of docs/answers.md works as it stands there."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.evidence.record import Evidence
from grader.rubric import Rubric, read_rubric

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "answers.md").read_text("utf-8")


@pytest.fixture(scope="module")
def rubric(tmp_path_factory: pytest.TempPathFactory) -> Rubric:
    criterion, questions = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.M | re.S)
    folder = tmp_path_factory.mktemp("rubrics")
    head = "schema: 1\nassignment: a1\ntitle: One question\nedition: 2026\nscale: points\ncriteria:\n"
    (folder / "a1.yaml").write_text(head + criterion, "utf-8")
    (folder / "a1").mkdir()
    (folder / "a1" / "answers.yaml").write_text(questions, "utf-8")
    return read_rubric(folder / "a1.yaml", datasets=[])


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("With a bias, the line can be shifted.", "met"),
        ("Die Gerade kann dann verschoben werden.", "met"),
        ("Without a bias every line goes through the origin.", "met"),
        ("It is only there to make the training faster.", "not_met"),
        ("With a bias every line goes through the origin.", "needs_review"),
        ("With dropout, the line can be shifted.", "needs_review"),
        ("I am not sure, but the line can be shifted.", "needs_review"),
        ("It is useful for the network.", "needs_review"),
    ],
)
def test_the_example_decides_what_is_clear(
    rubric: Rubric, an_evidence: Callable[..., Evidence], answer: str, outcome: str
) -> None:
    evidence = an_evidence("Why does a layer have a bias?", answer)
    (criterion,) = rubric.criteria
    verdict = criterion.check(evidence, criterion.parameters)
    assert verdict.outcome.value == outcome, verdict.reasons


def test_every_key_of_the_tables_is_one_that_a_file_may_have() -> None:
    keys = re.findall(r"^\| `([a-z_]+)", PAGE, re.M)
    source = (ROOT / "grader" / "answers" / "questions.py").read_text("utf-8")
    assert {"says", "said", "below", "mistake"} <= set(keys)
    assert [
        key for key in keys if not re.search(rf"\b{key}\b", source) and key not in ("same", "neuron", "a")
    ] == []
