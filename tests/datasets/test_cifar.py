"""CIFAR: what is written is what Keras reads, what is read builds no objects, and the stand-ins' form."""

import hashlib
import io
import pickle
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grader.datasets import DatasetFiles, find_dataset
from grader.datasets.cifar import COARSE, Cifar10, Cifar100
from grader.datasets.finding import read_images
from grader.datasets.formats import ImageArrays
from grader.datasets.scenes import draw_coloured_scenes, draw_scenes
from grader.datasets.withheld import read_inputs, read_key, split_dataset
from grader.errors import DatasetError

SECRET = b"a secret of 32 bytes, for a test"
SLICES = {
    draw_scenes: "7ea0716e46a053b267fbc2f5e2c5ee6760f642db7122bfe0ae5b95d388832627",
    draw_coloured_scenes: "dc16975f8f856663a3fab5de3856b6513adfbf16302c0e186b425963c50f979e",
}


@pytest.fixture(scope="module")
def hundred(stand_in_cache: Path) -> DatasetFiles:
    """The stand-in for CIFAR-100."""
    return find_dataset("cifar100", data=None, course_data=None, cache=stand_in_cache)


@pytest.fixture(scope="module")
def images(hundred: DatasetFiles) -> ImageArrays:
    return read_images(hundred)


def held_in(path: Path, member: str) -> dict[bytes, Any]:
    """A batch as Keras reads it."""
    with tarfile.open(path) as archive:
        opened = archive.extractfile(member)
        assert opened is not None
        held: dict[bytes, Any] = pickle.loads(opened.read(), encoding="bytes")
    return held


def archive_of(folder: Path, **members: bytes) -> Path:
    path = folder / Cifar10.paths[0]
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


@pytest.mark.parametrize("draw", SLICES)
def test_a_block_is_the_same_bytes_on_every_machine(draw: Any) -> None:
    images, labels = draw([51])
    assert hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest() == SLICES[draw]


def test_the_stand_in_has_the_form_of_the_real_set(images: ImageArrays) -> None:
    assert [array.shape for array in images] == [
        (50_000, 32, 32, 3),
        (50_000,),
        (10_000, 32, 32, 3),
        (10_000,),
    ]
    assert {array.dtype for array in images} == {np.dtype(np.uint8)}
    assert set(images.y_train.tolist()) == set(images.y_test.tolist()) == set(range(100))


def test_keras_reads_images_channels_first_with_both_kinds_of_labels(
    hundred: DatasetFiles, images: ImageArrays
) -> None:
    held = held_in(hundred.files[0][1], "cifar-100-python/test")
    assert np.array_equal(held[b"data"].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), images.x_test)
    assert held[b"fine_labels"] == images.y_test.tolist()
    assert held[b"coarse_labels"] == [COARSE[label] for label in images.y_test]


def test_every_superclass_has_five_classes() -> None:
    assert set(Counter(COARSE).values()) == {5}
    assert set(COARSE) == set(range(20))


def test_a_withheld_image_is_nowhere_in_the_room(hundred: DatasetFiles, stand_in_cache: Path) -> None:
    split = split_dataset(hundred, SECRET, stand_in_cache)
    inside, key = read_images(split.inside), read_key(split.key)
    asked = read_inputs(split.inputs)
    assert asked.shape == (8_000, 32, 32, 3)
    known = {image.tobytes() for image in (*inside.x_train, *inside.x_test)}
    assert not any(image.tobytes() in known for image in asked[key.kinds == 0])
    assert all(image.tobytes() in known for image in asked[key.kinds == 3])


class Calls:
    """Unpickled by the book, it would make a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.touch, (self.path,))


def test_a_pickle_that_calls_something_is_refused_and_not_run(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    path = archive_of(tmp_path, data_batch_1=pickle.dumps({b"data": Calls(trace), b"labels": [0] * 10_000}))
    with pytest.raises(DatasetError, match="cannot be read as cifar10"):
        Cifar10().read({Cifar10.paths[0]: path})
    assert not trace.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"no pickle",
        pickle.dumps([1, 2]),
        pickle.dumps({b"labels": [0] * 10_000}),
        pickle.dumps({b"data": np.zeros((10, 3072), np.uint8), b"labels": [0] * 10}),
    ],
)
def test_what_is_no_batch_is_told_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = archive_of(tmp_path, data_batch_1=content)
    with pytest.raises(DatasetError, match=r"cannot be read as cifar10 \(.*\)\.$"):
        Cifar10().read({Cifar10.paths[0]: path})


def test_what_is_no_archive_is_told_too(tmp_path: Path) -> None:
    path = tmp_path / Cifar100.paths[0]
    path.write_bytes(b"PK\x03\x04 no tar archive")
    with pytest.raises(DatasetError, match="cannot be read as cifar100"):
        Cifar100().read({Cifar100.paths[0]: path})


@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_arrays_are_read_as_any_protocol_holds_them(protocol: int) -> None:
    from grader.datasets.cifar import _InertUnpickler

    array = np.arange(6, dtype=np.uint8).reshape(2, 3)
    held = _InertUnpickler(io.BytesIO(pickle.dumps({b"data": array}, protocol)), encoding="bytes").load()
    assert held[b"data"].content() == array.tobytes()


def test_the_real_archive_is_read(real_data_for_tests: Path, stand_in_cache: Path) -> None:
    files = find_dataset("cifar10", data=real_data_for_tests, course_data=None, cache=stand_in_cache)
    if files.origin.value != "real":
        pytest.skip("no CIFAR-10 among the real data")
    images = read_images(files)
    assert np.bincount(images.y_train).tolist() == [5_000] * 10
