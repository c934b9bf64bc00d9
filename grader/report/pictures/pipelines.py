"""The tf.data pipeline that trained a model: its operations in order, what it gave, and what it fed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from markupsafe import Markup

from grader.evidence.around import Component, ObservedPipeline, PipelineNode, TensorSpec
from grader.evidence.feeding import Fed, fed_trainings, given_by
from grader.evidence.record import Evidence
from grader.model import CriterionGrade
from grader.report.pictures.svg import WIDTH, Picture, element, joined

_MOST_PICTURES = 2
_MOST_ROWS = 16
_LEFT, _RIGHT = 4, WIDTH - 4
_ROW, _LINE, _GAP = 26, 17, 12  # the height of a box, of a further line in it, and between two of them
_MOST_LETTERS = 52  # in a line
_SHOWN = ("buffer_size", "batch_size", "count", "size", "function", "seed", "drop_remainder")
_BARE = frozenset({"buffer_size", "batch_size", "count", "size", "function"})  # told without their names


class _Box(NamedTuple):
    """A box of the drawing: a heading, and lines that say more. `goes_on`: what is above leads to it."""

    heading: str
    lines: Sequence[str] = ()
    style: str = "batch"
    goes_on: bool = True

    @property
    def height(self) -> float:
        return _ROW + _LINE * len(self.lines)


def pipelines_seen(evidence: Evidence, criterion: CriterionGrade) -> Iterator[Picture]:
    """The pipelines that fed the longest trainings, each once; none where the recorder is not trusted."""
    observed = evidence.observed
    if observed is None or not observed.is_trusted:
        return
    drawn: set[int] = set()
    for fed in fed_trainings(observed):
        if fed.pipeline.id not in drawn and len(drawn) < _MOST_PICTURES:
            drawn.add(fed.pipeline.id)
            yield draw_pipeline(fed)


def draw_pipeline(fed: Fed) -> Picture:
    """A box for each operation from the source down, one for what was given, and one for what was fed."""
    nodes = fed.pipeline.nodes
    boxes = [_operation(nodes, place) for place in range(len(nodes))]
    if len(boxes) > _MOST_ROWS:
        left_out = _Box(f"and {len(boxes) - _MOST_ROWS} more operations")
        boxes = [*boxes[: _MOST_ROWS // 2], left_out, *boxes[-_MOST_ROWS // 2 :]]
    boxes += [_given(fed.pipeline), _fed(fed)]
    parts: list[Markup] = []
    top = 4.0
    for box in boxes:
        parts += _drawn(box, top)
        top += box.height + _GAP
    told = "; ".join(
        ": ".join((box.heading, *([", ".join(box.lines)] if box.lines else []))) for box in boxes
    )
    return Picture(
        title="The pipeline that trained the model, as we saw it",
        description=f"{told}.",
        height=top - _GAP + 4,
        body=joined(parts),
    )


def _drawn(box: _Box, top: float) -> Iterator[Markup]:
    if box.goes_on:
        yield element("line", class_="track", x1=_LEFT + 18, x2=_LEFT + 18, y1=top - _GAP, y2=top)
    box_width = _RIGHT - _LEFT
    yield element("rect", class_=box.style, x=_LEFT, y=top, width=box_width, height=box.height, rx=3)
    yield element("text", box.heading, class_="label", x=_LEFT + 10, y=top + 18)
    for number, line in enumerate(box.lines, 1):
        yield element("text", line, class_="tick", x=_LEFT + 10, y=top + 17 + _LINE * number)


def _operation(nodes: Sequence[PipelineNode], place: int) -> _Box:
    """An operation as it would be written, a source with what it is made of."""
    node = nodes[place]
    arguments = [
        told
        for name in _SHOWN
        if node.arguments.get(name) not in (None, False) and (told := _argument(name, node.arguments[name]))
    ]
    lines = [f"of {_shaped(tensor)}" for tensor in node.tensors[:4]]
    if len(node.inputs) > 1:
        lines.append("of what is above: " + ", ".join(nodes[at].op for at in node.inputs if at < place))
    heading = _cut(f"{node.op}({', '.join(arguments)})")
    return _Box(heading, [_cut(line) for line in lines], goes_on=place - 1 in node.inputs)


def _argument(name: str, value: object) -> str:
    is_endless = name in ("count", "buffer_size") and value == -1
    told = ("" if name == "count" else "AUTOTUNE") if is_endless else value
    told = f"{told:,}" if isinstance(told, int) and not isinstance(told, bool) else str(told)
    return told if name in _BARE else f"{name}={told}"


def _shaped(tensor: TensorSpec) -> str:
    shape = "of unknown shape" if tensor.shape is None else f"({', '.join(map(_length, tensor.shape))})"
    return f"{tensor.dtype} {shape}"


def _length(dim: int | None) -> str:
    return "any" if dim is None else f"{dim:,}"


def _given(pipeline: ObservedPipeline) -> _Box:
    given = given_by(pipeline)
    named = [(f"part {place}", part) for place, part in enumerate(pipeline.elements[:4], 1)]
    if given is not None:
        named = [("images", given.images), ("labels", given.labels)]
    lines = [_cut(f"{name}: {_shaped(part)}{_range(part)}") for name, part in named]
    return _Box("gives", lines or ["what it gave was not seen"], "example first")


def _range(component: Component) -> str:
    if component.least is None or component.largest is None:
        return ""
    return f", values from {component.least:g} to {component.largest:g}"


def _fed(fed: Fed) -> _Box:
    training = fed.training
    widths = [shape for shape in training.shapes if len(shape) == 2]
    layers = " → ".join(str(shape[0]) for shape in widths) + (f" → {widths[-1][1]}" if widths else "")
    steps = "" if fed.steps is None else f"{min(fed.steps, training.updates):,} of "
    lines = [f"its weights: {layers}"] if layers else []
    return _Box(
        "feeds a training", [*map(_cut, lines), f"{steps}{training.updates:,} steps"], "example second"
    )


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_LETTERS else f"{text[: _MOST_LETTERS - 1]}…"
