"""What an order of shuffle, batch and repeat gave: batches as boxes, each example in its epoch's style."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from grader.evidence.record import Evidence
from grader.model import CriterionGrade
from grader.oracles.order_facts import epochs_of
from grader.oracles.orders import OrderFound
from grader.oracles.traces import Witness
from grader.report.pictures.svg import WIDTH, Picture, element, joined

_SIDE = 17  # of an example
_GAP = 9  # between batches
_ROW = 36  # from row to row
_LINE = 16  # from line to line of the legend
_LEGEND = 28 + 2 * _LINE
_MARGIN = 4
_STYLES = ("first", "second", "third", "later")


def order_seen(evidence: Evidence, criterion: CriterionGrade) -> Iterator[Picture]:
    """The picture of the order that the id of a criterion ends with, where our experiment has one."""
    for order, found in evidence.references.orders.items():
        if criterion.id.endswith(order):
            yield draw_order(found)


def draw_order(found: OrderFound) -> Picture:
    """One pass over a small range in this order, batch by batch, with a legend of the epochs."""
    seen = found.example
    name = found.order.replace("-", " → ")
    rows, boxes = _boxes(seen)
    return Picture(
        title=f"What we saw tf.data do: {name}",
        description=_in_words(seen, name),
        height=_LEGEND + rows * _ROW,
        body=joined([*_legend(seen), *boxes]),
    )


def _boxes(seen: Witness) -> tuple[int, list[Markup]]:
    """How many rows the batches take, and the batches."""
    drawn: list[Markup] = []
    left, row = float(_MARGIN), 0
    for batch, epochs in zip(seen.batches, epochs_of(seen.batches), strict=True):
        width = len(batch) * _SIDE
        if left + width > WIDTH - _MARGIN:
            left, row = float(_MARGIN), row + 1
        top = _LEGEND + row * _ROW
        for place, (example, epoch) in enumerate(zip(batch, epochs, strict=True)):
            drawn += _example(left + place * _SIDE, top, str(example), epoch)
        drawn.append(element("rect", class_="batch", x=left, y=top, width=width, height=_SIDE + 8, rx=2))
        left += width + _GAP
    return row + 1, drawn


def _example(left: float, top: float, text: str, epoch: int) -> Iterator[Markup]:
    style = _style(epoch)
    yield element("rect", class_=f"example {style}", x=left, y=top, width=_SIDE, height=_SIDE + 8)
    yield element("text", text, class_="tick", x=left + _SIDE / 2, y=top + 16, text_anchor="middle")
    yield from _strokes(left, top + _SIDE + 6, _SIDE, epoch)


def _strokes(left: float, bottom: float, width: float, epoch: int) -> Iterator[Markup]:
    """One stroke for each epoch: not by colour alone."""
    for line in range(min(epoch, len(_STYLES))):
        y = bottom - 2.5 * line
        yield element("line", class_=f"epoch {_style(epoch)}", x1=left + 3, x2=left + width - 3, y1=y, y2=y)


def _legend(seen: Witness) -> Iterator[Markup]:
    """What was run, how it is to be read, and the epochs."""
    run = f"Dataset.range({seen.examples}), batch({seen.batch_size}), repeat({seen.epochs})"
    for number, told in enumerate((run, "A box is a batch, a number in it an example.")):
        yield element("text", told, class_="tick", x=_MARGIN, y=12 + number * _LINE)
    top = 2 * _LINE + 3
    for number in range(1, seen.epochs + 1):
        left = _MARGIN + (number - 1) * 84
        yield element("rect", class_=f"example {_style(number)}", x=left, y=top, width=_SIDE, height=14)
        yield from _strokes(left, top + 12, _SIDE, number)
        yield element("text", f"epoch {number}", class_="tick", x=left + _SIDE + 5, y=top + 11)


def _style(epoch: int) -> str:
    return _STYLES[min(epoch, len(_STYLES)) - 1]


def _in_words(seen: Witness, name: str) -> str:
    """The batches as text, with the epoch of each example where a batch has several."""
    told = []
    for batch, epochs in zip(seen.batches, epochs_of(seen.batches), strict=True):
        numbers = " ".join(map(str, batch))
        of = sorted(set(epochs))
        told.append(f"[{numbers}] of epoch {' and '.join(map(str, of))}")
    what = f"range({seen.examples}), batches of {seen.batch_size}, {seen.epochs} epochs, {name}"
    return f"{what}: {'; '.join(told)}."
