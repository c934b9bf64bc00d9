from __future__ import annotations

from xml.etree import ElementTree

import pytest

from grader.evidence.connections import Block
from grader.report.pictures.blocks import draw_blocks
from grader.report.pictures.svg import WIDTH


def block(*filters):
    return Block(tuple(range(len(filters))), tuple("x" for _ in filters), filters)


def elements(picture, tag, style):
    tree = ElementTree.fromstring(picture.svg("x"))
    return [e for e in tree.iter() if e.tag.endswith(tag) and style in (e.get("class") or "").split()]


def test_a_dense_block_has_an_arc_from_each_layer_to_all_but_the_next_and_to_the_end():
    picture = draw_blocks("net", (block(8, 8, 8, 8),), is_dense=True)
    assert len(elements(picture, "rect", "batch")) == 4
    assert len(elements(picture, "path", "curve")) == 3 + 3


def test_a_residual_block_has_one_arc():
    picture = draw_blocks("net", (block(8),), is_dense=False)
    assert len(elements(picture, "path", "curve")) == 1
    assert "Block 1: 1 convolution; in the boxes, filters" in picture.svg("x")


@pytest.mark.parametrize("count", [1, 2, 7, 40])
def test_everything_stays_inside_of_the_picture(count):
    picture = draw_blocks("net", (block(*[8] * count),) * 6, is_dense=True)
    for box in elements(picture, "rect", "batch"):
        assert float(box.get("x")) + float(box.get("width")) <= WIDTH
        assert float(box.get("y")) + float(box.get("height")) <= picture.height
    for arc in elements(picture, "path", "curve"):
        numbers = [float(part.lstrip("MC")) for part in arc.get("d").split()]
        assert all(0 <= x <= WIDTH for x in numbers[::2])
        assert all(0 <= y <= picture.height for y in numbers[1::2])


def test_what_is_not_drawn_is_told():
    picture = draw_blocks("net", (block(*[8] * 12),), is_dense=True)
    assert "Block 1: 12 layers, 5 of them not drawn; in the boxes, filters" in picture.svg("x")


def test_the_blocks_are_told_in_words():
    picture = draw_blocks("net", (block(8, 8, 4), block(None, None, None)), is_dense=True)
    assert picture.title == "The dense blocks of the network net, as its graph has them"
    assert picture.description == (
        "Block 1 has 3 layers of 8, 8, 4 filters; block 2 has 3 layers; each layer receives the outputs of "
        "all earlier ones in its block."
    )
