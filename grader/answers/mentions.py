"""Which order of shuffle, batch and repeat a text names, however it is written.

`shuffle -> batch -> repeat`, `ds.shuffle(10).batch(3).repeat()`, `S-B-R`, "first shuffle, then batch and then
repeat", "Shuffle | Batch | Repeat", and rules such as "batch before shuffle", which mean several orders.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from grader.answers.clauses import holds
from grader.answers.language import phrases
from grader.answers.operations import BETWEEN, LINKS, MAKING, MOST_BETWEEN, PARTS, REVERSING, operation_of
from grader.answers.order_rules import rule_at
from grader.answers.words import Word
from grader.notebook.words import words as word_set

_THAT = word_set("it that this which them")
_MOST_ARGUMENTS = 40
_LETTERS = {"s": "shuffle", "b": "batch", "r": "repeat"}
_LETTER_LINKS = word_set("-> => → > - – , / + | .")
_LIKE = phrases(
    *("like", "as in", "as with", "unlike", "than", "different from", "same as", "similar to", "contrast to"),
    *("compared to", "compared with", "opposed to", "equal to", "not", "avoid", "avoids", "rules out"),
    *("against", "except", "wie", "anders als", "als", "gegensatz zu", "vergleich zu", "analog zu"),
    *(
        "aehnlich wie",
        "difference to",
        "difference from",
        "differs from",
        "unterschied zu",
        "unterschied zur",
    ),
)
_LISTING = word_set(
    "operations methods functions transformations commands operationen methoden funktionen befehle "
    "combinations permutations kombinationen"
)
_LISTED_OF = word_set("order orders ordering orderings reihenfolge reihenfolgen orderings")


class Mention(NamedTuple):
    """A place where a text names orders; `begin` and `end` are places in its words.

    `is_compared` when something else is held against it ("unlike …", "the same as …"). `is_plain` when
    nothing but marks stands between the operations; other words may tell of what happens, not of an order.
    For a rule, `topic` is the operation whose place it tells of.
    """

    orders: frozenset[str]
    begin: int
    end: int
    is_compared: bool = False
    is_plain: bool = True
    topic: str = ""

    @property
    def is_one(self) -> bool:
        """Whether it names a single order, and not a rule."""
        return len(self.orders) == 1


def mentions_in(words: Sequence[Word], text: str) -> list[Mention]:
    """The orders that `words`, which stand in `text`, name, from left to right; none overlap."""
    found: list[Mention] = []
    place = 0
    while place < len(words):
        mention = _letters(words, text, place) or _whole(words, place) or _by_rule(words, place)
        if mention is None or _is_listing(words, mention):
            place += 1
            continue
        found.append(mention._replace(is_compared=holds(words[max(0, place - 4) : place], _LIKE)))
        place = mention.end
    return found


def _is_listing(words: Sequence[Word], mention: Mention) -> bool:
    """Whether the operations are only listed, as in `the operations shuffle, batch and repeat`."""
    before = [word.text for word in words[max(0, mention.begin - 3) : mention.begin]]
    after = [word.text for word in words[mention.end : mention.end + 1]]
    is_of = bool(_LISTED_OF & set(before)) and before[-1:] in (["of"], ["von"], ["the"], ["der"])
    return is_of or bool(_LISTING & {*before, *after})


def _letters(words: Sequence[Word], text: str, place: int) -> Mention | None:
    """`SBR`, `S-B-R`, `S B R`, `s -> b -> r`."""
    word = words[place]
    if len(word.text) == 3 and set(word.text) == set("sbr"):
        return _mention([_LETTERS[letter] for letter in word.text], place, place + 1)
    letters, position = [], place
    while position < len(words) and words[position].text in _LETTERS:
        letters.append(words[position].text)
        if len(letters) == 3:
            is_whole = len(set(letters)) == 3
            return (
                _mention([_LETTERS[letter] for letter in letters], place, position + 1) if is_whole else None
            )
        after = words[position + 1].text if position + 1 < len(words) else ""
        is_written_apart = after in _LETTERS and text[word.start : words[position + 1].end].isupper()
        if after not in _LETTER_LINKS and not is_written_apart:
            return None
        position += 1 if is_written_apart else 2
    return None


def _whole(words: Sequence[Word], place: int) -> Mention | None:
    """Three operations with nothing but links and little words between them."""
    first = operation_of(words[place].text)
    if first is None or words[place].text in PARTS:
        return None
    named, position, is_plain = [first], _after_arguments(words, place), True
    while len(named) < 3:
        step = _next_operation(words, position)
        if step is None or step.name in named:
            return None
        at = len(named) if not step.is_reversed else max(0, len(named) - 1)
        named.insert(at, step.name)
        position, is_plain = step.end, is_plain and step.is_plain
    return _mention(named, place, position)._replace(is_plain=is_plain)


class _Step(NamedTuple):
    name: str
    end: int
    is_reversed: bool
    is_plain: bool


def _next_operation(words: Sequence[Word], position: int) -> _Step | None:
    """The next operation behind a link; None when other words come between, or no link."""
    between: list[str] = []
    place = position - 1
    while len(between) < MOST_BETWEEN and place + 1 < len(words):
        place = _after_arguments(words, place)  # what stands in brackets is an aside
        if place >= len(words):
            return None
        text = words[place].text
        name = operation_of(text)
        if name is not None:
            is_plain = not any(word[0].isalnum() for word in between)
            is_made = is_plain or bool(MAKING & set(between))
            is_linked = not between or bool(LINKS & set(between))
            if not is_linked or (text in PARTS and not (is_made and between)):
                return None
            is_reversed = _reverses(between)
            return _Step(name, _after_arguments(words, place), is_reversed, is_plain)
        if text not in BETWEEN:
            return None
        between.append(text)
    return None


def _reverses(between: Sequence[str]) -> bool:
    """Whether the operation behind `between` comes first, unlike in `shuffle, and after it batch`."""
    pairs = zip(between, (*between[1:], ""), strict=False)
    return any(text in REVERSING and after not in _THAT for text, after in pairs)


def _after_arguments(words: Sequence[Word], place: int) -> int:
    """The place behind an operation and its `(…)`."""
    after = place + 1
    if after >= len(words) or words[after].text != "(":
        return after
    depth = 0
    for position in range(after, min(len(words), after + _MOST_ARGUMENTS)):
        depth += {"(": 1, ")": -1}.get(words[position].text, 0)
        if depth == 0:
            return position + 1
    return after


def _by_rule(words: Sequence[Word], place: int) -> Mention | None:
    rule = rule_at(words, place)
    return None if rule is None else Mention(rule.orders, place, rule.end, topic=rule.topic)


def _mention(named: Sequence[str], begin: int, end: int) -> Mention:
    return Mention(frozenset(("-".join(named),)), begin, end)
