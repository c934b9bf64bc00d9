"""Which data set went in, and how its pixels were prepared, from a few rows of what a model was fed with."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from probes.images import Bytes, ImageSet, image_sets
from probes.preparing import Floats, Preparation, Shape, arrangements, preparations

_CHUNK = 5_000
_COMPARED_ROWS = 16
_KNOWN = 200
_TOLERANCE = 1e-2  # largest deviation of a pixel from scale × pixel + offset, relative to the range
_FEWEST_SHARE = 0.25  # of the rows that have to be images of a set: the others may be altered on purpose
_ALIKE = 0.85  # correlation from which a row is an image with noise on it


class Way(NamedTuple):
    """How images of `dataset` become a model's rows: prepared, then scale × pixel + offset.

    `fit` names the guess, "" for a way that was found in the rows themselves; `part` is then "train" or
    "test", whichever the rows are from.
    """

    dataset: str
    part: str
    preparation: Preparation
    scale: float
    offset: float
    fit: str = ""

    def lay(self, images: Bytes) -> Floats:
        """The rows for images (n, height, width[, 3])."""
        return (self.preparation.apply(images) * self.scale + self.offset).astype(np.float32)


class Known(NamedTuple):
    """Some training images of a data set and their labels."""

    images: Bytes
    labels: Bytes


class Matcher:
    """Looks rows up in the image sets of the room, until `deadline` (of the monotonic clock)."""

    def __init__(self, deadline: float) -> None:
        self.sets = list(image_sets())
        self._deadline = deadline
        self._parts = [(images, part) for images in self.sets for part in ("train", "test")]
        self._sizes: dict[tuple[str, str, str, Shape], Floats] = {}

    def match(self, rows: Floats | None, row_shape: Shape) -> Way | None:
        """The way that rows (n, pixels) were made from images of a set, None for none that is known."""
        wanted = _usable(rows)
        if wanted is None:
            return None
        for is_plain in (True, False):
            for at, (images, part) in enumerate(self._parts):
                found = self._match_in(wanted, row_shape, images, part, is_plain)
                if found is not None:
                    self._parts.insert(0, self._parts.pop(at))  # the likeliest for the next rows
                    return found
        return None

    def guesses(self, rows: Floats | None, row_shape: Shape) -> Iterator[Way]:
        """Ways to try where the rows do not tell: the usual arrangements and scales, of every data set."""
        for images in self.sets:
            known = images.statistics
            for preparation in list(arrangements(images.shape, row_shape))[:2]:
                for name, scale, offset in (
                    ("x / 255", 1 / 255, 0.0),
                    ("x", 1.0, 0.0),
                    ("x / 127.5 - 1", 1 / 127.5, -1.0),
                    ("(x - mean) / std", 1 / known.deviation, -known.mean / known.deviation),
                    *self._nearly(rows, images, preparation, row_shape),
                ):
                    fit = ", ".join(filter(None, (preparation.name, name)))
                    yield Way(images.dataset, "", preparation, scale, offset, fit)

    def known(self, dataset: str) -> Known:
        """A few training images with their labels, which the notebook had too."""
        images = next(images for images in self.sets if images.dataset == dataset)
        return Known(images.train[:_KNOWN], images.labels[:_KNOWN])

    def _match_in(
        self, rows: Floats, row_shape: Shape, images: ImageSet, part: str, is_plain: bool
    ) -> Way | None:
        plain = (way for way in arrangements(images.shape, row_shape) if not way.name)
        for preparation in plain if is_plain else preparations(images, row_shape):
            if time.monotonic() > self._deadline:
                return None
            pixels = self._nearest(rows, images, part, preparation, row_shape)
            fitted = _fit(pixels, rows)
            if fitted is not None:
                return Way(images.dataset, part, preparation, *fitted)
        return None

    def _nearly(
        self, rows: Floats | None, images: ImageSet, preparation: Preparation, row_shape: Shape
    ) -> Iterator[tuple[str, float, float]]:
        """Scale and offset that fit best where the rows are images with noise on them."""
        wanted = _usable(rows)
        if wanted is None or time.monotonic() > self._deadline:
            return
        pixels = self._nearest(wanted, images, "train", preparation, row_shape)
        alike = [np.corrcoef(x, y)[0, 1] for x, y in zip(pixels, wanted, strict=True)]
        if float(np.median(alike)) > _ALIKE:
            scale, offset = _line(pixels, wanted)
            yield "fitted", scale, offset

    def _nearest(
        self, rows: Floats, images: ImageSet, part: str, preparation: Preparation, row_shape: Shape
    ) -> Floats:
        """Per row, the prepared image with the highest correlation; an inverted image counts too."""
        candidates: Bytes = getattr(images, part)
        key = (images.dataset, part, preparation.name, row_shape)
        sizes = self._sizes.get(key)
        known_sizes = np.zeros(len(candidates), dtype=np.float32) if sizes is None else sizes
        wanted = rows - rows.mean(axis=1, keepdims=True)
        best = np.full(len(rows), -1.0, dtype=np.float32)
        found = np.zeros_like(rows)
        for start in range(0, len(candidates), _CHUNK):
            chunk = slice(start, start + _CHUNK)
            prepared = preparation.apply(candidates[chunk]).reshape(len(candidates[chunk]), -1)
            if sizes is None:
                known_sizes[chunk] = _sizes(prepared)
            # the rows have mean zero, so that the images' own mean does not count
            alike = np.abs(wanted @ prepared.T / known_sizes[chunk])
            at = alike.argmax(axis=1)
            highest = alike[np.arange(len(rows)), at]
            is_better = highest > best
            best[is_better], found[is_better] = highest[is_better], prepared[at[is_better]]
        self._sizes[key] = known_sizes
        return found


def _usable(rows: Floats | None) -> Floats | None:
    """Some different rows that are not of one colour, None if there are none."""
    if rows is None or rows.ndim != 2 or rows.shape[1] < 2 or not np.isfinite(rows).all():
        return None
    rows = np.unique(rows[:_COMPARED_ROWS], axis=0)
    rows = rows[rows.std(axis=1) > 0]
    return rows if len(rows) else None


def _sizes(images: Floats) -> Floats:
    """The length of each image less its mean."""
    sizes = images.std(axis=1, dtype=np.float32) * np.float32(images.shape[1] ** 0.5)
    return np.where(sizes > 0, sizes, 1).astype(np.float32)


def _fit(pixels: Floats, rows: Floats) -> tuple[float, float] | None:
    """Scale and offset that make all rows of their images, or at least some rows exactly."""
    is_exact = np.array([_is_near(x, y, *_line(x, y)) for x, y in zip(pixels, rows, strict=True)])
    if is_exact.sum() < min(len(rows), max(2, math.ceil(_FEWEST_SHARE * len(rows)))):
        return None
    scale, offset = _line(pixels[is_exact], rows[is_exact])
    return (scale, offset) if _is_near(pixels[is_exact], rows[is_exact], scale, offset) else None


def _line(pixels: Floats, rows: Floats) -> tuple[float, float]:
    x, y = pixels.ravel().astype(np.float64), rows.ravel().astype(np.float64)
    variance = x.var()
    scale = float(((x - x.mean()) * (y - y.mean())).mean() / variance) if variance else 0.0
    return scale, float(y.mean() - scale * x.mean())


def _is_near(pixels: NDArray[np.float32], rows: Floats, scale: float, offset: float) -> bool:
    reach = float(rows.max() - rows.min())
    return scale != 0 and float(np.abs(scale * pixels + offset - rows).max()) < _TOLERANCE * reach
