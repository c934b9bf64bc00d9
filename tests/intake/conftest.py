"""Builders of hand-ins: notebooks as bytes, folders and zips from a mapping of names to contents."""

import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

Files = Mapping[str, bytes]


@pytest.fixture
def a_notebook() -> Callable[..., bytes]:
    def build(*sources: str) -> bytes:
        cells = [
            {"cell_type": "code", "source": source, "metadata": {}, "outputs": [], "execution_count": None}
            for source in sources or ("x = 1",)
        ]
        return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()

    return build


@pytest.fixture
def a_folder() -> Callable[[Path, Files], Path]:
    def build(folder: Path, files: Files) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            if name.endswith("/"):
                (folder / name).mkdir(exist_ok=True)
            else:
                (folder / name).write_bytes(data)
        return folder

    return build


@pytest.fixture
def a_zip() -> Callable[[Path, Files], Path]:
    def build(path: Path, files: Files) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in files.items():
                archive.writestr(name, data)
        return path

    return build
