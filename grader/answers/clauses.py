"""Text into sentences and clauses, each with what stands in the way of taking it at its word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from grader.answers.language import (
    ASSURED,
    BREAKS,
    CONNECTIVES,
    CONSEQUENCES,
    CONTRASTS,
    EITHER,
    FINITE,
    FUNCTION_WORDS,
    HYPOTHETICAL,
    INSERTED,
    PREMISES,
    REJECTIONS,
    REPLACED,
    TEMPORAL,
    UNSURE,
)
from grader.answers.tables import with_column_heads
from grader.answers.words import Word, words_of
from grader.notebook.words import words as word_set

_ENDS = frozenset(".?!\n")
_CLAUSE_MARKS = frozenset((*",;:()–—?|", "...", "…"))
_ARROWS = frozenset(("->", "=>", "-->", "==>", "→", "⇒", "⟶", "➔", "➜"))
_ABBREVIATIONS = word_set("e g i z b d h bzw ca etc vs resp usw evtl ggf bspw inkl max min approx")
_LABEL_WORDS = 5
_LABEL_CHARS = 40
_LABEL_MARKS = (":", "→", "=", ">", " - ", " – ", "-b-", "-r-", "-s-")
_NEW_SUBJECT = word_set(
    "the a an one some only each every all no then they it "
    "still nevertheless trotzdem dennoch damit dadurch "
    "sie es ein eine einige der die das nur jede jeder jedes alle kein keine dann"
)
_PRONOUNS = frozenset(("we", "they", "it", "you", "i", "there", "this", "that"))
_MODALS = frozenset(("would", "will", "could", "can", "may", "might", "get", "gets"))
_FEWEST_SUPPOSED = 3  # words of what is supposed
_MOST_SUBJECT = 7  # words behind `and` in which the verb of a new clause stands
_FEWEST_LISTED = 3  # things between commas
_MOST_OF_A_NAME = 2  # words of one of them
_LINE_ENDS = ".:;!?,"
_BEFORE_SO = frozenset(("or", "oder", "is", "are", "be", "not", "do", "does", "why", "and", "ist", "nicht"))
_BEFORE_WHICH = word_set("in of from on with at to by for")
_WHY = word_set("why warum wieso weshalb")
_WORDS_OF_WHY = 8
_ASKING = word_set("wann wer welche welcher welches welchen wo when which where")
_OPPOSED = word_set("with for if when mit bei wenn falls")  # `…, while with repeat first …`
_LEAVING_OPEN = word_set("nur lediglich bloss blos only just ist is")  # `only, which batch comes when`
_EXAMPLE = word_set("example examples beispiel e bsp ex")
_BEFORE_AS = frozenset(("such", "same", "well", "just", "exactly", "far", "long", "soon"))
_LONG_LINE = 60  # characters; a line as long as that may go on in the next
_REPLACED = tuple(tuple(phrase.split()) for phrase in REPLACED)


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
    words = with_column_heads(words_of(text))
    begin, starts_line = 0, True
    for place, word in enumerate(words):
        is_end = word.text in _ENDS and _is_end(words, place, text) and not _is_label(words, begin, place)
        if is_end or _asks_before_colon(words, begin, place):
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


def _asks_before_colon(words: Sequence[Word], begin: int, place: int) -> bool:
    """Whether a colon ends what only names the question: `Why not zeros: …`."""
    return words[place].text == ":" and words[begin].text in _WHY and place - begin <= _WORDS_OF_WHY


def _is_end(words: Sequence[Word], place: int, text: str) -> bool:
    word = words[place]
    before = words[place - 1] if place else None
    after = words[place + 1] if place + 1 < len(words) else None
    if before is None or after is None:
        return True
    if word.text == "\n":
        return not _goes_on(text, word.start)
    if after.text == ")":
        return False  # `(why must I choose them?)` is a clause
    if word.text != ".":
        return True
    is_inside = after.start == word.end  # 0.1, tf.data, ds.shuffle
    return not is_inside and before.text not in _ABBREVIATIONS


def _goes_on(text: str, line_end: int) -> bool:
    """Whether a line is only wrapped: it is long, and the next one goes on in small letters."""
    line = text[text.rfind("\n", 0, line_end) + 1 : line_end].strip()
    following = text[line_end:].strip().split("\n")[0]
    is_listed = "|" in line + following or any(mark in following[:_LABEL_CHARS] for mark in _LABEL_MARKS)
    return (
        len(line) >= _LONG_LINE and line[-1] not in _LINE_ENDS and following[:1].islower() and not is_listed
    )


def _sentence(words: Sequence[Word], last: Word, starts_line: bool) -> Sentence:
    """The sentence of `words`; `last` is the mark that ends it, or its last word."""
    own = tuple(words)
    return Sentence(
        words=own,
        clauses=tuple(_clauses(own)),
        end=words[-1].end if last.text == "\n" else last.end,
        asks=last.text == "?" or (last.text == ":" and words[0].text in _WHY),
        hedges=any(holds(own, doubts) for doubts in (UNSURE, EITHER)),
        rejects=holds(own, REJECTIONS),
        starts_line=starts_line,
    )


def is_listed(sentence: Sentence) -> bool:
    """Whether a sentence only sets words between commas (`dead units, zero gradient, symmetry`)."""
    parts = [[word.text for word in clause.words if _is_spelled_out(word)] for clause in sentence.clauses]
    told = [part for part in parts if part]
    if len(told) < _FEWEST_LISTED or any(len(part) > _MOST_OF_A_NAME for part in told):
        return False
    return not FUNCTION_WORDS & {word for part in told for word in part}


def _is_spelled_out(word: Word) -> bool:
    """Whether a word is none of the letters of an abbreviation (`i.i.d.`)."""
    return word.text[0].isalpha() and len(word.text) > 1


def sentence_without(
    sentence: Sentence, spans: Sequence[tuple[int, int]], ends: Sequence[int] = ()
) -> Sentence | None:
    """`sentence` without the words at some places (begin, end); None when hardly a word is left.

    At the places `ends`, which are among them, a comma stands instead.
    """
    gone = {place for begin, end in spans for place in range(begin, end)} - set(ends)
    words = (word._replace(text=",") if place in ends else word for place, word in enumerate(sentence.words))
    kept = tuple(word for place, word in enumerate(words) if place not in gone)
    if not any(not word.is_mark for word in kept):
        return None
    return sentence._replace(words=kept, clauses=tuple(_clauses(kept)))


def _clauses(words: Sequence[Word]) -> Iterator[Clause]:
    begin, opened_by = 0, ""
    for place, word in enumerate(words):
        is_mark = _ends_clause(words, place)
        if is_mark or (place > begin and _begins_clause(words, begin, place)):
            yield from _clause(words[begin:place], opened_by)
            begin, opened_by = (place + 1, word.text) if is_mark else (place, word.text)
    yield from _clause(words[begin:], opened_by)


def _ends_clause(words: Sequence[Word], place: int) -> bool:
    after = words[place + 1].text if place + 1 < len(words) else ""
    before = words[place - 1].text if place else ""
    text = words[place].text
    if text == "," and after in CONTRASTS and words[place + 2 : place + 3]:
        return words[place + 2].text in _OPPOSED
    if text == ",":
        return after not in TEMPORAL and not (after in _ASKING and before in _LEAVING_OPEN)
    if text in _ARROWS or text == ":":
        return place > 0 and not _is_named(words[:place])
    return text in _CLAUSE_MARKS


def _is_named(words: Sequence[Word]) -> bool:
    """Whether these words only name what is told behind a colon or arrow: `content of the batches: …`."""
    texts = [word.text for word in words]
    is_short = sum(text[0].isalpha() for text in texts) <= _LABEL_WORDS
    return is_short and not (FINITE | _CLAUSE_MARKS | _EXAMPLE) & set(texts)


def _begins_clause(words: Sequence[Word], begin: int, place: int) -> bool:
    text, before = words[place].text, words[place - 1].text
    if words[begin].text in PREMISES and _is_consequence(words, begin, place):
        return True
    if text == "so":
        return before not in _BEFORE_SO
    if text == "as" and before in _BEFORE_AS:
        return False
    if text in ("and", "und"):
        return _begins_anew(words, place)
    if text == "which" and before in _BEFORE_WHICH:
        return False
    if text == "that":
        return before in ASSURED
    return (text in CONNECTIVES and text not in INSERTED) or (text in ("not", "nicht") and before in BREAKS)


def _is_consequence(words: Sequence[Word], begin: int, place: int) -> bool:
    """Whether what follows from an `if …` begins here, without a comma: `then …`, `… we would divide`."""
    after = words[place + 1].text if place + 1 < len(words) else ""
    is_told_anew = words[place].text in _PRONOUNS and after in _MODALS
    return words[place].text in CONSEQUENCES or (is_told_anew and place - begin >= _FEWEST_SUPPOSED)


def _begins_anew(words: Sequence[Word], place: int) -> bool:
    """Whether an `and` goes on with a subject and a verb of its own."""
    behind = [word.text for word in words[place + 1 : place + 1 + _MOST_SUBJECT]]
    end = next((n for n, text in enumerate(behind) if text in _CLAUSE_MARKS), len(behind))
    return bool(behind) and behind[0] in _NEW_SUBJECT and bool(FINITE & set(behind[1:end]))


def _clause(words: Sequence[Word], opened_by: str) -> Iterator[Clause]:
    """A clause without what it tells of as replaced (`… instead of the examples`), if anything is left."""
    texts = [word.text for word in words]
    end = len(words)
    for phrase in _REPLACED:
        for place in range(len(texts) - len(phrase) + 1):
            if tuple(texts[place : place + len(phrase)]) == phrase:
                end = min(end, place)
    if end:
        yield Clause(tuple(words[:end]), texts[0] if texts[0] in CONNECTIVES else opened_by)


def is_hypothetical(clause: Clause) -> bool:
    """Whether a clause tells of what would be if things were otherwise."""
    return bool(HYPOTHETICAL & {clause.begins_with, *(word.text for word in clause.words)})


def holds(words: Sequence[Word], phrases: re.Pattern[str]) -> bool:
    """Whether one of `phrases` stands in `words`, word by word."""
    return phrases.search(" ".join(word.text for word in words)) is not None
