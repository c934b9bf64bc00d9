"""Text as words with their places: lower case, umlauts written out, `don't` as two words."""

from __future__ import annotations

import re
from typing import NamedTuple

from rapidfuzz.distance import OSA

MAX_WORDS = 20_000  # of one text; what comes after is not read
NUMBER = "#"  # in a pattern: any number in figures

_TOKEN = re.compile(r"\b[wW]/o\b|[^\W_]+(?:['’´][^\W_]+)*|[-=–—~]+>|[→⟶⇒➔➜▶»↦]|\.\.\.|[^\w\s]|_|\n")
_SPELLED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "’": "'", "´": "'"})
_CONTRACTED = re.compile(r"^(ca|wo|sha|[a-z]+)n(?:'?|o)t$")
_WITHOUT_APOSTROPHE = re.compile(
    r"^(?:do|does|did|is|are|was|were|wo|ca|could|would|should|has|have)nt$|^cannot$"
)
_WRITTEN_OUT = {"w/o": "without"}
_STEMS = {"ca": "can", "wo": "will", "sha": "shall", "can": "can"}
_FUZZY_CHARS = 6
_ENDINGS = frozenset("dsnr")


class Word(NamedTuple):
    """A word or a mark: its normal form, and where it stands in the text."""

    text: str
    start: int
    end: int

    @property
    def is_mark(self) -> bool:
        """Whether it is punctuation, an arrow or the end of a line."""
        return not self.text[0].isalnum()


def words_of(text: str) -> list[Word]:
    """The words and marks of `text`, in order, the first `MAX_WORDS` of them."""
    words: list[Word] = []
    for found in _TOKEN.finditer(text):
        words += _normal(found[0], found.start(), found.end())
        if len(words) >= MAX_WORDS:
            break
    return words


def normal(text: str) -> str:
    """Text in small letters, with umlauts written out."""
    return text.lower().translate(_SPELLED)


def _normal(token: str, start: int, end: int) -> list[Word]:
    text = normal(token)
    text = _WRITTEN_OUT.get(text, text)
    contracted = _CONTRACTED.match(text) if "'" in text or _WITHOUT_APOSTROPHE.match(text) else None
    if contracted is not None:
        stem = _STEMS.get(contracted[1], contracted[1])
        return [Word(stem, start, end), Word("not", start, end)]
    if text.endswith("'d"):
        return [Word(text[:-2], start, end), Word("would", start, end)]
    return [Word(text.split("'")[0] or text, start, end)]


class WordPattern(NamedTuple):
    """One word as a pattern has it: `symmetr*`, `*gewicht*`, `same`; a `*` stands for any letters, `#` alone
    for a number in figures.
    """

    stem: str
    is_open_before: bool = False
    is_open_after: bool = False

    @staticmethod
    def read(text: str) -> WordPattern:
        """The pattern that `text` writes down."""
        stem = normal(text.strip("*"))
        return WordPattern(stem, text.startswith("*"), text.endswith("*"))

    def fits_exactly(self, word: str) -> bool:
        """Whether `word` (in its normal form) is meant, written without a slip."""
        stem = self.stem
        if stem == NUMBER:
            return word.isdigit()
        if self.is_open_before:
            return stem in word if self.is_open_after else word.endswith(stem)
        return word.startswith(stem) if self.is_open_after else word == stem

    def fits(self, word: str) -> bool:
        """Whether `word` (in its normal form) is meant, a slip of the pen in a long one included."""
        return self.fits_exactly(word) or self.may_be_meant(word)

    @property
    def is_long(self) -> bool:
        """Whether a word of its length may hold a slip of the pen."""
        return len(self.stem) >= _FUZZY_CHARS

    def may_be_meant(self, word: str) -> bool:
        """Whether `word` (in its normal form), which does not fit, is meant, with a slip of the pen."""
        stem = self.stem
        if self.is_open_before or not self.is_long or len(word) < len(stem) - 1 or word[0] != stem[0]:
            return False
        if self.is_open_after and stem.startswith(word):
            return False
        if stem[:-1] == word[:-1] and {stem[-1], word[-1]} == {"d", "s"}:
            return False  # (`ignores`, `ignored`)
        longer, shorter = (stem, word) if len(stem) > len(word) else (word, stem)
        if longer.startswith(shorter) and longer[len(shorter) :] in _ENDINGS:
            return False  # another form of the word (`shuffle`, `shuffled`), no slip
        lengths = (len(stem) - 1, len(stem), len(stem) + 1) if self.is_open_after else (len(word),)
        return any(OSA.distance(word[:length], stem, score_cutoff=1) <= 1 for length in lengths)
