"""What feeds what in the graph of a model: dense blocks and residual blocks."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple

from grader.evidence.graphs import Graph, Node, NodeKind

MOST_CONVOLUTIONS = 130  # DenseNet-121 has 120; what it takes grows with the third power


class Block(NamedTuple):
    """A stretch of a model: the places of its layers, their names and numbers of filters.

    A layer is one convolution or several in a row (a bottleneck and what follows it); its place is that of
    the last one.
    """

    layers: tuple[int, ...]
    names: tuple[str, ...]
    filters: tuple[int | None, ...]

    def __len__(self) -> int:
        return len(self.layers)


class Connections:
    """Which features reach which convolution: what is looked for is found here.

    The features at a node are a set of places, those of the nodes that made them. A concatenation has those
    of all its inputs; what only keeps them has those of its input; everything else makes new ones.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._features: list[frozenset[int]] = []
        for place, node in enumerate(graph.nodes):
            self._features.append(self._made_by(place, node))

    def _made_by(self, place: int, node: Node) -> frozenset[int]:
        inputs = self._inputs_with_images(node)
        if node.kind is NodeKind.CONCATENATION and self._is_by_channels(node):
            return frozenset().union(*(self._features[source] for source in node.inputs))
        if node.kind is NodeKind.KEEPS and inputs:
            return self._features[inputs[0]]
        return frozenset({place})

    def _inputs_with_images(self, node: Node) -> list[int]:
        """The inputs, the largest first: others are scales of its channels."""
        nodes = self._graph.nodes

        def size(source: int) -> tuple[int, int]:
            shape = nodes[source].shape or ()
            return len(shape), sum(dim or 1 for dim in shape)

        return sorted(node.inputs, key=size, reverse=True)

    def _is_by_channels(self, node: Node) -> bool:
        """Whether a concatenation adds up channels; taken for granted where shapes were not told."""
        shapes = [self._graph.nodes[source].shape for source in node.inputs]
        channels = [shape[-1] if shape else None for shape in shapes]
        if node.shape is None or not node.shape or None in (*channels, node.shape[-1]):
            return True
        # the same tensor may go in twice: then its place stands there once
        return sum(c for c in channels if c is not None) <= (node.shape[-1] or 0)

    @cached_property
    def _joined(self) -> tuple[frozenset[int], ...]:
        """The features that each concatenation puts together."""
        places = self._graph.places(NodeKind.CONCATENATION)
        return tuple(self._features[place] for place in places)

    def _received(self, convolution: int) -> frozenset[int]:
        """The features that reach a convolution, or the bottleneck before it."""
        everywhere = frozenset().union(*self._joined) if self._joined else frozenset()
        found: frozenset[int] = frozenset()
        for _ in self._graph.nodes:
            inputs = self._graph.nodes[convolution].inputs
            found = frozenset().union(*(self._features[source] for source in inputs))
            (before, *more) = found or (convolution,)
            is_chain = not more and before != convolution and before not in everywhere
            if not is_chain or self._graph.nodes[before].kind is not NodeKind.CONVOLUTION:
                return found
            convolution = before
        return found

    def dense_blocks(self, at_least: int = 2) -> tuple[Block, ...]:
        """Stretches of at least so many layers, each of which receives the outputs of all earlier ones.

        All but the last have their outputs concatenated. A first convolution whose own input is not handed
        on is what a block begins with, not one of its layers, unless it has as many filters as they have.
        The longest blocks, in order; none is part of another. Of a model with more than `MOST_CONVOLUTIONS`
        only so many are looked at.
        """
        convolutions = self._graph.places(NodeKind.CONVOLUTION)[:MOST_CONVOLUTIONS]
        received = {place: self._received(place) for place in convolutions}
        chains = [self._chain(first, convolutions, received) for first in convolutions]
        found: list[Block] = []
        taken: set[int] = set()
        for chain in sorted(chains, key=len, reverse=True):
            block = self._block(self._without_beginning(chain, received))
            if len(block) >= at_least and not taken & set(chain):
                found.append(block)
                taken |= set(chain)
        return tuple(sorted(found, key=lambda block: block.layers))

    def _chain(
        self, first: int, convolutions: tuple[int, ...], received: Mapping[int, frozenset[int]]
    ) -> tuple[int, ...]:
        """The longest run from a convolution in which each receives all earlier ones."""
        if not any(first in features for features in self._joined):
            return ()
        chain = [first]
        for place in convolutions[convolutions.index(first) + 1 :]:
            if not received[place] >= set(chain):
                continue
            if any(features >= {*chain, place} for features in self._joined):
                chain.append(place)
        return (*chain, *self._last_layer(chain, received))

    def _last_layer(self, chain: list[int], received: Mapping[int, frozenset[int]]) -> tuple[int, ...]:
        """A convolution that receives all of a chain and whose output goes on alone, if it is a layer.

        A transition is 1 × 1; of a graph of operations the kernels are not known, so none is a layer there.
        """
        for place, features in received.items():
            kernel = self._graph.nodes[place].kernel
            if place > chain[-1] and features >= set(chain) and len(chain) > 1 and kernel is not None:
                return (place,) if max(kernel) > 1 else ()
        return ()

    def _without_beginning(
        self, chain: tuple[int, ...], received: Mapping[int, frozenset[int]]
    ) -> tuple[int, ...]:
        if len(chain) < 2:
            return ()
        first, second = chain[:2]
        hands_on = received[second] >= received[first]
        nodes = self._graph.nodes
        is_alike = nodes[first].filters is not None and nodes[first].filters == nodes[second].filters
        return chain if hands_on or is_alike else chain[1:]

    def _block(self, places: tuple[int, ...]) -> Block:
        nodes = [self._graph.nodes[place] for place in places]
        return Block(places, tuple(node.name for node in nodes), tuple(node.filters for node in nodes))

    def residual_blocks(self) -> tuple[Block, ...]:
        """Additions of features and what convolutions make of them: one block each, with its convolutions."""
        return tuple(
            self._block(tuple(sorted(between)))
            for place in self._graph.places(NodeKind.ADDITION)
            if (between := self._between(place))
        )

    def _between(self, addition: int) -> frozenset[int]:
        """The convolutions on the ways to an addition from where its inputs part; none if they do not."""
        sources = self._graph.nodes[addition].inputs
        if len(sources) < 2:
            return frozenset()
        ways = [self._behind(source) for source in sources]
        common = frozenset.intersection(*ways)
        if not common:
            return frozenset()
        after = frozenset().union(*ways) - common
        return frozenset(p for p in after if self._graph.nodes[p].kind is NodeKind.CONVOLUTION)

    def _behind(self, place: int) -> frozenset[int]:
        """The node and all nodes that lead to it."""
        found, waiting = {place}, [place]
        while waiting:
            for source in self._graph.nodes[waiting.pop()].inputs:
                if source not in found:
                    found.add(source)
                    waiting.append(source)
        return frozenset(found)
