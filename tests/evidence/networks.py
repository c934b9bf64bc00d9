"""Graphs of models, built node by node: `net.conv(x, 8)` adds a convolution and gives its place."""

from __future__ import annotations

from collections.abc import Sequence

from grader.evidence.graphs import Graph, Node, NodeKind


class Net:
    """A graph in the making. Shapes are those of images of 32 × 32; pooling halves them."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.image = self._add(NodeKind.INPUT, (), (32, 32, 3))

    @property
    def graph(self) -> Graph:
        return Graph(tuple(self.nodes), is_whole=True)

    def conv(self, x: int, filters: int = 8, kernel: int | None = 3) -> int:
        shape = (*self._shape(x)[:2], filters)
        size = None if kernel is None else (kernel, kernel)
        return self._add(NodeKind.CONVOLUTION, (x,), shape, filters, size)

    def keep(self, x: int) -> int:
        """A normalisation, an activation or the like."""
        return self._add(NodeKind.KEEPS, (x,), self._shape(x))

    def pool(self, x: int) -> int:
        high, wide, channels = self._shape(x)
        return self._add(NodeKind.POOLING, (x,), (high // 2, wide // 2, channels))

    def smooth(self, x: int) -> int:
        """A pooling that keeps the size."""
        return self._add(NodeKind.POOLING, (x,), self._shape(x))

    def concat(self, xs: Sequence[int]) -> int:
        channels = sum(self._shape(x)[-1] for x in xs)
        return self._add(NodeKind.CONCATENATION, tuple(xs), (*self._shape(xs[0])[:2], channels))

    def add(self, first: int, second: int) -> int:
        return self._add(NodeKind.ADDITION, (first, second), self._shape(first))

    def head(self, x: int) -> None:
        pooled = self._add(NodeKind.POOLING, (x,), self._shape(x)[-1:])
        self._add(NodeKind.DENSE, (pooled,), (10,))

    def _shape(self, x: int) -> tuple[int, ...]:
        return tuple(dim or 0 for dim in self.nodes[x].shape or ())

    def _add(
        self,
        kind: NodeKind,
        inputs: tuple[int, ...],
        shape: tuple[int, ...],
        filters: int | None = None,
        kernel: tuple[int, ...] | None = None,
    ) -> int:
        self.nodes.append(Node(kind, f"{kind.value} {len(self.nodes)}", inputs, shape, filters, kernel))
        return len(self.nodes) - 1
