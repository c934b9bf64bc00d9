"""What feeds what in the graph of a model: dense blocks and residual blocks."""

from __future__ import annotations

import operator
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cached_property, reduce
from typing import NamedTuple

from grader.evidence.graphs import Graph, Node, NodeKind

MOST_CONVOLUTIONS = 130  # DenseNet-121 has 120; what it takes grows with the third power


class Block(NamedTuple):
    """A stretch of a model: the places of its layers, their names and numbers of filters.

    A layer is one convolution or several, with all that makes one output of them: a bottleneck and what
    follows it, an addition or a concatenation inside. Its place is that of the last step, `filters` are its
    channels.
    `is_certain` is False of a dense block whose input is not handed on and that rests on one concatenation
    (three layers, of which the second receives the first alone, and the third, whose output goes on alone,
    both), or begins with more than a convolution, which may be what leads to it.
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

    def _fed(self, place: int) -> frozenset[int]:
        """The features that go into a node."""
        sources = self._graph.nodes[place].inputs
        return frozenset().union(*(self._features[source] for source in sources))

    def _fed_in_turn(self, place: int) -> Iterator[frozenset[int]]:
        """The features that go into a node, and those before each pooling on the way that keeps the size."""
        while True:
            features = self._fed(place)
            yield features
            (place, *more) = features or (place,)
            is_pooling = self._graph.nodes[place].kind is NodeKind.POOLING and self._keeps_size(place)
            if not features or more or not is_pooling:
                return

    def _convolutions_behind(self, place: int, stops: Collection[int] = (), since: int = 0) -> list[int]:
        """The convolutions among what `_behind` gives."""
        nodes = self._graph.nodes
        return [p for p in self._behind(place, stops, since) if nodes[p].kind is NodeKind.CONVOLUTION]

    def _received(self, place: int, chain: Sequence[int]) -> frozenset[int]:
        """The features that a layer receives: what the one of its convolutions does that has most of a chain.

        The layer is all that lies between the chain (some places, in order) and its place, however it is
        composed. What lies before the chain receives nothing of it.
        """
        convolutions = self._convolutions_behind(place, chain, since=chain[0])
        fed = (features for convolution in convolutions for features in self._fed_in_turn(convolution))
        return max(fed, key=lambda features: len(features.intersection(chain)), default=frozenset())

    @cached_property
    def _layers(self) -> tuple[int, ...]:
        """What may be a layer of a block: joined with others, it convolves images and keeps their size."""
        nodes = self._graph.nodes
        everywhere = frozenset().union(*self._joined) if self._joined else frozenset()

        def is_layer(place: int) -> bool:
            node = nodes[place]
            if node.kind is NodeKind.CONVOLUTION:
                return True
            return self._keeps_size(place) and bool(self._convolutions_behind(place))

        return tuple(place for place in sorted(everywhere) if is_layer(place))[:MOST_CONVOLUTIONS]

    def _keeps_size(self, place: int) -> bool:
        inputs = self._inputs_with_images(self._graph.nodes[place])
        return bool(inputs) and self._is_as_large(place, inputs[0])

    def _is_as_large(self, one: int, other: int) -> bool:
        """Whether two nodes have images of one size; taken for granted where shapes were not told."""
        shapes = [self._graph.nodes[place].shape for place in (one, other)]
        return None in shapes or len({shape[:-1] for shape in shapes if shape is not None}) == 1

    def dense_blocks(self, at_least: int = 2) -> tuple[Block, ...]:
        """Stretches of at least so many layers, each of which receives the outputs of all earlier ones.

        All but the last have their outputs concatenated. A first layer whose own input is not handed on is
        what a block begins with, not one of its layers, unless it ends as they do, with as many filters.
        The longest blocks, in order; none is part of another. Of a model with more than `MOST_CONVOLUTIONS`
        only so many are looked at.
        """
        found: list[Block] = []
        taken: set[int] = set()
        blocks = [self._block_from(first) for first in self._layers]
        for block in sorted(blocks, key=len, reverse=True):
            if len(block) >= at_least and taken.isdisjoint(block.layers):
                found.append(block)
                taken.update(block.layers)
        return tuple(sorted(found, key=lambda block: block.layers))

    def _block_from(self, first: int) -> Block:
        """The longest block that begins with a layer; an empty one where none does.

        Where the input is not handed on, or the last output goes on alone, there must be three: two would be
        any convolution after another, any after a concatenation.
        """
        joined = self._chain(first)
        chain = (*joined, *self._last_layer(joined))
        if len(chain) < 2:
            return self._block(())
        received = [self._received(place, chain[:at]) for at, place in enumerate(chain) if at]
        inside = self._convolutions_behind(first, frozenset().union(*received) - {first})
        hands_on = any(fed <= received[0] for one in inside for fed in self._fed_in_turn(one))
        if not hands_on and not self._is_closed(chain, received):
            return self._block(())
        if len(chain) < 3 and not (hands_on and len(joined) == len(chain)):
            return self._block(())
        is_plain = self._graph.nodes[first].kind is NodeKind.CONVOLUTION
        return self._block(chain, is_certain=hands_on or (is_plain and len(joined) > 2))

    def _is_closed(self, chain: Sequence[int], received: Iterable[frozenset[int]]) -> bool:
        """Whether the first layer is like the second, and none of the others receives what came before it."""
        first, second = (self._graph.nodes[place] for place in chain[:2])
        is_alike = first.kind is second.kind and _channels(first) == _channels(second)
        if not is_alike or _channels(first) is None:
            return False
        before = self._behind(chain[0]) - {chain[0]}
        return all(features.isdisjoint(before) for features in received)

    def _chain(self, first: int) -> tuple[int, ...]:
        """The longest run from a layer in which each receives all earlier ones and is joined with them."""
        chain = [first]
        for place in self._layers:
            together = {*chain, place}
            is_joined = place > first and any(features >= together for features in self._joined)
            if is_joined and self._carries_on(place, chain):
                chain.append(place)
        return tuple(chain)

    def _last_layer(self, chain: tuple[int, ...]) -> tuple[int, ...]:
        """A convolution that receives all of a chain and whose output goes on alone, if it is a layer.

        A transition is 1 × 1, or makes images smaller; where the kernel was not told, it may be one.
        """
        for place in self._graph.places(NodeKind.CONVOLUTION)[:MOST_CONVOLUTIONS]:
            kernel = self._graph.nodes[place].kernel
            is_next = len(chain) > 1 and place > chain[-1] and self._fed(place) >= set(chain)
            if is_next and kernel is not None and self._carries_on(place, chain):
                return (place,) if max(kernel) > 1 and self._is_as_large(place, chain[-1]) else ()
        return ()

    def _carries_on(self, place: int, chain: Sequence[int]) -> bool:
        """Whether a layer receives all of a chain, and nothing from one that misses an earlier of these.

        Such a one stands between them. One that receives only the first of them stands beside them.
        """
        features = self._received(place, chain)
        if not features >= set(chain):
            return False
        for other in features.difference(chain).intersection(self._layers):
            parts = self._received(other, chain).intersection(chain)
            if parts != set(chain[: len(parts)]):
                return False
        return True

    def _block(self, places: tuple[int, ...], *, is_certain: bool = True) -> Block:
        nodes = [self._graph.nodes[place] for place in places]
        names = tuple(node.name for node in nodes)
        return Block(places, names, tuple(map(_channels, nodes)), is_certain)

    def unconnected(self) -> tuple[str, str] | None:
        """The names of two layers that are concatenated though the later does not receive the earlier.

        Those of the first two; None where there are none.
        """
        nodes = self._graph.nodes
        for features in self._joined:
            joined = [place for place in self._layers if place in features]
            for at, later in enumerate(joined[1:], start=1):
                missed = set(joined[:at]) - self._received(later, joined[:at])
                if missed and nodes[later].name != nodes[min(missed)].name:
                    return nodes[later].name, nodes[min(missed)].name
        return None

    def residual_blocks(self) -> tuple[Block, ...]:
        """Additions of features and what convolutions make of them: one block each, with its convolutions."""
        return tuple(
            self._block(between)
            for place in self._graph.places(NodeKind.ADDITION)
            if (between := self._between(place))
        )

    def _between(self, addition: int) -> tuple[int, ...]:
        """The convolutions on the ways to an addition from where its inputs part; none if they do not."""
        ways = [self._led_here[source] for source in self._graph.nodes[addition].inputs]
        common = reduce(operator.and_, ways, -1)
        after = reduce(operator.or_, ways, 0) & ~common
        if len(ways) < 2 or not common:
            return ()
        return tuple(place for place in self._graph.places(NodeKind.CONVOLUTION) if after >> place & 1)

    @cached_property
    def _led_here(self) -> Sequence[int]:
        """For each node the set of it and all nodes that lead to it, as a number whose bits are the places.

        A room may tell of graphs that are as tangled as it likes: sets of sets would take days.
        """
        found: list[int] = []
        for place, node in enumerate(self._graph.nodes):
            found.append(reduce(operator.or_, (found[source] for source in node.inputs), 1 << place))
        return found

    def _behind(self, place: int, stops: Collection[int] = (), since: int = 0) -> frozenset[int]:
        """The node and all nodes that lead to it, back to `stops` (left out), and none before `since`."""
        found, waiting, ends = {place}, [place], frozenset(stops)
        while waiting:
            for source in self._graph.nodes[waiting.pop()].inputs:
                if source >= since and source not in found and source not in ends:
                    found.add(source)
                    waiting.append(source)
        return frozenset(found)


def _channels(node: Node) -> int | None:
    """The filters of a convolution, or how many channels another node gives."""
    return node.filters or (node.shape[-1] if node.shape else None)
