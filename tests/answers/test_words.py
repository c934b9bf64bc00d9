from __future__ import annotations

import pytest

from grader.answers.words import WordPattern, words_of


def texts(text: str) -> list[str]:
    return [word.text for word in words_of(text)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It doesn't, it can't", ["it", "does", "not", ",", "it", "can", "not"]),
        ("it dont cant cannot won't", ["it", "do", "not", "can", "not", "can", "not", "will", "not"]),
        ("Größe für Übung", ["groesse", "fuer", "uebung"]),
        ("the network's weights", ["the", "network", "weights"]),
        ("a -> b => c → d", ["a", "->", "b", "=>", "c", "→", "d"]),
        ("ds.shuffle(10)", ["ds", ".", "shuffle", "(", "10", ")"]),
        ("a\nb", ["a", "\n", "b"]),
        ("w/o a seed, b/o", ["without", "a", "seed", ",", "b", "/", "o"]),
    ],
)
def test_a_text_is_read_as_words_and_marks(text: str, words: list[str]) -> None:
    assert texts(text) == words


def test_a_word_knows_where_it_stands() -> None:
    text = "Größe, doesn't"
    assert [text[word.start : word.end] for word in words_of(text)] == ["Größe", ",", "doesn't", "doesn't"]


@pytest.mark.parametrize(
    ("pattern", "word", "fits"),
    [
        ("symmetr*", "symmetric", True),
        ("symmetr*", "symetry", True),  # a slip of the pen
        ("same", "samely", False),
        ("*neuron*", "hiddenneuronen", True),
        ("same", "some", False),  # short words are taken at their word
        ("gradient*", "gradiants", True),
        ("gradient*", "ingredients", False),
        ("für", "fuer", True),
        ("ignored", "ignores", False),  # another form of the word, no slip
    ],
)
def test_a_pattern_fits_a_word(pattern: str, word: str, fits: bool) -> None:
    assert WordPattern.read(pattern).fits(word) is fits
