"""What feeds what in the graph of a model: dense blocks and residual blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from grader.evidence.graphs import Graph, Node, NodeKind

MOST_CONVOLUTIONS = 130  # DenseNet-121 has 120; what it takes grows with the third power


class Block(NamedTuple):
    """A stretch of a model: the places of its layers, their names and numbers of filters.

    A layer is one convolution or several in a row (a bottleneck and what follows it); its place is that of
    the last one. `is_certain` is False of a dense block that rests on one concatenation: three layers, of
    which the second receives the first alone, and the third, whose output goes on alone, both.
    """

    layers: tuple[int, ...]
    names: tuple[str, ...]
    filters: tuple[int | None, ...]
    is_certain: bool = True

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
        if node.kind is NodeKind.ADDITION and len({self._features[source] for source in inputs}) == 1:
            return self._features[inputs[0]]  # a normalisation that is written out adds what it made of them
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

    @cached_property
    def unread(self) -> tuple[str, ...]:
        """The names of steps after a convolution of which nobody knows what they do to its features.

        Images go in and come out as large as they were: such a step may do what a layer of a block does.
        """
        nodes = self._graph.nodes
        follows: list[bool] = []
        found = []
        for node in nodes:
            inputs = self._inputs_with_images(node)
            is_after = any(follows[source] for source in inputs)
            follows.append(is_after or node.kind is NodeKind.CONVOLUTION)
            shapes = [nodes[source].shape for source in inputs[:1]] + [node.shape]
            is_as_large = None not in shapes and len({shape[:2] for shape in shapes if shape}) == 1
            is_image = all(shape is None or len(shape) == 3 for shape in shapes)
            if node.kind is NodeKind.OTHER and is_after and is_image and is_as_large:
                found.append(node.name)
        return tuple(found)

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
        found: list[Block] = []
        taken: set[int] = set()
        blocks = [self._block_from(first, received) for first in convolutions]
        for block in sorted(blocks, key=len, reverse=True):
            if len(block) >= at_least and taken.isdisjoint(block.layers):
                found.append(block)
                taken.update(block.layers)
        return tuple(sorted(found, key=lambda block: block.layers))

    def _block_from(self, first: int, received: Mapping[int, frozenset[int]]) -> Block:
        """The longest block that begins with a convolution; an empty one where none does.

        Where the input is not handed on, or the last output goes on alone, there must be three: two would be
        any convolution after another, any after a concatenation.
        """
        joined = self._chain(first, received)
        chain = (*joined, *self._last_layer(joined, received))
        if len(chain) < 2:
            return self._block(())
        second = chain[1]
        hands_on = received[second] >= received[first]
        nodes = self._graph.nodes
        is_alike = nodes[first].filters is not None and nodes[first].filters == nodes[second].filters
        is_closed = all(received[place].isdisjoint(received[first]) for place in chain[1:])
        if not hands_on and not (is_alike and is_closed):
            return self._block(())
        if len(chain) < 3 and not (hands_on and len(joined) == len(chain)):
            return self._block(())
        return self._block(chain, is_certain=hands_on or len(joined) > 2)

    def _chain(self, first: int, received: Mapping[int, frozenset[int]]) -> tuple[int, ...]:
        """The longest run from a convolution in which each receives all earlier ones and is joined with them.

        An empty one where the first is joined with nothing.
        """
        chain = [first] if any(first in features for features in self._joined) else []
        for place in received:
            is_next = chain and place > first and _carries_on(place, chain, received)
            if is_next and any(features >= {*chain, place} for features in self._joined):
                chain.append(place)
        return tuple(chain)

    def _last_layer(self, chain: tuple[int, ...], received: Mapping[int, frozenset[int]]) -> tuple[int, ...]:
        """A convolution that receives all of a chain and whose output goes on alone, if it is a layer.

        A transition is 1 × 1; where the kernel was not told, it may be one.
        """
        for place in received:
            kernel = self._graph.nodes[place].kernel
            is_next = len(chain) > 1 and place > chain[-1] and _carries_on(place, chain, received)
            if is_next and kernel is not None:
                return (place,) if max(kernel) > 1 else ()
        return ()

    def _block(self, places: tuple[int, ...], *, is_certain: bool = True) -> Block:
        nodes = [self._graph.nodes[place] for place in places]
        names = tuple(node.name for node in nodes)
        return Block(places, names, tuple(node.filters for node in nodes), is_certain)

    def unconnected(self) -> tuple[str, str] | None:
        """The names of two convolutions that are concatenated though the later does not receive the earlier.

        Those of the first two; None where there are none.
        """
        convolutions = frozenset(self._graph.places(NodeKind.CONVOLUTION)[:MOST_CONVOLUTIONS])
        nodes = self._graph.nodes
        for features in self._joined:
            joined = sorted(features & convolutions)
            for place, later in enumerate(joined):
                missed = set(joined[:place]) - self._received(later)
                if missed and nodes[later].name != nodes[min(missed)].name:
                    return nodes[later].name, nodes[min(missed)].name
        return None

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


def _carries_on(place: int, chain: Sequence[int], received: Mapping[int, frozenset[int]]) -> bool:
    """Whether a convolution receives all of a chain, and nothing from one that misses an earlier of these.

    Such a one stands between them. One that receives only the first of them stands beside them.
    """
    features = received[place]
    if not features >= set(chain):
        return False
    for other in features.difference(chain):
        parts = received.get(other, frozenset()).intersection(chain)
        if parts != set(chain[: len(parts)]):
            return False
    return True
