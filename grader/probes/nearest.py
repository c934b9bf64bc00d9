"""Which images of a data set are most like given rows, whatever the brightness and contrast of these."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from probes.images import Bytes
from probes.preparing import Floats

NEIGHBOURS = 8  # images that a row may be of, when it was prepared in an unknown way
_SEED = 20_240_229
_DIRECTIONS = 64  # a correlation of 0.85 comes out within 0.07 of that, in 19 of 20 cases
_LIKELY = 96  # images per row that are compared pixel by pixel
_CHUNK = 5_000
_PIXELS = 48  # that tell images apart: evenly from the half of them that varies most
_LOOKED_AT = 1_000  # images, to see which pixels these are


class Nearest:
    """Images (n, height, width[, 3]), ready to be searched.

    All are compared in a few random directions (their centred pixels projected), in which a row that is made
    of an image by a scale and an offset lies exactly where the image lies; the likeliest then pixel by pixel.
    """

    def __init__(self, images: Bytes) -> None:
        self._images = images
        shape = (math.prod(images.shape[1:]), _DIRECTIONS)
        directions = np.random.default_rng(_SEED).standard_normal(shape, dtype=np.float32)
        self._directions = directions - directions.mean(axis=0)  # so that a row's own mean does not count
        chunks = (images[start : start + _CHUNK] for start in range(0, len(images), _CHUNK))
        self._places = np.concatenate([self._placed(_flat(chunk)) for chunk in chunks])

    def positions(self, rows: Floats) -> NDArray[np.intp]:
        """Per row (n, pixels), the positions of the images with the highest correlations of either sign."""
        likely = _highest(np.abs(self._placed(rows) @ self._places.T), _LIKELY)
        found = [
            positions[_highest(np.abs(correlations(_flat(self._images[positions]), row[None])), NEIGHBOURS)]
            for positions, row in zip(likely, rows, strict=True)
        ]
        return np.stack(found)

    def _placed(self, rows: Floats) -> Floats:
        return _of_length_one(rows @ self._directions)


class Same:
    """Images (n, height, width[, 3]), ready to be searched for rows that are made of them and nothing else.

    A row that is made of an image by a scale and an offset correlates fully with it in any of its pixels.
    """

    def __init__(self, images: Bytes) -> None:
        flat = images.reshape(len(images), -1)
        by_variance = np.argsort(flat[:_LOOKED_AT].var(axis=0), kind="stable")[::-1]
        self._pixels = by_variance[:: max(1, len(by_variance) // 2 // _PIXELS)][:_PIXELS]
        self._places = _centred(flat[:, self._pixels].astype(np.float32))

    def positions(self, rows: Floats) -> NDArray[np.intp]:
        """Per row (n, pixels), the position (n, 1) of its image, or of any where it is of none."""
        alike = np.abs(_centred(rows[:, self._pixels]) @ self._places.T)
        return alike.argmax(axis=1)[:, None]


def correlations(first: Floats, second: Floats) -> Floats:
    """Of each row with the row of the other table at the same place; 0 where one has no variance."""
    x, y = (table - table.mean(axis=1, keepdims=True) for table in (first, second))
    sizes = np.linalg.norm(x, axis=1) * np.linalg.norm(y, axis=1)
    return (x * y).sum(axis=1) / np.where(sizes > 0, sizes, 1)


def _centred(rows: Floats) -> Floats:
    return _of_length_one(rows - rows.mean(axis=1, keepdims=True))


def _of_length_one(rows: Floats) -> Floats:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(lengths > 0, lengths, 1)).astype(np.float32)


def _flat(images: Bytes) -> Floats:
    return images.reshape(len(images), -1).astype(np.float32)


def _highest(values: Floats, count: int) -> NDArray[np.intp]:
    """The positions of the highest values along the last axis, in no order."""
    count = min(count, values.shape[-1])
    return np.argpartition(values, -count, axis=-1)[..., -count:]
