"""Rules such as "batch before shuffle" or "repeat first", which mean all the orders in which that is so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from grader.answers.operations import BETWEEN, MOST_BETWEEN, PARTS, PRECEDING, REVERSING, operation_of
from grader.answers.words import Word
from grader.notebook.words import words as word_set
from grader.oracles.orders import ORDERS

_MOST_BEHIND = 7
_SUBJECTS = word_set("we i you one it man wir ich")
_STANDS = word_set(
    "- in at the is be should must come comes goes stands called applied used done happens put "
    "sollte muss kommen kommt steht ist wird"
)
_STARTING = word_set(
    "start starts starting begin begins beginning beginnen beginnt anfangen anfaengt starten"
)
_WITH = word_set("with mit")
_IF = word_set("if when would wenn wuerde wuerden falls")
_FIRST, _LAST = frozenset(("first", "zuerst", "front")), frozenset(("last", "zuletzt"))


class Rule(NamedTuple):
    """The orders that a rule means, the place behind its words, and the operation whose place it tells of."""

    orders: frozenset[str]
    end: int
    topic: str


def rule_at(words: Sequence[Word], place: int) -> Rule | None:
    """The rule that begins at a place of `words`, if one does."""
    return _rule_of_two(words, place) or _rule_of_ends(words, place) or _rule_behind(words, place)


def _rule_of_two(words: Sequence[Word], place: int) -> Rule | None:
    """`batch before shuffle`, `shuffling after repeating`: all the orders in which that is so."""
    first = operation_of(words[place].text)
    if first is None or words[place].text in PARTS:
        return None
    is_before = is_after = is_negated = False
    for position in range(place + 1, min(len(words), place + MOST_BETWEEN)):
        text = words[position].text
        second = operation_of(text)
        if second is not None:
            if second == first or is_before == is_after or text in PARTS:
                return None
            is_early = is_before is not is_negated
            orders = orders_with(first, second) if is_early else orders_with(second, first)
            return Rule(orders, position + 1, first)
        if text not in BETWEEN or text in ",;.|":
            return None
        is_negated = is_negated or text in ("not", "never", "nicht", "nie")
        is_before = is_before or text in PRECEDING
        is_after = is_after or text in REVERSING
    return None


def _rule_of_ends(words: Sequence[Word], place: int) -> Rule | None:
    """`repeat first`, `shuffle comes last`, `orders that start with repeat`, `if one would first batch`."""
    early = _rule_of_beginning(words, place) or _rule_of_start(words, place)
    if early is not None:
        return early
    name = operation_of(words[place].text)
    if name is None or words[place].text in PARTS:
        return None
    after = place + 1
    while after < len(words) and words[after].text in _STANDS:
        after += 1
    if after >= len(words) or words[after].text not in _FIRST | _LAST:
        return None
    if {"then", "dann"} & {word.text for word in words[after + 1 : after + 3]}:
        return None  # `batch first and then repeat` tells of two only
    end = 0 if words[after].text in _FIRST else -1
    orders = frozenset(order for order in ORDERS if order.split("-")[end] == name)
    return Rule(orders, after + 1, name)


def _rule_of_start(words: Sequence[Word], place: int) -> Rule | None:
    """`start with repeat`."""
    if words[place].text not in _STARTING or place + 2 >= len(words) or words[place + 1].text not in _WITH:
        return None
    name = operation_of(words[place + 2].text)
    if name is None:
        return None
    orders = frozenset(order for order in ORDERS if order.startswith(name))
    return Rule(orders, place + 3, name)


def _rule_of_beginning(words: Sequence[Word], place: int) -> Rule | None:
    """`wenn man zuerst batcht`: where something is supposed, and no other operation follows."""
    before = {word.text for word in words[max(0, place - MOST_BETWEEN) : place]}
    if words[place].text not in _FIRST or not _IF & before or place + 1 >= len(words):
        return None
    name = operation_of(words[place + 1].text)
    after = {operation_of(word.text) for word in words[place + 2 : place + 2 + MOST_BETWEEN]} - {None, name}
    if name is None or (after and not {word.text for word in words[place + 2 : place + 4]} & {","}):
        return None
    orders = frozenset(order for order in ORDERS if order.startswith(name))
    return Rule(orders, place + 2, name)


def _rule_behind(words: Sequence[Word], place: int) -> Rule | None:
    """`vor dem Batchen gemischt`, `after batching we shuffle`: what is told of stands behind."""
    if words[place].text not in PRECEDING | REVERSING:
        return None
    named = [
        n for n in range(place + 1, min(len(words), place + _MOST_BEHIND)) if operation_of(words[n].text)
    ]
    between = {word.text for word in words[place + 1 : named[1]]} if len(named) > 1 else set()
    if len(named) != 2 or not between - {words[named[0]].text} <= BETWEEN | _SUBJECTS:
        return None
    nearer, told = (operation_of(words[n].text) or "" for n in named)
    is_done = words[named[1] - 1].text in _SUBJECTS or words[named[1]].text.startswith("ge")
    if nearer == told or not is_done or words[named[0]].text in PARTS:
        return None
    is_before = words[place].text in PRECEDING
    orders = orders_with(told, nearer) if is_before else orders_with(nearer, told)
    return Rule(orders, named[1] + 1, told)


def orders_with(early: str, late: str) -> frozenset[str]:
    """The orders in which one operation comes before another."""
    return frozenset(order for order in ORDERS if order.index(early) < order.index(late))
