"""Builders for grades, evidence and notebooks, given to tests as functions."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from grader.evidence.measured import Measured, MeasuredTraining
from grader.evidence.observed import Observed, ObservedTraining
from grader.evidence.record import Evidence
from grader.model import (
    Attachment,
    CellRun,
    CellStatus,
    CriterionGrade,
    DatasetOrigin,
    DatasetUse,
    Grade,
    Limits,
    Mend,
    Override,
    Participant,
    Reason,
    Run,
    RunStatus,
    Source,
    Submission,
    Verdict,
    met,
    needs_review,
    not_checked,
    not_met,
    partly_met,
)
from grader.notebook.outputs import read_outputs
from grader.notebook.records import Cell, CellKind, Notebook, Output, OutputKind, Readings
from grader.report.pages import render_class, render_submission
from grader.report.standing import standing_of

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


_TABLE = (
    "<table><thead><tr><th></th><th>size</th><th>accuracy</th></tr></thead><tbody><tr><th>0</th><td>64</td>"
)
_TABLE += "<td>0.94</td></tr></tbody></table>"


def _log(offset: float) -> str:
    lines = [
        f"step {step}: loss {1.5 / (1 + step):.3f} acc {0.9 - 0.5 / (1 + step) + offset:.3f}"
        for step in range(40)
    ]
    return "\n".join([*lines, f"Test accuracy: {0.91 + offset:.4f}"])


def _full_notebook(offset: float) -> Notebook:
    figure = Output(kind=OutputKind.DISPLAY, image=_picture(320, 200), text="<Figure>")
    table = Output(kind=OutputKind.DISPLAY, html=_TABLE, text="size accuracy")
    error = Output(kind=OutputKind.ERROR, text="NameError: h_1", error_name="NameError", error_value="h_1")
    last = [_printed("Test accuracy: 0.93")] if not offset else [error]
    return _notebook(
        _markdown(
            "# Assignment\n\n### Alex Example\n\n[docs](https://example.org) ![x](https://example.org/x.png)"
        ),
        _code("import tensorflow as tf\nw = tf.Variable(0.)  # a variable", _printed("2.16.1")),
        _code(
            "for step in range(40):\n    train(step)",
            _printed(_log(offset)),
            _printed("noise", is_stderr=True),
        ),
        _markdown("**Why?** With zeros all units stay alike.\n\n| a | b |\n|---|---|\n| 1 | 2 |"),
        _code("show(results)", table, figure),
        _code("h_1 @ w", *last),
    )


def _full_criteria() -> tuple[CriterionGrade, ...]:
    measured = Reason(text="Measured: 0.905. Asked for: 0.80.", numbers=(0.905, 0.8), source=Source.MEASURED)
    shown = Reason(text="Test accuracy 0.91, with `train`.", cell=3, numbers=(0.91,), source=Source.SAVED)
    code = Reason(text="`tf.Variable` is used.", cell=2, source=Source.SOURCE)
    answer = Reason(text="Cell 4: “With zeros all units stay alike.” " * 20, cell=4, source=Source.SOURCE)
    figure = Reason(text="A figure is shown.", cell=5, source=Source.SAVED)
    when = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    decision = Override(
        submission="s", criterion="d", points=Decimal(1), comment="Half of it.", who="A. Tutor", when=when
    )
    return (
        _criterion(met(measured, shown), id="accuracy", title="It is right.", check="accuracy-at-least"),
        _criterion(partly_met(Decimal("0.5"), code), id="b", title="It is low-level."),
        _criterion(not_met(figure), id="c", title="It was looked at.", is_bonus=True),
        _criterion(needs_review(answer), id="d", title="It is explained.", override=decision),
        _criterion(needs_review(answer), id="e", title="It is thought about."),
        _criterion(not_checked(Reason(text="A fault of ours.")), id="f", title="It is checked."),
    )


class Full:
    """Everything that a page can show: `grade`, `evidence` and the `executed` notebook of one hand-in."""

    def __init__(self) -> None:
        notebook, self.executed = _full_notebook(0.0), _full_notebook(-0.02)
        ran = [CellRun(cell=n, status=CellStatus.OK, seconds=1.5) for n in (2, 3, 5)]
        failed = CellRun(cell=6, status=CellStatus.FAILED, error="NameError: name 'h_1' is not defined")
        self.run = _run(
            status=RunStatus.CELL_FAILED,
            cells=(*ran, failed),
            peak_rss_bytes=10**9,
            datasets=(DatasetUse(name="mnist", origin=DatasetOrigin.STAND_IN, sha256="b" * 64),),
            versions={"tensorflow": "2.21.0"},
            mends=(Mend(name="lr", text="`lr` was read as `learning_rate`.", cell=3),),
            missing_modules=("torch",),
            remarks=("numpy.py hides NumPy.",),
        )
        training = MeasuredTraining(
            training=1,
            dataset="mnist",
            examples=5000,
            accuracy=0.905,
            before=0.1,
            during=((4, 0.3), (32, 0.7)),
        )
        other = training.model_copy(update={"training": 2, "accuracy": 0.5, "during": ()})
        submission = {
            "attachments": (Attachment(name="data.csv", size_bytes=10, sha256="c" * 64),),
            "online_text": "<p>See the <b>notebook</b>.</p>",
            "remarks": ("There are two notebooks.",),
        }
        self.evidence = _evidence(
            notebook,
            self.run,
            saved=read_outputs(notebook),
            rerun=read_outputs(self.executed),
            observed=Observed(
                is_trusted=True, trainings=tuple(ObservedTraining(id=n, updates=400) for n in (1, 2))
            ),
            measured=Measured(trainings=(training, other)),
            submission=submission,
        )
        self.grade = _grade(*_full_criteria(), flags=("Look at this.", "And `this`.", "And that."))

    def page(self) -> str:
        """The page of the hand-in."""
        return render_submission(self.grade, self.evidence, self.executed, rubric_title="Assignment 1")

    def class_page(self, hand_ins: int = 6) -> str:
        """The page of a class of hand-ins like this one, half of them settled."""
        settled = tuple(c for c in self.grade.criteria if c.awarded is not None)
        grades = [
            self.grade.model_copy(
                update={
                    "submission": f"Participant_{n}",
                    "criteria": settled if n % 2 else self.grade.criteria,
                }
            )
            for n in range(hand_ins)
        ]
        runs = {
            f"Participant_{n}": self.run.model_copy(update={"wall_seconds": n}) for n in range(1, hand_ins)
        }
        evidence = {grade.submission: self.evidence for grade in grades}
        standings = [standing_of(name, grades) for name in ("a1", "a2", "a3")]
        return render_class(grades, [], runs, title="The class", evidence=evidence, standings=standings)


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


@pytest.fixture
def full() -> Full:
    """One hand-in with everything that a page can show."""
    return Full()
