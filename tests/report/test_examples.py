"""Examples of mistakes show the mistake, and not whose it is."""

from __future__ import annotations

import re

import pytest

from grader.model import Participant, Reason
from grader.report.examples import ExampleTaker

CODE = """# Kerstin's attempt, mail kerstin@quast.example
path = "/home/kerstin/idl/data"  # on Alwin's machine
w = tf.Variable(tf.zeros((784, 256)))

author = 'Kerstin Quast'
"""
NAMES = re.compile("kerstin|quast|alwin|zwirner", re.IGNORECASE)


@pytest.fixture
def evidence(an_evidence, a_notebook, markdown, code):
    def build(source=CODE, name="Kerstin Quast"):
        notebook = a_notebook(
            markdown("# A1\n\nNames: Kerstin Quast"),
            code(source),
            markdown("As **Kerstin** said to Alwin Zwirner: <script>alert(1)</script> zeros are fine."),
        )
        person = Participant(id="1", name=name)
        return an_evidence(notebook, submission={"participant": person})

    return build


def test_an_example_holds_no_name_no_comment_and_no_address(evidence):
    taker = ExampleTaker({"a": evidence()}, ["Alwin Zwirner"])
    for cell in (2, 3):
        [example] = taker.pieces({"a": Reason(text="Zeros.", cell=cell)})
        assert not NAMES.search(example.body)
        assert "zeros" in example.body
        assert "<script" not in example.body
    assert "attempt" not in taker.pieces({"a": Reason(text="Zeros.", cell=2)})[0].body


def test_a_sentence_keeps_its_particulars_but_no_name(evidence):
    taker = ExampleTaker({"a": evidence()}, ["Alwin Zwirner"])
    reasons = {"a": Reason(text="Accuracy 0.71; “Kerstin and Alwin Zwirner think so”.")}
    [said] = taker.sentences(reasons)
    assert "0.71" in said
    assert not NAMES.search(said)


def test_the_shortest_pieces_are_shown_each_once(evidence):
    hand_ins = {
        name: evidence(source)
        for name, source in zip("abcd", ("x = 111", "x = 1", "x = 11", "x = 1"), strict=True)
    }
    found = ExampleTaker(hand_ins).pieces({name: Reason(text="x", cell=2) for name in hand_ins})
    assert [re.sub("<[^>]*>", "", example.body) for example in found] == ["x = 1", "x = 11"]


def test_without_evidence_there_is_no_example():
    taker = ExampleTaker({})
    reasons = {"a": Reason(text="Of Kerstin.", cell=1)}
    assert (taker.pieces(reasons), taker.sentences(reasons)) == ((), ())
