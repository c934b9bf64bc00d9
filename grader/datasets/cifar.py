"""CIFAR-10 and CIFAR-100: small colour photographs, one tar archive each of pickled batches.

What is read builds no objects: the pickles' arrays become plain bytes. What is written is a tar archive
without compression, which the room unpacks in a moment at every `load_data()`.
"""

from __future__ import annotations

import io
import lzma
import pickle
import struct
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from grader.errors import DatasetError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from grader.datasets.formats import Bytes, ImageArrays

TRAIN_COUNT, TEST_COUNT, SIDE = 50_000, 10_000, 32
PIXELS = 3 * SIDE * SIDE
# The superclass of each of CIFAR-100's classes, as its authors sorted them: five classes in each of twenty.
COARSE = (
    *(4, 1, 14, 8, 0, 6, 7, 7, 18, 3, 3, 14, 9, 18, 7, 11, 3, 9, 7, 11, 6, 11, 5, 10, 7),
    *(6, 13, 15, 3, 15, 0, 11, 1, 10, 12, 14, 16, 9, 11, 5, 5, 19, 8, 8, 15, 13, 14, 17, 18, 10),
    *(16, 4, 17, 4, 2, 0, 17, 4, 18, 17, 10, 3, 2, 12, 12, 16, 12, 1, 9, 19, 2, 10, 0, 1, 16),
    *(12, 9, 13, 15, 13, 16, 19, 2, 4, 6, 19, 5, 5, 8, 19, 18, 1, 2, 15, 6, 0, 17, 8, 14, 13),
)
_LARGEST_BATCH = TRAIN_COUNT * (PIXELS + 64)
_DAMAGE = (
    OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, IndexError, MemoryError,
    pickle.UnpicklingError, tarfile.TarError, lzma.LZMAError, zlib.error, struct.error,
)  # fmt: skip


class _Batch(NamedTuple):
    """A member of the archive, and how many images it holds."""

    name: str
    images: int
    is_test: bool = False


class _Cifar:
    """What the two sets have in common. NumPy is imported only when files are really read or made."""

    name: str
    paths: tuple[str, ...]
    folder: str
    classes: int
    label_name: bytes
    batches: tuple[_Batch, ...]

    def read(self, files: Mapping[str, Path]) -> ImageArrays:
        """X (n, 32, 32, 3) and y (n,), both uint8; n is 50,000 for train, 10,000 for test."""
        import numpy as np

        from grader.datasets.formats import ImageArrays

        path = files[self.paths[0]]
        try:
            with tarfile.open(path) as archive:
                parts = [self._read_batch(archive, batch) for batch in self.batches]
        except _DAMAGE as damage:
            told = (str(damage).strip().splitlines() or [type(damage).__name__])[0].rstrip(".")
            raise DatasetError(f"{path} cannot be read as {self.name} ({told}).") from damage
        train = [part for part, batch in zip(parts, self.batches, strict=True) if not batch.is_test]
        x_train, y_train = (np.concatenate(arrays) for arrays in zip(*train, strict=True))
        shape = (SIDE, SIDE, 3)
        shapes = ((TRAIN_COUNT, *shape), (TRAIN_COUNT,), (TEST_COUNT, *shape), (TEST_COUNT,))
        return ImageArrays(x_train, y_train, *parts[-1]).checked(path, shapes, self.classes)

    def write(self, datasets: Path, arrays: ImageArrays) -> None:
        """Writes the archive."""
        start = 0
        with tarfile.open(datasets / self.paths[0], "w", format=tarfile.USTAR_FORMAT) as archive:
            for batch in self.batches:
                images = arrays.x_test if batch.is_test else arrays.x_train[start : start + batch.images]
                labels = arrays.y_test if batch.is_test else arrays.y_train[start : start + batch.images]
                start += batch.images
                content = _pickled(_as_rows(images), self._labels(labels))
                member = tarfile.TarInfo(f"{self.folder}/{batch.name}")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))

    def _labels(self, labels: Bytes) -> Mapping[bytes, Bytes]:
        return {self.label_name: labels}

    def _read_batch(self, archive: tarfile.TarFile, batch: _Batch) -> tuple[Bytes, Bytes]:
        import numpy as np

        member = archive.getmember(f"{self.folder}/{batch.name}")
        opened = archive.extractfile(member)
        if opened is None or member.size > _LARGEST_BATCH:
            raise ValueError(f"{member.name} is no batch of images")
        held = _InertUnpickler(opened, encoding="bytes").load()
        pixels, labels = held[b"data"].content(), held[self.label_name]
        images = np.frombuffer(pixels, np.uint8).reshape(batch.images, 3, SIDE, SIDE).transpose(0, 2, 3, 1)
        if any(not 0 <= label < self.classes for label in labels):
            raise ValueError(f"{member.name} has labels that are none of {self.classes} classes")
        return images, np.array(labels, np.uint8)


