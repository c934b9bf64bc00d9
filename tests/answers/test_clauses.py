from __future__ import annotations

import pytest

from grader.answers.clauses import is_listed, sentences_of
from grader.answers.negation import negations
from grader.answers.patterns import Vocabulary, read_pattern


def clauses(text: str) -> list[list[str]]:
    return [
        [" ".join(word.text for word in clause.words) for clause in sentence.clauses]
        for sentence in sentences_of(text)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two", [["one"], ["two"]]),
        ("e.g. this, and z.B. that", [["e . g . this", "and z . b . that"]]),
        ("with 0.1 in tf.data", [["with 0 . 1 in tf . data"]]),
        ("one\ntwo", [["one"], ["two"]]),
        ("This is so because that is so", [["this is so", "because that is so"]]),
        ("the batches, not the examples", [["the batches", "not the examples"]]),
        ("it comes twice, before others come", [["it comes twice , before others come"]]),
        ("batches are shuffled instead of the examples", [["batches are shuffled"]]),
        ("Redundant? The sizes", [["redundant", "the sizes"]]),
        ("if all are 0 then nothing moves", [["if all are 0", "then nothing moves"]]),
        ("if the weights are 0 we would divide by 0", [["if the weights are 0", "we would divide by 0"]]),
        ("content of a batch: always the same", [["content of a batch : always the same"]]),
        ("each epoch is new: it is shuffled", [["each epoch is new", "it is shuffled"]]),
        ("gemischt wird nur, welcher Batch kommt", [["gemischt wird nur , welcher batch kommt"]]),
        ("the order in which batches come", [["the order in which batches come"]]),
        ("not guaranteed that all come", [["not guaranteed", "that all come"]]),
        ("a start (why must I choose it?) is missing", [["a start", "why must i choose it", "is missing"]]),
    ],
)
def test_a_text_falls_into_sentences_and_clauses(text: str, expected: list[list[str]]) -> None:
    assert clauses(text) == expected


def test_a_wrapped_line_goes_on_and_a_list_item_does_not() -> None:
    wrapped = "all of the hidden units in the layer then get the same gradient and\nstay the same"
    assert len(clauses(wrapped)) == 1
    items = "all of the hidden units in the layer then get the same gradient, always\n| a | row |"
    assert len(clauses(items)) == 2


@pytest.mark.parametrize(
    ("text", "asks", "hedges", "rejects"),
    [
        ("Is that so for all of the examples?", True, False, False),
        ("I am not sure about it", False, True, False),
        ("It is wrong that they are the same", False, False, True),
        ("It is possible to get the same", False, False, False),
        ("It is either this or that", False, True, False),
        ("There is no use of more than one of them", False, False, False),
        ("unless reshuffle=False is given", False, False, False),
    ],
)
def test_what_stands_in_the_way_of_a_sentence_is_noticed(
    text: str, asks: bool, hedges: bool, rejects: bool
) -> None:
    (sentence,) = sentences_of(text)
    assert (sentence.asks, sentence.hedges, sentence.rejects) == (asks, hedges, rejects)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("the epochs are mixed", 0),
        ("the epochs are not mixed", 1),
        ("no epochs are mixed", 1),
        ("die epochs werden nicht mixed", 1),
        ("epochs mixed wird nicht", 1),
        ("not only the epochs are mixed", 0),
        ("they are not shuffled and the epochs are mixed", 0),
        ("never are the epochs not mixed", 2),
        ("the epochs never end while others are mixed", None),
        ("if the number is not divisible the epochs are mixed", 0),
        ("without a seed the epochs are mixed", 0),
        ("it is not clear to me at first sight whether the epochs are mixed", None),
        ("the epochs are mixed while others never end", 0),
        ("this is done to avoid that in the end at any time the epochs are mixed", 1),
    ],
)
def test_negations_are_counted_that_reach_what_was_matched(text: str, count: int | None) -> None:
    pattern = read_pattern("epochs .. mixed", {})
    (sentence,) = sentences_of(text)
    clause = sentence.clauses[-1]
    match = pattern.find(clause.words, Vocabulary([pattern]).present_in(clause.words))
    assert match is not None
    assert negations(clause, match) == count


def test_an_and_with_a_subject_and_a_verb_begins_a_clause() -> None:
    (sentence,) = sentences_of("the examples are shuffled and the batches keep their order")
    assert len(sentence.clauses) == 2
    (sentence,) = sentences_of("it holds the end of one epoch and the start of the next")
    assert len(sentence.clauses) == 1


@pytest.mark.parametrize(
    "text",
    [
        "the batches are shuffled... their elements stay in order",
        "the elements are all shuffled first here -> the batches are random",
        "shuffle first gives random batches, while with batch first they are fixed",
    ],
)
def test_what_follows_dots_an_arrow_or_a_contrast_is_a_clause_of_its_own(text: str) -> None:
    (sentence,) = sentences_of(text)
    assert len(sentence.clauses) == 2


@pytest.mark.parametrize(
    "text", ["shuffle -> random elements", "an image comes again, while another never came before"]
)
def test_a_label_and_what_it_names_are_one_clause_and_so_is_what_goes_on_meanwhile(text: str) -> None:
    (sentence,) = sentences_of(text)
    assert len(sentence.clauses) == 1


def test_keywords_between_commas_are_a_list_with_abbreviations_too() -> None:
    (sentence,) = sentences_of("randomness, generalization, i.i.d., overfitting")
    assert is_listed(sentence)


def test_a_cell_of_a_table_is_read_with_the_head_of_its_column() -> None:
    table = "order | epochs mixed? | shuffled\nS-B-R | no | examples\nR-S-B | yes | examples"
    rows = [" ".join(word.text for word in sentence.words) for sentence in sentences_of(table)]
    assert rows[1:] == [
        "s - b - r | not epochs mixed | shuffled examples",
        "r - s - b | epochs mixed | shuffled examples",
    ]
