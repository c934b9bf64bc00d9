"""Where a batch goes into a forward pass, and a few of the rows that went in there."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from probes.variables import hidden_variable

MOST_ROWS = 64
_ROWS_IN_GRAPH = 16


class Feed:
    """One tensor through which a batch goes in: (batch, *row_shape), or transposed (row, batch)."""

    def __init__(
        self, row_shape: tuple[int, ...], dtype: Any, is_transposed: bool = False, rows: Any = None
    ) -> None:
        self.row_shape = row_shape
        self.dtype = dtype
        self.is_transposed = is_transposed
        self.later: Feed | None = None  # the same one as another graph has it
        self._known_rows: NDArray[np.float32] | None = rows
        self._sampled: Any = None  # a variable into which a graph copies rows of its data

    @property
    def rows(self) -> NDArray[np.float32] | None:
        """The first rows, flat (n, pixels), of one batch that went in; None when they are not known."""
        rows = self._known_rows
        if self._sampled is not None:
            rows = np.asarray(self._sampled.numpy())
        is_empty = rows is None or not rows.any()  # a graph that never ran has copied nothing
        return self.later.rows if is_empty and self.later is not None else rows

    def tensor(self, rows: NDArray[Any]) -> Any:
        """Rows (n, *row_shape) as what goes in."""
        import tensorflow as tf

        fed = np.moveaxis(rows, 0, -1) if self.is_transposed else rows
        return tf.cast(tf.constant(np.rint(fed) if self.dtype.is_integer else fed), self.dtype)

    def also(self, other: Feed) -> None:
        """Look at `other`, too, when no rows are known from here."""
        if self.later is not None:
            self.later.also(other)
        elif other is not self and other.row_shape == self.row_shape:
            self.later = other

    def sample_in_graph(self, tensor: Any) -> None:
        """Let the graph under construction copy a few rows of its data into a variable at each step.

        The variable keeps its shape: a graph that is compiled further can write no other.
        """
        import tensorflow as tf

        width = int(np.prod(self.row_shape))
        rows = tf.transpose(tensor) if self.is_transposed else tensor
        batch = rows.shape[0]
        count = _ROWS_IN_GRAPH if batch is None else min(batch, _ROWS_IN_GRAPH)
        chosen = rows[:count] if batch is not None else tf.gather(rows, tf.range(count) % tf.shape(rows)[0])
        with tf.init_scope():
            self._sampled = hidden_variable(tf.zeros([count, width]), tf.float32)
        self._sampled.assign(tf.cast(tf.reshape(chosen, [count, width]), tf.float32))


def feed_of(tensor: Any, is_transposed: bool = False) -> Feed | None:
    """The feed through `tensor`, with its rows or a way to learn them; None where its shape is not known."""
    import tensorflow as tf

    if tensor.shape.rank is None or tensor.shape.rank < 1:
        return None
    dims = tensor.shape.as_list()
    row_shape = tuple(dims[:1] if is_transposed else dims[1:])
    if None in row_shape:
        return None
    rows, is_sampled = None, False
    if hasattr(tensor, "first_rows"):  # of a recording that keeps no large tensor
        rows = tensor.first_rows(is_transposed)
    elif tensor.dtype == tf.string:
        rows = None
    elif hasattr(tensor, "numpy"):
        rows = keep_rows(tensor.numpy(), is_transposed)
    elif tensor.graph is tf.compat.v1.get_default_graph():
        is_sampled = True
    elif (value := tf.get_static_value(tensor)) is not None:
        rows = keep_rows(value, is_transposed)
    feed = Feed(row_shape, tensor.dtype, is_transposed, rows)
    if is_sampled:
        feed.sample_in_graph(tensor)
    return feed


def keep_rows(values: Any, is_transposed: bool = False) -> NDArray[np.float32]:
    """Up to 64 rows of a batch, one flat float32 row per example."""
    array = np.asarray(values)
    rows = array[:, :MOST_ROWS].T if is_transposed else array[:MOST_ROWS]
    return np.array(rows, dtype=np.float32).reshape(len(rows), -1)
