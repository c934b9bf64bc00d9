"""The words that say whether steps ran eagerly or as a graph, and times with their units."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple


class Mode(StrEnum):
    """How TensorFlow ran steps: one operation after the other, or as a graph."""

    EAGER = "eager"
    GRAPH = "graph"

    @property
    def other(self) -> Mode:
        """The other one of the two."""
        return Mode.GRAPH if self is Mode.EAGER else Mode.EAGER


class Mention(NamedTuple):
    """A word for a mode, and where it stands in its text."""

    mode: Mode
    start: int
    end: int


class Duration(NamedTuple):
    """A time with its unit, in seconds, and where it stands in its text."""

    seconds: float
    start: int
    end: int


_FUNCTION = r"@?\btf ?[._ ] ?function\b(?:\(\))?"
_GRAPH = rf"(?:{_FUNCTION}|\bgraph(?!ic)\w*|\bcompiled\b|\bdecorat\w+|\bkompiliert\w*)"
_NOT = r"\b(?:without|w/o|no|not|non|ohne|kein\w*|nicht)\b"
_AND_SO_ON = r"(?:[- ]?(?:any|an?|the|as|in|im|using|use|of|die|den|das|der|einen?|mit)\b){0,3}[- ]?"
_STRONG = re.compile(
    rf"(?P<eager>{_NOT}{_AND_SO_ON}{_GRAPH}|\bundecorated\b|\buncompiled\b|(?:\brun )?\beager\w*"
    rf"|\bpython\b)|(?P<graph>{_GRAPH})",
    re.IGNORECASE,
)
_WEAK = re.compile(r"(?P<eager>\b(?:without|ohne)\b)|(?P<graph>\b(?:with|mit)\b)", re.IGNORECASE)
_OFF = re.compile(r"\s*\)?\s*(?:[=:]\s*(?:false|off|no|nein|aus)\b|(?:off|disabled|false)\b)", re.IGNORECASE)

_NUMBER = r"\d{1,9}(?:[.,]\d{1,20})?(?:e-?\d{1,2})?"
_UNIT = r"min(?:utes?|uten)?|s|secs?|seconds?|sek|sekunden|ms|millis\w*|us|µs|μs"
_TIME = re.compile(
    rf"(?<![\w.,])(?:(?P<minutes>\d{{1,4}}) ?m(?:in)? ?(?=\d))?(?P<number>{_NUMBER}) ?(?P<unit>{_UNIT})\b",
    re.IGNORECASE,
)
_SPREAD = re.compile(
    rf"(?P<unit>\b(?:{_UNIT}))? ?(?:±|\+/?-) ?{_NUMBER}(?: ?(?P<last>{_UNIT})\b)?", re.IGNORECASE
)
_SCALES = {"mi": 60.0, "s": 1.0, "se": 1.0, "ms": 1e-3, "ml": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6}
_UNIT_OF_COLUMN = re.compile(rf"(?:[\[(/,]|\bin | )\s*(?P<unit>{_UNIT})\b", re.IGNORECASE)

OF_TIME = re.compile(
    r"\btim(?:e[sd]?|ings?)\b|\btook\b|\bseconds?\b|\bdurations?\b|\belapsed\b|\bruntimes?\b|\bzeit(?:en)?\b"
    r"|\b(?:lauf|rechen)zeit(?:en)?\b|\bdauer\w*|\bsekunden?\b",
    re.IGNORECASE,
)
"""Words that say that numbers are times."""
OF_ELSE = re.compile(
    r"accura|\bacc\b|genau|\bloss\b|verlust|\berror|fehler|speed.?up|\bgain\b|gewinn|beschleunigung|\bratio"
    r"|\bfa[ck]tor|faster|schneller|memory|speicher|%",
    re.IGNORECASE,
)
"""Words that say that numbers are something else."""
_PER = re.compile(
    r"\bper\b|/ ?(?:step|epoch|batch|call|it|loop)|\bpro\b|\bje\b|\beach\b|\bmean|\bavg|\bmittel|\bmedian"
    r"|\bdurchschnitt|\b(?:an?|one|every|eine?n?|jeder?) (?:\w{1,12} )?(?:step|epoch|batch|schritt|epoche)\b",
    re.IGNORECASE,
)


def mentions_in(text: str) -> list[Mention]:
    """The words for a mode in their order; bare `with` and `without` only where there are no others.

    `tf.function: off` and `run_eagerly=False` mention the other mode.
    """
    plain = text.replace("_", " ")
    return list(_mentions(_STRONG, plain)) or list(_mentions(_WEAK, plain))


def _mentions(words: re.Pattern[str], text: str) -> Iterator[Mention]:
    for found in words.finditer(text):
        mode = Mode.EAGER if found["eager"] else Mode.GRAPH
        is_off = _OFF.match(text, found.end()) is not None
        yield Mention(mode.other if is_off else mode, found.start(), found.end())


def names_mode(text: str) -> bool:
    """Whether a text has a word for a mode, bare `with` and `without` aside."""
    return _STRONG.search(text.replace("_", " ")) is not None


def mode_of(text: str) -> Mode | None:
    """The one mode that a text mentions, None for none or both."""
    modes = {mention.mode for mention in mentions_in(text)}
    return modes.pop() if len(modes) == 1 else None


def without_modes(text: str) -> str:
    """What a text says besides the mode: `small` of `small, eager`."""
    kept, place = [], 0
    for mention in mentions_in(text):
        kept.append(text[place : mention.start])
        place = mention.end
    return " ".join("".join([*kept, text[place:]]).split()).strip(" ,;:|()-–")


def without_spreads(text: str) -> str:
    """A text without the `± 0.1` that follow times, with all else at its place."""
    return _SPREAD.sub(lambda found: (found["unit"] or f" {found['last'] or ''}").ljust(len(found[0])), text)


def durations_in(text: str) -> list[Duration]:
    """The times with a unit in a text, in their order."""
    found = []
    for time in _TIME.finditer(text):
        seconds = seconds_of(time["number"], time["unit"]) + 60.0 * int(time["minutes"] or 0)
        found.append(Duration(seconds, time.start(), time.end()))
    return found


def seconds_of(number: str, unit: str) -> float:
    """The seconds that a number with a unit, as written, tells."""
    unit = unit.lower()
    name = "ml" if unit.startswith("milli") else unit if unit in _SCALES else unit[:2]
    return float(number.replace(",", ".")) * _SCALES[name]


def unit_in(heading: str) -> str | None:
    """The unit of time that the heading of a column names, None for none."""
    found = _UNIT_OF_COLUMN.search(heading.replace("_", " "))
    return None if found is None else found["unit"]


def is_per_step(text: str) -> bool:
    """Whether a text says that its times are those of one step, epoch or call, or means of several."""
    return _PER.search(text.replace("_", " ")) is not None
