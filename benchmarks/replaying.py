"""How well does prefix replay tell trainings apart? Trains small networks on MNIST and prints a table.

    python benchmarks/replaying.py [--data DIR]

A multilayer perceptron with plain gradient descent (NumPy alone) is trained with several seeds, and so are
others with another learning rate or size. Each curve takes its turn as the saved one, and the first part of a
curve of the first kind is held against it. Without `--data` the stand-in is used. About a minute on one core.
The table in docs/decisions/0019-a-prefix-is-replayed.md comes from here, and the floor in
`grader/evidence/replay.py`: three times the root mean square of how far the means of like curves are apart.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from grader.datasets.finding import find_dataset, read_images
from grader.datasets.formats import ImageArrays
from grader.evidence.replay import Curve, Likeness, compare_curves
from grader.notebook.records import Quantity

SEEDS = range(6)
STEPS, EVERY, BATCH = 1500, 50, 128
SEEN = (9, 15, 24)  # of 30 points


class Kind(NamedTuple):
    """A training: its learning rate and the size of its hidden layer."""

    name: str
    rate: float = 0.1
    hidden: int = 64


OURS = Kind("the same, other seeds")
KINDS = (
    OURS,
    Kind("learning rate × 1.5", rate=0.15),
    Kind("learning rate × 2", rate=0.2),
    Kind("learning rate × ½", rate=0.05),
    Kind("a quarter of the size", hidden=16),
)
Arrays = tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32], NDArray[np.int64]]


def main() -> None:
    """Train, compare, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="a folder with the real files")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as cache:
        files = find_dataset("mnist", data=wanted.data, course_data=None, cache=Path(cache))
        data = as_arrays(read_images(files))
    curves = {(kind, seed): train(kind, seed, data) for kind in KINDS for seed in SEEDS}
    print(f"MNIST ({files.origin.value}), {len(SEEDS)} seeds; of {len(SEEDS) * (len(SEEDS) - 1)} pairs\n")
    print("| the saved curve | points seen | alike | apart | no statement | means apart (RMS) |")
    print("|---|---|---|---|---|---|")
    for kind, seen in product(KINDS, SEEN):
        found = [
            compare_curves(curves[kind, a], curves[OURS, b][:seen], (), Quantity.ACCURACY)
            for a, b in product(SEEDS, SEEDS)
            if a != b
        ]
        counts = [sum(one.likeness is likeness for one in found) for likeness in Likeness]
        rms = statistics.fmean(one.apart**2 for one in found) ** 0.5
        print(f"| {kind.name} | {seen} of {STEPS // EVERY} | {' | '.join(map(str, counts))} | {rms:.3f} |")


def as_arrays(images: ImageArrays) -> Arrays:
    """Flat images in [0, 1] and labels, of training and test."""
    flat = [(part.reshape(len(part), -1) / np.float32(255)) for part in (images.x_train, images.x_test)]
    labels = [part.astype(np.int64) for part in (images.y_train, images.y_test)]
    return flat[0], labels[0], flat[1], labels[1]


def train(kind: Kind, seed: int, data: Arrays) -> Curve:
    """The test accuracies on the way, by step."""
    x, y, u, v = data
    draw = np.random.default_rng(seed)
    w1 = draw.normal(0, 0.1, (x.shape[1], kind.hidden)).astype(np.float32)
    w2 = draw.normal(0, 0.1, (kind.hidden, 10)).astype(np.float32)
    b1, b2 = np.zeros(kind.hidden, np.float32), np.zeros(10, np.float32)
    curve = []
    for step in range(STEPS):
        if step % EVERY == 0:
            right = (np.maximum(u @ w1 + b1, 0) @ w2 + b2).argmax(1) == v
            curve.append((step, float(right.mean())))
        batch = draw.integers(0, len(x), BATCH)
        hidden = np.maximum(x[batch] @ w1 + b1, 0)
        scores = hidden @ w2 + b2
        shares = np.exp(scores - scores.max(1, keepdims=True))
        slope = shares / shares.sum(1, keepdims=True)
        slope[np.arange(BATCH), y[batch]] -= 1
        slope /= BATCH
        below = (slope @ w2.T) * (hidden > 0)
        for weights, gradient in (
            *((w2, hidden.T @ slope), (b2, slope.sum(0))),
            *((w1, x[batch].T @ below), (b1, below.sum(0))),
        ):
            weights -= np.float32(kind.rate) * gradient
    return curve


if __name__ == "__main__":
    main()
