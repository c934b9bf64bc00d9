"""What TensorFlow does with images is computed in NumPy: held against the definition, window by window."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from grader.evidence.image_operations import IMAGE_OPERATIONS
from grader.evidence.operations import CannotComputeError

RANDOM = np.random.default_rng(7)
IMAGES = RANDOM.normal(size=(2, 7, 6, 3)).astype(np.float32)
KERNEL = RANDOM.normal(size=(3, 2, 3, 4)).astype(np.float32)
BY_CHANNEL = RANDOM.normal(size=(3, 2, 3, 2)).astype(np.float32)


def told(
    strides: tuple[int, int] = (1, 1), dilations: tuple[int, int] = (1, 1), **fields: Any
) -> dict[str, Any]:
    usual = {"strides": (1, *strides, 1), "dilations": (1, *dilations, 1), "padding": "VALID"}
    return usual | {"data_format": "NHWC"} | fields


def windows(
    size: tuple[int, int], strides: tuple[int, int], dilations: tuple[int, int], padding: str
) -> tuple[int, int, dict[tuple[int, int], list[Any]]]:
    """By the definition in TensorFlow's guide to padding: for each window, what pixel lies where in it."""
    counts, before = [], []
    for length, side, stride, dilation in zip(IMAGES.shape[1:3], size, strides, dilations, strict=True):
        extent = (side - 1) * dilation + 1
        if padding == "SAME":
            counts.append(-(-length // stride))
            before.append(max((counts[-1] - 1) * stride + extent - length, 0) // 2)
        else:
            counts.append((length - extent) // stride + 1)
            before.append(0)
    found: dict[tuple[int, int], list[Any]] = {}
    for down, across in itertools.product(*map(range, counts)):
        found[down, across] = []
        for row, column in itertools.product(*map(range, size)):
            y = down * strides[0] - before[0] + row * dilations[0]
            x = across * strides[1] - before[1] + column * dilations[1]
            if 0 <= y < IMAGES.shape[1] and 0 <= x < IMAGES.shape[2]:
                found[down, across].append(((row, column), IMAGES[:, y, x]))
    return counts[0], counts[1], found


FORMS = [
    ((1, 1), (1, 1), "VALID"),
    ((1, 1), (1, 1), "SAME"),
    ((2, 2), (1, 1), "SAME"),
    ((2, 3), (1, 1), "VALID"),
    ((1, 1), (2, 2), "SAME"),
    ((3, 3), (1, 1), "SAME"),
]


@pytest.mark.parametrize(("strides", "dilations", "padding"), FORMS)
def test_a_convolution_adds_up_products_under_each_window(strides, dilations, padding):
    high, wide, found = windows((3, 2), strides, dilations, padding)
    expected = np.zeros((2, high, wide, 4))
    by_channel = np.zeros((2, high, wide, 3, 2))
    for (down, across), pixels in found.items():
        for place, values in pixels:
            expected[:, down, across] += values @ KERNEL[place]
            by_channel[:, down, across] += values[..., None] * BY_CHANNEL[place]
    attributes = told(strides, dilations, padding=padding)
    computed = IMAGE_OPERATIONS["Conv2D"]([IMAGES, KERNEL], attributes)
    np.testing.assert_allclose(computed, expected, atol=1e-4)
    apart = IMAGE_OPERATIONS["DepthwiseConv2dNative"]([IMAGES, BY_CHANNEL], attributes)
    np.testing.assert_allclose(apart, by_channel.reshape(2, high, wide, 6), atol=1e-4)


@pytest.mark.parametrize(("strides", "padding"), [((2, 2), "VALID"), ((2, 2), "SAME"), ((3, 1), "SAME")])
def test_pooling_leaves_out_what_was_added_around(strides, padding):
    high, wide, found = windows((2, 3), strides, (1, 1), padding)
    largest, mean = np.zeros((2, high, wide, 3)), np.zeros((2, high, wide, 3))
    for (down, across), pixels in found.items():
        values = np.stack([value for _, value in pixels])
        largest[:, down, across], mean[:, down, across] = values.max(axis=0), values.mean(axis=0)
    attributes = told(strides, padding=padding, ksize=(1, 2, 3, 1))
    np.testing.assert_allclose(IMAGE_OPERATIONS["MaxPool"]([IMAGES], attributes), largest)
    np.testing.assert_allclose(IMAGE_OPERATIONS["AvgPool"]([IMAGES], attributes), mean, atol=1e-6)


def test_a_convolution_may_tell_its_padding_in_numbers():
    attributes = told(padding="EXPLICIT", explicit_paddings=(0, 0, 1, 1, 0, 1, 0, 0))
    same = IMAGE_OPERATIONS["Conv2D"]([IMAGES, KERNEL], told(padding="SAME"))
    np.testing.assert_allclose(IMAGE_OPERATIONS["Conv2D"]([IMAGES, KERNEL], attributes), same, atol=1e-5)


def test_normalisation_is_by_the_moments_that_were_kept():
    scale, offset, mean, variance = RANDOM.uniform(0.5, 2, (4, 3))
    expected = (IMAGES - mean) / np.sqrt(variance + 0.001) * scale + offset
    attributes = {"epsilon": 0.001, "is_training": False, "data_format": "NHWC"}
    computed = IMAGE_OPERATIONS["FusedBatchNormV3"]([IMAGES, scale, offset, mean, variance], attributes)
    np.testing.assert_allclose(computed, expected, atol=1e-4)


def test_images_are_padded_with_a_value():
    around = np.array([[0, 0], [1, 2], [0, 1], [0, 0]])
    padded = IMAGE_OPERATIONS["PadV2"]([IMAGES, around, np.float32(5)], {})
    assert padded.shape == (2, 10, 7, 3)
    assert (padded[:, 0] == 5).all()


@pytest.mark.parametrize(
    ("operation", "inputs", "attributes", "why"),
    [
        ("Conv2D", [IMAGES, KERNEL[:, :, :1]], told(), "in groups"),
        ("Conv2D", [IMAGES, KERNEL], told(data_format="NCHW"), "images of an unusual form"),
        ("Conv2D", [IMAGES, KERNEL], told(padding="ODD"), "padding of an unusual form"),
        ("Conv2D", [IMAGES, KERNEL], told(strides=(0, 1)), "windows of an unusual form"),
        ("Conv2D", [IMAGES[:, :2], KERNEL], told(), "larger than the images"),
        ("Conv2D", [np.zeros((100, 400, 400, 1)), np.zeros((1, 1, 1, 99))], told(), "too large"),
        ("Conv2D", [np.zeros((9, 60, 60, 512)), np.zeros((9, 9, 512, 99))], told(), "too large"),
        ("Conv2D", [IMAGES, np.zeros((60, 60, 3, 1))], told((1, 1), (64, 64), padding="SAME"), "too large"),
        ("Conv2D", [IMAGES, KERNEL], told((1, 1), (65, 1)), "windows of an unusual form"),
        ("MaxPool", [np.zeros((100, 400, 400, 9))], told(ksize=(1, 1, 1, 1)), "too large"),
        ("Pad", [IMAGES, np.full((4, 2), 60)], {}, "too large"),
        ("Pad", [IMAGES, np.full((4, 2), 999)], {}, "padding of an unusual form"),
        ("FusedBatchNormV3", [IMAGES] * 5, {"is_training": True}, "by the batch itself"),
    ],
)
def test_what_is_not_known_or_too_large_is_not_computed(operation, inputs, attributes, why):
    with pytest.raises(CannotComputeError, match=why):
        IMAGE_OPERATIONS[operation](inputs, attributes)
