"""Which orders of shuffle, batch and repeat one sentence is about, and what it says besides naming them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from grader.answers.claims import Said
from grader.answers.clauses import Sentence, holds, sentence_without
from grader.answers.language import BREAKS, EQUATING, OTHERWISE, PREMISES, TURNS
from grader.answers.mentions import Mention
from grader.oracles.orders import ORDERS

_MOST_ARGUMENTS = 4  # words of what an operation is given in brackets
_LISTING = frozenset((",", "and", "und", "&", "/", "*", "`"))
_EQUATING_WORDS = 4
_MOST_BEFORE_RULE = 4  # words behind an `if`
_NAMING = frozenset(("is", "be", "ist", "waere", "to", ":"))
_BOTH = frozenset(("both", "each", "these", "beide", "beiden"))

Orders = frozenset[str]
NO_ORDER: Orders = frozenset()


def orders_named(sentence: Sentence, mentions: Sequence[Mention]) -> Orders:
    """The orders that a sentence is about by naming them; none when it names several, but neither `both` nor
    in a row.
    """
    own = [mention for mention in mentions if not mention.is_compared]
    different = {mention.orders for mention in own}
    if len(different) == 1:
        return own[0].orders
    is_several = bool(different) and all(mention.is_one for mention in own)
    if is_several and (_BOTH & {word.text for word in sentence.words} or _are_listed(own, sentence)):
        return frozenset().union(*different)
    return NO_ORDER


def _are_listed(mentions: Sequence[Mention], sentence: Sentence) -> bool:
    """Whether nothing stands between orders, as in `A, B and C shuffle batches only`."""
    gaps = (sentence.words[one.end : other.begin] for one, other in pairwise(mentions))
    return all(word.text in _LISTING for gap in gaps for word in gap)


def rest_of(sentence: Sentence, mentions: Sequence[Mention]) -> Sentence | None:
    """A sentence without the orders that it names and the batches that it writes down; None when hardly a
    word is left.
    """
    named = [span for mention in mentions for span in _spans(mention, sentence)]
    supposed = [mention.end - 1 for mention in mentions if _is_supposed(mention, sentence)]
    return sentence_without(sentence, [*named, *_written_batches(sentence)], supposed)


def _spans(mention: Mention, sentence: Sentence) -> Iterator[tuple[int, int]]:
    """Where a mention stands, without what is told in brackets amid it: `shuffle (or else …), batch`."""
    begin, depth = mention.begin, 0
    for place in range(mention.begin, mention.end):
        mark = sentence.words[place].text
        depth += {"(": 1, ")": -1}.get(mark, 0)
        if mark == "(" and depth == 1:
            yield begin, place
            begin = place
        elif mark == ")" and depth == 0 and place - begin > _MOST_ARGUMENTS:
            begin = place + 1
    yield begin, mention.end


def _is_supposed(mention: Mention, sentence: Sentence) -> bool:
    """Whether a rule is only supposed: what follows may come without a comma, `if A is before B the …`."""
    before = {word.text for word in sentence.words[max(0, mention.begin - _MOST_BEFORE_RULE) : mention.begin]}
    return bool(mention.topic and PREMISES & before)


def _written_batches(sentence: Sentence) -> Iterator[tuple[int, int]]:
    """Where batches of numbers are written down, `[7, 0, 3]`."""
    opened: int | None = None
    for place, word in enumerate(sentence.words):
        if word.text == "[":
            opened = place
        elif word.text == "]" and opened is not None:
            yield opened, place + 1
            opened = None
        elif not word.text.isdigit() and not word.is_mark:
            opened = None


def only_equates(sentence: Sentence, mentions: Sequence[Mention]) -> bool:
    """Whether a sentence says that orders are the same, and of no difference."""
    before = (sentence.words[max(0, m.begin - _EQUATING_WORDS) : m.begin] for m in mentions if m.is_compared)
    is_equal = any(holds(words, EQUATING) for words in before)
    return is_equal and not (TURNS | BREAKS) & {word.text for word in sentence.words}


def is_said_before(said: Said, mentions: Sequence[Mention], sentence: Sentence) -> bool:
    """Whether something is said before its sentence names orders, and not of them (`the best is …`)."""
    if not mentions or said.clause.end > sentence.words[mentions[0].begin].start:
        return False
    before = sentence.words[mentions[0].begin - 1].text
    return before not in _NAMING


def otherwise_in(sentence: Sentence) -> tuple[int, int] | None:
    """Where a sentence tells of what holds otherwise, to its end or that of the brackets; None if nowhere."""
    words = sentence.words
    texts = [word.text for word in words]
    begins = (place for place in range(len(texts)) if OTHERWISE.match(" ".join(texts[place : place + 6])))
    begin = next(begins, None)
    if begin is None:
        return None
    is_aside = texts[begin - 1 : begin] == ["("] and ")" in texts[begin:]
    end = texts.index(")", begin) if is_aside else len(words) - 1
    return words[begin].start, words[end].end


def all_but(orders: Orders) -> Orders:
    """The orders that a rule leaves out; none for a single order, where `otherwise` can mean anything."""
    return frozenset(ORDERS) - orders if len(orders) > 1 else NO_ORDER
