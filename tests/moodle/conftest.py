"""Worksheets on disk, and grades to put into them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from moodle.made_up import ENGLISH, quoted

from grader.model import CriterionGrade, Grade, Participant, Reason, met, needs_review, partly_met


@pytest.fixture
def worksheet(tmp_path: Path) -> Callable[..., Path]:
    """Writes a worksheet of the rows given and returns its path."""

    def make(
        rows: Sequence[Sequence[str]],
        *,
        header: Sequence[str] = ENGLISH,
        delimiter: str = ",",
        encoding: str = "utf-8",
        line_end: str = "\n",
        name: str = "Grades-A1.csv",
    ) -> Path:
        lines = [delimiter.join(map(quoted, row)) + line_end for row in (header, *rows)]
        path = tmp_path / name
        path.write_bytes("".join(lines).encode(encoding))
        return path

    return make


@pytest.fixture
def a_grade() -> Callable[..., Grade]:
    """Builds a grade of one criterion of 10 points, worth `score` of them, open when that is None."""

    def make(submission: str, score: str | None = "7.5", **participant: Any) -> Grade:
        reason = Reason(text="Because.")
        share = None if score is None else Decimal(score) / 10
        verdict = needs_review(reason) if share is None else met(reason)
        if share is not None and share < 1:
            verdict = partly_met(share, reason)
        whose = {"id": submission.rsplit("_", 1)[-1], "name": None} | participant
        return Grade(
            submission=submission,
            assignment="a1",
            participant=Participant(**whose),
            run_key=None,
            rubric_sha256="d" * 64,
            criteria=(CriterionGrade(id="a", title="A.", points=Decimal(10), verdict=verdict),),
        )

    return make
