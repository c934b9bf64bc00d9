"""What a notebook says about which order of shuffle, batch and repeat.

A claim is about the order that its sentence names; else about the one named at the beginning of the line or
table row before it; else about the one in the heading above, or in a line or code cell with nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from grader.answers.claims import Compiled, Said, compiled
from grader.answers.clauses import Sentence, holds, is_hypothetical, sentences_of
from grader.answers.language import OTHERS, RATING, phrases
from grader.answers.mentions import Mention, mentions_in
from grader.answers.named_orders import (
    NO_ORDER,
    Orders,
    all_but,
    is_said_before,
    only_equates,
    orders_named,
    otherwise_in,
    rest_of,
)
from grader.answers.parts import Parts
from grader.answers.questions import Question
from grader.answers.topic import speaks_of
from grader.answers.words import words_of
from grader.notebook.prose import Origin, Passage

_TELLING_WORDS = 3  # of a sentence that may say something
_FORMULA = re.compile(r"\$[^$]+\$|\\[(\[]|[=≠<>≤≥∈]")
_LABEL_WORDS = 5  # besides the order, in a line that is only a heading for what comes
_LEADING_WORDS = 8  # an order named so early in a sentence is what the sentences after it speak of, too
_THINGS = phrases(
    *("epoch*", "epoche*", "batch", "batches", "batchs", "boundar*", "grenze*", "example*", "element*"),
    *("sample*", "random*", "zufaell*", "order", "reihenfolge", "duplicat*", "doppelt*", "mix*", "misch*"),
)  # what is told of orders is told of these
_FEWEST_FIGURES = 6  # in a text that may show what an order gives


class Spoken(NamedTuple):
    """A claim, and the orders that it is about: one, those of a rule, or none when that is not clear.

    `number` is the place of its passage among all. `is_elsewhere` when it tells of what would be otherwise,
    or stands beside an order that is ruled out: then it need not be about what was spoken of before.
    """

    orders: Orders
    said: Said
    passage: Passage
    number: int
    is_elsewhere: bool = False


class Unclear(NamedTuple):
    """A sentence that may claim something of `orders` and was not understood, and where it begins."""

    orders: Orders
    passage: Passage
    start: int


class Told(NamedTuple):
    """All that is said about orders, and in which passages each one is named, by itself or by a rule.

    `unread` are sentences that may say something and were not understood: what each is about, and where;
    `unclear` are those, however little they say, that may spoil what is right. `open` and `turning` are what
    clauses are about that were not understood and may tell of something false, or take back what was said.
    """

    spoken: tuple[Spoken, ...]
    named: Mapping[str, tuple[Passage, ...]]
    unread: tuple[tuple[Orders, Passage], ...] = ()
    open: tuple[Orders, ...] = ()
    turning: tuple[Orders, ...] = ()
    unclear: tuple[Unclear, ...] = ()

    def is_understood(self, order: str) -> bool:
        """Whether more sentences about an order were understood than not."""
        read = {(s.number, s.said.sentence.start) for s in self.spoken if order in s.orders}
        return len(read) > sum(order in orders for orders, _ in self.unread)

    def is_taken_back(self, order: str, right: Sequence[Spoken], *, is_trusted: bool = False) -> bool:
        """Whether what was not understood may outweigh or take back what is `right` about an order; of one
        who `is_trusted`, as much as was understood may be left open.
        """
        clauses = {(spoken.number, spoken.said.clause.start) for spoken in right}
        unclear = sum(order in orders for orders in self.open)
        is_more = any(order in sentence.orders for sentence in self.unclear)
        return 0 < unclear >= len(clauses) + is_trusted or is_more or any(order in t for t in self.turning)


def orders_told(passages: Sequence[Passage], code: Mapping[int, str], question: Question) -> Told:
    """What `passages` say about orders; `code` is the single order that a code cell builds, by its number."""
    reader = _Reader(compiled(question), {**_told_beside(passages, code), **code})
    spoken = tuple(
        Spoken(orders, said, passage, number, is_elsewhere)
        for number, passage in enumerate(passages)
        for orders, said, is_elsewhere in reader.read(passage)
    )
    named = {order: tuple(where) for order, where in reader.named.items()}
    return Told(
        spoken, named, tuple(reader.unread), tuple(reader.open), tuple(reader.turning), tuple(reader.unclear)
    )


def _told_beside(passages: Sequence[Passage], code: Mapping[int, str]) -> dict[int, str]:
    """The orders of text cells that stand right before, or right after, each code cell that builds one.

    None when they stand on both sides, or are missing somewhere: then nobody can tell which belong together.
    """
    texts = {passage.cell for passage in passages if passage.origin is Origin.MARKDOWN}
    before, after = (all(cell + side in texts for cell in code) for side in (-1, 1))
    if before is after:
        return {}
    return {cell + (-1 if before else 1): order for cell, order in code.items()}


class _Reader:
    """Goes through the passages and keeps which order a line before has announced."""

    def __init__(self, ready: Compiled, code: Mapping[int, str]) -> None:
        self.ready = ready
        self.code = code
        self.named: dict[str, list[Passage]] = {}
        self.unread: list[tuple[Orders, Passage]] = []
        self.open: list[Orders] = []
        self.turning: list[Orders] = []
        self.unclear: list[Unclear] = []
        self.announced = NO_ORDER
        self.headings: tuple[str, ...] = ()
        self.here = NO_ORDER  # what was spoken of last in the passage
        self.place = NO_ORDER  # what it is about by where it stands
        self.names_only = True  # whether the passage does nothing but name it

    def read(self, passage: Passage) -> Iterator[tuple[Orders, Said, bool]]:
        """The claims of one passage with the orders that they are about."""
        if passage.headings != self.headings:
            self.announced, self.headings = NO_ORDER, passage.headings
        here = self._of_place(passage)
        for order in here:
            self.named.setdefault(order, []).append(passage)
        self.here = self.place = here
        self.names_only = True
        parts = Parts()
        for sentence in sentences_of(passage.text):
            for part, mentions in parts.of(sentence, passage.text):
                yield from self._read_part(part, mentions, passage)
        if self.names_only and self.here:
            self.announced = self.here

    def _read_part(
        self, sentence: Sentence, mentions: Sequence[Mention], passage: Passage
    ) -> Iterator[tuple[Orders, Said, bool]]:
        """The claims of a sentence, or of a part of it that names orders of its own."""
        self._note(mentions, passage)
        about = self._about(sentence, mentions)
        rest = rest_of(sentence, mentions)
        self.names_only = self.names_only and (rest is None or len(rest.words) <= _LABEL_WORDS)
        if rest is None:
            return
        every = list(self.ready.said_in(rest))
        if not every and not rest.asks and self.ready.telling_in(rest.words) >= _TELLING_WORDS:
            self.unread.append((about, passage))
        if not every and self.ready.is_unclear(rest):
            self.unclear.append(Unclear(about, passage, rest.start))
        marring, turns = self.ready.left_open(rest, every) if not rest.asks else (0, False)
        self.open += [about] * marring
        self.turning += [about] * (turns or only_equates(sentence, mentions))
        otherwise = otherwise_in(rest)
        for order in all_but(about) if otherwise is not None else ():
            self.named.setdefault(order, []).append(passage)
        is_ruled_out = any(mention.is_compared for mention in mentions)
        for said in every:
            is_before = len(about) > 1 and is_said_before(said, mentions, sentence)
            is_after = otherwise is not None and otherwise[0] < said.clause.end <= otherwise[1]
            is_elsewhere = is_ruled_out or is_after or is_hypothetical(said.clause)
            if is_before:  # a rule comes before what it is about
                yield NO_ORDER, said, is_elsewhere
            else:
                yield all_but(about) if is_after else about, said, is_elsewhere

    def _about(self, sentence: Sentence, mentions: Sequence[Mention]) -> Orders:
        """The orders that a sentence is about; those that it names lead on to what comes after."""
        own = orders_named(sentence, mentions)
        if not mentions and holds(sentence.words[:_LABEL_WORDS], OTHERS):
            return NO_ORDER
        is_plain = all(mention.is_plain for mention in mentions)
        if len(self.here) == 1 and (self.here < own or (self.here == self.place and not is_plain)):
            own = self.here  # a rule, told as the reason for this very order, or what it does
        is_several = not own and any(not mention.is_compared for mention in mentions)
        if own and (sentence.starts_line or mentions[0].begin <= _LEADING_WORDS):
            self.here = own
        elif is_several:
            self.here = NO_ORDER  # what comes after may be about any of them
        return own or (NO_ORDER if is_several else self.here)

    def _of_place(self, passage: Passage) -> Orders:
        """The orders that a passage is about by where it stands."""
        if passage.cell in self.code:
            return frozenset((self.code[passage.cell],))
        if self.announced:
            return self.announced
        for heading in reversed(passage.headings):
            mentions = [m for m in mentions_in(words_of(heading), heading) if not m.is_compared]
            if mentions:
                return mentions[0].orders if len(mentions) == 1 else NO_ORDER
        return NO_ORDER

    def _note(self, mentions: Sequence[Mention], passage: Passage) -> None:
        for order in {order for mention in mentions for order in mention.orders}:
            self.named.setdefault(order, []).append(passage)


def tells_of_orders(question: Question, passage: Passage) -> bool:
    """Whether a passage may say anything of orders, besides naming them."""
    words = words_of(passage.text)
    rest = passage.text
    for mention in reversed(mentions_in(words, passage.text)):
        if mention.is_plain:
            rest = rest[: words[mention.begin].start] + rest[words[mention.end - 1].end :]
    told = words_of(rest)
    shows = sum(word.text.isdigit() for word in told) >= _FEWEST_FIGURES
    is_about = any(
        holds(sentence.words, _THINGS) and not _counts(sentence) for sentence in sentences_of(rest)
    )
    if (
        _FORMULA.search(rest)
        or shows
        or is_about
        or holds(told, RATING)
        or compiled(question).speaks_of_topic(told)
    ):
        return True
    return sum(not word.is_mark for word in told) >= _TELLING_WORDS and speaks_of(question, rest)


def _counts(sentence: Sentence) -> bool:
    """Whether a sentence holds a number, as one has that tells of a training (`for 10 epochs`)."""
    return any(word.text.isdigit() for word in sentence.words)
