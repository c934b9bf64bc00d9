"""Which of the broken scripts a text names: "fail1.py", "Script 1 and 2", "im dritten Skript"."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from grader.fixes.records import BrokenScript

MAX_CHARS = 20_000  # of one text; names behind that are not looked for

_NOUN = r"scripts?|skripte?[ns]?|files?|dateien?|programm?e?s?|codes?"
_LOOSE_NOUN = (
    r"problem[es]?|models?|modells?|modelle|examples?|beispiele?|cases?|f[aä]lle?|networks?|netze?|nr\.?"
)
_NUMBER = r"(?<![\d.,])\d{1,2}(?![\d%]|[.,]\d)"
_NOT_COUNTED = r"(?!\s*(?:times|mal|x|steps?|epochs?|epochen|layers?|schichten|units?)\b)"
_AND = r"\s*(?:,\s*(?:and|und)?|/|&|\+|and|und|or|oder)\s*"
_TO = r"\s*(?:-|–|to|bis|through)\s*"
_ORDINALS = (
    r"first|1st|1\.|erste[nrsm]?",
    r"second|2nd|2\.|zweite[nrsm]?",
    r"third|3rd|3\.|dritte[nrsm]?",
    r"fourth|forth|4th|4\.|vierte[nrsm]?",
    r"fifth|5th|5\.|fünfte[nrsm]?|fuenfte[nrsm]?",
    r"sixth|6th|6\.|sechste[nrsm]?",
    r"seventh|7th|7\.|siebte[nrsm]?",
    r"eighth|8th|8\.|achte[nrsm]?",
)
_LAST = r"last|final|letzte[nrsm]?"
_COUNTS = {"two": 2, "zwei": 2, "2": 2, "three": 3, "drei": 3, "3": 3, "four": 4, "vier": 4, "4": 4}
_WORDS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
_WORDS |= {"eins": 1, "zwei": 2, "drei": 3, "vier": 4, "fünf": 5, "sechs": 6}
_SAME = re.compile(
    r"\b(?:same|like|as|wie|analog\w*|similar\w*|ähnlich\w*|identical|gleiche?[nsr]?|selbe[nrs]?|see|siehe|vgl|cf"
    r"|again|reuse|copied)\b[^.,;:\n]{0,24}$",
    re.IGNORECASE,
)
_OTHER = re.compile(
    r"\b(?:unlike|contrast|contrary|compar\w+|vs|versus|gegensatz|gegensätzlich|vergleich\w*|vergli\w+|than|als"
    r"|different from|opposite of|other than|not in|except|außer|bis auf)\b[^.,;:\n]{0,24}$",
    re.IGNORECASE,
)


class Named(NamedTuple):
    """Scripts that a text names from `start` to `end`.

    `is_same`: only to say that things are there as here ("same as in script 1"); `is_other`: only to say that
    they are not ("unlike script 1").
    """

    scripts: frozenset[str]
    start: int
    end: int
    is_same: bool = False
    is_other: bool = False

    @property
    def is_subject(self) -> bool:
        """Whether the text goes on to speak of them."""
        return not self.is_same and not self.is_other


class Names:
    """The scripts by name and by number: the number at the end of all names, or else their places."""

    def __init__(self, scripts: Sequence[BrokenScript]) -> None:
        self.all = frozenset(script.name for script in scripts)
        names = [script.name for script in scripts]
        ends = [re.search(r"(?<!\d)\d{1,2}$", name) for name in names]
        numbers = [int(end[0]) for end in ends if end]
        is_numbered = len(set(numbers)) == len(names)
        self.numbered = dict(zip(numbers if is_numbered else range(1, len(names) + 1), names, strict=True))
        stems = {re.sub(r"[\d_\s-]+$", "", name) for name in names} if is_numbered else set()
        loose = "".join(
            f"|{re.escape(stem)}(?:s|ed)?" for stem in sorted(stems - {""}, key=len, reverse=True)
        )
        noun = rf"(?:{_NOUN}{loose})(?:[\s_-]+(?:{_NOUN}{loose}))?(?:\.py)?"
        further = rf"(?:{_AND}|{_TO}){_NUMBER}|\s*(?:&|\+|and|und|or|oder)\s*(?:{noun})[\s_#-]*{_NUMBER}"
        numbers_of = rf"{_NUMBER}(?:{further})*{_NOT_COUNTED}"
        before = r"(?<![a-zA-Z])"
        marks = r"[\s_#.:*(-]{0,4}(?:(?:nr|no|number|nummer)\b\.?\s*)?"
        self._by_number = re.compile(rf"{before}(?:{noun}){marks}(?P<n>{numbers_of})", re.IGNORECASE)
        self._loosely = re.compile(rf"{before}(?:{_LOOSE_NOUN}){marks}(?P<n>{numbers_of})", re.IGNORECASE)
        self._listed = re.compile(rf"\((?P<n>{_NUMBER}(?:(?:{_AND}|{_TO}){_NUMBER})+)\)")
        self._by_word = re.compile(
            rf"{before}(?:{noun})\s+(?:number\s+|nummer\s+)?(?P<n>{'|'.join(_WORDS)})\b", re.IGNORECASE
        )
        places = "|".join((*_ORDINALS, _LAST))
        self._by_place = re.compile(
            rf"(?<![\w.])(?P<p>(?:{places})(?:{_AND}(?:the\s+|das\s+)?(?:{places}))*)"
            rf"(?:\s+(?P<count>{'|'.join(_COUNTS)}))?(?:\s+\w+)?\s+(?:{noun})(?![\w])",
            re.IGNORECASE,
        )
        every = r"all|alle|allen|every|each|jede[mnrs]?|both"
        self._every = re.compile(
            rf"\b(?:{every})\s+(?:\w+\s+){{0,3}}(?:{noun})(?!\w|[\s_]*\d)", re.IGNORECASE
        )
        self._exact = _exactly(names)
        self._lower = {name.lower(): name for name in names}

    def in_text(self, text: str, *, loosely: bool = False) -> list[Named]:
        """Where `text` names scripts, in order; `loosely` also as "Problem 1" or "model 1"."""
        text = text[:MAX_CHARS]
        ways: list[tuple[re.Pattern[str], Callable[[re.Match[str]], frozenset[str]]]] = [
            (self._by_number, self._of_numbers),
            (self._exact, self._of_name),
            (self._listed, self._of_numbers),
            (self._by_word, lambda found: self._numbers([_WORDS[found["n"].lower()]])),
            (self._by_place, self._of_places),
            (self._every, lambda found: self.all),
        ]
        if loosely:
            ways.append((self._loosely, self._of_numbers))
        named: list[Named] = []
        for pattern, scripts_of in ways:
            for found in pattern.finditer(text):
                scripts = scripts_of(found)
                if scripts and not any(n.start < found.end() and found.start() < n.end for n in named):
                    named.append(self._named(text, found, scripts))
        return sorted(named, key=lambda one: one.start)

    def in_file_name(self, name: str) -> frozenset[str]:
        """The scripts that the name of a file speaks of, as `fail1_fixed.py` and `mended-3.py` do."""
        named = self.in_text(name)
        if named:
            return frozenset().union(*(one.scripts for one in named))
        numbers = re.findall(r"(?<![\d.])\d{1,2}(?!\d)", name)
        return self._numbers([int(numbers[0])]) if len(numbers) == 1 else frozenset()

    def numbered_item(self, text: str) -> frozenset[str]:
        """The script whose number begins `text` as it does an item of a list or a row of a table."""
        found = re.match(
            r"\W{0,6}(?:nr\.?\s*|no\.?\s*|#\s*)?(\d{1,2})\s*(?:[.):|–-](?!\d)|$)", text, re.IGNORECASE
        )
        return self._numbers([int(found[1])]) if found else frozenset()

    def _named(self, text: str, found: re.Match[str], scripts: frozenset[str]) -> Named:
        before = text[max(0, found.start() - 48) : found.start()]
        is_other = _OTHER.search(before) is not None
        is_same = not is_other and _SAME.search(before) is not None
        return Named(scripts, found.start(), found.end(), is_same, is_other)

    def _numbers(self, numbers: Sequence[int]) -> frozenset[str]:
        """The scripts of these numbers; none when one of them is not a script's."""
        if not all(number in self.numbered for number in numbers):
            return frozenset()
        return frozenset(self.numbered[number] for number in numbers)

    def _of_name(self, found: re.Match[str]) -> frozenset[str]:
        name = found["name"] or found["file"] or found["called"]
        return frozenset({self._lower[name.lower()]}) if name.lower() in self._lower else frozenset()

    def _of_numbers(self, found: re.Match[str]) -> frozenset[str]:
        return self._numbers(list(_spelled_out(found["n"])))

    def _of_places(self, found: re.Match[str]) -> frozenset[str]:
        order = [self.numbered[number] for number in sorted(self.numbered)]
        count = _COUNTS.get((found["count"] or "").lower(), 1)
        places: set[str] = set()
        for word in re.findall(rf"{_LAST}|{'|'.join(_ORDINALS)}", found["p"], re.IGNORECASE):
            if re.fullmatch(_LAST, word, re.IGNORECASE):
                places |= set(order[-count:])
                continue
            at = next(i for i, ways in enumerate(_ORDINALS) if re.fullmatch(ways, word, re.IGNORECASE))
            places |= set(order[at : at + count])
        return frozenset(places)


def _exactly(names: Sequence[str]) -> re.Pattern[str]:
    """What finds the names as they are; a plain word ("noise") only as the name of a file or script."""
    ordered = sorted((name for name in names if name), key=len, reverse=True)
    odd = "|".join(re.escape(name) for name in ordered if not name.isalpha())
    plain = "|".join(re.escape(name) for name in ordered if name.isalpha())
    return re.compile(
        rf"(?<![a-zA-Z\d])(?:(?P<name>{odd or '(?!)'})(?!\d)|(?P<file>{plain or '(?!)'})\.py\b"
        rf"|(?:{_NOUN})\W{{1,3}}(?P<called>{plain or '(?!)'})\b)",
        re.IGNORECASE,
    )


def _spelled_out(numbers: str) -> Iterator[int]:
    """The numbers of "1, 2 and 4" and of "1-3"."""
    last: int | None = None
    for found in re.finditer(rf"(?P<to>{_TO})?(?P<n>\d{{1,2}})", numbers):
        number = int(found["n"])
        if found["to"] and last is not None and last < number:
            yield from range(last + 1, number)
        yield number
        last = number
