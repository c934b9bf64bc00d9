"""Reading and writing the two file formats of Keras's image sets: `.npz`, and gzipped IDX.

What is read is never unpickled, and no more is read than a right file holds. What is written is not
compressed: then its bytes depend on no version of zlib, and the room loads it quicker.
"""

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from grader.errors import DatasetError

Bytes: TypeAlias = NDArray[np.uint8]

TRAIN_COUNT, TEST_COUNT, SIDE, CLASSES = 60_000, 10_000, 28, 10
SHAPES = {
    "x_train": (TRAIN_COUNT, SIDE, SIDE),
    "y_train": (TRAIN_COUNT,),
    "x_test": (TEST_COUNT, SIDE, SIDE),
    "y_test": (TEST_COUNT,),
}
IDX_NAMES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)
_DAMAGE = (
    OSError, EOFError, ValueError, KeyError, TypeError, RuntimeError, MemoryError, SyntaxError,
    zipfile.BadZipFile, zlib.error, struct.error,
)  # fmt: skip
_STORED_BLOCK_BYTES = 65_535


class ImageArrays(NamedTuple):
    """A set of images: x (n, 28, 28) in grey or (n, 32, 32, 3) in colour, and y (n,), all uint8."""

    x_train: Bytes
    y_train: Bytes
    x_test: Bytes
    y_test: Bytes

    def checked(
        self, where: Path, shapes: Iterable[tuple[int, ...]] = SHAPES.values(), classes: int = CLASSES
    ) -> Self:
        """Itself, or DatasetError when shapes (field by field), dtypes or labels are not those of the set."""
        for (name, array), shape in zip(self._asdict().items(), shapes, strict=True):
            if array.shape != shape or array.dtype != np.uint8:
                found = f"{name} with shape {array.shape} and type {array.dtype}"
                raise DatasetError(f"{where} holds {found} instead of {shape} and uint8.")
        for labels in (self.y_train, self.y_test):
            if labels.max() >= classes:
                raise DatasetError(
                    f"{where} holds the label {labels.max()}, and only 0 to {classes - 1} can be right."
                )
        return self


def read_npz(path: Path) -> ImageArrays:
    """The four arrays of `mnist.npz`, or DatasetError (without the mend) when the file is not like it."""
    try:
        with zipfile.ZipFile(path) as archive:
            arrays = ImageArrays(*(_read_member(archive, name) for name in ImageArrays._fields))
    except _DAMAGE as damage:
        raise DatasetError(f"{path} cannot be read as MNIST ({_told(damage)}).") from damage
    return arrays.checked(path)


def _read_member(archive: zipfile.ZipFile, name: str) -> Bytes:
    """One array of an archive; ValueError when it is larger than it may be, or an object array."""
    wanted = int(np.prod(SHAPES[name]))
    member = archive.getinfo(f"{name}.npy")
    if member.file_size > wanted + 4096:
        raise ValueError(f"{name} has {member.file_size:,} bytes")
    array = np.lib.format.read_array(io.BytesIO(archive.read(member)), allow_pickle=False)
    return np.asarray(array)


def write_npz(path: Path, arrays: ImageArrays) -> None:
    """Writes `mnist.npz`, the same bytes for the same arrays on every machine."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays._asdict().items():
            member = io.BytesIO()
            np.lib.format.write_array(member, array, version=(1, 0), allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            info.create_system = 3
            info.external_attr = 0o644 << 16
            archive.writestr(info, member.getvalue())


def read_idx_set(files: Mapping[str, Path]) -> ImageArrays:
    """The arrays of the four gzipped IDX files, or DatasetError (without the mend).

    The keys may be any paths that end in the files' names.
    """
    by_name = {PurePosixPath(key).name: path for key, path in files.items()}
    shapes = SHAPES.values()
    arrays = (_read_idx(by_name[name], shape) for name, shape in zip(IDX_NAMES, shapes, strict=True))
    return ImageArrays(*arrays).checked(by_name[IDX_NAMES[0]].parent)


def _read_idx(path: Path, shape: tuple[int, ...]) -> Bytes:
    """One array of unsigned bytes with the given shape from a gzipped IDX file."""
    header = _idx_header(shape)
    wanted = len(header) + int(np.prod(shape))
    try:
        with gzip.open(path) as file:
            content = file.read(wanted + 1)
    except _DAMAGE as damage:
        raise DatasetError(f"{path} cannot be read as gzipped IDX ({_told(damage)}).") from damage
    if len(content) != wanted or content[: len(header)] != header:
        raise DatasetError(f"{path} is not an IDX file of unsigned bytes with the shape {shape}.")
    return np.frombuffer(content, np.uint8, offset=len(header)).reshape(shape)


def write_idx_set(folder: Path, arrays: ImageArrays) -> None:
    """Writes the four gzipped IDX files into `folder`, the same bytes on every machine."""
    for array, name in zip(arrays, IDX_NAMES, strict=True):
        (folder / name).write_bytes(_stored_gzip(_idx_header(array.shape) + array.tobytes()))


def _idx_header(shape: tuple[int, ...]) -> bytes:
    """Two zeros, 8 for unsigned bytes, the number of dimensions, and each dimension, big-endian."""
    return bytes((0, 0, 8, len(shape))) + struct.pack(f">{len(shape)}I", *shape)


def _stored_gzip(content: bytes) -> bytes:
    """A gzip file (RFC 1952) without compression, name or time, written by hand (RFC 1951, stored blocks)."""
    pieces = [b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"]
    for start in range(0, max(len(content), 1), _STORED_BLOCK_BYTES):
        piece = content[start : start + _STORED_BLOCK_BYTES]
        is_last = start + _STORED_BLOCK_BYTES >= len(content)
        pieces += [struct.pack("<BHH", is_last, len(piece), len(piece) ^ 0xFFFF), piece]
    pieces.append(struct.pack("<II", zlib.crc32(content), len(content) & 0xFFFFFFFF))
    return b"".join(pieces)


def _told(damage: BaseException) -> str:
    """The first line of what went wrong, or its kind."""
    return (str(damage).strip().splitlines() or [type(damage).__name__])[0].rstrip(".")
