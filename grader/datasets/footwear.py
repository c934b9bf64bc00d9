"""Shoes for the stand-in of Fashion-MNIST, all with the toe to the left: sandals, sneakers, ankle boots."""

import numpy as np

from grader.datasets.drawing import Draws, Floats, coverage, limited


def sneaker(draws: Draws, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Depth and marks of low shoes: a flat sole, a low collar, often laces."""
    depth, height, _ = _shoe(
        draws, x, y, collar=(0.35, 0.7), toe=(0.2, 0.36), sole=(0.02, 0.12), steep=(1.0, 2.2)
    )
    laces = _bands(draws, x + y * draws.uniform(len(x), -0.6, 0.6), (2.5, 5), 0.45)
    return depth, _sole_mark(draws, height) * (1 - draws.uniform(len(x), 0, 0.5) * laces)


def ankle_boot(draws: Draws, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Depth and marks of shoes that reach over the ankle, some with a heel."""
    depth, height, _ = _shoe(
        draws, x, y, collar=(0.6, 1.25), toe=(0.22, 0.4), sole=(0.03, 0.25), steep=(1.2, 5)
    )
    return depth, _sole_mark(draws, height)


def sandal(draws: Draws, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Depth and marks of open shoes: a sole, and straps where a shoe would be."""
    depth, height, sole = _shoe(
        draws, x, y, collar=(0.3, 0.95), toe=(0.1, 0.34), sole=(0.03, 0.5), steep=(1.0, 2.2)
    )
    lean = draws.uniform(len(x), -0.9, 0.9)
    straps = _bands(draws, x + lean * y, (0.8, 2.4), 0.0) - draws.uniform(len(x), 0.2, 0.8)
    closed = np.minimum(depth, straps * np.float32(0.3))
    footbed = np.minimum(depth, draws.uniform(len(x), 0.08, 0.16) - np.abs(height))
    return np.maximum(closed, np.maximum(footbed, np.minimum(depth, sole))), _sole_mark(draws, height)


def _shoe(
    draws: Draws,
    x: Floats,
    y: Floats,
    *,
    collar: tuple[float, float],
    toe: tuple[float, float],
    sole: tuple[float, float],
    steep: tuple[float, float],
) -> tuple[Floats, Floats, Floats]:
    """(depth of the shoe, height above the footbed, depth of what is under the heel), each (count, 28, 28).

    `collar` and `toe` are heights above the footbed at heel and toe, `sole` is how high the heel stands,
    `steep` the slope of the instep.
    """
    count = len(x)
    ground = draws.uniform(count, 0.35, 0.6)
    heel = draws.uniform(count, *sole)
    back = limited(x * np.float32(0.9) + np.float32(0.3))
    height = ground - y - heel * back
    tall, low = draws.uniform(count, *collar), draws.uniform(count, *toe)
    begin, slope = draws.uniform(count, -0.35, 0.1), draws.uniform(count, *steep)
    rise = limited((x - begin) * slope)
    round_toe = limited((x + np.float32(0.98)) * draws.uniform(count, 2, 5))
    upper = np.minimum((low + (tall - low) * rise) * round_toe - height, height + np.float32(0.08))
    ends = np.minimum(x + draws.uniform(count, 0.88, 0.98), draws.uniform(count, 0.75, 0.95) - x)
    under = np.minimum(height + heel * back + np.float32(0.08), np.float32(0.02) - height)
    block = np.minimum(under, x - draws.uniform(count, -0.9, 0.5))
    return np.minimum(np.maximum(upper, block), ends), height, block


def _sole_mark(draws: Draws, height: Floats) -> Floats:
    """A sole lighter or darker than the rest: a factor, shape (count, 28, 28)."""
    count = len(height)
    return 1 + draws.uniform(count, -0.6, 0.4) * coverage(draws.uniform(count, 0.0, 0.1) - height)


def _bands(draws: Draws, phase: Floats, often: tuple[float, float], floor: float) -> Floats:
    """Bands across a phase: 0 between them, up to 1 on them."""
    count = len(phase)
    turns = phase * draws.uniform(count, *often) + draws.uniform(count)
    wave = np.abs((turns - np.floor(turns)) * 2 - 1)
    return limited((wave - np.float32(floor)) / np.float32(1 - floor))
