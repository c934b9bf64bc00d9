"""Which data set went in, and how its pixels were prepared, from a few rows of what a model was fed with."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from enum import Enum, auto
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from probes.images import Bytes, ImageSet, image_sets
from probes.nearest import Nearest, Same, correlations
from probes.preparing import Floats, Preparation, Shape, arrangements, preparations

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
        rows = self.preparation.apply(images) * self.scale
        rows += self.offset
        return rows.astype(np.float32, copy=False)


class Known(NamedTuple):
    """Some training images of a data set and their labels."""

    images: Bytes
    labels: Bytes


class _Search(Enum):
    """How rows are looked for in the images of a set, the quickest way first."""

    SAME = auto()  # all of them are images as they are
    PLAIN = auto()  # some are
    PREPARED = auto()  # some are images that were arranged or prepared otherwise


class Matcher:
    """Looks rows up in the image sets of the room.

    Rows that are no images as they are take longer: `seconds` are all that is spent on such.
    """

    def __init__(self, seconds: float) -> None:
        self._unread = image_sets()
        self._read: list[ImageSet] = []
        self._parts: list[tuple[ImageSet, str]] = []
        self._seconds = seconds
        self._searched: dict[tuple[type, str, str], Nearest | Same] = {}
        self._matched: dict[tuple[Shape, bytes], Way | None] = {}

    @property
    def sets(self) -> list[ImageSet]:
        """All sets of the room."""
        list(self._in_turn())
        return self._read

    def match(self, rows: Floats | None, row_shape: Shape) -> Way | None:
        """The way that rows (n, pixels) were made from images of a set, None for none that is known."""
        wanted = _usable(rows)
        if wanted is None:
            return None
        asked = (row_shape, wanted.tobytes())
        if asked not in self._matched:  # evaluations are of the same images again and again
            self._matched[asked] = self._search(wanted, row_shape)
        return self._matched[asked]

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
                    *self._nearly(rows, images, preparation),
                ):
                    fit = ", ".join(filter(None, (preparation.name, name)))
                    yield Way(images.dataset, "", preparation, scale, offset, fit)

    def known(self, dataset: str) -> Known:
        """A few training images with their labels, which the notebook had too."""
        images = next(images for images in self.sets if images.dataset == dataset)
        return Known(images.train[:_KNOWN], images.labels[:_KNOWN])

    def _search(self, wanted: Floats, row_shape: Shape) -> Way | None:
        begun = time.monotonic()
        for search in _Search:
            if search is _Search.PREPARED and self._seconds <= 0:
                return None
            for images, part in self._in_turn():
                found = self._match_in(wanted, row_shape, images, part, search)
                if found is not None:
                    self._parts.remove((images, part))
                    self._parts.insert(0, (images, part))  # the likeliest for the next rows
                    return found
        self._seconds -= time.monotonic() - begun
        return None

    def _in_turn(self) -> Iterator[tuple[ImageSet, str]]:
        """The parts of all sets, the likeliest first. A set is read when its turn comes: that takes time."""
        yield from list(self._parts)
        for images in self._unread:
            self._read.append(images)
            self._parts += [(images, part) for part in ("train", "test")]
            yield from self._parts[-2:]

    def _match_in(
        self, rows: Floats, row_shape: Shape, images: ImageSet, part: str, search: _Search
    ) -> Way | None:
        if search is _Search.PREPARED:
            tried = [way for way in preparations(images, row_shape) if way.name]
        else:
            tried = [way for way in arrangements(images.shape, row_shape) if not way.name]
        kind, share = (Same, 1.0) if search is _Search.SAME else (Nearest, _FEWEST_SHARE)
        for preparation, alike in zip(tried, self._alike(rows, images, part, tried, kind), strict=True):
            fitted = _fit(alike, rows, share)
            if fitted is not None:
                return Way(images.dataset, part, preparation, *fitted)
        return None

    def _nearly(
        self, rows: Floats | None, images: ImageSet, preparation: Preparation
    ) -> Iterator[tuple[str, float, float]]:
        """Scale and offset that fit best where the rows are images with noise on them."""
        wanted = _usable(rows)
        if wanted is None or self._seconds <= 0:
            return
        (alike,) = self._alike(wanted, images, "train", [preparation])
        if float(np.median(correlations(alike, wanted))) > _ALIKE:
            yield "fitted", *_line(alike, wanted)

    def _alike(
        self,
        rows: Floats,
        images: ImageSet,
        part: str,
        tried: Sequence[Preparation],
        kind: type[Nearest] | type[Same] = Nearest,
    ) -> Iterator[Floats]:
        """For each preparation the images, prepared by it, that are most like the rows: (n, pixels) each."""
        backs = list(dict.fromkeys(preparation.back for preparation in tried))
        if not backs:
            return
        candidates: Bytes = getattr(images, part)
        found = self._searched_in(kind, images, part).positions(
            np.concatenate([back(rows) for back in backs])
        )
        places = dict(zip(backs, np.split(found, len(backs)), strict=True))
        for preparation in tried:
            chosen = candidates[places[preparation.back].ravel()]
            prepared = preparation.apply(chosen).reshape(len(rows), found.shape[1], -1)
            alike = np.stack([correlations(prepared[:, at], rows) for at in range(found.shape[1])], axis=1)
            yield prepared[np.arange(len(rows)), np.abs(alike).argmax(axis=1)]

    def _searched_in(self, kind: type[Nearest] | type[Same], images: ImageSet, part: str) -> Nearest | Same:
        known = self._searched.get((kind, images.dataset, part))
        if known is None:
            known = self._searched[kind, images.dataset, part] = kind(getattr(images, part))
        return known


def _usable(rows: Floats | None) -> Floats | None:
    """Some different rows that are not of one colour, None if there are none."""
    if rows is None or rows.ndim != 2 or rows.shape[1] < 2 or not np.isfinite(rows).all():
        return None
    different = set(map(tuple, rows[:_COMPARED_ROWS].tolist()))
    rows = np.array(sorted(different), dtype=rows.dtype)  # as np.unique does, which takes long for that
    rows = rows[rows.std(axis=1) > 0]
    return rows if len(rows) else None


def _fit(pixels: Floats, rows: Floats, share: float) -> tuple[float, float] | None:
    """Scale and offset that make all rows of their images, or at least a share of the rows exactly."""
    is_exact = np.array([_is_near(x, y, *_line(x, y)) for x, y in zip(pixels, rows, strict=True)])
    if is_exact.sum() < min(len(rows), max(2, math.ceil(share * len(rows)))):
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
