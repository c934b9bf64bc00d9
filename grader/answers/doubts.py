"""Why a text is for a person whatever it says: too long, unsure, a heap of words, talk to whoever grades."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from grader.answers.clauses import holds
from grader.answers.language import (
    ADDRESSES,
    ALTERNATIVES,
    CORRECTIONS,
    DEMANDS,
    FUNCTION_WORDS,
    UNSURE,
)
from grader.answers.words import Word, words_of

MOST_CHARS = 20_000  # of one answer; a longer one is for a person
_LAYING_OUT = frozenset((":", "->", "=>", "→", "⇒"))
_FEWEST_LABELS = 2  # in a text that is no heap of words, though it hardly holds a sentence
_SOUP_WORDS = 8
_UNBROKEN_WORDS = 10  # of a heap of words, even where lists are to be expected
_SOUP_SHARE = 0.1  # of little words; a text with fewer is a list of keywords


def doubt_about(texts: Sequence[str], *, is_prose: bool = True) -> str:
    """Why a text is for a person whatever it says, in a sentence; "" when nothing is against reading it.

    Tables and lists (not `is_prose`) need no whole sentences.
    """
    if sum(map(len, texts)) > MOST_CHARS:
        return "The text is too long to be read by the program."
    for text in texts:
        words = words_of(text)
        if holds(words, ADDRESSES) or holds(words, DEMANDS):
            return "The text speaks to whoever grades it."
        if holds(words, CORRECTIONS):
            return "The text corrects itself."
        if holds(words, UNSURE):
            return "The text says that it is not sure."
        if holds(words, ALTERNATIVES):
            return "The text gives several answers to choose from."
        letters = [word.text for word in words if word.text[0].isalpha()]
        is_laid_out = sum(word.text in _LAYING_OUT for word in words) >= _FEWEST_LABELS
        is_heap = is_prose and not is_laid_out and len(letters) >= _SOUP_WORDS and is_soup(letters)
        if is_heap or any(map(is_soup, _unbroken(words))):
            return "The text is a list of words rather than sentences."
    return ""


def _unbroken(words: Sequence[Word]) -> Iterator[list[str]]:
    """Every long run of words without a mark between them, as a sentence has."""
    for is_mark, run in groupby(words, key=lambda word: word.is_mark):
        letters = [] if is_mark else [word.text for word in run if word.text[0].isalpha()]
        if len(letters) >= _UNBROKEN_WORDS:
            yield letters


def is_soup(letters: Sequence[str]) -> bool:
    """Whether words are a mere heap, or in a language not known here: they lack what makes sentences."""
    little = sum(word in FUNCTION_WORDS for word in letters)
    return little < _SOUP_SHARE * len(letters)
