"""Which order of shuffle, batch and repeat is called the most sensible, and what is given as a reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from grader.answers.claims import compiled
from grader.answers.clauses import sentences_of
from grader.answers.mentions import Mention, mentions_in
from grader.answers.named_orders import Orders
from grader.answers.orders import Spoken, Told
from grader.answers.questions import Question
from grader.answers.words import Word, words_of
from grader.notebook.prose import Passage
from grader.notebook.words import words as word_set

CHOSEN = "chosen"  # the claim of a question that chooses; its other claims are reasons
FASTER = "faster"  # its claim that no reason is made of, and yet there is something to it
_CONCLUDING = word_set(
    "so hence therefore thus that why is deshalb darum answer choice my our the order conclusion "
    "result final daher also somit antwort meine unsere die reihenfolge wahl fazit ergebnis first "
    "then and last dann"
)  # words beside an order that stands by itself
_BEFORE = 500  # characters before a choice that may hold its reason


class Choice(NamedTuple):
    """A choice: one order (or the few of a rule), in which passage, and where in its text it is made."""

    orders: Orders
    passage: Passage
    number: int
    start: int


def choices_in(
    told: Told, question: Question, passages: Sequence[Passage], answers: Sequence[Passage]
) -> list[Choice]:
    """Every choice: in a sentence that says so, or as the only order in what answers the question.

    `told` is what `passages` say, read with `question`; `answers` are those that probably answer it.
    """
    said = [
        Choice(spoken.orders, spoken.passage, spoken.number, spoken.said.sentence.start)
        for spoken in told.spoken
        if spoken.said.claim.name == CHOSEN and spoken.orders and not spoken.said.is_denied
        if not spoken.said.is_doubtful
    ]
    asked = {(passage.cell, passage.text): passage for passage in answers}
    numbered = ((n, asked.get((p.cell, p.text), p)) for n, p in enumerate(passages))
    by_place = [choice for n, passage in numbered for choice in _by_place(passage, n, question)]
    is_by_rule = all(len(choice.orders) > 1 for choice in said)
    return by_place if is_by_rule and by_place else said


def are_rejected(told: Told) -> Orders:
    """The orders that are said not to be the most sensible."""
    denied = [s for s in told.spoken if s.said.claim.name == CHOSEN and s.said.is_denied]
    return frozenset().union(*(spoken.orders for spoken in denied))


def _by_place(passage: Passage, number: int, question: Question) -> Iterator[Choice]:
    """The only single order that is named where the question, or a heading like it, stands above."""
    heading = passage.headings[-1] if passage.headings else ""
    if not passage.answers_to and compiled(question).said_below(heading) is None:
        return
    single = {mention.orders for mention in _alone(words_of(passage.text), passage)}
    if len(single) == 1:
        yield Choice(single.pop(), passage, number, 0)
        return
    bare = list(_bare(passage))
    if len({choice for choice, _ in bare}) == 1:
        yield Choice(bare[0][0], passage, number, bare[0][1])


def _alone(words: Sequence[Word], passage: Passage) -> list[Mention]:
    """The single orders that are named, and not compared with anything."""
    mentions = mentions_in(words, passage.text)
    return [mention for mention in mentions if mention.is_one and not mention.is_compared]


def _bare(passage: Passage) -> Iterator[tuple[Orders, int]]:
    """The orders that stand by themselves, or behind a *so*, and where: `Hence shuffle, batch, repeat.`"""
    for sentence in sentences_of(passage.text):
        for mention in _alone(sentence.words, passage):
            rest = (*sentence.words[: mention.begin], *sentence.words[mention.end :])
            if not sentence.asks and all(word.is_mark or word.text in _CONCLUDING for word in rest):
                yield mention.orders, sentence.start


def orders_of(choices: Sequence[Choice]) -> Orders:
    """The orders that are chosen: those that all choices allow, else those that any of them does."""
    every = [choice.orders for choice in choices]
    common = frozenset.intersection(*every) if every else frozenset()
    return common or frozenset().union(*every)


def told_of_others(choices: Sequence[Choice], told: Told) -> Iterator[Spoken]:
    """What stands with a choice and is said of other orders than the chosen ones, or of what would be
    otherwise.
    """
    chosen = orders_of(choices)
    for spoken in told.spoken:
        is_about_others = not spoken.orders & chosen if spoken.orders else spoken.is_elsewhere
        if is_about_others and spoken.said.claim.name != CHOSEN and _stands_with_any(spoken, choices):
            yield spoken


def reasons_for(choices: Sequence[Choice], told: Told) -> list[Spoken]:
    """The claims that stand with a choice and are about the chosen order, or about no other one by name."""
    chosen = orders_of(choices)
    near = (s for s in told.spoken if _stands_with_any(s, choices) and s.said.claim.name != CHOSEN)
    return [s._replace(orders=chosen) for s in near if not s.orders or chosen <= s.orders]


def _stands_with_any(spoken: Spoken, choices: Sequence[Choice]) -> bool:
    return any(_stands_with(spoken, choice) for choice in choices)


def _stands_with(spoken: Spoken, choice: Choice) -> bool:
    """Whether a claim stands near a choice or after it: in its passage, or in the rest of its cell."""
    if spoken.passage.cell != choice.passage.cell:
        return False
    if spoken.number == choice.number:
        return spoken.said.sentence.start >= choice.start - _BEFORE
    return spoken.number > choice.number
