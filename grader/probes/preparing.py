"""From images to what a model takes: the usual arrangements and preparations of pixels."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from probes.images import Bytes, ImageSet

Floats = NDArray[np.float32]
Shape = tuple[int, ...]
_GREY = np.array([0.2989, 0.5870, 0.1140], dtype=np.float32)  # as tf.image.rgb_to_grayscale weighs


class Preparation(NamedTuple):
    """One way to bring images (n, height, width[, 3]) into rows (n, *row shape), before scale and offset.

    `name` is "" for pixels as they are. `back` brings rows into the form of images, (n, pixels), as far as
    that goes: good enough to find the images that they may be.
    """

    name: str
    apply: Callable[[Bytes], Floats]
    back: Callable[[Floats], Floats]


def preparations(images: ImageSet, row_shape: Shape) -> Iterator[Preparation]:
    """Ways to bring the images of a set into rows of a shape, the likeliest first; none if there is none."""
    plain = list(arrangements(images.shape, row_shape))
    yield from plain
    if not plain:
        return
    first, known = plain[0], images.statistics

    def then(name: str, change: Callable[[Floats], Floats]) -> Preparation:
        return Preparation(name, lambda pixels: change(first.apply(pixels)), first.back)

    mean, deviation = (first.apply(image[None])[0] for image in (known.mean_image, known.deviation_image))
    deviation = np.where(deviation > 0, deviation, 1)
    yield then("each image standardised", _each_standardised)
    yield then("each pixel standardised", lambda rows: (rows - mean) / deviation)
    yield then("mean image subtracted", lambda rows: rows - mean)
    yield then("each channel standardised", lambda rows: _per_channel(rows, mean, deviation))
    yield then("black and white", lambda rows: (rows > 127).astype(np.float32))
    yield then("black and not black", lambda rows: (rows > 0).astype(np.float32))


def arrangements(image_shape: Shape, row_shape: Shape) -> Iterator[Preparation]:
    """Where the pixels of an image stand in a row."""
    height, width = image_shape[:2]
    channels = image_shape[2] if len(image_shape) == 3 else 1

    def way(name: str, arrange: Callable[[Floats], Floats], back: Callable[[Floats], Floats]) -> Preparation:
        def apply(images: NDArray[np.generic]) -> Floats:
            pixels = images.astype(np.float32).reshape(len(images), height, width, channels)
            return np.ascontiguousarray(arrange(pixels)).reshape(len(images), *row_shape)

        return Preparation(name, apply, lambda rows: back(rows).reshape(len(rows), -1))

    size = math.prod(row_shape)
    if size == height * width * channels:
        yield way("", lambda pixels: pixels, lambda rows: rows)
        yield way(
            "rows and columns swapped",
            lambda pixels: pixels.swapaxes(1, 2),
            lambda rows: rows.reshape(-1, width, height, channels).swapaxes(1, 2),
        )
        if channels > 1:
            yield way(
                "channels first",
                lambda pixels: np.moveaxis(pixels, -1, 1),
                lambda rows: np.moveaxis(rows.reshape(-1, channels, height, width), 1, -1),
            )
        return
    target = _grid_of(row_shape)
    if target is None or {target[2], channels} - {1, 3}:
        return
    yield from (
        way(name, arrange, lambda rows, back=back: _coloured(back(rows.reshape(-1, *target)), channels))  # type: ignore[misc]
        for name, arrange, back in _other_sizes((height, width, channels), target)
    )


_Change = Callable[[Floats], Floats]


def _other_sizes(own: Shape, target: Shape) -> Iterator[tuple[str, _Change, _Change]]:
    """Ways from images of one height, width and number of channels to another, and the ways back."""
    (height, width, _), (to_height, to_width, to_channels) = own, target
    if (to_height, to_width) == (height, width):
        yield "grey" if to_channels == 1 else "three channels", _to_channels(to_channels), lambda rows: rows
        return
    if to_height >= height and to_width >= width:
        top, left = (to_height - height) // 2, (to_width - width) // 2
        inside = slice(None), slice(top, top + height), slice(left, left + width)
        yield (
            "padded",
            lambda pixels: _coloured(_padded(pixels, to_height, to_width), to_channels),
            lambda rows: rows[inside],
        )
    elif to_height <= height and to_width <= width:
        top, left = (height - to_height) // 2, (width - to_width) // 2
        inside = slice(None), slice(top, top + to_height), slice(left, left + to_width)
        yield (
            "cropped",
            lambda pixels: _coloured(pixels[inside], to_channels),
            lambda rows: _padded(rows, height, width),
        )
    for method in ("bilinear", "nearest", "area"):
        yield (
            f"resized, {method}",
            lambda pixels, method=method: _coloured(  # type: ignore[misc]
                _resized(pixels, to_height, to_width, method), to_channels
            ),
            lambda rows: _resized(rows, height, width, "bilinear"),
        )


def _to_channels(channels: int) -> _Change:
    return lambda pixels: _coloured(pixels, channels)


def _coloured(pixels: Floats, channels: int) -> Floats:
    """Grey pixels in three equal channels, coloured ones in one."""
    if pixels.shape[-1] == channels:
        return pixels
    return pixels @ _GREY[:, None] if channels == 1 else np.repeat(pixels, channels, axis=-1)


def _grid_of(row_shape: Shape) -> tuple[int, int, int] | None:
    """Height, width and channels of rows that have another size than the images; None if not told."""
    dims = tuple(dim for dim in row_shape if dim != 1) or (1,)
    match dims:
        case (height, width):
            return height, width, 1
        case (height, width, 3):
            return height, width, 3
        case (size,):
            for channels in (1, 3):
                side = math.isqrt(size // channels)
                if side * side * channels == size and side > 1:
                    return side, side, channels
    return None


def _padded(pixels: Floats, height: int, width: int) -> Floats:
    top, left = (height - pixels.shape[1]) // 2, (width - pixels.shape[2]) // 2
    bottom, right = height - pixels.shape[1] - top, width - pixels.shape[2] - left
    return np.pad(pixels, ((0, 0), (top, bottom), (left, right), (0, 0)))


def _resized(pixels: Floats, height: int, width: int, method: str) -> Floats:
    import tensorflow as tf

    with tf.device("CPU:0"):
        resized: Floats = tf.cast(tf.image.resize(pixels, (height, width), method), tf.float32).numpy()
    return resized


def _each_standardised(rows: Floats) -> Floats:
    """As tf.image.per_image_standardization does."""
    flat = rows.reshape(len(rows), -1)
    deviations = np.maximum(flat.std(axis=1, keepdims=True), 1 / math.sqrt(flat.shape[1]))
    return ((flat - flat.mean(axis=1, keepdims=True)) / deviations).reshape(rows.shape)


def _per_channel(rows: Floats, mean: Floats, deviation: Floats) -> Floats:
    """Each channel of the last axis with its mean and standard deviation over the training images."""
    axes = tuple(range(mean.ndim - 1))
    means = mean.mean(axis=axes)
    spread = np.sqrt((deviation**2).mean(axis=axes) + mean.var(axis=axes))
    return ((rows - means) / spread).astype(np.float32)
