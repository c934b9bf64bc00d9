"""Text into sentences and clauses, each with what stands in the way of taking it at its word."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from grader.answers.language import (
    AFTERWARDS,
    BREAKS,
    CONNECTIVES,
    HEDGES,
    NEGATORS,
    NOT_NEGATING,
    REJECTIONS,
    REPLACED,
)
from grader.answers.patterns import Match
from grader.answers.words import Word, WordPattern, words_of

_ENDS = frozenset(".?!\n")
_CLAUSE_MARKS = frozenset(",;:()–—?")
_ABBREVIATIONS = frozenset(("e", "g", "i", "z", "b", "d", "h", "bzw", "ca", "etc", "vs", "resp", "usw"))
_REACH = 6  # words over which a negation reaches forward
_REACH_BACK = 3
_LABEL_WORDS = 5
_LONG_LINE = 60  # characters; a line as long as that may go on in the next
_REPLACED = tuple(tuple(phrase.split()) for phrase in REPLACED)
_NOT_NEGATING = tuple(tuple(phrase.split()) for phrase in NOT_NEGATING)


class Clause(NamedTuple):
    """A part of a sentence. `begins_with` is the connective or mark before it, "" at the sentence's start."""

    words: tuple[Word, ...]
    begins_with: str = ""

    @property
    def start(self) -> int:
        """Where it begins in the text."""
        return self.words[0].start

    @property
    def end(self) -> int:
        """Where it ends in the text."""
        return self.words[-1].end


class Sentence(NamedTuple):
    """A sentence: its words, its clauses, and whether it asks, hedges, or rejects what it tells."""

    words: tuple[Word, ...]
    clauses: tuple[Clause, ...]
    end: int
    asks: bool
    hedges: bool
    rejects: bool
    starts_line: bool

    @property
    def start(self) -> int:
        """Where it begins in the text."""
        return self.words[0].start


def sentences_of(text: str) -> Iterator[Sentence]:
    """The sentences of `text`; a line's end ends one, too, unless a long line goes on in small letters."""
    words = words_of(text)
    begin, starts_line = 0, True
    for place, word in enumerate(words):
        if word.text in _ENDS and _is_end(words, place, text) and not _is_label(words, begin, place):
            if place > begin:
                yield _sentence(words[begin:place], word, starts_line)
            starts_line = word.text == "\n" or (starts_line and place == begin)
            begin = place + 1
    if begin < len(words):
        yield _sentence(words[begin:], words[-1], starts_line)


def _is_label(words: Sequence[Word], begin: int, place: int) -> bool:
    """Whether a question is but the heading of what goes on behind it: `Redundant? The sizes.`"""
    goes_on = place + 1 < len(words) and words[place + 1].text != "\n"
    return words[place].text == "?" and place - begin <= _LABEL_WORDS and goes_on


def _is_end(words: Sequence[Word], place: int, text: str) -> bool:
    word = words[place]
    before = words[place - 1] if place else None
    after = words[place + 1] if place + 1 < len(words) else None
    if before is None or after is None:
        return True
    if word.text == "\n":
        line_start = text.rfind("\n", 0, word.start) + 1
        is_wrapped = word.start - line_start >= _LONG_LINE and not before.is_mark
        return not (is_wrapped and text[after.start].islower())
    if word.text != ".":
        return True
    is_inside = after.start == word.end  # 0.1, tf.data, ds.shuffle
    return not is_inside and before.text not in _ABBREVIATIONS


def _sentence(words: Sequence[Word], last: Word, starts_line: bool) -> Sentence:
    """The sentence of `words`; `last` is the mark that ends it, or its last word."""
    own = tuple(words)
    return Sentence(
        words=own,
        clauses=tuple(_clauses(own)),
        end=words[-1].end if last.text == "\n" else last.end,
        asks=last.text == "?",
        hedges=holds(own, HEDGES),
        rejects=holds(own, REJECTIONS),
        starts_line=starts_line,
    )


def _clauses(words: Sequence[Word]) -> Iterator[Clause]:
    begin, opened_by = 0, ""
    for place, word in enumerate(words):
        is_mark = word.text in _CLAUSE_MARKS
        is_contrast = word.text in ("not", "nicht") and place > begin and words[place - 1].text in BREAKS
        is_connective = word.text in CONNECTIVES or is_contrast
        if is_mark or (is_connective and place > begin):
            if place > begin:
                yield _clause(words[begin:place], opened_by)
            begin, opened_by = (place + 1, word.text) if is_mark else (place, word.text)
    if begin < len(words):
        yield _clause(words[begin:], opened_by)


def _clause(words: Sequence[Word], opened_by: str) -> Clause:
    """A clause without what it tells of as replaced (`… instead of the examples`)."""
    texts = [word.text for word in words]
    for phrase in _REPLACED:
        for place in range(1, len(texts) - len(phrase) + 1):
            if tuple(texts[place : place + len(phrase)]) == phrase:
                return Clause(tuple(words[:place]), opened_by)
    return Clause(tuple(words), opened_by)


def holds(words: Sequence[Word], phrases: Sequence[Sequence[WordPattern]]) -> bool:
    """Whether one of `phrases` stands in `words`, word by word."""
    return any(
        all(
            place + i < len(words) and pattern.fits(words[place + i].text) for i, pattern in enumerate(phrase)
        )
        for phrase in phrases
        for place in range(len(words))
    )


def negations(clause: Clause, match: Match) -> int:
    """How many negations what was matched stands under; those that the pattern itself names aside."""
    texts = [word.text for word in clause.words]
    count = 0
    for place, text in enumerate(texts):
        if text not in NEGATORS or place in match.places or _negates_nothing(texts, place):
            continue
        if match.first < place < match.last:
            count += 1
        elif place < match.first:
            between = texts[place + 1 : match.first]
            count += len(between) <= _REACH and not BREAKS & set(between)
        elif text in AFTERWARDS:
            between = texts[match.last + 1 : place]
            count += len(between) <= _REACH_BACK and not BREAKS & set(between)
    return count


def _negates_nothing(texts: Sequence[str], place: int) -> bool:
    return any(tuple(texts[place : place + len(phrase)]) == phrase for phrase in _NOT_NEGATING)
