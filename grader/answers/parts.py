"""A sentence that speaks of several orders one after the other, cut into a part for each."""

from __future__ import annotations

from collections.abc import Iterator

from grader.answers.clauses import Sentence, sentence_without
from grader.answers.mentions import Mention, mentions_in

_LEADING = 5  # words of a clause before the order that it speaks of
_APART = 3  # words between two orders of which each is told something


def parts_of_sentence(sentence: Sentence, text: str) -> Iterator[tuple[Sentence, list[Mention]]]:
    """The parts of `sentence`, which stands in `text`, each with the orders that it names.

    It is cut only where each order leads a clause of its own (`In A …, whereas in B …`); else it is one part.
    """
    mentions = mentions_in(sentence.words, text)
    cuts = _cuts(sentence, mentions)
    if len(cuts) < 2:
        yield sentence, mentions
        return
    for begin, end in zip([0, *cuts[1:]], [*cuts[1:], len(sentence.words)], strict=True):
        part = sentence_without(sentence, [(0, begin), (end, len(sentence.words))])
        if part is not None:
            yield part, mentions_in(part.words, text)


def _cuts(sentence: Sentence, mentions: list[Mention]) -> list[int]:
    """Where the clauses begin that are led by an order; none unless each of several orders leads one."""
    own = [mention for mention in mentions if not mention.is_compared]
    if len({mention.orders for mention in own}) < 2:
        return []
    places = {word.start: place for place, word in reversed(list(enumerate(sentence.words)))}
    begins = [places[clause.start] for clause in sentence.clauses]
    cuts: list[int] = []
    for before, mention in zip([None, *own], own, strict=False):
        begin = max(place for place in begins if place <= mention.begin)
        is_apart = before is None or mention.begin - before.end >= _APART
        if mention.begin - begin > _LEADING or not is_apart or begin in cuts:
            return []
        cuts.append(begin)
    return cuts
