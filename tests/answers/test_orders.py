"""Which order a claim is about, and whether it is so."""

from __future__ import annotations

import pytest

from grader.answers.facts import stand_of
from grader.answers.judging import Stand
from grader.answers.orders import orders_told
from grader.answers.questions import Question
from grader.notebook.prose import read_prose
from grader.notebook.records import Cell, CellKind, Notebook
from grader.oracles.references import References


@pytest.fixture
def told(questions: dict[str, Question], references: References):
    """The claims of a notebook's text cells: (orders in short, claim, stand)."""
    facts = {
        order: {name: fact.found for name, fact in found.facts.items()}
        for order, found in references.orders.items()
    }

    def read(*texts: str, code: dict[int, str] | None = None) -> list[tuple[str, str, Stand]]:
        cells = tuple(Cell(number=n, kind=CellKind.MARKDOWN, source=text) for n, text in enumerate(texts, 1))
        passages = read_prose(Notebook(cells=cells)).passages
        return [
            ("/".join(sorted(_short(o) for o in s.orders)), s.said.claim.name, stand_of(s, facts))
            for s in orders_told(passages, code or {}, questions["orders"]).spoken
        ]

    return read


def _short(order: str) -> str:
    return "".join(word[0] for word in order.split("-")).upper()


MIXED = "The epochs are mixed with each other."


@pytest.mark.parametrize(
    ("texts", "orders"),
    [
        (["repeat → shuffle → batch: epochs are mixed"], "RSB"),
        (["## repeat → shuffle → batch", MIXED], "RSB"),
        (["**repeat, shuffle, batch**", MIXED], "RSB"),
        (["| repeat | shuffle | batch | epochs are mixed |"], "RSB"),
        (["repeat, shuffle, batch\n\n" + MIXED], "RSB"),
        (["With shuffle, batch, repeat nothing happens. With RSB the epochs are mixed."], "RSB"),
        (["If repeat is before shuffle, epochs are mixed."], "BRS/RBS/RSB"),
        (["## repeat → shuffle → batch", "Unlike shuffle, batch, repeat, epochs are mixed."], "RSB"),
        (["## repeat → shuffle → batch", "As repeat comes before shuffle, epochs are mixed."], "RSB"),
        (["RSB and RBS: in both the epochs are mixed."], "RBS/RSB"),
        (["RSB and SBR: the epochs are mixed."], "RSB/SBR"),
        (["SBR is clean. The others are not: the epochs are mixed."], ""),
        (["## repeat → shuffle → batch", "## Summary", MIXED], ""),
        ([MIXED], ""),
    ],
)
def test_a_claim_is_about_the_order_that_is_named_for_it(told, texts: list[str], orders: str) -> None:
    about = {entry[0] for entry in told(*texts) if entry[1] == "epochs-mixed"}
    assert about == {orders}


def test_text_beside_the_code_of_an_order_is_about_it(told) -> None:
    code = {2: "repeat-shuffle-batch", 4: "repeat-batch-shuffle"}
    assert told(MIXED, "", MIXED, code=code)[0][0] == "RSB"
    assert told("", "", MIXED, "", MIXED, code=code)[-1][0] == "RBS"


def test_text_between_two_codes_with_text_on_all_sides_is_about_none(told) -> None:
    code = {2: "repeat-shuffle-batch", 4: "repeat-batch-shuffle"}
    assert {entry[0] for entry in told(MIXED, "", MIXED, "", MIXED, code=code)} == {""}


@pytest.mark.parametrize(
    ("text", "claim", "stand"),
    [
        ("SBR: every epoch contains each element once.", "epoch-complete", Stand.RIGHT),
        ("RSB: every epoch contains each element once.", "epoch-complete", Stand.WRONG),
        ("RSB: it is not so that every epoch contains each element once.", "epoch-complete", Stand.RIGHT),
        ("SRB: the epochs are mixed.", "epochs-mixed", Stand.OPEN),  # in a batch, they are
        ("SRB: the epochs stay separate.", "epochs-kept", Stand.RIGHT),  # but for a batch, they do
        ("SBR: the epochs are not mixed.", "epochs-mixed", Stand.RIGHT),
        ("BSR: the same batches in every epoch.", "same-batches", Stand.RIGHT),
        ("SBR: the same batches in every epoch.", "same-batches", Stand.WRONG),
        ("RBS: the same batches in every epoch.", "same-batches", Stand.OPEN),  # it depends on the sizes
        ("SBR: I am not sure that the epochs are not mixed.", "epochs-mixed", Stand.OPEN),
        ("If batch is before shuffle, every epoch contains each element once.", "epoch-complete", Stand.OPEN),
        ("SBR: the same order in every epoch.", "same-order", Stand.WRONG),
        ("RSB: it is shuffled only once.", "shuffled-once", Stand.OPEN),
        ("RSB and SBR: the epochs are mixed.", "epochs-mixed", Stand.OPEN),  # so of one, and not of the other
        ("RSB: maybe an image comes twice in a batch.", "twice-in-a-batch", Stand.RIGHT),
        ("RSB: maybe an image does not come twice in a batch.", "twice-in-a-batch", Stand.OPEN),
        ("RSB: an image comes twice while another never did.", "twice-before-once", Stand.RIGHT),
        ("SBR: nothing comes twice before all has come once.", "epoch-complete", Stand.RIGHT),
    ],
)
def test_a_claim_is_held_against_the_facts(told, text: str, claim: str, stand: Stand) -> None:
    assert {entry[2] for entry in told(text) if entry[1] == claim} == {stand}


def test_questions_claim_nothing(told) -> None:
    assert told("RSB: are the epochs mixed with each other?") == []
