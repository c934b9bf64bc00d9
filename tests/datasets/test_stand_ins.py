"""The drawn sets: form, sameness on every machine, and how hard they are, without TensorFlow."""

import hashlib

import numpy as np
import pytest
from numpy.typing import NDArray

from grader.datasets import DatasetFiles
from grader.datasets.digits import draw_digits
from grader.datasets.drawing import Draws
from grader.datasets.formats import ImageArrays
from grader.datasets.garments import draw_garments

SLICES = {
    "digits": (draw_digits, "b92178474050b4acd6546bd60a73bd61d098b465f6ae625374b2243c591b8bc6"),
    "garments": (draw_garments, "2ad31e67e9bbfebab162b85757411feb2f66bc4af756b2475c448a3cecfa5f3a"),
}
Floats = NDArray[np.float64]


@pytest.mark.parametrize("kind", SLICES)
def test_a_block_is_the_same_bytes_on_every_machine(kind: str) -> None:
    draw, expected = SLICES[kind]
    images, labels = draw(range(63, 64))
    assert hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest() == expected


def test_a_block_does_not_depend_on_what_is_drawn_with_it() -> None:
    together, labels = draw_digits(range(4, 6))
    alone, label = draw_digits(range(5, 6))
    assert np.array_equal(together[1000:], alone)
    assert np.array_equal(labels[1000:], label)


def test_random_numbers_keep_to_their_range_and_spread() -> None:
    draws = Draws(1, 2)
    even, bell = draws.uniform(50_000, -2, 3), draws.bell(50_000, 0.5)
    assert -2 <= even.min() < -1.99
    assert 2.99 < even.max() <= 3
    assert abs(float(even.mean()) - 0.5) < 0.03
    assert abs(float(bell.std()) - 0.5) < 0.01
    assert set(draws.below(1000, 12).ravel().tolist()) == set(range(12))
    assert sorted(draws.order(100).tolist()) == list(range(100))


def test_form_is_that_of_the_real_set(stand_in_images: ImageArrays) -> None:
    shapes = [(array.shape, array.dtype) for array in stand_in_images]
    byte = np.dtype(np.uint8)
    assert shapes == [
        ((60_000, 28, 28), byte),
        ((60_000,), byte),
        ((10_000, 28, 28), byte),
        ((10_000,), byte),
    ]


def test_classes_are_as_frequent_as_in_the_real_set(
    stand_in: DatasetFiles, stand_in_images: ImageArrays
) -> None:
    for labels in (stand_in_images.y_train, stand_in_images.y_test):
        shares = np.bincount(labels, minlength=10) / len(labels)
        if stand_in.name == "fashion_mnist":
            assert set(shares.tolist()) == {0.1}
        else:
            assert shares.min() > 0.08
            assert shares.max() < 0.12
            assert len(set(shares.tolist())) > 1


def test_grey_values_are_as_in_the_real_set(stand_in: DatasetFiles, stand_in_images: ImageArrays) -> None:
    images = stand_in_images.x_train
    assert (images.min(), images.max()) == (0, 255)
    black, mean = float((images == 0).mean()), float(images.mean() / 255)
    if stand_in.name == "mnist":  # the real ones: 0.81 black, mean 0.131
        assert 0.7 < black < 0.9
        assert 0.1 < mean < 0.17
    else:  # the real ones: 0.50 black, mean 0.286
        assert 0.4 < black < 0.65
        assert 0.18 < mean < 0.35


def test_no_image_occurs_twice(stand_in_images: ImageArrays) -> None:
    flat = np.concatenate([stand_in_images.x_train, stand_in_images.x_test]).reshape(70_000, 784)
    as_one = np.ascontiguousarray(flat).view(np.dtype((np.void, 784))).ravel()
    assert len({hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in as_one}) == 70_000


def test_learnable_but_not_by_a_linear_model_alone(
    stand_in: DatasetFiles, stand_in_images: ImageArrays
) -> None:
    """Least squares stays well below the same fit on random rectified features (a one-hidden-layer net)."""
    images = stand_in_images
    train, test = _flat(images.x_train[:12_000]), _flat(images.x_test[:3_000])
    labels, truth = images.y_train[:12_000], images.y_test[:3_000]
    hidden = np.random.RandomState(0).normal(size=(784, 1200)) / 10
    linear = _least_squares_accuracy(train, labels, test, truth)
    deep = _least_squares_accuracy(np.maximum(train @ hidden, 0), labels, np.maximum(test @ hidden, 0), truth)
    assert 0.6 < linear < 0.85
    assert linear + 0.03 < deep < 0.97


def _flat(images: NDArray[np.uint8]) -> Floats:
    return images.reshape(len(images), 784) / 255.0 - 0.2


def _least_squares_accuracy(
    train: Floats, labels: NDArray[np.uint8], test: Floats, truth: NDArray[np.uint8]
) -> float:
    train, test = (np.hstack([part, np.ones((len(part), 1))]) for part in (train, test))
    targets = np.eye(10)[labels]
    weights = np.linalg.solve(train.T @ train + 10.0 * np.eye(train.shape[1]), train.T @ targets)
    return float(np.mean((test @ weights).argmax(axis=1) == truth))
