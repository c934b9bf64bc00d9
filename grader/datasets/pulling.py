"""Fetching a real data set through Keras's own download, in a child process."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from grader.datasets.finding import dataset_named
from grader.datasets.homes import described, files_in, move_into_place, new_home
from grader.datasets.interface import DatasetFiles
from grader.errors import DatasetError
from grader.model import DatasetOrigin

_NO_TENSORFLOW, _NO_DOWNLOAD = 3, 4

# Runs in the child: this process never imports TensorFlow.
_CHILD = f"""
import socket, sys
socket.setdefaulttimeout(float(sys.argv[2]))
try:
    import tensorflow
    load_data = getattr(tensorflow.keras.datasets, sys.argv[1]).load_data
except (ImportError, AttributeError) as missing:
    print(missing, file=sys.stderr)
    sys.exit({_NO_TENSORFLOW})
try:
    load_data()
except Exception as failure:
    print(failure, file=sys.stderr)
    sys.exit({_NO_DOWNLOAD})
"""

Fetch: TypeAlias = Callable[[str, Path, float], None]


def fetch_through_keras(name: str, home: Path, timeout_seconds: float) -> None:
    """Lets Keras download the set `name` into the Keras home `home`; DatasetError when it cannot.

    Gives up after `timeout_seconds`, and when the network is silent for 30 seconds.
    """
    try:
        child = subprocess.run(
            child_command(name, silence_seconds=min(30.0, timeout_seconds)),
            env=child_environment(home),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise DatasetError(
            f"Fetching {name} took longer than {timeout_seconds:.0f} seconds; "
            f"try again on a better connection, or {_BY_HAND}."
        ) from late
    if child.returncode == 0:
        return
    said = (child.stderr.strip().splitlines() or ["no reason given"])[-1][:300]
    if child.returncode == _NO_TENSORFLOW:
        raise DatasetError(
            f"{name} is fetched by Keras, and TensorFlow cannot be imported here ({said}); "
            "install it with `pip install 'grader[run]'`."
        )
    if child.returncode == _NO_DOWNLOAD:
        raise DatasetError(
            f"Keras could not fetch {name} ({said}); connect to the internet and try again, or {_BY_HAND}."
        )
    raise DatasetError(
        f"The process that fetches {name} died with code {child.returncode} ({said}); "
        f"try again, or {_BY_HAND}."
    )


_BY_HAND = "copy the files from another machine's Keras home and name the folder with --data"


def child_command(name: str, *, silence_seconds: float) -> list[str]:
    """The command that makes Keras load the set `name`, with its download if need be."""
    return [sys.executable, "-c", _CHILD, name, str(silence_seconds)]


def child_environment(home: Path) -> dict[str, str]:
    """Our environment (proxies included) with `home` as the Keras home, quiet, without a GPU."""
    return {
        **os.environ,
        "KERAS_HOME": str(home.absolute()),
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "-1",
    }


def pull_dataset(
    name: str, to: Path, *, timeout_seconds: float = 900.0, fetch: Fetch = fetch_through_keras
) -> DatasetFiles:
    """The real files of one data set below the Keras home `to`, fetched unless they are there and whole.

    Keras downloads into a folder of its own first, so that an interrupted download leaves nothing behind;
    damaged files are replaced. Raises DatasetError, with the mend, when the set cannot be had.
    """
    dataset = dataset_named(name)
    try:
        files = files_in(to, dataset) if to.is_dir() else None
        if files is not None:
            return described(dataset, DatasetOrigin.REAL, files)
    except DatasetError:
        pass  # damaged or incomplete: fetched anew
    try:
        with new_home(to) as draft:
            fetch(name, draft, timeout_seconds)
            fetched = {path: draft / "datasets" / path for path in dataset.paths}
            if not all(path.is_file() for path in fetched.values()):
                raise DatasetError(f"Keras fetched {name} but left no files of it; try again, or {_BY_HAND}.")
            dataset.read(fetched)
            files = move_into_place(dataset, draft, to)
    except OSError as refusal:
        raise DatasetError(f"{name} cannot be written to {to} ({refusal}); make room there.") from refusal
    return described(dataset, DatasetOrigin.REAL, files)
