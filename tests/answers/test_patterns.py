from __future__ import annotations

import pytest

from grader.answers.patterns import Vocabulary, read_pattern
from grader.answers.words import words_of

GROUPS = {"unit": ["neuron*", "hidden unit*"], "same": ["same", "identical*"]}


def found(pattern: str, text: str) -> str | None:
    """The words that a pattern matched in a text, None when it did not."""
    read = read_pattern(pattern, GROUPS)
    words = words_of(text)
    match = read.find(words, Vocabulary([read]).present_in(words))
    return None if match is None else " ".join(words[place].text for place in sorted(match.places))


@pytest.mark.parametrize(
    ("pattern", "text", "matched"),
    [
        ("same gradient*", "they get the same gradients", "same gradients"),
        ("same gradient*", "the same is the gradient", "same gradient"),  # little words may stand between
        ("same gradient*", "the same number and gradient", None),
        ("same .. gradient*", "the same number and gradient", "same gradient"),
        ("same .. gradient*", "the same one two three four five six seven gradient", None),
        ("same +gradient*", "the same the gradient", None),
        ("<unit> & <same>", "identical are all hidden units", "identical hidden units"),
        ("<unit> & !<same>", "the neurons are identical", None),
        ("<unit> & !<same>", "the neurons differ", "neurons"),
        ("one|single <unit>", "a single neuron", "single neuron"),
        ("low-level*", "a low-level interface", "low - level"),
        ("# <unit>", "with 32 neurons", "32 neurons"),
        ("# <unit>", "with some neurons", None),
    ],
)
def test_a_pattern_finds_what_it_writes_down(pattern: str, text: str, matched: str | None) -> None:
    assert found(pattern, text) == matched


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        ("<units> same", "there is no group 'units'; there are same, unit"),
        ("same ..", "is no pattern"),
        ("!same", "says only what must not be there"),
        ("same (gradient)", "is no word of a pattern"),
        ("", "is no pattern"),
    ],
)
def test_what_is_no_pattern_is_told_in_a_sentence(pattern: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        read_pattern(pattern, GROUPS)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("word", "fitting"),
    [
        ("explore", {"explor*"}),  # a word of its own, and no slip
        ("activtion", {"act*", "activation*"}),  # that a short one fits does not make it a word of its own
    ],
)
def test_what_fits_a_long_word_as_it_stands_is_no_slip_of_another(word: str, fitting: set[str]) -> None:
    patterns = {text: read_pattern(text, {}) for text in ("explor*", "explode*", "act*", "activation*")}
    words = words_of(word)
    present = Vocabulary(patterns.values()).present_in(words)
    assert {text for text, read in patterns.items() if read.find(words, present)} == fitting
