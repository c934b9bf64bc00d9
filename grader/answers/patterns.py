"""The pattern language in which a question's YAML says how things are said.

    same gradient*             these words one after the other; little words may stand between
    same .. gradient*          up to six words between
    same +gradient*            nothing between
    neuron*|unit* & <same>     both in the clause, in any order; | is "or", <same> a group of the file
    random* & !<same>          the first, and not the second
    # <unit>                   a number in figures

A `*` stands for any letters. A word of six letters or more may hold a slip of the pen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum, auto
from functools import lru_cache
from typing import NamedTuple

from grader.answers.language import FILLERS
from grader.answers.words import Word, WordPattern

_MOST_FILLERS = 6
_WIDE = 6
_PART = re.compile(r"^(?:#|<[a-z][a-z-]*>|\*?[^\W_]+(?:-[^\W_]+)*\*?)$")

Sequenced = tuple[WordPattern, ...]  # words side by side


class Gap(Enum):
    """What may stand before a step of a phrase."""

    NONE = auto()
    LITTLE = auto()  # little words
    WIDE = auto()  # some words


class Step(NamedTuple):
    """One place of a phrase: one of several words or fixed phrases, after a gap."""

    options: tuple[Sequenced, ...]
    gap: Gap = Gap.LITTLE


class Phrase(NamedTuple):
    """Steps in their order, and their first words; `is_absent` when it must not stand in the clause."""

    steps: tuple[Step, ...]
    begins: tuple[frozenset[WordPattern], ...]
    is_absent: bool = False

    def may_stand_in(self, present: frozenset[WordPattern]) -> bool:
        """Whether a text in which (only) the patterns `present` fit some word can hold it."""
        return all(begin & present for begin in self.begins)


class Present(NamedTuple):
    """The word patterns that fit a word of a text: `anywhere` in it, and by the place of the word."""

    anywhere: frozenset[WordPattern]
    at: tuple[frozenset[WordPattern], ...]


class Match(NamedTuple):
    """Where a pattern was found: the places (in the clause's words) of the words that matched."""

    places: frozenset[int]

    @property
    def first(self) -> int:
        """The place of its first word."""
        return min(self.places)

    @property
    def last(self) -> int:
        """The place of its last word."""
        return max(self.places)


class Pattern(NamedTuple):
    """A pattern as it can be sought."""

    phrases: tuple[Phrase, ...]

    def find(self, words: Sequence[Word], present: Present) -> Match | None:
        """Its first match in a clause, if any; `present` is what `Vocabulary.present_in(words)` gives."""
        places: set[int] = set()
        for phrase in self.phrases:
            found = _find(phrase, words, present) if phrase.may_stand_in(present.anywhere) else None
            if phrase.is_absent:
                if found is not None:
                    return None
            elif found is None:
                return None
            else:
                places |= found
        return Match(frozenset(places)) if places else None

    @property
    def needed(self) -> frozenset[WordPattern]:
        """Words of which one stands wherever it is found: the fewest that there are."""
        begins = (begin for phrase in self.phrases if not phrase.is_absent for begin in phrase.begins)
        return min(begins, key=len)


class Vocabulary:
    """All words of many patterns, so that each word of a text is looked at once."""

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        steps = [step for pattern in patterns for phrase in pattern.phrases for step in phrase.steps]
        self._words = frozenset(word for step in steps for option in step.options for word in option)
        self._fitting: dict[str, frozenset[WordPattern]] = {}

    def present_in(self, words: Iterable[Word]) -> Present:
        """The word patterns that fit each of `words`."""
        at = tuple(self._fit(word.text) for word in words)
        return Present(frozenset().union(*at), at)

    def _fit(self, text: str) -> frozenset[WordPattern]:
        if text not in self._fitting:
            exactly = frozenset(word for word in self._words if word.fits_exactly(text))
            is_known = any(word.is_long for word in exactly)  # `act*` fits a slip in `activation`, too
            meant = () if is_known else (word for word in self._words if word.may_be_meant(text))
            self._fitting[text] = exactly.union(meant)
        return self._fitting[text]


def read_pattern(text: str, groups: Mapping[str, Sequence[str]]) -> Pattern:
    """The pattern that `text` writes down. Raises ValueError with a sentence when it is none."""
    phrases = [_phrase(part.strip(), groups) for part in text.split("&")]
    if all(phrase.is_absent for phrase in phrases):
        raise ValueError(f"the pattern {text!r} says only what must not be there")
    return Pattern(tuple(phrases))


def _phrase(text: str, groups: Mapping[str, Sequence[str]]) -> Phrase:
    is_absent, text = text.startswith("!"), text.removeprefix("!").strip()
    steps: list[Step] = []
    gap = Gap.LITTLE
    for piece in text.split():
        if piece == "..":
            gap = Gap.WIDE
            continue
        if piece.startswith("+"):
            gap, piece = Gap.NONE, piece.removeprefix("+")
        options = tuple(one for option in piece.split("|") for one in _options(option, groups))
        steps.append(Step(options, gap))
        gap = Gap.LITTLE
    if not steps or text.endswith(".."):
        raise ValueError(f"{text!r} is no pattern: words, with `..`, `&`, `|` between them")
    begins = tuple(frozenset(option[0] for option in step.options) for step in steps)
    return Phrase(tuple(steps), begins, is_absent)


def _options(option: str, groups: Mapping[str, Sequence[str]]) -> tuple[Sequenced, ...]:
    if not _PART.match(option):
        raise ValueError(f"{option!r} is no word of a pattern: letters, a `*` at an end, or `<group>`")
    if not option.startswith("<"):
        return (_sequenced(option),)
    name = option[1:-1]
    if name not in groups:
        raise ValueError(f"there is no group {name!r}; there are {', '.join(sorted(groups)) or 'none'}")
    return _of_group(name, tuple(groups[name]))


@lru_cache(maxsize=1000)  # a hundred patterns name the same group
def _of_group(name: str, entries: tuple[str, ...]) -> tuple[Sequenced, ...]:
    for entry in entries:
        pieces = entry.split()
        if not pieces or not all(_PART.match(piece) and "<" not in piece for piece in pieces):
            raise ValueError(f"{entry!r} in the group {name!r} is neither a word nor words side by side")
    return tuple(_sequenced(entry) for entry in entries)


def _sequenced(text: str) -> Sequenced:
    return tuple(WordPattern.read(word) for piece in text.split() for word in _words(piece))


def _words(piece: str) -> list[str]:
    """`low-level*` is written in a text as the words low, -, level."""
    return re.findall(r"[^-]+|-", piece)


def _find(phrase: Phrase, words: Sequence[Word], present: Present) -> set[int] | None:
    for start, fitting in enumerate(present.at):
        if phrase.begins[0].isdisjoint(fitting):
            continue
        found = _match(phrase.steps, words, present, start)
        if found is not None:
            return found
    return None


def _match(steps: Sequence[Step], words: Sequence[Word], present: Present, start: int) -> set[int] | None:
    """The places of the steps' words when the first of them begins at `start`."""
    reached: dict[int, tuple[int, ...]] = {start: ()}  # by where they end, the places so far
    for number, step in enumerate(steps):
        further: dict[int, tuple[int, ...]] = {}
        for position, places in reached.items():
            for at in (position,) if number == 0 else _starts(words, position, step.gap):
                for end in _ends(step, present, at):
                    further.setdefault(end, (*places, *range(at, end)))
        if not further:
            return None
        reached = further
    return set(reached[min(reached)])


def _starts(words: Sequence[Word], position: int, gap: Gap) -> Iterable[int]:
    """Where the next word of a phrase may stand, beginning at `position`."""
    yield position
    most = {Gap.NONE: 0, Gap.LITTLE: _MOST_FILLERS, Gap.WIDE: _WIDE}[gap]
    for place in range(position, min(position + most, len(words) - 1)):
        if gap is Gap.LITTLE and not (words[place].is_mark or words[place].text in FILLERS):
            return
        yield place + 1


def _ends(step: Step, present: Present, at: int) -> Iterable[int]:
    for option in step.options:
        end = at + len(option)
        if end <= len(present.at) and all(p in present.at[at + i] for i, p in enumerate(option)):
            yield end
