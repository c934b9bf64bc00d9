"""The image data sets of the room, as they lie in Keras's folder."""

from __future__ import annotations

import os
import pickle
import zlib
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_IMAGES_HEADER, _LABELS_HEADER = 16, 8
_GZIP = 16 + zlib.MAX_WBITS  # gzip's format for zlib, which unpacks it in one go
Bytes = NDArray[np.uint8]


class PixelStatistics(NamedTuple):
    """Mean and standard deviation over the training images: of all pixels, per pixel, per channel."""

    mean: float
    deviation: float
    mean_image: NDArray[np.float32]
    deviation_image: NDArray[np.float32]


class ImageSet:
    """One data set: its training and test images, uint8 (n, height, width) or (n, height, width, 3).

    `labels` (n,) are those of the training images.
    """

    def __init__(self, dataset: str, train: Bytes, labels: Bytes, test: Bytes) -> None:
        self.dataset = dataset
        self.train = train
        self.labels = labels
        self.test = test

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one image."""
        return tuple(self.train.shape[1:])

    @property
    def channels(self) -> int:
        """1 for grey images, 3 for coloured ones."""
        return self.shape[2] if len(self.shape) == 3 else 1

    @cached_property
    def statistics(self) -> PixelStatistics:
        """What student code usually scales with."""
        pixels = self.train.astype(np.float32)
        deviations = pixels.std(axis=0)
        return PixelStatistics(
            mean=float(pixels.mean()),
            deviation=float(pixels.std()) or 1.0,
            mean_image=pixels.mean(axis=0),
            deviation_image=np.where(deviations > 0, deviations, 1).astype(np.float32),
        )


def image_sets() -> Iterator[ImageSet]:
    """The data sets in Keras's folder; one that is not there, or cannot be read, is left out."""
    home = os.environ.get("KERAS_HOME") or str(Path("~/.keras").expanduser())
    for dataset, read in _READERS.items():
        try:
            train, labels, test = read(Path(home) / "datasets")
        except Exception:  # noqa: BLE001, S112 - student code can have left anything there
            continue
        yield ImageSet(dataset, train, labels, test)


def _read_npz(folder: Path) -> tuple[Bytes, Bytes, Bytes]:
    with np.load(folder / "mnist.npz", allow_pickle=False) as archive:
        return archive["x_train"], archive["y_train"], archive["x_test"]


def _read_idx(folder: Path) -> tuple[Bytes, Bytes, Bytes]:
    def read(name: str, header: int) -> Bytes:
        packed = (folder / "fashion-mnist" / name).read_bytes()
        return np.frombuffer(zlib.decompress(packed, _GZIP), dtype=np.uint8, offset=header)

    return (
        read("train-images-idx3-ubyte.gz", _IMAGES_HEADER).reshape(-1, 28, 28),
        read("train-labels-idx1-ubyte.gz", _LABELS_HEADER),
        read("t10k-images-idx3-ubyte.gz", _IMAGES_HEADER).reshape(-1, 28, 28),
    )


def _read_cifar10(folder: Path) -> tuple[Bytes, Bytes, Bytes]:
    unpacked = _unpacked(folder, "cifar-10-batches-py")
    parts = [_unpickled(batch, b"labels") for batch in sorted(unpacked.glob("data_batch_*"))]
    images, labels = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return images, labels, _unpickled(unpacked / "test_batch", b"labels")[0]


def _read_cifar100(folder: Path) -> tuple[Bytes, Bytes, Bytes]:
    unpacked = _unpacked(folder, "cifar-100-python")
    images, labels = _unpickled(unpacked / "train", b"fine_labels")
    return images, labels, _unpickled(unpacked / "test", b"fine_labels")[0]


def _unpacked(folder: Path, name: str) -> Path:
    """Where Keras, or legacy Keras, unpacks an archive when the data are loaded."""
    here = folder / f"{name}-target" / name
    return here if here.is_dir() else folder / name


def _unpickled(file: Path, name: bytes) -> tuple[Bytes, Bytes]:
    """Images and labels of one file as CIFAR is published: pickled, channels first. Safe in the room only."""
    with file.open("rb") as opened:
        held = pickle.load(opened, encoding="bytes")
    pixels = np.asarray(held[b"data"], np.uint8).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(pixels), np.asarray(held[name], np.uint8)


_READERS: dict[str, Callable[[Path], tuple[Bytes, Bytes, Bytes]]] = {
    "mnist": _read_npz,
    "fashion_mnist": _read_idx,
    "cifar10": _read_cifar10,
    "cifar100": _read_cifar100,
}
