"""Which order of shuffle, batch and repeat a text names, however it is written.

`shuffle -> batch -> repeat`, `ds.shuffle(10).batch(3).repeat()`, `S-B-R`, "first shuffle, then batch and then
repeat", "Shuffle | Batch | Repeat", and rules such as "batch before shuffle", which mean several orders.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from grader.answers.clauses import holds
from grader.answers.language import FILLERS, phrases
from grader.answers.words import Word, WordPattern
from grader.notebook.words import words as word_set
from grader.oracles.orders import ORDERS

_SPELLINGS = {
    "shuffle": "shuffl* shuffel* shufl* suffl* shuflle* misch* gemischt* durchmisch* *mischen",
    "batch": "batch* bacth* bach bathc* *batchen gebatch* stapel*",
    "repeat": "repeat* repeet* repet* reapeat* repaet* wiederhol*",
}
_PATTERNS = {name: [WordPattern.read(word) for word in text.split()] for name, text in _SPELLINGS.items()}
_LINKS = word_set(
    "-> => → ⟶ ⇒ ➔ ➜ ▶ ▸ » ↦ > - – — , ; . / + | & then than dan next second third followed dann danach "
    "anschliessend zweitens drittens and und before vor after nach finally lastly schliesslich zuletzt"
)
_MAKING = word_set(
    "create created creating make making form formed build built group grouped divide divided split put into"
)
_BETWEEN = (
    _LINKS
    | (FILLERS - frozenset(("so", "also", "this", "these")))
    | _MAKING
    | word_set(
        "second third zweitens drittens erst schluss ende "
        "data dataset datasets elements examples samples items first frist last end step operation "
        "operations call called apply applied use used using zuerst erst daten datensatz elemente taken them "
        "order afterwards later when finish comes come done happens kommt ds ( ) ` * _ \" ' : 1 2 3 "
        "front ahead behind hinter prior placed put stands steht"
    )
)
_MOST_BETWEEN = 8
REVERSING = word_set("after nach behind hinter")
PRECEDING = word_set("before vor prior front ahead")
_THAT = word_set("it that this which them")
_MOST_ARGUMENTS = 40
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
_LETTERS = {"s": "shuffle", "b": "batch", "r": "repeat"}
_LETTER_LINKS = word_set("-> => → > - – , / + | .")
_LIKE = phrases(
    *(
        "like",
        "as in",
        "as with",
        "unlike",
        "than",
        "different from",
        "same as",
        "similar to",
        "contrast to",
        "compared to",
    ),
    *("difference to", "difference from", "differs from", "unterschied zu", "unterschied zur"),
    *("compared with", "opposed to", "equal to", "not", "avoid", "avoids", "rules out", "against", "except"),
    *("wie", "anders als", "als", "gegensatz zu", "vergleich zu", "analog zu", "aehnlich wie"),
)
PARTS = frozenset(("batches", "stapel"))  # the things, not the operation
_FIRST, _LAST = frozenset(("first", "zuerst", "front")), frozenset(("last", "zuletzt"))
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


@lru_cache(maxsize=20_000)
def operation_of(word: str) -> str | None:
    """The operation that a word (in its normal form) names, None for any other word."""
    fitting = (name for name, patterns in _PATTERNS.items() if any(p.fits(word) for p in patterns))
    return next(fitting, None)


def mentions_in(words: Sequence[Word], text: str) -> list[Mention]:
    """The orders that `words`, which stand in `text`, name, from left to right; none overlap."""
    found: list[Mention] = []
    place = 0
    while place < len(words):
        mention = (
            _letters(words, text, place)
            or _whole(words, place)
            or _rule(words, place)
            or _rule_of_ends(words, place)
            or _rule_behind(words, place)
        )
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
    while len(between) < _MOST_BETWEEN and place + 1 < len(words):
        place = _after_arguments(words, place)  # what stands in brackets is an aside
        if place >= len(words):
            return None
        text = words[place].text
        name = operation_of(text)
        if name is not None:
            is_plain = not any(word[0].isalnum() for word in between)
            is_made = is_plain or bool(_MAKING & set(between))
            is_linked = not between or bool(_LINKS & set(between))
            if not is_linked or (text in PARTS and not (is_made and between)):
                return None
            is_reversed = _reverses(between)
            return _Step(name, _after_arguments(words, place), is_reversed, is_plain)
        if text not in _BETWEEN:
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


def _rule(words: Sequence[Word], place: int) -> Mention | None:
    """`batch before shuffle`, `shuffling after repeating`: all the orders in which that is so."""
    first = operation_of(words[place].text)
    if first is None or words[place].text in PARTS:
        return None
    is_before = is_after = is_negated = False
    for position in range(place + 1, min(len(words), place + _MOST_BETWEEN)):
        text = words[position].text
        second = operation_of(text)
        if second is not None:
            if second == first or is_before == is_after or text in PARTS:
                return None
            is_early = is_before is not is_negated
            orders = orders_with(first, second) if is_early else orders_with(second, first)
            return Mention(orders, place, position + 1, topic=first)
        if text not in _BETWEEN or text in ",;.|":
            return None
        is_negated = is_negated or text in ("not", "never", "nicht", "nie")
        is_before = is_before or text in PRECEDING
        is_after = is_after or text in REVERSING
    return None


def orders_with(early: str, late: str) -> frozenset[str]:
    """The orders in which one operation comes before another."""
    return frozenset(order for order in ORDERS if order.index(early) < order.index(late))


def _rule_of_ends(words: Sequence[Word], place: int) -> Mention | None:
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
    return Mention(orders, place, after + 1, topic=name)


def _rule_of_start(words: Sequence[Word], place: int) -> Mention | None:
    if words[place].text not in _STARTING or place + 2 >= len(words) or words[place + 1].text not in _WITH:
        return None
    name = operation_of(words[place + 2].text)
    if name is None:
        return None
    orders = frozenset(order for order in ORDERS if order.startswith(name))
    return Mention(orders, place, place + 3, topic=name)


def _rule_of_beginning(words: Sequence[Word], place: int) -> Mention | None:
    """`wenn man zuerst batcht`: where something is supposed, and no other operation follows."""
    before = {word.text for word in words[max(0, place - _MOST_BETWEEN) : place]}
    if words[place].text not in _FIRST or not _IF & before or place + 1 >= len(words):
        return None
    name = operation_of(words[place + 1].text)
    after = {operation_of(word.text) for word in words[place + 2 : place + 2 + _MOST_BETWEEN]} - {None, name}
    if name is None or (after and not {word.text for word in words[place + 2 : place + 4]} & {","}):
        return None
    orders = frozenset(order for order in ORDERS if order.startswith(name))
    return Mention(orders, place, place + 2, topic=name)


def _rule_behind(words: Sequence[Word], place: int) -> Mention | None:
    """`vor dem Batchen gemischt`, `after batching we shuffle`: what is told of stands behind."""
    if words[place].text not in PRECEDING | REVERSING:
        return None
    named = [
        n for n in range(place + 1, min(len(words), place + _MOST_BEHIND)) if operation_of(words[n].text)
    ]
    between = {word.text for word in words[place + 1 : named[1]]} if len(named) > 1 else set()
    if len(named) != 2 or not between - {words[named[0]].text} <= _BETWEEN | _SUBJECTS:
        return None
    nearer, told = (operation_of(words[n].text) or "" for n in named)
    is_done = words[named[1] - 1].text in _SUBJECTS or words[named[1]].text.startswith("ge")
    if nearer == told or not is_done or words[named[0]].text in PARTS:
        return None
    is_before = words[place].text in PRECEDING
    orders = orders_with(told, nearer) if is_before else orders_with(nearer, told)
    return Mention(orders, place, named[1] + 1, topic=told)


def _mention(named: Sequence[str], begin: int, end: int) -> Mention:
    return Mention(frozenset(("-".join(named),)), begin, end)
