"""Planning: what has to be run for one hand-in, and the key that its run is stored under."""

from __future__ import annotations

import hashlib
import json
import platform
from functools import cache
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import Field

from grader.datasets.interface import DatasetFiles
from grader.model import CPU, Attachment, Isolation, KerasFlavour, Limits, Record, Submission
from grader.notebook.records import CellKind, Notebook
from grader.sandbox.bubblewrap import PROBES
from grader.sandbox.staging import ROOM
from grader.sources import sources_sha256

RUN_FORMAT = 4
MEASURE_SECONDS = (
    60.0  # for asking what was seen and for predictions, once all cells have run; twice that at most
)
TIMING_SECONDS = 120.0  # besides, where functions that train are timed
_PACKAGES = ("ipykernel", "keras", "matplotlib", "numpy", "tensorboard", "tensorflow", "tf-keras")


class CodeCell(Record):
    """A cell to run: its number in the hand-in's notebook, and its source."""

    number: Annotated[int, Field(ge=1)]
    source: str


class Job(Record):
    """One notebook to run, with everything that could change what comes of it.

    `folder` holds the attachments; `working_folder` is the notebook's own place below it. `probe_inputs`
    names, by data set, the `.npy` file of the images that the models are asked about when all cells have
    run; the data set's own checksum stands for it in the key. `repeat` tells runs with other seeds apart,
    `device` is the kind of device that it is run on. With `watches` the recorder looks closely at trainings
    on their way: losses, gradients, activations; with `times` it times functions that train, eagerly and as
    graphs, at the end. `written_with_python` is the version in the notebook's
    metadata, "" if none, and `expected_seconds` what is expected of it, None if nothing; neither changes the
    run.
    """

    submission: str
    cells: tuple[CodeCell, ...]
    folder: Path
    working_folder: str = "."
    written_with_python: str = ""
    expected_seconds: float | None = None
    attachments: tuple[Attachment, ...] = ()
    datasets: tuple[DatasetFiles, ...] = ()
    limits: Limits
    probe_inputs: tuple[tuple[str, Path], ...] = ()
    isolation: Isolation = Isolation.BUBBLEWRAP
    keras: KerasFlavour = KerasFlavour.KERAS_3
    device: str = CPU
    repeat: Annotated[int, Field(ge=0)] = 0
    watches: bool = False
    times: bool = False

    @property
    def key(self) -> str:
        """SHA-256 (hex) over code, attachments, data, limits, isolation, device, versions and run format.

        It is not over whose it is: hand-ins with equal code share a key and so a run.
        """
        parts = {
            "cells": [(cell.number, cell.source) for cell in self.cells],
            "working_folder": self.working_folder,
            "attachments": sorted((file.name, file.sha256) for file in self.attachments),
            "keras": self.keras.value,
            "repeat": self.repeat,
            "watches": self.watches,
            "times": self.times,
            "settings": run_settings(self.limits, self.datasets, self.isolation, self.device),
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def seed(self) -> int:
        """The seed for Python, NumPy and TensorFlow: the first 32 bits of the key."""
        return int(self.key[:8], 16)


def run_settings(
    limits: Limits,
    datasets: tuple[DatasetFiles, ...],
    isolation: Isolation = Isolation.BUBBLEWRAP,
    device: str = CPU,
) -> str:
    """All that a run depends on besides the hand-in, as canonical JSON: limits, data, device, versions…"""
    parts = {
        "run_format": RUN_FORMAT,
        "isolation": isolation.value,
        "device": device,
        "limits": limits.model_dump(mode="json"),
        "datasets": sorted((data.name, data.sha256) for data in datasets),
        "versions": installed_versions(),
        "room": _room_sha256(),
    }
    return json.dumps(parts, sort_keys=True)


def plan_job(
    submission: Submission,
    notebook: Notebook,
    limits: Limits,
    datasets: tuple[DatasetFiles, ...],
    probe_inputs: tuple[tuple[str, Path], ...] = (),
    isolation: Isolation = Isolation.BUBBLEWRAP,
    device: str = CPU,
) -> Job:
    """The job that runs the code cells of `notebook` with what was handed in beside it."""
    cells = tuple(
        CodeCell(number=cell.number, source=cell.source)
        for cell in notebook.cells
        if cell.kind is CellKind.CODE and cell.source.strip()
    )
    return Job(
        submission=submission.id,
        cells=cells,
        folder=submission.folder,
        working_folder=str(PurePosixPath(submission.notebook).parent),
        written_with_python=notebook.metadata.get("python", ""),
        attachments=submission.attachments,
        datasets=datasets,
        probe_inputs=probe_inputs,
        limits=limits,
        isolation=isolation,
        device=device,
    )


@cache
def installed_versions() -> dict[str, str]:
    """Versions of Python and of what the room imports, read from their metadata (nothing is imported)."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


@cache
def _room_sha256() -> str:
    return sources_sha256(file for folder in (ROOM, PROBES) for file in folder.rglob("*.py"))
