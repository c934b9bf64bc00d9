"""Builders for grades, evidence and notebooks, given to tests as functions."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from grader.evidence.record import Evidence
from grader.model import (
    CriterionGrade,
    DatasetOrigin,
    DatasetUse,
    Grade,
    Limits,
    Participant,
    Reason,
    Run,
    RunStatus,
    Submission,
    Verdict,
    met,
)
from grader.notebook.records import Cell, CellKind, Notebook, Output, OutputKind, Readings

SHA = "a" * 64


def _picture(width: int = 3, height: int = 2, kind: str = "PNG") -> str:
    data = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(data, kind)
    return base64.b64encode(data.getvalue()).decode()


def _code(source: str, *outputs: Output) -> Callable[[int], Cell]:
    return lambda number: Cell(number=number, kind=CellKind.CODE, source=source, outputs=outputs)


def _markdown(source: str) -> Callable[[int], Cell]:
    return lambda number: Cell(number=number, kind=CellKind.MARKDOWN, source=source)


def _notebook(*cells: Callable[[int], Cell]) -> Notebook:
    return Notebook(cells=tuple(make(number) for number, make in enumerate(cells, 1)))


def _criterion(verdict: Verdict | None = None, **changes: Any) -> CriterionGrade:
    verdict = verdict or met(Reason(text="Your model has two hidden layers.", cell=1))
    return CriterionGrade(
        **{"id": "mlp", "title": "A deep model", "points": 3, "verdict": verdict, **changes}
    )


def _grade(*criteria: CriterionGrade, **changes: Any) -> Grade:
    fields: dict[str, Any] = {
        "submission": "Participant_101",
        "assignment": "a1",
        "participant": Participant(id="101", is_blind=True),
        "run_key": SHA,
        "rubric_sha256": SHA,
        "criteria": criteria or (_criterion(),),
    }
    return Grade(**{**fields, **changes})


def _run(**changes: Any) -> Run:
    fields: dict[str, Any] = {
        "key": SHA,
        "status": RunStatus.COMPLETED,
        "wall_seconds": 42.4,
        "seed": 1234,
        "limits": Limits(),
        "limits_in_force": ("wall clock", "memory"),
        "datasets": (DatasetUse(name="mnist", origin=DatasetOrigin.REAL, sha256=SHA),),
    }
    return Run(**{**fields, **changes})


def _evidence(notebook: Notebook | None = None, run: Run | None = None, **changes: Any) -> Evidence:
    submission = Submission(
        id="Participant_101",
        assignment="a1",
        participant=Participant(id="101", is_blind=True),
        folder=Path("submissions/a1/Participant_101"),
        notebook="my notebook.ipynb",
        notebook_sha256=SHA,
    ).model_copy(update=changes.pop("submission", {}))
    fields: dict[str, Any] = {
        "submission": submission,
        "notebook": notebook or _notebook(_code("x = 1")),
        "saved": Readings(),
        "run": run,
    }
    return Evidence(**{**fields, **changes})


def _printed(text: str, **changes: Any) -> Output:
    return Output(kind=OutputKind.STREAM, text=text, **changes)


@pytest.fixture
def a_picture() -> Callable[..., str]:
    """`a_picture(width, height, "PNG")`: base64 of a small image."""
    return _picture


@pytest.fixture
def code() -> Callable[..., Callable[[int], Cell]]:
    """`code(source, *outputs)`: a code cell that `a_notebook` will number."""
    return _code


@pytest.fixture
def markdown() -> Callable[..., Callable[[int], Cell]]:
    """`markdown(source)`: a Markdown cell that `a_notebook` will number."""
    return _markdown


@pytest.fixture
def a_notebook() -> Callable[..., Notebook]:
    """`a_notebook(*cells)`: a notebook, its cells numbered from 1."""
    return _notebook


@pytest.fixture
def a_criterion() -> Callable[..., CriterionGrade]:
    """`a_criterion(verdict, **fields)`: by default one of 3 points, met."""
    return _criterion


@pytest.fixture
def a_grade() -> Callable[..., Grade]:
    """`a_grade(*criteria, **fields)`: the grade of Participant_101."""
    return _grade


@pytest.fixture
def a_run() -> Callable[..., Run]:
    """`a_run(**fields)`: a completed run on real data."""
    return _run


@pytest.fixture
def an_evidence() -> Callable[..., Evidence]:
    """`an_evidence(notebook, run, **fields)`: evidence on Participant_101."""
    return _evidence


@pytest.fixture
def printed() -> Callable[..., Output]:
    """`printed(text)`: a piece of a stream."""
    return _printed
