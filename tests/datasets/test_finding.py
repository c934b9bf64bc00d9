import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from grader.datasets import DatasetFiles, dataset_names, find_dataset
from grader.datasets.homes import CHECKED_FILES
from grader.datasets.mnist import Mnist
from grader.errors import DatasetError
from grader.model import DatasetOrigin


def a_home(folder: Path, made: DatasetFiles) -> Path:
    """A Keras home with a copy of the files, which therefore count as real ones."""
    for name, path in made.files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / name)
    return folder


@pytest.fixture(scope="session")
def made(stand_in_cache: Path) -> DatasetFiles:
    return find_dataset("mnist", data=None, course_data=None, cache=stand_in_cache)


@pytest.fixture(scope="session")
def made_fashion(stand_in_cache: Path) -> DatasetFiles:
    return find_dataset("fashion_mnist", data=None, course_data=None, cache=stand_in_cache)


def test_without_data_the_stand_in_is_made(stand_in: DatasetFiles, stand_in_cache: Path) -> None:
    assert stand_in.origin is DatasetOrigin.STAND_IN
    assert all(path.is_relative_to(stand_in_cache) and path.is_file() for _, path in stand_in.files)
    assert stand_in.use.sha256 == stand_in.sha256


def test_files_are_named_as_keras_looks_for_them(made: DatasetFiles, made_fashion: DatasetFiles) -> None:
    assert [name for name, _ in made.files] == ["datasets/mnist.npz"]
    assert [name for name, _ in made_fashion.files] == [
        "datasets/fashion-mnist/t10k-images-idx3-ubyte.gz",
        "datasets/fashion-mnist/t10k-labels-idx1-ubyte.gz",
        "datasets/fashion-mnist/train-images-idx3-ubyte.gz",
        "datasets/fashion-mnist/train-labels-idx1-ubyte.gz",
    ]


def test_checksums_are_over_the_bytes_in_name_order(made_fashion: DatasetFiles) -> None:
    contents = [path.read_bytes() for _, path in made_fashion.files]
    assert made_fashion.sha256 == hashlib.sha256(b"".join(contents)).hexdigest()
    assert made_fashion.file_sha256 == tuple(hashlib.sha256(content).hexdigest() for content in contents)


@pytest.mark.parametrize("below", ["", "keras", "keras/datasets"])
def test_any_usual_layout_of_named_data_is_understood(
    tmp_path: Path, made_fashion: DatasetFiles, below: str
) -> None:
    a_home(tmp_path / "data" / "keras", made_fashion)
    named = tmp_path / "data" / below
    found = find_dataset("fashion_mnist", data=named, course_data=None, cache=tmp_path / "cache")
    assert found.origin is DatasetOrigin.REAL
    assert found.sha256 == made_fashion.sha256
    assert all(path.is_relative_to(tmp_path / "data") for _, path in found.files)


def test_named_data_goes_before_the_courses_and_that_before_the_stand_in(
    tmp_path: Path, made: DatasetFiles
) -> None:
    named, course = a_home(tmp_path / "named", made), a_home(tmp_path / "course", made)
    empty = tmp_path / "empty"
    empty.mkdir()
    for data, expected in ((named, named), (empty, course), (None, course)):
        found = find_dataset("mnist", data=data, course_data=course, cache=tmp_path / "cache")
        assert found.origin is DatasetOrigin.REAL
        assert found.files[0][1].is_relative_to(expected)
    assert not (tmp_path / "cache" / "stand-ins-v1").exists()


def test_data_without_the_set_leads_to_the_stand_in(
    tmp_path: Path, made: DatasetFiles, stand_in_cache: Path
) -> None:
    data = a_home(tmp_path / "data", made)
    found = find_dataset("fashion_mnist", data=data, course_data=tmp_path / "none", cache=stand_in_cache)
    assert found.origin is DatasetOrigin.STAND_IN


def test_the_home_folder_is_never_looked_at(
    tmp_path: Path, made: DatasetFiles, stand_in_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_home(tmp_path / ".keras", made)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / ".keras"))
    found = find_dataset("mnist", data=None, course_data=None, cache=stand_in_cache)
    assert found.origin is DatasetOrigin.STAND_IN


