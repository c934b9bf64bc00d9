"""Builders for the gradebook's tests."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from grader.gradebook import Gradebook
from grader.model import (
    CriterionGrade,
    Grade,
    Outcome,
    Override,
    Participant,
    Reason,
    Verdict,
)

FRACTIONS = {Outcome.MET: Decimal(1), Outcome.PARTLY_MET: Decimal("0.5"), Outcome.NOT_MET: Decimal(0)}


def _a_grade(submission: str = "Participant_101", **fields: Any) -> Grade:
    """A grade over two criteria, `a` (2 points) and `b` (1 point); outcomes by keyword."""
    outcomes = {"a": fields.pop("a", Outcome.MET), "b": fields.pop("b", Outcome.NEEDS_REVIEW)}
    text = fields.pop("text", "Because.")
    criteria = tuple(
        CriterionGrade(
            id=name,
            title=f"Criterion {name}.",
            points=Decimal(2 if name == "a" else 1),
            verdict=Verdict(outcome=outcome, fraction=FRACTIONS.get(outcome), reasons=(Reason(text=text),)),
        )
        for name, outcome in outcomes.items()
    )
    given: dict[str, Any] = {
        "assignment": "a1",
        "participant": Participant(id=submission.removeprefix("Participant_"), is_blind=True),
        "run_key": "c" * 64,
        "rubric_sha256": "d" * 64,
        "criteria": criteria,
    }
    return Grade(submission=submission, **{**given, **fields})


def _an_override(points: str = "0.5", **fields: Any) -> Override:
    given = {
        "submission": "Participant_101",
        "criterion": "b",
        "who": "TA",
        "when": datetime(2026, 5, 1, tzinfo=UTC),
    }
    return Override(**{**given, "points": Decimal(points), **fields})


@pytest.fixture
def a_grade() -> Callable[..., Grade]:
    return _a_grade


@pytest.fixture
def an_override() -> Callable[..., Override]:
    return _an_override


@pytest.fixture
def book_file(tmp_path: Path) -> Path:
    return tmp_path / ".grader" / "gradebook.sqlite"


@pytest.fixture
def book(book_file: Path) -> Iterator[Gradebook]:
    with Gradebook.open(book_file) as opened:
        yield opened
