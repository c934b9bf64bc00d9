"""The course's broken scripts, and notebooks from a few cells."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from grader.fixes.records import BrokenScript
from grader.notebook.records import Cell, CellKind, Notebook

FOLDER = Path(__file__).resolve().parents[2] / "rubrics" / "a2" / "scripts"


@pytest.fixture(scope="session")
def scripts() -> list[BrokenScript]:
    return [
        BrokenScript(name=path.stem, source=path.read_text("utf-8"))
        for path in sorted(FOLDER.glob("fail?.py"))
    ]


@pytest.fixture(scope="session")
def a_notebook() -> Callable[..., Notebook]:
    """Builds a notebook: a text is a Markdown cell, `("code", source)` is code."""

    def build(*cells: str | tuple[str, str]) -> Notebook:
        told = [("markdown", cell) if isinstance(cell, str) else cell for cell in cells]
        return Notebook(
            cells=tuple(
                Cell(number=number, kind=CellKind(kind), source=source)
                for number, (kind, source) in enumerate(told, start=1)
            )
        )

    return build
