"""The stand-ins for CIFAR: the things drawn for Fashion-MNIST, in colour, before a background of some colour.

Each drawn thing is used in several images, each time in other colours, at another place, with other noise.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from grader.datasets.drawing import BLOCK, Bytes, Draws, Floats
from grader.datasets.garments import draw_garments

SEED = 20_090_408
SIDE, CHANNELS, SHAPES, COLOURS = 32, 3, 10, 10
_SHAPE_BLOCKS = 15  # so many thousands are drawn, and used again and again
_PLACES = SIDE - 28 + 1

# Red, green and blue of ten colours that are easily told apart.
_PALETTE: Floats = np.array(
    [
        *((0.90, 0.15, 0.15), (0.15, 0.75, 0.20), (0.20, 0.30, 0.90), (0.90, 0.85, 0.20), (0.80, 0.25, 0.85)),
        *((0.20, 0.80, 0.85), (0.95, 0.55, 0.15), (0.90, 0.90, 0.90), (0.45, 0.30, 0.15), (0.10, 0.10, 0.15)),
    ],
    np.float32,
)


def draw_scenes(blocks: Sequence[int]) -> tuple[Bytes, Bytes]:
    """Images (n, 32, 32, 3) and labels (n,), both uint8, of the given blocks of 1,000: classes are shapes.

    A class has a colour that its things often have.
    """
    return _drawn(blocks, is_colour_a_class=False)


def draw_coloured_scenes(blocks: Sequence[int]) -> tuple[Bytes, Bytes]:
    """The same with 100 classes: each of ten shapes in each of ten colours."""
    return _drawn(blocks, is_colour_a_class=True)


def _drawn(blocks: Sequence[int], *, is_colour_a_class: bool) -> tuple[Bytes, Bytes]:
    images = np.empty((len(blocks) * BLOCK, SIDE, SIDE, CHANNELS), np.uint8)
    labels = np.empty(len(blocks) * BLOCK, np.uint8)
    shapes = {
        number: draw_garments(range(number, number + 1))
        for number in {block % _SHAPE_BLOCKS for block in blocks}
    }
    for place, block in enumerate(blocks):
        draws = Draws(SEED, is_colour_a_class, block)
        grey, kinds = shapes[block % _SHAPE_BLOCKS]
        rows = slice(place * BLOCK, (place + 1) * BLOCK)
        if is_colour_a_class:
            colours = draws.below(BLOCK, COLOURS).ravel()
            labels[rows] = kinds * COLOURS + colours
        else:
            has_own = draws.chance(BLOCK, 0.6).ravel()
            colours = np.where(has_own, kinds, draws.below(BLOCK, COLOURS).ravel())
            labels[rows] = kinds
        images[rows] = _in_colour(draws, grey, _PALETTE[colours])
    return images, labels


def _in_colour(draws: Draws, grey: Bytes, colours: Floats) -> Bytes:
    """Grey things (n, 28, 28), each in its colour (n, 3) before a background: (n, 32, 32, 3)."""
    count = len(grey)
    cover = np.zeros((count, SIDE, SIDE), np.float32)
    downs, rights = (draws.below(count, _PLACES).ravel() for _ in range(2))
    for down in range(_PLACES):
        for right in range(_PLACES):
            here = (downs == down) & (rights == right)
            cover[here, down : down + 28, right : right + 28] = grey[here]
    cover *= np.float32(1 / 255)
    images = np.empty((count, SIDE, SIDE, CHANNELS), np.uint8)
    light = draws.uniform(count, 0.6, 1.0)
    for channel in range(CHANNELS):
        back = draws.uniform(count, 0.0, 0.7)
        colour = colours[:, channel].reshape(count, 1, 1) * light
        painted = back + cover * (colour - back)
        images[..., channel] = np.clip(painted * np.float32(235), 0, 235).astype(np.uint8)
    noise = draws.raw(images.size // 8).astype("<u8").view(np.uint8).reshape(images.shape) % 20
    return images + noise