def test_relative_folders_give_absolute_paths(
    tmp_path: Path, made: DatasetFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_home(tmp_path / "data", made)
    monkeypatch.chdir(tmp_path)
    found = find_dataset("mnist", data=Path("data"), course_data=None, cache=Path("cache"))
    assert found.files[0][1] == tmp_path / "data" / "datasets" / "mnist.npz"


def test_a_folder_that_does_not_exist_is_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"There is no folder .*--data"):
        find_dataset("mnist", data=tmp_path / "typo", course_data=None, cache=tmp_path)


def test_an_unknown_name_gets_the_nearest_right_one(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="did you mean fashion_mnist"):
        find_dataset("fashion-mnist", data=None, course_data=None, cache=tmp_path)
    with pytest.raises(DatasetError, match="known are mnist, fashion_mnist"):
        find_dataset("q", data=None, course_data=None, cache=tmp_path)
    assert dataset_names() == ("mnist", "fashion_mnist", "cifar10", "cifar100")


@pytest.mark.parametrize("source", ["data", "course_data"])
def test_a_damaged_real_file_is_never_replaced_by_a_stand_in(
    tmp_path: Path, made: DatasetFiles, source: str
) -> None:
    home = a_home(tmp_path / "home", made)
    damaged = home / "datasets" / "mnist.npz"
    damaged.write_bytes(damaged.read_bytes()[:-1000])
    sources = {"data": None, "course_data": None, source: home}
    for _ in range(2):  # the damage is not remembered as checked
        with pytest.raises(DatasetError, match=r"mnist\.npz cannot be read.*grade datasets pull"):
            find_dataset("mnist", **sources, cache=tmp_path / "cache")


def test_one_missing_of_four_files_is_named(tmp_path: Path, made_fashion: DatasetFiles) -> None:
    home = a_home(tmp_path / "home", made_fashion)
    (home / "datasets" / "fashion-mnist" / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DatasetError, match=r"t10k-labels-idx1-ubyte\.gz is missing"):
        find_dataset("fashion_mnist", data=home, course_data=None, cache=tmp_path / "cache")


def test_files_are_checked_once_and_again_when_they_change(
    tmp_path: Path, made: DatasetFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, checks = a_home(tmp_path / "home", made), []
    check = Mnist.read
    monkeypatch.setattr(Mnist, "read", lambda self, files: checks.append(1) or check(self, files))

    def found() -> DatasetFiles:
        return find_dataset("mnist", data=home, course_data=None, cache=tmp_path / "cache")

    first = found()
    assert found() == first
    assert len(checks) == 1
    os.utime(first.files[0][1], ns=(1, 1))
    assert found() == first
    assert len(checks) == 2
    (tmp_path / "cache" / CHECKED_FILES).write_bytes(b"{ damaged")
    assert found() == first
    assert len(checks) == 3


def test_a_second_look_imports_no_numpy(stand_in: DatasetFiles, stand_in_cache: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from grader.datasets import find_dataset\n"
        f"found = find_dataset({stand_in.name!r}, data=None, course_data=None, cache=Path(sys.argv[1]))\n"
        "print(found.sha256, 'numpy' in sys.modules, 'tensorflow' in sys.modules)"
    )
    command = [sys.executable, "-c", program, str(stand_in_cache)]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert told.split() == [stand_in.sha256, "False", "False"]


def test_a_damaged_cache_is_made_anew_with_the_same_bytes(tmp_path: Path, made: DatasetFiles) -> None:
    file = a_home(tmp_path / "stand-ins-v1", made) / "datasets" / "mnist.npz"
    file.write_bytes(b"half a file")
    again = find_dataset("mnist", data=None, course_data=None, cache=tmp_path)
    assert again.origin is DatasetOrigin.STAND_IN
    assert again.sha256 == made.sha256
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == [CHECKED_FILES, "mnist.npz"]


def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where a folder should be")
    with pytest.raises(DatasetError, match=r"cannot be written to .*--data"):
        find_dataset("mnist", data=None, course_data=None, cache=tmp_path / "cache")


def test_real_data_is_found_whole(real_data_for_tests: Path, tmp_path: Path) -> None:
    originals = {"mnist": "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"}
    for name in ("mnist", "fashion_mnist"):
        found = find_dataset(name, data=real_data_for_tests, course_data=None, cache=tmp_path)
        if found.origin is not DatasetOrigin.REAL:
            pytest.skip(f"{name} is not in the named folder")
        assert found.sha256 == originals.get(name, found.sha256)
