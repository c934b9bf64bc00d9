"""What feeds what in the graph of a model: dense blocks and residual blocks."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property, reduce
from itertools import accumulate
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
    of all its inputs; what only keeps them has those of its input; everything else makes new ones. A set is a
    number whose bits are the places in it: a room may tell of graphs that are as tangled as it likes.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._features: list[int] = []
        for place, node in enumerate(graph.nodes):
            self._features.append(self._made_by(place, node))

    def _made_by(self, place: int, node: Node) -> int:
        inputs = self._inputs_with_images(node)
        if node.kind is NodeKind.CONCATENATION and self._is_by_channels(node):
            return _united(self._features[source] for source in node.inputs)
        if node.kind is NodeKind.KEEPS and inputs:
            return self._features[inputs[0]]
        if node.kind is NodeKind.ADDITION and len({self._features[source] for source in inputs}) == 1:
            return self._features[inputs[0]]  # a normalisation that is written out adds what it made of them
        return 1 << place

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
    def _joined(self) -> tuple[int, ...]:
        """The features that each concatenation puts together."""
        places = self._graph.places(NodeKind.CONCATENATION)
        return tuple(dict.fromkeys(self._features[place] for place in places))

    @cached_property
    def _received(self) -> Mapping[int, int]:
        """The features that reach each convolution, or the bottleneck before it."""
        everywhere = _united(self._joined)
        places = self._graph.places(NodeKind.CONVOLUTION)[:MOST_CONVOLUTIONS]
        return {place: self._received_by(place, everywhere) for place in places}

    @cached_property
    def _joined_in(self) -> Mapping[int, int]:
        """For each convolution the set of the places in `_joined` at which it is."""
        return {
            place: _united(1 << at for at, features in enumerate(self._joined) if features >> place & 1)
            for place in self._received
        }

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

    def _received_by(self, convolution: int, everywhere: int) -> int:
        found = 0
        for _ in self._graph.nodes:
            found = _united(self._features[source] for source in self._graph.nodes[convolution].inputs)
            before = found.bit_length() - 1
            is_chain = found.bit_count() == 1 and before != convolution and not everywhere & found
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
        found: list[Block] = []
        taken: set[int] = set()
        blocks = [self._block_from(first) for first in self._received]
        for block in sorted(blocks, key=len, reverse=True):
            if len(block) >= at_least and taken.isdisjoint(block.layers):
                found.append(block)
                taken.update(block.layers)
        return tuple(sorted(found, key=lambda block: block.layers))

    def _block_from(self, first: int) -> Block:
        """The longest block that begins with a convolution; an empty one where none does.

        Where the input is not handed on, or the last output goes on alone, there must be three: two would be
        any convolution after another, any after a concatenation.
        """
        received = self._received
        joined = self._chain(first)
        chain = (*joined, *self._last_layer(joined))
        if len(chain) < 2:
            return self._block(())
        second = chain[1]
        hands_on = not received[first] & ~received[second]
        nodes = self._graph.nodes
        is_alike = nodes[first].filters is not None and nodes[first].filters == nodes[second].filters
        is_closed = not any(received[place] & received[first] for place in chain[1:])
        if not hands_on and not (is_alike and is_closed):
            return self._block(())
        if len(chain) < 3 and not (hands_on and len(joined) == len(chain)):
            return self._block(())
        return self._block(chain, is_certain=hands_on or len(joined) > 2)

    def _chain(self, first: int) -> tuple[int, ...]:
        """The longest run from a convolution in which each receives all earlier ones and is joined with them.

        An empty one where the first is joined with nothing.
        """
        together = self._joined_in[first]
        chain = [first] if together else []
        for place in self._received:
            is_next = chain and place > first and self._carries_on(place, chain)
            if is_next and together & self._joined_in[place]:
                together &= self._joined_in[place]
                chain.append(place)
        return tuple(chain)

    def _last_layer(self, chain: tuple[int, ...]) -> tuple[int, ...]:
        """A convolution that receives all of a chain and whose output goes on alone, if it is a layer.

        A transition is 1 × 1; where the kernel was not told, it may be one.
        """
        for place in self._received:
            kernel = self._graph.nodes[place].kernel
            is_next = len(chain) > 1 and place > chain[-1] and self._carries_on(place, chain)
            if is_next and kernel is not None:
                return (place,) if max(kernel) > 1 else ()
        return ()

    def _carries_on(self, place: int, chain: Sequence[int]) -> bool:
        """Whether a convolution receives all of a chain, and nothing of one that misses an earlier of these.

        Such a one stands between them. One that receives only the first of them stands beside them.
        """
        features, whole = self._received[place], _united(1 << one for one in chain)
        if whole & ~features:
            return False
        beginnings = {0, *accumulate((1 << one for one in chain), operator.or_)}
        return all(
            received & whole in beginnings
            for other, received in self._received.items()
            if features >> other & 1 and not whole >> other & 1
        )

    def _block(self, places: tuple[int, ...], *, is_certain: bool = True) -> Block:
        nodes = [self._graph.nodes[place] for place in places]
        names = tuple(node.name for node in nodes)
        return Block(places, names, tuple(node.filters for node in nodes), is_certain)

    def unconnected(self) -> tuple[str, str] | None:
        """The names of two convolutions that are concatenated though the later does not receive the earlier.

        Those of the first two; None where there are none.
        """
        nodes = self._graph.nodes
        for features in self._joined:
            earlier = 0
            for later, received in self._received.items():
                if features >> later & 1:
                    missed = earlier & ~received
                    first = (missed & -missed).bit_length() - 1
                    if missed and nodes[later].name != nodes[first].name:
                        return nodes[later].name, nodes[first].name
                    earlier |= 1 << later
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
        ways = [self._behind[source] for source in self._graph.nodes[addition].inputs]
        common = reduce(operator.and_, ways, -1)
        after = _united(ways) & ~common
        if len(ways) < 2 or not common:
            return ()
        return tuple(place for place in self._graph.places(NodeKind.CONVOLUTION) if after >> place & 1)

    @cached_property
    def _behind(self) -> Sequence[int]:
        """For each node the set of it and all nodes that lead to it."""
        found: list[int] = []
        for place, node in enumerate(self._graph.nodes):
            found.append(1 << place | _united(found[source] for source in node.inputs))
        return found


def _united(sets: Iterable[int]) -> int:
    return reduce(operator.or_, sets, 0)
