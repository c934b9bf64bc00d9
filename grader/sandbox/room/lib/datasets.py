"""The course's helper `datasets.py`, written anew from its description, for notebooks handed in without it.

An attachment of the same name in the hand-in comes first.
"""

from __future__ import annotations

from typing import Any

import numpy as np


class MNISTDataset:
    """Images as (n, 784) float32 in [0, 1], labels as (n,) int32, and shuffled minibatches to train on.

    Takes uint8 images of shape (n, 28, 28) or (n, 784), integer labels, and the size of a minibatch.
    """

    def __init__(
        self,
        train_data: Any,
        train_labels: Any,
        test_data: Any,
        test_labels: Any,
        batch_size: int = 128,
        seed: int | None = None,
    ) -> None:
        self.train_data, self.train_labels = _images(train_data), _labels(train_labels)
        self.test_data, self.test_labels = _images(test_data), _labels(test_labels)
        self.size = len(self.train_data)
        self.batch_size = batch_size
        self._random = np.random.RandomState(seed if seed is not None else np.random.randint(2**31))
        self._next = 0
        self.shuffle()

    def shuffle(self) -> None:
        """Put the training examples into a new random order."""
        order = self._random.permutation(self.size)
        self.train_data, self.train_labels = self.train_data[order], self.train_labels[order]
        self._next = 0

    def next_batch(self, batch_size: int | None = None) -> tuple[Any, Any]:
        """The next `(images, labels)`; a new pass over the data begins with a new order."""
        size = batch_size or self.batch_size
        if self._next + size > self.size:
            self.shuffle()
        start, self._next = self._next, self._next + size
        return self.train_data[start : self._next], self.train_labels[start : self._next]


def _images(data: Any) -> Any:
    data = np.asarray(data)
    scale = 255.0 if data.dtype.kind in "iu" or data.max(initial=0) > 1 else 1.0
    return (data.reshape(len(data), -1) / scale).astype(np.float32)


def _labels(labels: Any) -> Any:
    return np.asarray(labels).reshape(-1).astype(np.int32)
