"""Running a trained forward pass on the grader's images."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from probes.feeds import Feed
from probes.images import Bytes
from probes.matching import Matcher, Way

NO_CLASS = 255
_CHUNK = 500
_FEWEST_ROWS = 2  # from which one can tell whether an input is the same for all examples
Scores = NDArray[Any]
Values = list[NDArray[Any]]


class Snapshot(NamedTuple):
    """Copies of a training's weights, and of what else its model consists of (its `state`)."""

    weights: Values
    state: Values


class Predictor(Protocol):
    """A forward pass from one or several batches to scores (n, classes), for weights that are given.

    `batch` is the only number of rows that may go in at once, None when any number may.
    """

    feeds: Sequence[Feed]
    batch: int | None

    def running(
        self, snapshot: Snapshot
    ) -> AbstractContextManager[Callable[[Sequence[NDArray[Any]]], Scores]]:
        """A function from one array per feed to scores; everything is as it was when the context ends."""


class NotPredictable(Exception):  # noqa: N818 - an expected outcome that ends the use of one predictor
    """Why the grader's images cannot be put into a predictor, in a few words."""


Filling: TypeAlias = Way | NDArray[Any]  # how a feed is filled: with images, or with one row for all


def fillings(predictor: Predictor, matcher: Matcher) -> list[list[Filling]]:
    """How the feeds may be filled, one filling per feed each: one way when it is known, else all guesses.

    Raises NotPredictable where an input besides the images changes from example to example.
    """
    found: list[Filling | None] = []
    for feed in predictor.feeds:
        found.append(matcher.match(feed.rows, feed.row_shape) or _constant(feed))
    unknown = [at for at, filling in enumerate(found) if filling is None]
    has_images = any(isinstance(filling, Way) for filling in found)
    if (has_images and unknown) or len(unknown) > 1:
        raise NotPredictable("another input that changes from example to example")
    if not unknown:
        return [[filling for filling in found if filling is not None]] if has_images else []
    place = unknown[0]
    feed = predictor.feeds[place]
    rest = [filling for filling in found if filling is not None]
    return [[*rest[:place], guess, *rest[place:]] for guess in matcher.guesses(feed.rows, feed.row_shape)]


def way_of(filled: Sequence[Filling]) -> Way:
    """The first way in which images go in."""
    return next(filling for filling in filled if isinstance(filling, Way))


def predict(
    predictor: Predictor,
    snapshot: Snapshot,
    filled: Sequence[Filling],
    images: Bytes,
    deadline: float = float("inf"),
) -> NDArray[np.uint8]:
    """The class of each of `images`; 255 where it is not finite.

    Ends early, after as many images as could be done, when the monotonic clock is past `deadline`.
    """
    size = predictor.batch or _CHUNK
    classes: list[NDArray[np.uint8]] = []
    with predictor.running(snapshot) as run:
        for start in range(0, len(images), size):
            if classes and time.monotonic() > deadline:
                break
            chunk = images[start : start + size]
            count = len(chunk)
            if count < size and predictor.batch is not None:
                chunk = np.concatenate([chunk, np.repeat(chunk[-1:], size - count, axis=0)])
            classes.append(_classes(run([_filled(filling, chunk) for filling in filled]))[:count])
    return np.concatenate(classes) if classes else np.zeros(0, np.uint8)


def _classes(scores: Scores) -> NDArray[np.uint8]:
    is_finite = np.isfinite(scores).all(axis=1)
    found = scores.argmax(axis=1)
    return np.where(is_finite & (found < NO_CLASS), found, NO_CLASS).astype(np.uint8)


def _filled(filling: Filling, chunk: Bytes) -> NDArray[Any]:
    if isinstance(filling, Way):
        return filling.lay(chunk)
    return np.repeat(filling[None], len(chunk), axis=0)


def _constant(feed: Feed) -> NDArray[Any] | None:
    """The row that a feed had for every example, None where it changes or is not known."""
    rows = feed.rows
    if rows is None or len(rows) < _FEWEST_ROWS or (rows != rows[:1]).any():
        return None
    return rows[0].reshape(feed.row_shape)
