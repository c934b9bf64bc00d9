"""What is gathered about a hand-in's files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from grader.evidence.collect import collect, observe
from grader.model import Attachment, Participant, Submission
from grader.notebook.records import Cell, CellKind, Notebook

HIDDEN = "import ctypes\n"
NOTEBOOK = '{"cells": [{"cell_type": "code", "source": "import ctypes"}]}'


def places(folder: Path, source: str, **files: str) -> list[str]:
    """Where the code of a hand-in reaches into what runs it; two underscores are a dot."""
    attachments = []
    for name, text in files.items():
        path = folder / name.replace("__", ".")
        path.write_text(text)
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        attachments.append(Attachment(name=path.name, size_bytes=len(text), sha256=sha256))
    submission = Submission(
        id="one",
        assignment="a1",
        participant=Participant(id="1"),
        folder=folder,
        notebook="a1.ipynb",
        notebook_sha256="0" * 64,
        attachments=tuple(attachments),
    )
    notebook = Notebook(cells=(Cell(number=1, kind=CellKind.CODE, source=source),))
    return [reach.place for reach in collect(submission, notebook, None, None).reaches]


@pytest.mark.parametrize(
    ("source", "files"),
    [
        ("import helper", {"helper__py": HIDDEN}),
        ("import helper", {"helper__py": HIDDEN + "#" * 2**20}),
        ("%run notes.txt", {"notes__txt": HIDDEN}),
        ("%run other.ipynb", {"other__ipynb": NOTEBOOK}),
        ("import last", {**{f"a{n}__py": "" for n in range(60)}, "last__py": HIDDEN}),
    ],
    ids=["a module", "a module too large to be read", "a text", "a notebook", "the last of many modules"],
)
def test_files_whose_code_runs_are_looked_into(tmp_path, source, files):
    assert places(tmp_path, source, **files) == [list(files)[-1].replace("__", ".")]


def test_more_modules_than_anybody_looks_into_are_told_of(tmp_path):
    files = {f"a{n}__py": "" for n in range(52)}
    source = "\n".join(f"import a{n}" for n in range(52))
    assert places(tmp_path, source, **files) == ["a50.py", "a51.py"]


def test_what_nobody_runs_or_imports_says_nothing(tmp_path):
    files = {"other__ipynb": NOTEBOOK, "notes__txt": HIDDEN, "data__py": "#" * 2**20}
    assert places(tmp_path, "import numpy\n%run -h", **files) == []


def test_weights_and_predictions_are_measured_with_and_not_kept():
    facts = [
        {"kind": "recorder"},
        {"kind": "predictions", "training": 1, "dataset": "mnist", "moment": "after", "classes": "AAAA"},
        {"kind": "written", "training": 1, "why_not": "too many weights"},
    ]
    observed, _ = observe(facts, {})
    assert observed.is_trusted
    assert (observed.predictions, observed.written) == ((), ())
