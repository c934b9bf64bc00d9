"""Drawing small grey images from random numbers, alike to the last bit on every machine.

Only the raw bits of NumPy's PCG64 are used (their stream is guaranteed for ever, that of `Generator.normal`
and the like is not), and only operations that IEEE 754 rounds in exactly one way: + - * / and comparisons,
one NumPy call each. No sin, exp or power, no matrix product, no sum over an axis: those may differ between
processors in their last bit, and one bit is enough to change a grey value.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

SIDE = 28
BLOCK = 1000
CLASSES = 10

Floats: TypeAlias = NDArray[np.float32]
Bytes: TypeAlias = NDArray[np.uint8]

_AXIS: Floats = ((np.arange(SIDE, dtype=np.float32) - np.float32(13.5)) / np.float32(14)).astype(np.float32)
COLUMNS: Floats = np.ascontiguousarray(np.broadcast_to(_AXIS, (SIDE, SIDE)))
ROWS: Floats = np.ascontiguousarray(COLUMNS.T)
_BENDS: tuple[Floats, ...] = (
    COLUMNS * COLUMNS,
    COLUMNS * ROWS,
    ROWS * ROWS,
    COLUMNS * COLUMNS * ROWS,
    COLUMNS * ROWS * ROWS,
    ROWS * ROWS * ROWS,
)


class Draws:
    """A stream of random numbers, the same for the same `seed` on every machine."""

    def __init__(self, *seed: int) -> None:
        self._bits = np.random.PCG64(list(seed))

    def raw(self, count: int) -> NDArray[np.uint64]:
        """`count` random 64-bit numbers, shape (count,)."""
        return self._bits.random_raw(count)

    def uniform(self, count: int, low: float = 0.0, high: float = 1.0) -> Floats:
        """`count` numbers spread evenly over [low, high], shape (count, 1, 1): one per image."""
        fractions = (self.raw(count) >> np.uint64(11)).astype(np.float64) * 2.0**-53
        return (low + fractions * (high - low)).astype(np.float32).reshape(count, 1, 1)

    def bell(self, count: int, spread: float) -> Floats:
        """`count` nearly normal numbers around 0 with standard deviation `spread`, shape (count, 1, 1)."""
        half = spread * 0.8660254037844386  # four numbers in [-half, half] have this spread together
        four = [self.uniform(count, -half, half) for _ in range(4)]
        return four[0] + four[1] + (four[2] + four[3])

    def chance(self, count: int, probability: float) -> NDArray[np.bool_]:
        """True with `probability`, shape (count, 1, 1)."""
        return self.uniform(count) < np.float32(probability)

    def below(self, count: int, bound: int) -> NDArray[np.intp]:
        """`count` whole numbers in [0, bound), shape (count, 1, 1)."""
        return (self.uniform(count) * np.float32(bound)).astype(np.intp).clip(0, bound - 1)

    def grain(self, count: int) -> Floats:
        """Noise in [0, 1) for every pixel of `count` images, shape (count, 28, 28)."""
        words = self.raw(count * SIDE * SIDE // 8).astype("<u8")
        grains = words.view(np.uint8).reshape(count, SIDE, SIDE).astype(np.float32)
        return grains * np.float32(1 / 256)

    def order(self, count: int) -> NDArray[np.intp]:
        """A random order of `count` things, shape (count,)."""
        return np.argsort(self.raw(count), kind="stable")


class Warp(NamedTuple):
    """How far images of one kind are moved about; spreads, in half-widths of the image (14 pixels)."""

    shift: float
    turn: float  # of tan(angle / 2)
    shear: float
    scale: float
    bend: float


def warped(draws: Draws, count: int, warp: Warp) -> tuple[Floats, Floats]:
    """Where each pixel of `count` images looks at the thing drawn, shapes (count, 28, 28).

    The thing lies in [-1, 1] x [-1, 1]; it is turned, sheared, scaled, shifted and bent (a random polynomial
    of the third degree), each image in its own way.
    """
    turn = draws.bell(count, warp.turn)
    cosine = (1 - turn * turn) / (1 + turn * turn)
    sine = (turn + turn) / (1 + turn * turn)
    wide, high = (1 + draws.bell(count, warp.scale) for _ in range(2))
    shear = draws.bell(count, warp.shear)
    across = COLUMNS - draws.bell(count, warp.shift)
    down = ROWS - draws.bell(count, warp.shift)
    x = (across * cosine + down * sine + down * shear) * wide
    y = (down * cosine - across * sine) * high
    for bend in _BENDS:
        x += draws.bell(count, warp.bend) * bend
        y += draws.bell(count, warp.bend) * bend
    return x, y


def limited(values: Floats) -> Floats:
    """The values, those below 0 as 0 and those above 1 as 1."""
    within: Floats = np.clip(values, 0, 1)
    return within


def coverage(depth: Floats, softness: float = 0.07) -> Floats:
    """How much of each pixel is covered, in [0, 1]: `depth` is how far inside the shape it lies."""
    return limited(depth / np.float32(softness) + np.float32(0.5))


def to_bytes(grey: Floats) -> Bytes:
    """Grey values in [0, 1] as bytes, rounded down after scaling by 255."""
    return (limited(grey) * np.float32(255)).astype(np.uint8)


Artist: TypeAlias = Callable[[Draws, int, int], Floats]
LabelDraw: TypeAlias = Callable[[Draws, int], NDArray[np.intp]]


def draw_blocks(
    seed: int, blocks: Sequence[int], labels_of: LabelDraw, artist: Artist
) -> tuple[Bytes, Bytes]:
    """Images (n, 28, 28) and labels (n,) of the given blocks of 1,000; each block has a stream of its own.

    `labels_of(draws, count)` gives the labels of a block, `artist(draws, label, count)` draws `count` grey
    images of one class.
    """
    images = np.empty((len(blocks) * BLOCK, SIDE, SIDE), np.uint8)
    labels = np.empty(len(blocks) * BLOCK, np.uint8)
    for place, block in enumerate(blocks):
        draws = Draws(seed, block)
        rows = slice(place * BLOCK, (place + 1) * BLOCK)
        labels[rows] = drawn = labels_of(draws, BLOCK)
        for label in range(CLASSES):
            where = np.flatnonzero(drawn == label)
            images[rows][where] = to_bytes(artist(draws, label, len(where)))
    return images, labels
