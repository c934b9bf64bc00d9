"""Sentences that speak of several orders one after the other, cut into a part for each.

Rules go on from one clause to the next: `shuffle before batch …, after batch …`, `…, if it comes after, …`,
and `shuffle and repeat: if shuffle comes first, …`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from grader.answers.clauses import Sentence, sentence_without
from grader.answers.language import FILLERS
from grader.answers.mentions import Mention, mentions_in
from grader.answers.operations import PARTS, PRECEDING, REVERSING, operation_of
from grader.answers.order_rules import orders_with
from grader.notebook.words import words as word_set
from grader.oracles.orders import ORDERS

_LEADING = 5  # words of a clause before the order that it speaks of
_APART = 3  # words between two orders of which each is told something
_IMPLYING = FILLERS | word_set(
    "if when whereas while and but then it called comes done applied used put placed wenn und aber waehrend"
)
_PAIRING = word_set("vs versus and und & / or oder")
_OF_A_PAIR = 3  # orders in which one of two operations comes before the other


class Parts:
    """Cuts the sentences of a passage, in their order, and keeps which rule was spoken of last."""

    def __init__(self) -> None:
        self._rule: Mention | None = None
        self._pair: tuple[str, str] | None = None

    def of(self, sentence: Sentence, text: str) -> Iterator[tuple[Sentence, list[Mention]]]:
        """The parts of `sentence`, which stands in `text`, each with the orders that it names.

        It is cut only where each order leads a clause of its own (`In A …, whereas in B …`).
        """
        if sentence.starts_line:
            self._pair = _pair_at_start(sentence)
        mentions = self._all_in(sentence, text)
        cuts = _cuts(sentence, mentions)
        if len(cuts) < 2:
            yield sentence, mentions
            return
        for begin, end in zip([0, *cuts[1:]], [*cuts[1:], len(sentence.words)], strict=True):
            part = sentence_without(sentence, [(0, begin), (end, len(sentence.words))])
            if part is not None:
                inside = [mention for mention in mentions if begin <= mention.begin < end]
                yield part, [m._replace(begin=m.begin - begin, end=m.end - begin) for m in inside]

    def _all_in(self, sentence: Sentence, text: str) -> list[Mention]:
        """The orders that are named, and those that are meant by a rule that goes on."""
        named = [self._in_pair(mention) for mention in mentions_in(sentence.words, text)]
        found: list[Mention] = []
        for begin in _begins(sentence):
            inside = [
                m for m in named if begin <= m.begin and m not in found and m.begin < _end(sentence, begin)
            ]
            implied = self._implied(sentence, begin) if not inside else None
            found += inside or ([implied] if implied is not None else [])
            rules = [mention for mention in inside if mention.topic]
            self._rule = rules[-1] if rules else self._rule
        return found

    def _in_pair(self, mention: Mention) -> Mention:
        """`shuffle first` where two operations are compared: before the other one, wherever the third is."""
        if self._pair is None or mention.topic not in self._pair or len(mention.orders) == _OF_A_PAIR:
            return mention
        other = next(name for name in self._pair if name != mention.topic)
        is_first = all(order.startswith(mention.topic) for order in mention.orders)
        early, late = (mention.topic, other) if is_first else (other, mention.topic)
        return mention._replace(orders=orders_with(early, late))

    def _implied(self, sentence: Sentence, begin: int) -> Mention | None:
        """What a clause such as `after batch …` or `if it comes after …` means by the rule before it."""
        if self._rule is None or len(self._rule.orders) != _OF_A_PAIR:
            return None
        words, place = sentence.words[: _end(sentence, begin)], begin
        while place < len(words) and words[place].text in _IMPLYING - PRECEDING - REVERSING:
            place += 1
        if place >= len(words) or words[place].text not in PRECEDING | REVERSING:
            return None
        is_before = words[place].text in PRECEDING
        topic = self._rule.topic
        named = place + 1
        while named < len(words) and words[named].text in FILLERS:
            named += 1
        other = operation_of(words[named].text) if named < len(words) else None
        if other is not None and other != topic and words[named].text not in PARTS:
            orders = orders_with(topic, other) if is_before else orders_with(other, topic)
            return Mention(orders, begin, named + 1, topic=topic)
        if place == begin or not _ends_condition(sentence, place):
            return None
        is_so_before = all(_comes_early(topic, order, self._rule.orders) for order in self._rule.orders)
        orders = self._rule.orders if is_before is is_so_before else frozenset(ORDERS) - self._rule.orders
        return Mention(orders, begin, place + 1, topic=topic)


def _comes_early(topic: str, order: str, orders: frozenset[str]) -> bool:
    """Whether the rule that means `orders` is `topic before …`, and not `topic after …`."""
    others = {name for name in order.split("-") if name != topic}
    return any(orders_with(topic, other) == orders for other in others)


def _ends_condition(sentence: Sentence, place: int) -> bool:
    """Whether the clause that holds `place` ends there, or goes on with what follows from it."""
    after = sentence.words[place + 1].text if place + 1 < len(sentence.words) else ","
    return after in (",", ":", "then", "dann", "it", "the", "only", "wards")


def _begins(sentence: Sentence) -> list[int]:
    """The places at which the clauses of a sentence begin."""
    places = {word.start: place for place, word in reversed(list(enumerate(sentence.words)))}
    return [places[clause.start] for clause in sentence.clauses]


def _end(sentence: Sentence, begin: int) -> int:
    return next((place for place in _begins(sentence) if place > begin), len(sentence.words))


def _pair_at_start(sentence: Sentence) -> tuple[str, str] | None:
    """The two operations of a line such as `shuffle vs batch: …`."""
    texts = [word.text for word in sentence.words[:5] if word.text not in ("*", "-", "the", "order", "of")]
    if len(texts) < 3 or texts[1] not in _PAIRING:
        return None
    first, second = operation_of(texts[0]), operation_of(texts[2])
    return (first, second) if first and second and first != second else None


def _cuts(sentence: Sentence, mentions: Sequence[Mention]) -> list[int]:
    """Where the clauses begin that are led by an order; none unless each of several orders leads one."""
    own = [mention for mention in mentions if not mention.is_compared]
    if len({mention.orders for mention in own}) < 2:
        return []
    begins = _begins(sentence)
    cuts: list[int] = []
    for before, mention in zip([None, *own], own, strict=False):
        begin = max(place for place in begins if place <= mention.begin)
        is_apart = before is None or mention.begin - before.end >= _APART
        if mention.begin - begin > _LEADING or not is_apart or begin in cuts:
            return []
        cuts.append(begin)
    return cuts
