"""How far negations reach, in English and German."""

from __future__ import annotations

from collections.abc import Sequence

from grader.answers.clauses import Clause
from grader.answers.language import AFTERWARDS, AVERTING, BREAKS, NEGATORS, NOT_NEGATING, TEMPORAL
from grader.answers.patterns import Match

_REACH = 6  # words over which a negation reaches forward
_REACH_OF_PREPOSITION = 2
_REACH_BACK = 3
_NOT_NEGATING = tuple(tuple(phrase.split()) for phrase in NOT_NEGATING)


def negations(clause: Clause, match: Match) -> int | None:
    """How many negations what was matched stands under; those that the pattern itself names aside.

    None when one stands amid the match, and it is not clear what it negates.
    """
    texts = [word.text for word in clause.words]
    count = 0
    for place, text in enumerate(texts):
        if text not in NEGATORS or place in match.places or _negates_nothing(texts, place):
            continue
        if match.first < place < match.last:
            before = max(matched for matched in match.places if matched < place)
            after = min(matched for matched in match.places if matched > place)
            if (BREAKS | TEMPORAL) & set(texts[before:after]) or TEMPORAL & set(texts[match.first : place]):
                return None
            count += 1
        elif place < match.first:
            between = texts[place + 1 : match.first]
            if text in AVERTING and between[:1] in (["that"], ["dass"]):
                count += 1
                continue
            if (BREAKS | TEMPORAL) & set(between):
                continue
            if text not in ("without", "ohne") and len(between) > _REACH:
                return None
            count += text not in ("without", "ohne") or len(between) <= _REACH_OF_PREPOSITION
        elif text in AFTERWARDS:
            between = texts[match.last + 1 : place]
            is_beyond = BREAKS & set(between) or TEMPORAL & set(texts[match.first : place])
            count += len(between) <= _REACH_BACK and not is_beyond
    return count


def _negates_nothing(texts: Sequence[str], place: int) -> bool:
    return any(tuple(texts[place : place + len(phrase)]) == phrase for phrase in _NOT_NEGATING)
