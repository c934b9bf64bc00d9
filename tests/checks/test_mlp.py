"""The checks of a model's structure, on invented hand-ins written in many manners (`hand_ins/*.txt`).

Such a file holds a notebook in the notation of the fixture `notebook_of`. `verdicts:` lines on top say what
checks must find.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grader.checks.registry import all_checks
from grader.evidence.record import Evidence
from grader.model import Participant, Source, Submission, Verdict
from grader.notebook.outputs import read_outputs
from grader.notebook.reading import read_notebook

HAND_INS = sorted((Path(__file__).parent / "hand_ins").glob("*.txt"))
SHORT: dict[str, tuple[str, dict[str, Any]]] = {
    "hidden-layers-2": ("hidden-layer", {"at_least": 2}),
    "fashion": ("trained-on", {"dataset": "fashion_mnist"}),
}


NotebookOf = Callable[[str], dict[str, Any]]


def evidence_of(notebook: dict[str, Any]) -> Evidence:
    read = read_notebook(json.dumps(notebook).encode())
    submission = Submission(
        id="one",
        assignment="a1",
        participant=Participant(id="1"),
        folder=Path("a1/one"),
        notebook="a1.ipynb",
        notebook_sha256="0" * 64,
    )
    return Evidence(submission=submission, notebook=read, saved=read_outputs(read))


def judge(evidence: Evidence, name: str) -> Verdict:
    check_name, parameters = SHORT.get(name, (name, {}))
    check = all_checks()[check_name]
    return check(evidence, check.parameters(**parameters))


def expected_of(text: str) -> dict[str, str]:
    lines = [line.removeprefix("verdicts:") for line in text.split("\n") if line.startswith("verdicts:")]
    return dict(pair.split("=") for line in lines for pair in line.split())


@pytest.mark.parametrize("file", HAND_INS, ids=lambda file: file.stem)
def test_a_hand_in_gets_the_verdicts_that_a_person_would_give(file: Path, notebook_of: NotebookOf) -> None:
    text = file.read_text(encoding="utf-8")
    evidence = evidence_of(notebook_of(text))
    expected = expected_of(text)
    verdicts = {name: judge(evidence, name) for name in expected}
    assert {name: verdict.outcome.value for name, verdict in verdicts.items()} == expected, "\n".join(
        f"{name}: {reason.text}" for name, verdict in verdicts.items() for reason in verdict.reasons
    )


@pytest.mark.parametrize("file", HAND_INS, ids=lambda file: file.stem)
def test_every_reason_says_where_its_fact_is_from(file: Path, notebook_of: NotebookOf) -> None:
    evidence = evidence_of(notebook_of(file.read_text(encoding="utf-8")))
    names = ["hidden-layer", "nonlinear-activation", "random-initialisation", "low-level-tensorflow"]
    for name in names:
        reasons = judge(evidence, name).reasons
        assert {reason.source for reason in reasons} <= {Source.SOURCE, Source.SAVED}
