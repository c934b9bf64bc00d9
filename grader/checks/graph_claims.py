"""What a notebook says of graphs and eager execution: printed times, and how the gain goes with size."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from grader.evidence.record import Evidence
from grader.notebook.outputs import TIME
from grader.notebook.records import Readings

_GRAPH = re.compile(
    r"\bgraph|(?<!without )(?<!ohne )(?<!no )\btf\.function|\bcompiled\b|\bdecorated\b|\bmit\b|\bwith\b", re.I
)
_EAGER = re.compile(
    r"\beager|\bwithout\b|\bohne\b|\bplain\b|\bundecorated\b|\bpython\b|\bno tf\.function", re.I
)
_PER = re.compile(
    r"\bper\b|/ ?(?:step|epoch|batch|call|it)|\bpro\b|\bje\b|\beach\b|\bmean|\bmittel|\bmedian", re.I
)
_SCALES = {"mi": 60.0, "s": 1.0, "se": 1.0, "ms": 1e-3, "ml": 1e-3, "us": 1e-6, "µs": 1e-6}

_MODEL = (
    r"(?:\s+(?:the|das|die|ein|a|is|sind|ist|dense)){0,2}"
    r"\s+(?:models?|nets?|networks?|ones?|densenets?|modelle?n?|netze?n?s?|netzwerke?n?)\b"
)
_SMALL = re.compile(rf"\b(?:small(?:er|est)?|tiny|kleine?(?:re?|ste)?[nsm]?)\b{_MODEL}", re.I)
_LARGE = re.compile(
    r"\b(?:larger?|largest|big(?:ger|gest)?|deep(?:er)?|wider?|gro(?:ß|ss)e?[nsmr]?|größere?[nsmr]?)\b"
    rf"{_MODEL}",
    re.I,
)
_SIZE = re.compile(r"\b(?:model(?:l)?|network)?[ -]?(?:size|größe|groesse)|\bparameters?\b", re.I)
_GAINS = r" (?:gain|speed|effect|benefit|advantage|vorteil|gewinn|beschleunigung)"
_MORE = re.compile(
    r"\b(?:more|most|greater|higher|stronger|mehr|am meisten|stärker|höher\w*|"
    rf"(?:larger|bigger|größer\w*){_GAINS})",
    re.I,
)
_LESS = re.compile(
    r"\b(?:less|least|hardly|little|barely|weniger|kaum|geringer\w*|am wenigsten|"
    rf"(?:smaller|lower|kleiner\w*){_GAINS})",
    re.I,
)
_GAIN = re.compile(
    r"\b(?:gain\w*|speed\w*|faster|benefit\w*|advantage|profit\w*|helps?|impact|schneller|vorteil|gewinn\w*|beschleunig\w*|bringt|effect)\b",
    re.I,
)
_SPOKEN = re.compile(r"\btf\.function|\bgraphs?\b|\bgraphen|\bslow|\blangsam", re.I)
_FALLS = re.compile(r"\b(?:shrinks?|decreas\w+|falls?|drops?|diminish\w*|sinkt|schrumpft|nimmt ab)\b", re.I)
_GROWS = re.compile(r"\b(?:grows?|increas\w+|rises?|wächst|steigt|nimmt zu)\b", re.I)
_ABOUT_ELSE = re.compile(r"accura|genau|\bloss\b|\berror|fehler|overfit|memory|speicher", re.I)
_DENIED = re.compile(r"\b(?:not|no|never|nicht|kein\w*|neither|whether|ob)\b|n't\b|\?", re.I)


class Kind(StrEnum):
    """What a printed time is said to be of."""

    EAGER = "eager"
    GRAPH = "graph"


class PrintedTime(NamedTuple):
    """A time in an output: in seconds, and whether it is said to be of one step, epoch or the like."""

    cell: int
    kind: Kind
    seconds: float
    is_per_step: bool


class Trend(StrEnum):
    """How the gain is said, or measured, to go with the size of the model."""

    FALLS = "smaller for larger models"
    GROWS = "larger for larger models"
    OPEN = "said in words that were not understood"


def printed_times(readings: Readings | None) -> tuple[PrintedTime, ...]:
    """The times whose lines say which of the two they are of; lines that say both are left out."""
    found = []
    for cell, line in () if readings is None else readings.times:
        is_eager = _EAGER.search(line) is not None
        times = list(TIME.finditer(line))
        if (
            len(times) == 1
            and (is_eager or _GRAPH.search(line))
            and not (is_eager and "graph" in line.lower())
        ):
            kind = Kind.EAGER if is_eager else Kind.GRAPH
            seconds = float(times[0][1].replace(",", ".")) * _SCALES[_unit(times[0][2])]
            found.append(PrintedTime(cell, kind, seconds, _PER.search(line) is not None))
    return tuple(found)


def claimed_trends(evidence: Evidence) -> Iterator[tuple[int, Trend]]:
    """The clauses of the text on how the gain depends on the size, each with its cell."""
    for passage in evidence.prose.passages:
        for sentence in re.split(r"(?<=[.!?:;])\s+", " ".join(passage.text.split())):
            if not passage.is_heading and (trend := trend_of(sentence)) is not None:
                yield passage.cell, trend


def speaks_of_gain(evidence: Evidence) -> bool:
    """Whether the text says anything of graphs, eager execution or speed that may be such a sentence."""
    texts = [passage.text for passage in evidence.prose.passages if not passage.is_heading]
    return any(words.search(text) for text in texts for words in (_GAIN, _EAGER, _SPOKEN))


def trend_of(sentence: str) -> Trend | None:
    """What one clause says of it; None for one that is not about both, gain and size."""
    small, large = _SMALL.search(sentence), _LARGE.search(sentence)
    size = _SIZE.search(sentence)
    if not _GAIN.search(sentence) or not (small or large or size):
        return None
    if _DENIED.search(sentence) or _ABOUT_ELSE.search(sentence):
        return Trend.OPEN
    if size and not small and not large:
        falls, grows = _FALLS.search(sentence), _GROWS.search(sentence)
        return Trend.OPEN if bool(falls) == bool(grows) else Trend.FALLS if falls else Trend.GROWS
    more, less = _MORE.search(sentence), _LESS.search(sentence)
    if bool(more) == bool(less) or bool(small) == bool(large):
        return Trend.OPEN
    return Trend.FALLS if bool(small) == bool(more) else Trend.GROWS


def _unit(unit: str) -> str:
    unit = unit.lower()
    if unit.startswith("milli"):
        return "ml"
    return unit if unit in _SCALES else unit[:2]
