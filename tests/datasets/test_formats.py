import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from grader.datasets.formats import (
    IDX_NAMES,
    ImageArrays,
    read_idx_set,
    read_npz,
    write_idx_set,
    write_npz,
)
from grader.errors import DatasetError


def some_arrays(seed: int = 1) -> ImageArrays:
    """Noise in the form of MNIST."""
    draw = np.random.RandomState(seed)
    x_train, x_test = (draw.randint(0, 256, (n, 28, 28), dtype=np.uint8) for n in (60_000, 10_000))
    y_train, y_test = (draw.randint(0, 10, n, dtype=np.uint8) for n in (60_000, 10_000))
    return ImageArrays(x_train, y_train, x_test, y_test)


@pytest.fixture(scope="module")
def arrays() -> ImageArrays:
    return some_arrays()


def same(left: ImageArrays, right: ImageArrays) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(left, right, strict=True))


def idx_files(folder: Path) -> dict[str, Path]:
    return {f"fashion-mnist/{name}": folder / name for name in IDX_NAMES}


def test_npz_is_read_back_as_written_by_us_and_by_numpy(tmp_path: Path, arrays: ImageArrays) -> None:
    write_npz(tmp_path / "ours.npz", arrays)
    np.savez(tmp_path / "numpys.npz", **arrays._asdict())
    assert same(read_npz(tmp_path / "ours.npz"), arrays)
    assert same(read_npz(tmp_path / "numpys.npz"), arrays)
    with np.load(tmp_path / "ours.npz", allow_pickle=False) as loaded:
        assert np.array_equal(loaded["x_test"], arrays.x_test)


def test_idx_is_read_back_and_any_gzip_reader_agrees(tmp_path: Path, arrays: ImageArrays) -> None:
    write_idx_set(tmp_path, arrays)
    assert same(read_idx_set(idx_files(tmp_path)), arrays)
    with gzip.open(tmp_path / "t10k-images-idx3-ubyte.gz") as file:  # as Keras does it
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(10_000, 28, 28)
    assert np.array_equal(images, arrays.x_test)


def test_the_same_arrays_give_the_same_bytes(tmp_path: Path, arrays: ImageArrays) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        write_npz(tmp_path / folder / "mnist.npz", arrays)
        write_idx_set(tmp_path / folder, arrays)
    for name in ("mnist.npz", *IDX_NAMES):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


WRONG: dict[str, Callable[[ImageArrays], dict[str, object]]] = {
    "shape": lambda a: {**a._asdict(), "x_train": a.x_train[:59_999]},
    "flat": lambda a: {**a._asdict(), "x_train": a.x_train.reshape(60_000, 784)},
    "dtype": lambda a: {**a._asdict(), "y_test": a.y_test.astype(np.int8)},
    "large": lambda a: {**a._asdict(), "x_test": a.x_test.astype(np.float32)},
    "label": lambda a: {**a._asdict(), "y_train": np.full(60_000, 10, np.uint8)},
    "missing": lambda a: {"x_train": a.x_train},
    "swapped": lambda a: {**a._asdict(), "y_train": a.y_test, "y_test": a.y_train},
}


@pytest.mark.parametrize("wrong", WRONG)
def test_an_npz_of_another_form_is_refused(tmp_path: Path, arrays: ImageArrays, wrong: str) -> None:
    path = tmp_path / "mnist.npz"
    np.savez(path, **WRONG[wrong](arrays))  # type: ignore[arg-type]
    with pytest.raises(DatasetError, match=r"mnist\.npz"):
        read_npz(path)


class Trap:
    """Leaves a mark when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.mark,)


def test_nothing_is_ever_unpickled(tmp_path: Path, arrays: ImageArrays) -> None:
    path, mark = tmp_path / "mnist.npz", tmp_path / "mark"
    trap = np.array([Trap(mark)], dtype=object)
    np.savez(path, **{**arrays._asdict(), "y_test": trap})
    with pytest.raises(DatasetError, match="allow_pickle"):
        read_npz(path)
    assert not mark.exists()
    with np.load(path, allow_pickle=True) as loaded:  # the trap is a real one
        assert loaded["y_test"].shape == (1,)
    assert mark.exists()


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04" + b"\0" * 100])
def test_bytes_that_are_no_npz_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "mnist.npz"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match="cannot be read"):
        read_npz(path)


def test_a_single_changed_byte_is_noticed(tmp_path: Path, arrays: ImageArrays) -> None:
    write_npz(tmp_path / "mnist.npz", arrays)
    write_idx_set(tmp_path, arrays)
    for name in ("mnist.npz", "train-images-idx3-ubyte.gz"):
        content = bytearray((tmp_path / name).read_bytes())
        content[5_000_000] ^= 1
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DatasetError, match="CRC"):
        read_npz(tmp_path / "mnist.npz")
    with pytest.raises(DatasetError, match="CRC"):
        read_idx_set(idx_files(tmp_path))


@pytest.mark.parametrize("part", [0, 9, 1000, 5_000_000])
def test_a_download_that_stopped_early_is_refused(tmp_path: Path, arrays: ImageArrays, part: int) -> None:
    write_npz(tmp_path / "mnist.npz", arrays)
    write_idx_set(tmp_path, arrays)
    for name in ("mnist.npz", "t10k-images-idx3-ubyte.gz"):
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:part])
    with pytest.raises(DatasetError):
        read_npz(tmp_path / "mnist.npz")
    with pytest.raises(DatasetError):
        read_idx_set(idx_files(tmp_path))


def test_idx_with_more_or_less_than_it_should_hold_is_refused(tmp_path: Path, arrays: ImageArrays) -> None:
    write_idx_set(tmp_path, arrays)
    labels = tmp_path / "t10k-labels-idx1-ubyte.gz"
    right = gzip.decompress(labels.read_bytes())
    for wrong in (right + b"\0", right[:-1], b"\0\0\x08\x02" + right[4:]):
        labels.write_bytes(gzip.compress(wrong))
        with pytest.raises(DatasetError, match="t10k-labels"):
            read_idx_set(idx_files(tmp_path))


def test_a_bomb_is_not_unpacked(tmp_path: Path, arrays: ImageArrays) -> None:
    path = tmp_path / "mnist.npz"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("x_train.npy", "w") as bomb,
    ):
        for _ in range(60):
            bomb.write(bytes(1 << 20))
    with pytest.raises(DatasetError, match="bytes"):
        read_npz(path)
