"""Notebooks and student editions for the tests of `grade check`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grader.course import Course
from grader.student.choosing import course_editions
from grader.student.edition import Edition
from grader.student.findings import Finding, Looked
from grader.student.looking import look
from grader.student.own_work import read_own

REPOSITORY = Path(__file__).resolve().parents[2]
Write = Callable[..., Path]
LookAt = Callable[..., Looked]


@pytest.fixture(scope="session")
def editions() -> dict[str, Edition]:
    return course_editions(Course(root=REPOSITORY))


@pytest.fixture
def write(tmp_path: Path, notebook_of: Callable[[str], dict[str, Any]]) -> Write:
    """Writes a notebook from text with `# %%` marks, as `tests/hand_ins/` has them."""

    def to_file(text: str, name: str = "my.ipynb") -> Path:
        path = tmp_path / name
        path.write_text(json.dumps(notebook_of(text)), "utf-8")
        return path

    return to_file


@pytest.fixture
def look_at(write: Write, editions: dict[str, Edition]) -> LookAt:
    """Looks at a notebook written as for `write`."""
    return lambda text, assignment="a1", name="my.ipynb": look(
        read_own(write(text, name)), editions[assignment]
    )


def finding(looked: Looked, name: str) -> Finding:
    [found] = [one for one in looked.findings if one.id == name]
    return found


def told(looked: Looked, name: str) -> str:
    return " ".join(reason.text for reason in finding(looked, name).reasons)
