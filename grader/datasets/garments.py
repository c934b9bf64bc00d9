"""The stand-in for Fashion-MNIST: clothes, bags and shoes drawn as soft-edged shapes with cloth of their own.

A shape is given by how deep inside it each pixel lies (below zero outside): the lesser of two depths is what
both shapes share, the greater is both together.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from grader.datasets.drawing import (
    CLASSES,
    Bytes,
    Draws,
    Floats,
    Warp,
    coverage,
    draw_blocks,
    limited,
    warped,
)
from grader.datasets.footwear import ankle_boot, sandal, sneaker

SEED = 20_170_828
_WARP = Warp(shift=0.08, turn=0.03, shear=0.03, scale=0.05, bend=0.035)

Shape: TypeAlias = Callable[[Draws, Floats, Floats], tuple[Floats, Floats | float]]


def draw_garments(blocks: range) -> tuple[Bytes, Bytes]:
    """Images (n, 28, 28) and labels (n,), both uint8, of the given blocks of 1,000: 100 of each class."""
    return draw_blocks(SEED, blocks, _labels, _worn)


def _labels(draws: Draws, count: int) -> NDArray[np.intp]:
    """As many of each class, in random order."""
    return (np.arange(count) * CLASSES // count)[draws.order(count)]


def _worn(draws: Draws, label: int, count: int) -> Floats:
    """`count` grey images of class `label`, in [0, 1], shape (count, 28, 28)."""
    x, y = warped(draws, count, _WARP)
    depth, marks = _SHAPES[label](draws, x, y)
    light = draws.uniform(count, 0.45, 1.2)
    fall = 1 + draws.bell(count, 0.12) * x + draws.bell(count, 0.12) * y
    rim = limited(depth * draws.uniform(count, 2, 8) + draws.uniform(count, 0.55, 1.0))
    grain = 1 - draws.uniform(count, 0.05, 0.3) * draws.grain(count)
    cloth = _cloth(draws, x, y) * marks
    grey: Floats = coverage(depth) * light * fall * rim * cloth * grain
    return grey


def _cloth(draws: Draws, x: Floats, y: Floats) -> Floats:
    """Plain cloth, stripes across or along, or both: a factor in (0, 1], shape (count, 28, 28)."""
    count = len(x)
    bold = draws.uniform(count, 0.1, 0.6)
    across = draws.chance(count, 0.3) * bold
    along = draws.chance(count, 0.2) * bold
    wave_y = _triangle(y * draws.uniform(count, 1.5, 4.5) + draws.uniform(count))
    wave_x = _triangle(x * draws.uniform(count, 1.5, 4.5) + draws.uniform(count))
    pattern: Floats = (1 - across * wave_y) * (1 - along * wave_x)
    return pattern


def _triangle(phase: Floats) -> Floats:
    """A wave between 0 and 1 with period 1."""
    wave: Floats = np.abs((phase - np.floor(phase)) * 2 - 1)
    return wave


def _upper(
    draws: Draws,
    x: Floats,
    y: Floats,
    *,
    sleeve: tuple[float, float],
    hem: tuple[float, float],
    width: tuple[float, float],
    flare: float = 0.0,
    waist: float = 0.0,
    neck: tuple[float, float] = (0.1, 0.3),
) -> Floats:
    """The depth of anything worn on the upper body; ranges are drawn from, one value per image.

    `sleeve` is how long the sleeves are, `hem` how far down the thing reaches, `width` its half-width;
    it widens by `flare` towards the hem and narrows by `waist` in the middle.
    """
    count, side = len(x), np.abs(x)
    shoulder = draws.uniform(count, *width)
    end = draws.uniform(count, *hem)
    top = draws.uniform(count, -0.92, -0.8)
    slope = draws.uniform(count, 0.15, 0.4)
    part = limited((y - top) / (end - top))
    pinch = (np.float32(waist) + draws.bell(count, 0.03)) * 4 * part * (1 - part)
    body_width = shoulder + (np.float32(flare) + draws.bell(count, 0.03)) * part - pinch
    body = np.minimum(np.minimum(body_width - side, end - y), y - top - slope * side)
    opening = draws.uniform(count, *neck)
    body = np.minimum(
        body, np.maximum(y - top - opening * np.float32(0.8), (side - opening) * np.float32(0.8))
    )
    length = draws.uniform(count, *sleeve)
    lean = draws.uniform(count, 0.1, 0.45)  # tan of half the angle to the vertical
    down = (1 - lean * lean) / (1 + lean * lean)
    out = (lean + lean) / (1 + lean * lean)
    from_x, from_y = side - shoulder + np.float32(0.12), y - top - slope * shoulder - np.float32(0.1)
    reach = from_x * out + from_y * down
    off = np.abs(from_x * down - from_y * out)
    thick = draws.uniform(count, 0.11, 0.18)
    arm = np.minimum(np.minimum(length - reach, reach + np.float32(0.1)), thick - off)
    whole: Floats = np.maximum(body, arm)
    return whole


def _front(
    draws: Draws, x: Floats, y: Floats, often: float, wide: tuple[float, float], buttons: float = 0.0
) -> Floats:
    """A front that buttons or opens, on a share `often` of the images: a factor in (0, 1].

    On a share `buttons` of them the line is a row of dots.
    """
    count = len(x)
    bold = draws.chance(count, often) * draws.uniform(count, 0.3, 0.9)
    dots = limited(_triangle(y * draws.uniform(count, 2, 3.5) + draws.uniform(count)) * 3 - 1)
    bold = bold * np.where(draws.chance(count, buttons), dots, np.float32(1))
    line = coverage(draws.uniform(count, *wide) - np.abs(x + draws.bell(count, 0.02)))
    below = coverage(y - draws.uniform(count, -0.8, -0.5), 0.2)
    factor: Floats = 1 - bold * line * below
    return factor


def _t_shirt(draws: Draws, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    depth = _upper(draws, x, y, sleeve=(0.15, 0.55), hem=(0.6, 0.9), width=(0.4, 0.58), neck=(0.12, 0.34))
    return depth, _front(draws, x, y, 0.1, (0.02, 0.2))


def _trouser(draws: Draws, x: Floats, y: Floats) -> tuple[Floats, float]:
    count, side = len(x), np.abs(x)
    top, fork = draws.uniform(count, -0.95, -0.85), draws.uniform(count, -0.6, 0.1)
    hip, gap = draws.uniform(count, 0.24, 0.4), draws.uniform(count, 0.0, 0.18)
    part = limited((y - fork) / (1 - fork))
    outer = hip + draws.bell(count, 0.06) * part - side
    seat = np.minimum(outer, fork - y + np.float32(0.05))
    leg = np.minimum(np.minimum(outer, side - gap * part), y - fork + np.float32(0.05))
    whole = np.minimum(np.maximum(seat, leg), draws.uniform(count, 0.85, 0.98) - y)
    return np.minimum(whole, y - top), 1.0


def _pullover(draws: Draws, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    depth = _upper(draws, x, y, sleeve=(0.95, 1.5), hem=(0.55, 0.9), width=(0.42, 0.6), neck=(0.1, 0.26))
    return depth, _front(draws, x, y, 0.05, (0.02, 0.1))


def _dress(draws: Draws, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    depth = _upper(
        draws, x, y,
        sleeve=(-0.1, 0.9), hem=(0.8, 0.98), width=(0.24, 0.4), flare=0.14, waist=0.07, neck=(0.1, 0.28),
    )  # fmt: skip
    return depth, _front(draws, x, y, 0.1, (0.02, 0.1))


def _coat(draws: Draws, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    depth = _upper(
        draws, x, y, sleeve=(1.0, 1.6), hem=(0.7, 0.98), width=(0.42, 0.58), flare=0.05, neck=(0.08, 0.22)
    )
    return depth, _front(draws, x, y, 0.93, (0.02, 0.09), buttons=0.08)


def _shirt(draws: Draws, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    depth = _upper(draws, x, y, sleeve=(0.4, 1.35), hem=(0.6, 0.92), width=(0.38, 0.56), neck=(0.08, 0.26))
    return depth, _front(draws, x, y, 0.88, (0.02, 0.07), buttons=0.92)


def _bag(draws: Draws, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    count, side = len(x), np.abs(x)
    lid, foot = draws.uniform(count, -0.45, 0.1), draws.uniform(count, 0.5, 0.9)
    part = limited((y - lid) / (foot - lid))
    half = draws.uniform(count, 0.5, 0.9) + draws.bell(count, 0.1) * part
    corner = np.float32(0.25) * (side * side)
    box = np.minimum(np.minimum(half - side, y - lid - corner * draws.uniform(count, -0.3, 0.8)), foot - y)
    loop_wide, loop_high = draws.uniform(count, 0.2, 0.6), draws.uniform(count, 0.2, 0.6)
    across, up = side / loop_wide, (lid - y) / loop_high
    ring = np.abs(np.sqrt(across * across + up * up) - 1) * np.minimum(loop_wide, loop_high)
    handle = np.minimum(draws.uniform(count, 0.03, 0.09) - ring, lid - y + np.float32(0.05))
    has_handle = draws.chance(count, 0.8)
    whole = np.maximum(box, np.where(has_handle, handle, np.float32(-1)))
    flap = 1 - draws.uniform(count, 0, 0.6) * coverage(
        np.float32(0.05) - np.abs(part - draws.uniform(count, 0.2, 0.6))
    )
    return whole, flap


_SHAPES: tuple[Shape, ...] = (
    _t_shirt,
    _trouser,
    _pullover,
    _dress,
    _coat,
    sandal,
    _shirt,
    sneaker,
    _bag,
    ankle_boot,
)
