"""The blocks of a network: layers as boxes in a row, arcs from each to all that receive what it puts out."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from grader.evidence.around import ObservedModel
from grader.evidence.connections import Block, Connections
from grader.evidence.graphs import graph_of
from grader.evidence.record import Evidence
from grader.model import CriterionGrade
from grader.report.pictures.svg import WIDTH, Picture, element, joined

_MOST_PICTURES = 2
_MOST_BLOCKS = 4
_MOST_LAYERS = 7  # of a block; more are told in words
_MARGIN = 6
_HIGH, _WIDE = 24, 34  # of a box
_ARC = 9  # an arc's height for each layer that it passes
_BELOW = 22


def blocks_found(evidence: Evidence, criterion: CriterionGrade) -> Iterator[Picture]:
    """A picture of each of the networks that were trained and have the longest blocks."""
    observed = evidence.observed
    if observed is None or not observed.is_trusted:
        return
    trained = {training.model for training in observed.trainings}
    models = [model for model in observed.models if model.id in trained]
    found = [(model, dense, residual) for model in models for dense, residual in [_blocks_of(model)]]
    ordered = sorted(found, key=lambda one: (-_longest(one[1]), -_longest(one[2])))
    for model, dense, residual in ordered[:_MOST_PICTURES]:
        if dense or residual:
            yield draw_blocks(model.name or model.class_name, dense or residual, is_dense=bool(dense))


def _blocks_of(model: ObservedModel) -> tuple[tuple[Block, ...], tuple[Block, ...]]:
    graph = graph_of(model)
    if not graph.is_whole:
        return (), ()
    connections = Connections(graph)
    return connections.dense_blocks(), connections.residual_blocks()


def _longest(blocks: tuple[Block, ...]) -> int:
    return max((len(block) for block in blocks), default=0)


def draw_blocks(name: str, blocks: tuple[Block, ...], *, is_dense: bool) -> Picture:
    """Blocks one below the other: arcs from layer to layer in dense ones, one past all in residual ones."""
    kind = "dense" if is_dense else "residual"
    drawn: list[Markup] = []
    top = 0.0
    for number, block in enumerate(blocks[:_MOST_BLOCKS], start=1):
        shown = min(len(block), _MOST_LAYERS)
        base = top + 20 + _ARC * shown + 8
        drawn += _block(number, block, shown, top, base, is_dense=is_dense)
        top = base + _HIGH + _BELOW
    left_out = len(blocks) - _MOST_BLOCKS
    if left_out > 0:
        drawn.append(element("text", f"and {left_out} more", class_="tick", x=_MARGIN, y=top + 8))
        top += 18
    return Picture(
        title=f"The {kind} blocks of the network {name}, as its graph has them",
        description=_in_words(blocks, is_dense=is_dense),
        height=top,
        body=joined(drawn),
    )


def _block(
    number: int, block: Block, shown: int, top: float, base: float, *, is_dense: bool
) -> Iterator[Markup]:
    step = (WIDTH - 2 * _MARGIN) / (shown + 1)
    lefts = [_MARGIN + step * (place + 0.5) for place in range(shown)]
    middles = [left + _WIDE / 2 for left in lefts]
    what = ("layer" if is_dense else "convolution") + "s" * (len(block) != 1)
    more = f", {len(block) - shown} of them not drawn" if len(block) > shown else ""
    label = f"Block {number}: {len(block)} {what}{more}; in the boxes, filters"
    yield element("text", label, class_="tick", x=_MARGIN, y=top + 14)
    end, line = lefts[-1] + _WIDE + step * 0.3, base + _HIGH / 2
    yield element("line", class_="batch", x1=_MARGIN, x2=end, y1=line, y2=line)
    if is_dense:
        for first in range(shown - 1):
            for second in range(first + 2, shown):
                yield _arc((middles[first], base), (middles[second], base), second - first)
            yield _arc((middles[first], base), (end, line), shown - first)
    else:
        yield _arc((_MARGIN + 2, line), (end, line), shown + 2)
    for place, left in enumerate(lefts):
        filters = block.filters[place]
        yield element("rect", class_="example first", x=left, y=base, width=_WIDE, height=_HIGH, rx=3)
        yield element("rect", class_="batch", x=left, y=base, width=_WIDE, height=_HIGH, rx=3)
        text = "?" if filters is None else str(filters)
        yield element("text", text, class_="tick", x=left + _WIDE / 2, y=base + 16, text_anchor="middle")


def _arc(start: tuple[float, float], end: tuple[float, float], passed: int) -> Markup:
    """From one point to another, the higher the more layers it passes."""
    (x1, y1), (x2, y2) = start, end
    high = y1 - _ARC * passed
    path = f"M{x1:.1f} {y1:.1f} C{x1:.1f} {high:.1f} {x2:.1f} {high:.1f} {x2:.1f} {y2:.1f}"
    return element("path", class_="curve first", d=path)


def _in_words(blocks: tuple[Block, ...], *, is_dense: bool) -> str:
    told = []
    for number, block in enumerate(blocks, start=1):
        filters = [str(count) for count in block.filters if count is not None]
        of = f" of {', '.join(filters)} filters" if filters else ""
        what = ("layer" if is_dense else "convolution") + "s" * (len(block) != 1)
        told.append(f"block {number} has {len(block)} {what}{of}")
    how = (
        "each layer receives the outputs of all earlier ones in its block"
        if is_dense
        else "what the convolutions of a block make of its input is added to the input"
    )
    return f"{'; '.join(told)}; {how}.".capitalize()
