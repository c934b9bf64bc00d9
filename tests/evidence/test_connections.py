"""Dense and residual blocks are found in graphs however they are written, and in no others."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest
from evidence.networks import Net
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.evidence.connections import Connections
from grader.evidence.graphs import Graph, Node, NodeKind


@dataclass(frozen=True)
class Style:
    """How a DenseNet is written."""

    layers: tuple[int, ...]  # per block
    has_stem: bool = True
    is_stem_pooled: bool = False
    has_bottlenecks: bool = False
    has_norms: bool = False
    is_running: bool = True  # x = concat([x, new]), else concat of all so far
    has_pools: bool = True  # in the transitions
    has_transition_convs: bool = True
    kernels_are_told: bool = True
    ending: str = "none"


ENDINGS = {  # what a layer does after its convolutions, with what they made and what the layer received
    "none": lambda net, made, _: made,
    "addition of its own input": lambda net, made, _: net.add(made, net.conv(net.keep(made), 4)),
    "projected shortcut": lambda net, made, received: net.add(made, net.conv(received, 4, 1)),
    "two additions": lambda net, made, received: net.add(
        net.add(made, net.conv(made, 4)), net.conv(received, 4, 1)
    ),
    "branches": lambda net, made, received: net.conv(net.concat([made, net.conv(received, 4, 5)]), 4, 1),
    "joined chain": lambda net, made, _: net.conv(net.concat([made, net.conv(made, 4)]), 4, 1),
    "pooling that keeps the size": lambda net, made, _: net.smooth(made),
}

WITH_ADDITIONS = ("addition of its own input", "projected shortcut", "two additions")
styles = st.builds(
    Style,
    layers=st.lists(st.integers(2, 6), min_size=1, max_size=3).map(tuple),
    ending=st.sampled_from(sorted(ENDINGS)),
    **{
        name: st.booleans()
        for name in Style.__dataclass_fields__
        if name not in ("layers", "has_pools", "has_transition_convs", "ending")
    },
)


def layer(net: Net, style: Style, x: int) -> int:
    def size(kernel: int) -> int | None:
        return kernel if style.kernels_are_told else None

    received = x
    for kernel, filters in ((1, 16), (3, 4)) if style.has_bottlenecks else ((3, 4),):
        x = net.keep(net.keep(x)) if style.has_norms else x
        x = net.conv(x, filters, size(kernel))
    return ENDINGS[style.ending](net, x, received)


def densenet(style: Style) -> Graph:
    net = Net()
    x = net.conv(net.image, 12) if style.has_stem else net.image
    x = net.pool(x) if style.is_stem_pooled else x
    for number, count in enumerate(style.layers):
        if number:
            x = net.conv(x, 10, 1) if style.has_transition_convs else x
            x = net.pool(x) if style.has_pools else x
        so_far = [x]
        for _ in range(count):
            new = layer(net, style, x)
            so_far.append(new)
            x = net.concat([x, new] if style.is_running else so_far)
    net.head(x)
    return net.graph


@settings(max_examples=150, deadline=None)
@given(styles)
def test_every_dense_block_is_found_with_all_its_layers(style):
    assert [len(block) for block in Connections(densenet(style)).dense_blocks()] == list(style.layers)


@settings(max_examples=60, deadline=None)
@given(styles.filter(lambda style: style.ending not in WITH_ADDITIONS))
def test_a_densenet_without_additions_has_no_residual_block(style):
    assert Connections(densenet(style)).residual_blocks() == ()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 6), st.integers(1, 3), st.booleans(), st.booleans())
def test_addition_makes_residual_blocks_and_no_dense_one(blocks, convolutions, has_norms, is_projected):
    net = Net()
    x = net.conv(net.image, 8)
    for _ in range(blocks):
        new = x
        for _ in range(convolutions):
            new = net.conv(net.keep(new) if has_norms else new, 8)
        x = net.add(net.conv(x, 8, 1) if is_projected else x, new)
    net.head(x)
    found = Connections(net.graph)
    assert [len(block) for block in found.residual_blocks()] == [convolutions + is_projected] * blocks
    assert found.dense_blocks() == ()


def test_residual_blocks_whose_outputs_are_joined_at_the_end_are_no_dense_block():
    net = Net()
    x = net.conv(net.image, 8)
    outputs = [x]
    for _ in range(4):
        x = net.add(x, net.conv(x, 8))
        outputs.append(x)
    net.head(net.concat(outputs))
    assert Connections(net.graph).dense_blocks() == ()


def test_what_reaches_a_layer_only_by_addition_is_not_received():
    net = Net()
    x = net.pool(net.conv(net.image, 8))
    first = net.conv(x, 8)
    second = net.add(net.conv(first, 8), x)
    third = net.add(net.conv(second, 8), first)
    fourth = net.add(net.conv(third, 8), second)
    net.head(net.concat([x, first, second, third, fourth]))
    assert Connections(net.graph).dense_blocks() == ()


def test_a_convolution_of_the_sum_of_all_earlier_is_no_layer_of_a_dense_block():
    net = Net()
    x = net.conv(net.image, 8)
    outputs, total = [x], x
    for _ in range(3):
        outputs.append(net.conv(total, 8))
        total = net.add(total, outputs[-1])
    net.head(net.concat(outputs))
    assert Connections(net.graph).dense_blocks() == ()


def test_residual_steps_around_whole_dense_blocks_are_none_of_their_layers():
    net = Net()
    x = net.conv(net.image, 16)
    for _ in range(2):
        inside = x
        for _ in range(3):
            inside = net.concat([inside, net.conv(inside, 4)])
        x = net.add(x, net.conv(inside, 16, 1))
    net.head(x)
    found = Connections(net.graph)
    assert [len(block) for block in found.dense_blocks()] == [3, 3]


def test_a_convolution_that_makes_images_smaller_is_no_last_layer():
    net = Net()
    x = net.pool(net.conv(net.image, 16))
    first = net.conv(x, 4)
    second = net.conv(net.concat([x, first]), 4)
    strided = net.conv(net.concat([x, first, second]), 4)
    net.nodes[strided] = net.nodes[strided]._replace(shape=(8, 8, 4))
    net.head(strided)
    [block] = Connections(net.graph).dense_blocks()
    assert block.layers == (first, second)


def test_a_pooling_that_keeps_the_size_may_stand_before_a_layer_but_hands_nothing_on():
    smoothed, naive = Net(), Net()
    x = smoothed.conv(smoothed.image, 16)
    y = naive.conv(naive.image, 16)
    for _ in range(3):
        x = smoothed.concat([x, smoothed.conv(smoothed.smooth(x), 4)])
        y = naive.concat([naive.conv(y, 4, 1), naive.conv(y, 4), naive.smooth(y)])  # an Inception module
    naive.head(y)
    for _ in range(1_500):
        x = smoothed.smooth(x)
    smoothed.head(smoothed.conv(x, 4, 1))
    assert [len(block) for block in Connections(smoothed.graph).dense_blocks()] == [3]
    assert Connections(naive.graph).dense_blocks() == ()


def test_a_block_of_sums_whose_input_is_not_handed_on_is_in_doubt():
    net = Net()
    x = net.pool(net.conv(net.image, 16))
    outputs: list[int] = []
    for _ in range(3):
        x = net.concat(outputs) if len(outputs) > 1 else x
        x = outputs[0] if len(outputs) == 1 else x
        outputs.append(net.add(net.conv(x, 4), net.conv(x, 4, 1)))
    net.head(net.concat(outputs))
    [block] = Connections(net.graph).dense_blocks()
    assert (block.layers, block.filters, block.is_certain) == (tuple(outputs), (4, 4, 4), False)


def test_a_transition_without_pooling_is_no_layer_of_the_block_before_it():
    style = Style(layers=(3, 4), has_pools=False)
    assert [len(block) for block in Connections(densenet(style)).dense_blocks()] == [3, 4]


def test_a_last_layer_that_sees_only_its_predecessor_is_none():
    net = Net()
    x = net.pool(net.conv(net.image, 16))
    first = net.conv(x, 4)
    second = net.conv(net.concat([x, first]), 4)
    third = net.conv(second, 4)
    net.head(net.concat([x, first, second, third]))
    [block] = Connections(net.graph).dense_blocks()
    assert block.layers == (first, second)


def test_a_layer_that_misses_one_of_the_earlier_ends_the_block():
    net = Net()
    x = net.pool(net.conv(net.image, 16))
    first = net.conv(x, 4)
    second = net.conv(net.concat([x, first]), 4)
    third = net.conv(net.concat([x, second]), 4)
    net.head(net.concat([x, first, second, third]))
    assert max(len(block) for block in Connections(net.graph).dense_blocks()) == 2


def test_the_input_of_the_block_need_not_be_handed_on():
    net = Net()
    first = net.conv(net.pool(net.conv(net.image, 16)), 4)
    second = net.conv(first, 4)
    third = net.conv(net.concat([first, second]), 4)
    net.head(net.concat([first, second, third]))
    [block] = Connections(net.graph).dense_blocks()
    assert block.layers == (first, second, third)


def test_what_a_block_begins_with_is_not_one_of_its_layers():
    net = Net()
    x = net.conv(net.image, 24)
    first = net.conv(x, 8)
    second = net.conv(net.concat([x, first]), 8)
    net.head(net.concat([x, first, second]))
    [block] = Connections(net.graph).dense_blocks()
    assert block.layers == (first, second)


@pytest.mark.parametrize("kernel", [3, None])
def test_the_last_layer_may_go_on_alone_where_it_is_known_to_be_no_transition(kernel):
    net = Net()
    x = net.pool(net.conv(net.image, 16))
    first = net.conv(x, 4)
    second = net.conv(net.concat([x, first]), 4)
    third = net.conv(net.concat([x, first, second]), 4, kernel)
    net.head(third)
    [block] = Connections(net.graph).dense_blocks()
    assert block.layers == ((first, second, third) if kernel else (first, second))


def test_branches_side_by_side_are_no_dense_block():
    net = Net()
    x = net.conv(net.image, 16)
    for _ in range(3):
        x = net.concat([net.conv(x, 8, kernel) for kernel in (1, 3, 5)])
    net.head(x)
    assert Connections(net.graph).dense_blocks() == ()


def test_skips_from_the_way_down_to_the_way_up_are_no_dense_block():
    net = Net()
    down, ways = net.image, []
    for _ in range(3):
        down = net.conv(down, 8)
        ways.append(down)
        down = net.pool(down)
    for way in reversed(ways):
        down = net.conv(net.concat([net.conv(down, 8), way]), 8)
    net.head(down)
    assert Connections(net.graph).dense_blocks(at_least=3) == ()


@pytest.mark.parametrize("is_input_joined", [False, True])
@pytest.mark.parametrize("has_more", [False, True])
@pytest.mark.parametrize("filters", [8, 16])
def test_a_chain_whose_outputs_are_joined_at_its_end_only_is_no_dense_block(
    is_input_joined, has_more, filters
):
    net = Net()
    x = net.conv(net.image, filters)
    chain = [x] if is_input_joined else []
    for _ in range(3):
        x = net.conv(x, 8)
        chain.append(x)
    x = net.concat(chain)
    net.head(net.conv(x, 8) if has_more else x)
    assert Connections(net.graph).dense_blocks() == ()


def test_squeezed_branches_side_by_side_are_no_dense_block():
    net = Net()
    x = net.conv(net.image, 16)
    for _ in range(3):
        squeezed = net.conv(x, 8, 1)
        x = net.concat([net.conv(squeezed, 8, 1), net.conv(squeezed, 8, 3)])
    net.head(x)
    assert Connections(net.graph).dense_blocks() == ()


def test_layers_of_branches_side_by_side_may_be_connected_densely():
    net = Net()
    x = net.pool(net.conv(net.image, 16))
    for _ in range(3):
        x = net.concat([x, net.conv(x, 4, 3), net.conv(x, 4, 5)])
    net.head(x)
    assert len(Connections(net.graph).dense_blocks()[0]) == 3


def test_a_network_that_joins_all_again_after_a_gap_has_no_longer_block():
    net = Net()
    x = net.pool(net.conv(net.image, 16))
    first = net.conv(x, 4)
    second = net.conv(net.concat([x, first]), 4)
    third = net.conv(net.concat([x, second]), 4)
    fourth = net.conv(net.concat([x, first, second, third]), 4)
    net.head(net.concat([x, first, second, third, fourth]))
    assert [len(block) for block in Connections(net.graph).dense_blocks()] == [2, 2]


def test_a_block_that_rests_on_one_concatenation_is_in_doubt():
    net = Net()
    first = net.conv(net.pool(net.conv(net.image, 16)), 4)
    second = net.conv(first, 4)
    third = net.conv(net.concat([first, second]), 4)
    net.head(third)
    [block] = Connections(net.graph).dense_blocks()
    assert (block.layers, block.is_certain) == ((first, second, third), False)
    net.head(net.conv(net.concat([first, second, third]), 4))
    [block] = Connections(net.graph).dense_blocks()
    assert (len(block), block.is_certain) == (4, True)


def test_adding_what_was_made_of_the_same_features_makes_no_new_ones():
    net = Net()
    x = net.pool(net.conv(net.image, 16))
    for _ in range(3):
        x = net.concat([x, net.conv(net.add(net.keep(x), net.keep(net.keep(x))), 4)])
    net.head(x)
    found = Connections(net.graph)
    assert ([len(block) for block in found.dense_blocks()], found.residual_blocks()) == ([3], ())


@pytest.mark.parametrize(
    ("is_after", "shape", "is_unread"),
    [
        (True, (32, 32, 16), True),
        (True, (32, 32, 4), True),
        (True, (64, 64, 16), False),  # larger: no layer of a block
        (True, (16384,), False),
        (False, (32, 32, 3), False),  # augmentation, before all convolutions
    ],
)
def test_a_step_that_nobody_knows_is_unread_where_it_may_be_a_layer(is_after, shape, is_unread):
    net = Net()
    x = net.conv(net.image, 16) if is_after else net.image
    net.nodes.append(Node(NodeKind.OTHER, "strange", (x,), shape))
    assert Connections(net.graph).unread == (("strange",) if is_unread else ())


def test_a_plain_network_has_no_blocks():
    net = Net()
    x = net.image
    for _ in range(5):
        x = net.conv(x)
    net.head(x)
    found = Connections(net.graph)
    assert (found.dense_blocks(), found.residual_blocks()) == ((), ())


numbers = st.integers(0, 2**40)
nodes = st.builds(
    Node,
    kind=st.sampled_from(NodeKind),
    name=st.just("x"),
    inputs=st.lists(numbers, max_size=3).map(tuple),
    shape=st.none() | st.lists(st.none() | st.integers(0, 9), max_size=4).map(tuple),
    filters=st.none() | st.integers(0, 9),
    kernel=st.none() | st.just((3, 3)),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(nodes, max_size=30))
def test_no_graph_makes_it_raise(found):
    whole = tuple(
        node._replace(inputs=tuple(source % place for source in node.inputs) if place else ())
        for place, node in enumerate(found)
    )
    connections = Connections(Graph(whole, is_whole=True))
    assert all(len(block) >= 2 for block in connections.dense_blocks())
    assert all(len(block) >= 1 for block in connections.residual_blocks())


def test_a_graph_that_is_tangled_on_purpose_is_read_in_time():
    """Every node has a hundred inputs, and every addition a hundred ways that lead to it."""
    kinds = [NodeKind.CONVOLUTION, NodeKind.ADDITION, NodeKind.CONCATENATION, NodeKind.OTHER]
    tangled = tuple(
        Node(kinds[place % 4], f"n{place}", tuple(range(max(0, place - 100), place)), (8, 8, 4))
        for place in range(1_500)
    )
    begin = time.thread_time()
    connections = Connections(Graph(tangled, is_whole=True))
    assert len(connections.residual_blocks()) > 300
    connections.dense_blocks()
    connections.unconnected()
    assert time.thread_time() - begin < 10
