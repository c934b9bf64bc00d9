"""TensorFlow's operations on images, (batch, height, width, channels), in NumPy; work of a bounded size."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from grader.evidence.operations import MOST_NUMBERS, Array, Attributes, CannotComputeError, Operation

_MOST_PRODUCTS = 20_000_000_000  # in one convolution: about two seconds on one core
_MOST_SIDE = 64  # of a kernel or a pooling window


class _Windows(NamedTuple):
    """Windows that move over images: their size, steps and spread, and what is added around the images."""

    size: tuple[int, int]
    strides: tuple[int, int]
    dilations: tuple[int, int]
    around: tuple[tuple[int, int], tuple[int, int]]

    def counts(self, images: Array) -> tuple[int, int]:
        """How many windows there are in each direction."""
        high, wide = (
            (length + sum(around) - (size - 1) * dilation - 1) // stride + 1
            for length, around, size, dilation, stride in zip(
                images.shape[1:3], self.around, self.size, self.dilations, self.strides, strict=True
            )
        )
        if high < 1 or wide < 1:
            raise CannotComputeError("a window larger than the images")
        return high, wide

    def shifted(self, images: Array, fill: float) -> Iterator[tuple[tuple[int, int], Array]]:
        """For each place in the window the pixels there, (batch, windows down, windows across, channels)."""
        sides = (side + sum(more) for side, more in zip(images.shape[1:3], self.around, strict=True))
        if len(images) * math.prod(sides) * images.shape[3] > MOST_NUMBERS:
            raise CannotComputeError("too large a result")
        padded = np.pad(images, ((0, 0), *self.around, (0, 0)), constant_values=fill)
        high, wide = self.counts(images)
        (down, across), (step_down, step_across) = self.dilations, self.strides
        for row in range(self.size[0]):
            for column in range(self.size[1]):
                top, left = row * down, column * across
                rows = slice(top, top + (high - 1) * step_down + 1, step_down)
                yield (row, column), padded[:, rows, left : left + (wide - 1) * step_across + 1 : step_across]


def _pair(attributes: Attributes, name: str) -> tuple[int, int]:
    """The two middle ones of four numbers; 1 where they are not told."""
    found = tuple(attributes.get(name) or (1, 1, 1, 1))
    if len(found) != 4 or found[0] != 1 or found[3] != 1 or not 1 <= min(found) <= max(found) <= _MOST_SIDE:
        raise CannotComputeError("windows of an unusual form")
    return int(found[1]), int(found[2])


def _windows(images: Array, size: tuple[int, int], attributes: Attributes) -> _Windows:
    if attributes.get("data_format", "NHWC") != "NHWC" or images.ndim != 4 or max(size) > _MOST_SIDE:
        raise CannotComputeError("images of an unusual form")
    strides, dilations = _pair(attributes, "strides"), _pair(attributes, "dilations")
    padding = attributes.get("padding")
    around = ((0, 0), (0, 0))
    if padding == "EXPLICIT":
        told = [int(number) for number in attributes.get("explicit_paddings") or ()]
        if len(told) != 8 or not 0 <= min(told) <= max(told) <= _MOST_SIDE:
            raise CannotComputeError("padding of an unusual form")
        around = ((told[2], told[3]), (told[4], told[5]))
    elif padding == "SAME":
        first, second = (
            max((-(-length // stride) - 1) * stride + (side - 1) * dilation + 1 - length, 0)
            for length, side, stride, dilation in zip(
                images.shape[1:3], size, strides, dilations, strict=True
            )
        )
        around = ((first // 2, first - first // 2), (second // 2, second - second // 2))
    elif padding != "VALID":
        raise CannotComputeError("padding of an unusual form")
    return _Windows(size, strides, dilations, around)


def _convolution(inputs: Sequence[Array], attributes: Attributes) -> Array:
    images, kernel = inputs
    windows = _windows(images, (kernel.shape[0], kernel.shape[1]), attributes)
    high, wide = windows.counts(images)
    places = len(images) * high * wide
    if images.shape[3] != kernel.shape[2]:
        raise CannotComputeError("convolutions in groups")
    if places * kernel.shape[3] > MOST_NUMBERS or places * kernel.size > _MOST_PRODUCTS:
        raise CannotComputeError("too large a result")
    found = np.zeros((places, kernel.shape[3]), np.float32)
    for (row, column), pixels in windows.shifted(images, 0.0):
        found += pixels.reshape(places, -1) @ kernel[row, column]
    return found.reshape(len(images), high, wide, -1)


def _depthwise(inputs: Sequence[Array], attributes: Attributes) -> Array:
    images, kernel = inputs
    windows = _windows(images, (kernel.shape[0], kernel.shape[1]), attributes)
    high, wide = windows.counts(images)
    shape = (len(images), high, wide, *kernel.shape[2:])
    if math.prod(shape) > MOST_NUMBERS or math.prod(shape) * math.prod(windows.size) > _MOST_PRODUCTS:
        raise CannotComputeError("too large a result")
    found = np.zeros(shape, np.float32)
    for (row, column), pixels in windows.shifted(images, 0.0):
        found += pixels[..., None] * kernel[row, column]
    return found.reshape(*shape[:3], -1)


def _pooled(inputs: Sequence[Array], attributes: Attributes, largest: bool) -> Array:
    images = inputs[0]
    windows = _windows(images, _pair(attributes, "ksize"), attributes)
    shape = (len(images), *windows.counts(images), images.shape[3])
    if math.prod(shape) > MOST_NUMBERS:
        raise CannotComputeError("too large a result")
    if largest:
        found = np.full(shape, -np.inf, images.dtype)
        for _, pixels in windows.shifted(images, -np.inf):
            np.maximum(found, pixels, out=found)
        return found
    found, counted = np.zeros(shape, np.float32), np.zeros((1, *shape[1:3], 1), np.float32)
    for _, pixels in windows.shifted(images, 0.0):
        found += pixels
    for _, ones in windows.shifted(np.ones((1, *images.shape[1:3], 1), np.float32), 0.0):
        counted += ones  # what was added around does not count
    return found / counted


def _max_pool(inputs: Sequence[Array], attributes: Attributes) -> Array:
    return _pooled(inputs, attributes, largest=True)


def _average_pool(inputs: Sequence[Array], attributes: Attributes) -> Array:
    return _pooled(inputs, attributes, largest=False)


def _normalised(inputs: Sequence[Array], attributes: Attributes) -> Array:
    """Batch normalisation with the moments that were kept, as at test time."""
    if attributes.get("is_training") or attributes.get("data_format", "NHWC") != "NHWC":
        raise CannotComputeError("normalisation by the batch itself")
    images, scale, offset, mean, variance = (array.astype(np.float32) for array in inputs)
    factor = scale / np.sqrt(variance + np.float32(attributes.get("epsilon", 1e-4)))
    return np.asarray(images * factor + (offset - mean * factor))


def _padded(inputs: Sequence[Array], attributes: Attributes) -> Array:
    around = [(int(before), int(after)) for before, after in inputs[1]]
    if any(not 0 <= side <= _MOST_SIDE for pair in around for side in pair):
        raise CannotComputeError("padding of an unusual form")
    shape = [length + sum(pair) for length, pair in zip(inputs[0].shape, around, strict=True)]
    if math.prod(shape) > MOST_NUMBERS:
        raise CannotComputeError("too large a result")
    return np.pad(inputs[0], around, constant_values=inputs[2] if len(inputs) > 2 else 0)


IMAGE_OPERATIONS: Mapping[str, Operation] = {
    "Conv2D": _convolution,
    "DepthwiseConv2dNative": _depthwise,
    "MaxPool": _max_pool,
    "AvgPool": _average_pool,
    "FusedBatchNormV3": _normalised,
    "Pad": _padded,
    "PadV2": _padded,
}
"""By TensorFlow's name, as `OPERATIONS`; of those that give several outputs, the first."""
