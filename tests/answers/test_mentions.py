from __future__ import annotations

import pytest

from grader.answers.mentions import mentions_in
from grader.answers.words import words_of


def named(text: str) -> list[list[str]]:
    return [
        sorted(o.replace("shuffle", "s").replace("batch", "b").replace("repeat", "r") for o in m.orders)
        for m in mentions_in(words_of(text), text)
    ]


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("shuffle -> batch -> repeat", "s-b-r"),
        ("shuffle, batch, repeat", "s-b-r"),
        ("`ds.repeat(n).shuffle(buffer_size=len(x)).batch(3)`", "r-s-b"),
        ("S-B-R", "s-b-r"),
        ("RBS", "r-b-s"),
        ("sbr", "s-b-r"),
        ("b → s → r", "b-s-r"),
        ("first shuffle the data, then batch it and finally repeat it", "s-b-r"),
        ("The data is shuffled, grouped into batches, and then repeated", "s-b-r"),
        ("Batch | Repeat | Shuffle", "b-r-s"),
        ("zuerst mischen, dann batchen und danach wiederholen", "s-b-r"),
        ("shufle, bacth, repeat", "s-b-r"),
        ("shuffle after repeat, then batch", "r-s-b"),
        ("shuffle batch repeat", "s-b-r"),
        ("S B R", "s-b-r"),
        ("shuffling first, batching second and repeating last", "s-b-r"),
        ("erst mischen, dann batchen und zum Schluss wiederholen", "s-b-r"),
        ("shuffle ▸ repeat ▸ batch", "s-r-b"),
        ("first shuffle second batch third repeat", "s-b-r"),
        ("shuffle first, and after it we batch and then repeat", "s-b-r"),
        ("shuffle frist, dan batch, dan repeat", "s-b-r"),
        ("shuffle first (or else it is too late to mix them), then batch, then repeat", "s-b-r"),
    ],
)
def test_an_order_is_found_however_it_is_written(text: str, order: str) -> None:
    assert named(text) == [[order]]


@pytest.mark.parametrize(
    ("text", "orders"),
    [
        ("repeat in front of shuffle", ["b-r-s", "r-b-s", "r-s-b"]),
        ("shuffle behind repeat", ["b-r-s", "r-b-s", "r-s-b"]),
        ("batch-first orders", ["b-r-s", "b-s-r"]),
        ("batch before shuffle", ["b-r-s", "b-s-r", "r-b-s"]),
        ("shuffling after repeating", ["b-r-s", "r-b-s", "r-s-b"]),
        ("repeat first", ["r-b-s", "r-s-b"]),
        ("repeat not before shuffle", ["b-s-r", "s-b-r", "s-r-b"]),
    ],
)
def test_a_rule_means_all_orders_in_which_it_is_so(text: str, orders: list[str]) -> None:
    assert named(text) == [orders]


@pytest.mark.parametrize(
    "text",
    [
        "Shuffles the batches and repeats",
        "the batches are shuffled, and then repeated",
        "the three operations shuffle, batch and repeat",
        "the order of shuffle, batch and repeat",
        "the batches after shuffling",
        "a batch, an epoch, a repeat",
        "I take batch first and then repeat",
        "s b r",
    ],
)
def test_what_names_no_order_is_none(text: str) -> None:
    assert named(text) == []


@pytest.mark.parametrize("before", ["unlike", "difference to", "Unterschied zu"])
def test_what_is_only_compared_with_is_told_apart(before: str) -> None:
    text = f"{before} shuffle, batch, repeat"
    (mention,) = mentions_in(words_of(text), text)
    assert mention.is_compared
