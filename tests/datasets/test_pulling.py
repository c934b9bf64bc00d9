import importlib.util
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grader.datasets import DatasetFiles, find_dataset, pull_dataset
from grader.datasets import pulling as pulling_module
from grader.datasets.pulling import Fetch, child_command, child_environment, fetch_through_keras
from grader.errors import DatasetError
from grader.model import DatasetOrigin

needs_tensorflow = pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None, reason="TensorFlow is not installed"
)


def copying(made: DatasetFiles) -> Fetch:
    """A download that copies files that lie here already."""

    def fetch(name: str, home: Path, timeout_seconds: float) -> None:
        for below, path in made.files:
            (home / below).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, home / below)

    return fetch


def failing(name: str, home: Path, timeout_seconds: float) -> None:
    """A download that breaks off half-way."""
    (home / "datasets").mkdir()
    (home / "datasets" / "mnist.npz").write_bytes(b"half")
    raise DatasetError("no connection")


def useless(name: str, home: Path, timeout_seconds: float) -> None:
    """A download that ends well and leaves nonsense."""
    (home / "datasets").mkdir()
    (home / "datasets" / "mnist.npz").write_bytes(b"<html>please log in</html>")


def forbidden(name: str, home: Path, timeout_seconds: float) -> None:
    raise AssertionError("nothing may be fetched here")


@pytest.fixture
def without_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sends every download to a port where nobody listens, on machines with internet too."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


def instead_of_keras(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    monkeypatch.setattr(pulling_module, "_CHILD", program)


def test_what_is_pulled_is_found_as_the_courses_data(stand_in: DatasetFiles, tmp_path: Path) -> None:
    pulled = pull_dataset(stand_in.name, tmp_path / "data", fetch=copying(stand_in))
    assert pulled.origin is DatasetOrigin.REAL
    assert pulled.sha256 == stand_in.sha256
    found = find_dataset(stand_in.name, data=None, course_data=tmp_path / "data", cache=tmp_path / "cache")
    assert found == pulled
    files = sorted(path for path in (tmp_path / "data").rglob("*") if path.is_file())
    assert files == [path for _, path in pulled.files]


def test_what_is_there_and_whole_is_not_fetched_again(stand_in: DatasetFiles, tmp_path: Path) -> None:
    first = pull_dataset(stand_in.name, tmp_path, fetch=copying(stand_in))
    assert pull_dataset(stand_in.name, tmp_path, fetch=forbidden) == first


def test_damaged_files_are_replaced(stand_in: DatasetFiles, tmp_path: Path) -> None:
    first = pull_dataset(stand_in.name, tmp_path, fetch=copying(stand_in))
    first.files[0][1].write_bytes(b"damage")
    first.files[-1][1].unlink()
    assert pull_dataset(stand_in.name, tmp_path, fetch=copying(stand_in)) == first


@pytest.mark.parametrize("fetch", [failing, useless])
def test_a_failed_download_leaves_nothing_behind(tmp_path: Path, fetch: Fetch) -> None:
    with pytest.raises(DatasetError):
        pull_dataset("mnist", tmp_path, fetch=fetch)
    assert list(tmp_path.iterdir()) == []


def test_a_download_that_leaves_no_files_is_told(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="left no files"):
        pull_dataset("mnist", tmp_path, fetch=lambda name, home, seconds: None)


def test_an_unknown_name_starts_nothing(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="did you mean mnist"):
        pull_dataset("minst", tmp_path, fetch=forbidden)


def test_the_child_is_this_python_with_that_keras_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    command, environment = child_command("mnist", silence_seconds=30), child_environment(tmp_path)
    assert command[:2] == [sys.executable, "-c"]
    assert command[3:] == ["mnist", "30"]
    compile(command[2], "child", "exec")
    assert environment["KERAS_HOME"] == str(tmp_path)
    assert environment["https_proxy"] == "http://proxy.example:3128"


def test_a_missing_tensorflow_is_told_with_the_mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hide = "import sys; sys.modules['tensorflow'] = None\n"
    instead_of_keras(monkeypatch, hide + pulling_module._CHILD)
    with pytest.raises(DatasetError, match=r"TensorFlow cannot be imported .*pip install"):
        fetch_through_keras("mnist", tmp_path, 30)


def test_a_download_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    instead_of_keras(monkeypatch, "import time; time.sleep(60)")
    started = time.monotonic()
    with pytest.raises(DatasetError, match="longer than 1 seconds"):
        fetch_through_keras("mnist", tmp_path, 1)
    assert time.monotonic() - started < 20


def test_a_child_that_dies_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    instead_of_keras(monkeypatch, "import os; os.abort()")
    with pytest.raises(DatasetError, match="died with code -6"):
        fetch_through_keras("mnist", tmp_path, 30)


@needs_tensorflow
def test_without_network_kerass_own_download_fails_with_one_sentence(
    tmp_path: Path, without_network: None
) -> None:
    with pytest.raises(DatasetError, match=r"Keras could not fetch mnist .*connect to the internet") as told:
        pull_dataset("mnist", tmp_path, timeout_seconds=240)
    assert "\n" not in str(told.value)
    assert list(tmp_path.iterdir()) == []


@needs_tensorflow
def test_keras_itself_loads_the_stand_in_without_network(
    tmp_path: Path, stand_in_cache: Path, without_network: None
) -> None:
    """The files lie where Keras looks and are as Keras wants them: nothing is downloaded."""
    made = find_dataset("fashion_mnist", data=None, course_data=None, cache=stand_in_cache)
    home = tmp_path / "home"
    copying(made)("fashion_mnist", home, 0)
    program = (
        "from keras.datasets import fashion_mnist\n"
        "(a, b), (c, d) = fashion_mnist.load_data()\n"
        "print(a.shape, b.shape, c.shape, d.shape, a.dtype, b.dtype)"
    )
    told = subprocess.run(
        [sys.executable, "-c", program],
        env=child_environment(home),
        capture_output=True,
        text=True,
        check=True,
        timeout=240,
    ).stdout
    assert told.strip() == "(60000, 28, 28) (60000,) (10000, 28, 28) (10000,) uint8 uint8"
