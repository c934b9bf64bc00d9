from __future__ import annotations

import re
from xml.etree import ElementTree

from grader.model import Reason, met
from grader.oracles.orders import OrderFound
from grader.oracles.references import References
from grader.oracles.traces import Witness
from grader.report.pictures.orders import draw_order, order_seen
from grader.report.pictures.svg import WIDTH

BATCHES = ((2, 0, 1), (1, 2, 0), (0, 1))


def found(order="shuffle-repeat-batch", batches=BATCHES):
    seen = Witness(examples=3, batch_size=3, buffer=9, epochs=3, batches=batches, at=0)
    return OrderFound(order=order, facts={}, example=seen)


def elements(picture, tag, style):
    tree = ElementTree.fromstring(picture.svg("x"))
    return [e for e in tree.iter() if e.tag.endswith(tag) and style in (e.get("class") or "").split()]


def test_each_batch_is_a_box_and_each_example_is_in_the_style_of_its_epoch():
    picture = draw_order(found())
    assert len(elements(picture, "rect", "batch")) == len(BATCHES)
    styles = [e.get("class") for e in elements(picture, "rect", "example")[3:]]
    assert styles == ["example first"] * 3 + ["example second"] * 3 + ["example third"] * 2


def test_an_epoch_is_told_by_strokes_and_not_by_colour_alone():
    picture = draw_order(found())
    strokes = [len(elements(picture, "line", style)) for style in ("first", "second", "third")]
    assert strokes == [(3 + 1) * 1, (3 + 1) * 2, (2 + 1) * 3]  # those of the legend, too


def test_the_legend_says_what_was_run_and_how_it_is_read():
    told = [text.text for text in elements(draw_order(found()), "text", "tick")]
    assert told[0].startswith("Dataset.range(")
    assert told[1] == "A box is a batch, a number in it an example."


def test_what_is_seen_is_told_in_words():
    picture = draw_order(found(batches=((2, 0, 1), (1, 2, 0, 0), (1, 2))))
    assert picture.title == "What we saw tf.data do: shuffle → repeat → batch"
    assert picture.description == (
        "range(3), batches of 3, 3 epochs, shuffle → repeat → batch: [2 0 1] of epoch 1; "
        "[1 2 0 0] of epoch 2 and 3; [1 2] of epoch 3."
    )


def test_many_batches_go_on_in_the_next_row_inside_of_the_picture():
    picture = draw_order(found(batches=((0, 1, 2),) * 12))
    boxes = elements(picture, "rect", "batch")
    assert len({box.get("y") for box in boxes}) > 1
    assert all(float(box.get("x")) + float(box.get("width")) <= WIDTH for box in boxes)
    assert all(float(box.get("y")) + float(box.get("height")) <= picture.height for box in boxes)


def test_the_picture_stands_at_the_criterion_whose_id_names_the_order(an_evidence, a_criterion):
    orders = {name: found(name) for name in ("shuffle-repeat-batch", "batch-shuffle-repeat")}
    evidence = an_evidence(references=References(orders=orders))
    verdict = met(Reason(text="Told."))
    named = list(order_seen(evidence, a_criterion(verdict, id="order-batch-shuffle-repeat")))
    assert [picture.title for picture in named] == ["What we saw tf.data do: batch → shuffle → repeat"]
    assert list(order_seen(evidence, a_criterion(verdict, id="sensible-order"))) == []
    assert list(order_seen(an_evidence(), a_criterion(verdict, id="order-batch-shuffle-repeat"))) == []


def test_a_picture_takes_little_room():
    picture = draw_order(found(batches=tuple((0, 1, 2, 3) for _ in range(9))))
    assert len(re.sub(r"\s+", " ", picture.svg("x"))) < 25_000
