"""What the recorder says of all styles of training, from one process with real TensorFlow."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grader.evidence.observed import Observed, read_observed

HERE = Path(__file__).parent
GRADER = HERE.parents[1] / "grader"


@pytest.fixture(scope="session")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that one process with all styles has left."""
    folder = tmp_path_factory.mktemp("recorder")
    command = [sys.executable, str(HERE / "scenarios.py"), str(GRADER), str(folder)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=400)
    assert ended.returncode == 0, ended.stderr[-3000:]
    return folder


@pytest.fixture(scope="session")
def said(work: Path) -> dict[str, Any]:
    """What that process said."""
    result: dict[str, Any] = json.loads((work / "said.json").read_text())
    result["inputs"] = np.load(work / "inputs" / "mnist.npy")
    return result


@pytest.fixture(scope="session")
def observed(said: dict[str, Any]) -> Observed:
    return read_observed(said["facts"])
