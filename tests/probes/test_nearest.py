"""Images are found again among many, however rows were made of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

PROBES = Path(__file__).parents[2] / "grader"


@pytest.fixture
def images() -> Any:
    """3,000 pictures of 12 x 12 pixels, each a few soft blots, so that many are alike."""
    chance = np.random.default_rng(1)
    across = np.arange(12)
    centres = chance.uniform(2, 10, size=(3_000, 3, 2, 1))
    rows, columns = (np.exp(-((across - centres[:, :, axis]) ** 2) / 6) for axis in (0, 1))
    return (np.einsum("nbi,nbj->nij", rows, columns) * 84).astype(np.uint8)


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The recorder's module that finds them."""
    monkeypatch.syspath_prepend(str(PROBES))
    from probes import nearest

    yield nearest
    for name in [name for name in sys.modules if name.split(".")[0] == "probes"]:
        monkeypatch.delitem(sys.modules, name)


@pytest.fixture
def nearest(images: Any, module: Any) -> Any:
    """What searches in them."""
    return module.Nearest(images)


@pytest.mark.parametrize("kind", ["Nearest", "Same"])
@pytest.mark.parametrize(("scale", "offset"), [(1 / 255, 0.0), (-1 / 127.5, 1.0), (3.0, -40.0)])
def test_scaled_images_are_found(images: Any, module: Any, kind: str, scale: float, offset: float) -> None:
    wanted = np.arange(0, 3_000, 100)
    rows = images[wanted].reshape(len(wanted), -1).astype(np.float32) * np.float32(scale) + np.float32(offset)
    found = getattr(module, kind)(images).positions(rows)
    assert all(position in positions for position, positions in zip(wanted, found, strict=True))


def test_images_with_noise_on_them_are_found_as_well_as_by_comparing_with_all(
    images: Any, nearest: Any
) -> None:
    flat = images.reshape(len(images), -1).astype(np.float32)
    centred = flat - flat.mean(axis=1, keepdims=True)
    noise = np.random.default_rng(2).normal(scale=0.5, size=(50, flat.shape[1])).astype(np.float32)
    rows = centred[:50] + noise * centred[:50].std(axis=1, keepdims=True)  # correlation about 0.89
    lengths = np.linalg.norm(centred, axis=1)
    likest = np.abs((rows - rows.mean(axis=1, keepdims=True)) @ centred.T / lengths).argmax(axis=1)
    found = nearest.positions(rows)
    assert np.mean([best in positions for best, positions in zip(likest, found, strict=True)]) >= 0.96


def test_pictures_of_one_colour_are_nobodys_likeness(nearest: Any) -> None:
    found = nearest.positions(np.full((1, 144), 7, dtype=np.float32))
    assert found.shape == (1, 8)


def test_images_of_one_colour_are_no_trouble_to_what_looks_for_the_same(module: Any) -> None:
    images = np.zeros((20, 12, 12), np.uint8)
    images[7, 3:9, 4:8] = 90
    rows = images[6:8].reshape(2, -1).astype(np.float32) / 255
    assert module.Same(images).positions(rows)[1].tolist() == [7]
