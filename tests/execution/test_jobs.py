from __future__ import annotations

from pathlib import Path

import pytest

from grader.datasets.interface import DatasetFiles
from grader.execution import jobs
from grader.model import Attachment, DatasetOrigin, Isolation, KerasFlavour, Limits

A, B = "a" * 64, "b" * 64


def data(digest: str) -> tuple[DatasetFiles, ...]:
    files = (("datasets/mnist.npz", Path("/data/mnist.npz")),)
    return (
        DatasetFiles(
            name="mnist", origin=DatasetOrigin.STAND_IN, files=files, sha256=digest, file_sha256=(digest,)
        ),
    )


def test_whose_it_is_and_where_it_lies_do_not_change_the_key(a_job):
    assert a_job("x = 1", submission="s1").key == a_job("x = 1", submission="s2", folder="/elsewhere").key


@pytest.mark.parametrize(
    "change",
    [
        {"cells": ({"number": 1, "source": "x = 2"},)},
        {"cells": ({"number": 2, "source": "x = 1"},)},
        {"attachments": (Attachment(name="a.py", size_bytes=1, sha256=A),)},
        {"datasets": data(B)},
        {"limits": Limits(wall_seconds=61)},
        {"keras": KerasFlavour.LEGACY},
        {"isolation": Isolation.NONE},
        {"device": "A GPU of 24 GB"},
    ],
)
def test_whatever_could_change_a_run_changes_its_key(a_job, change):
    assert a_job("x = 1", **{"datasets": data(A), **change}).key != a_job("x = 1", datasets=data(A)).key


def test_another_version_of_tensorflow_changes_the_key(a_job, monkeypatch):
    before = a_job("x = 1").key
    monkeypatch.setattr(jobs, "installed_versions", lambda: {"tensorflow": "2.99"})
    assert a_job("x = 1").key != before


def test_a_change_of_the_room_changes_the_key(a_job, monkeypatch):
    before = a_job("x = 1").key
    monkeypatch.setattr(jobs, "_room_sha256", lambda: "another room")
    assert a_job("x = 1").key != before


def test_the_seed_comes_from_the_key(a_job):
    job = a_job("x = 1")
    assert job.seed == int(job.key[:8], 16)
    assert a_job("x = 2").seed != job.seed


def test_code_that_utf_8_cannot_hold_still_has_a_key(a_job):
    assert len(a_job("x = '\udc80'").key) == 64
