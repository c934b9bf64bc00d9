"""Facts about orders as a plain Python pipeline gives them, and notebooks of text cells."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from oracles.plain import found_with, makers

from grader.answers.questions import Question, read_questions
from grader.evidence.record import Evidence
from grader.model import Participant, Submission
from grader.notebook.outputs import read_outputs
from grader.notebook.records import Cell, CellKind, Notebook
from grader.oracles.references import References

RUBRICS = Path(__file__).resolve().parents[2] / "rubrics"


@pytest.fixture(scope="session")
def references() -> References:
    """What the experiment with orders finds; that tf.data gives the same is tested in tests/oracles."""
    return References(orders=found_with(makers()))


@pytest.fixture(scope="session")
def questions() -> dict[str, Question]:
    return {
        name: question
        for assignment in ("a1", "a2")
        for name, question in read_questions(RUBRICS / assignment / "answers.yaml").items()
    }


@pytest.fixture
def an_evidence(references: References) -> Callable[..., Evidence]:
    """Builds evidence from cells: a text is Markdown, `("code", source)` is code."""

    def build(*cells: str | tuple[str, str], **changes: object) -> Evidence:
        told = [("markdown", cell) if isinstance(cell, str) else cell for cell in cells]
        notebook = Notebook(
            cells=tuple(
                Cell(number=number, kind=CellKind(kind), source=source)
                for number, (kind, source) in enumerate(told, start=1)
            )
        )
        submission = Submission(
            id="one",
            assignment="a2",
            participant=Participant(),
            folder=Path("a2/one"),
            notebook="a2.ipynb",
            notebook_sha256="0" * 64,
        )
        fields = {
            "submission": submission,
            "notebook": notebook,
            "saved": read_outputs(notebook),
            "references": references,
        }
        return Evidence.model_validate({**fields, **changes})

    return build