class Cifar10(_Cifar):
    """`keras.datasets.cifar10`."""

    name = "cifar10"
    paths = ("cifar-10-batches-py-target_archive",)
    folder = "cifar-10-batches-py"
    classes = 10
    label_name = b"labels"
    batches = (*(_Batch(f"data_batch_{n}", 10_000) for n in range(1, 6)), _Batch("test_batch", 10_000, True))

    def make_stand_in(self, datasets: Path) -> None:
        """Writes 60,000 drawn things in colour, of ten shapes."""
        from grader.datasets.formats import ImageArrays
        from grader.datasets.scenes import draw_scenes

        self.write(datasets, ImageArrays(*draw_scenes(range(50)), *draw_scenes(range(50, 60))))


class Cifar100(_Cifar):
    """`keras.datasets.cifar100`, with both its kinds of labels."""

    name = "cifar100"
    paths = ("cifar-100-python-target_archive",)
    folder = "cifar-100-python"
    classes = 100
    label_name = b"fine_labels"
    batches = (_Batch("train", TRAIN_COUNT), _Batch("test", TEST_COUNT, True))

    def make_stand_in(self, datasets: Path) -> None:
        """Writes 60,000 drawn things, of ten shapes in ten colours each."""
        from grader.datasets.formats import ImageArrays
        from grader.datasets.scenes import draw_coloured_scenes

        train, test = draw_coloured_scenes(range(50)), draw_coloured_scenes(range(50, 60))
        self.write(datasets, ImageArrays(*train, *test))

    def _labels(self, labels: Bytes) -> Mapping[bytes, Bytes]:
        import numpy as np

        return {b"coarse_labels": np.array(COARSE, np.uint8)[labels], self.label_name: labels}


class _InertArray:
    """What a pickled array becomes: the bytes that it was built from."""

    def __init__(self, *_: object) -> None:
        self._state: Any = ()

    def __setstate__(self, state: Any) -> None:
        self._state = state

    def content(self) -> bytes:
        """The array's bytes, row by row."""
        parts = [part for part in self._state if isinstance(part, (bytes, str))]
        content = parts[-1]
        return content.encode("latin1") if isinstance(content, str) else bytes(content)


def _from_buffer(buffer: bytes, *_: object) -> _InertArray:
    array = _InertArray()
    array.__setstate__((bytes(buffer),))
    return array


_INERT: Mapping[str, Callable[..., object]] = {
    "_reconstruct": _InertArray,
    "_frombuffer": _from_buffer,
    "ndarray": _InertArray,
    "dtype": _InertArray,
    "encode": lambda text, *_: text.encode("latin1"),  # how protocols below 3 hold bytes
}


class _InertUnpickler(pickle.Unpickler):
    """Gives arrays as `_InertArray` and refuses whatever else a pickle wants to have made or called."""

    def find_class(self, module: str, name: str) -> Any:
        if module.split(".")[0] in ("numpy", "_codecs") and name in _INERT:
            return _INERT[name]
        raise pickle.UnpicklingError(f"it wants {module}.{name}")


def _as_rows(images: Bytes) -> Bytes:
    """Images (n, 32, 32, 3) as rows (n, 3072): all red values, then green, then blue."""
    import numpy as np

    return np.ascontiguousarray(images.transpose(0, 3, 1, 2)).reshape(len(images), PIXELS)


def _pickled(rows: Bytes, labels: Mapping[bytes, Bytes]) -> bytes:
    """A batch as the published files are: a dict with an array and lists of numbers (pickle protocol 3).

    Put together by hand: what `pickle.dumps` writes of an array depends on NumPy's version.
    """
    return b"".join((b"\x80\x03}(", *_entries(rows, labels), b"u."))


def _entries(rows: NDArray[np.uint8], labels: Mapping[bytes, Bytes]) -> Iterator[bytes]:
    import numpy as np

    for name, values in labels.items():
        numbers = np.stack([np.full_like(values, ord("K")), values], axis=1)
        yield from (_short_bytes(name), b"](", numbers.tobytes(), b"e")
    yield _short_bytes(b"data")
    yield b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R"
    yield b"(K\x01" + _integers(rows.shape) + b"\x86"
    yield b"cnumpy\ndtype\nX\x02\x00\x00\x00u1\x89\x88\x87R\x89"
    yield b"B" + struct.pack("<I", rows.nbytes)
    yield rows.tobytes()
    yield b"tb"


def _short_bytes(content: bytes) -> bytes:
    return b"C" + bytes([len(content)]) + content


def _integers(numbers: Sequence[int]) -> bytes:
    return b"".join(b"J" + struct.pack("<i", number) for number in numbers)
