"""What a notebook says in words of how the gain of graphs goes with the size of the model."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum

from grader.evidence.record import Evidence
from grader.notebook.modes import Mode, mentions_in

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
    r"\b(?:more|most(?! of)|greater|higher|stronger|mehr|am meisten|stärker|höher\w*|"
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
_FACTOR = re.compile(r"(?<![\d.,])(\d{1,4}(?:[.,]\d{1,3})?) ?(?:x\b|×|-?fach\w*|times\b|mal\b)", re.I)
_SPOKEN = re.compile(r"\btf\.function|\bgraphs?\b|\bgraphen|\bslow|\blangsam", re.I)
_FALLS = re.compile(r"\b(?:shrinks?|decreas\w+|falls?|drops?|diminish\w*|sinkt|schrumpft|nimmt ab)\b", re.I)
_GROWS = re.compile(r"\b(?:grows?|increas\w+|rises?|wächst|steigt|nimmt zu)\b", re.I)
_ABOUT_ELSE = re.compile(r"accura|genau|\bloss\b|\berror|fehler|overfit|memory|speicher", re.I)
_DENIED = re.compile(r"\b(?:not|no|never|nicht|kein\w*|neither|whether|ob)\b|n't\b|\?", re.I)


class Trend(StrEnum):
    """How the gain is said, or measured, to go with the size of the model."""

    FALLS = "smaller for larger models"
    GROWS = "larger for larger models"
    OPEN = "said in words that were not understood"


def claimed_trends(evidence: Evidence) -> Iterator[tuple[int, Trend]]:
    """The clauses of the text on how the gain depends on the size, each with its cell; none of tables."""
    for passage in evidence.prose.passages:
        text = " ".join(line.strip() for line in passage.text.split("\n") if " | " not in line)
        for sentence in re.split(r"(?<=[.!?:;])\s+", text):
            if not passage.is_heading and (trend := trend_of(sentence)) is not None:
                yield passage.cell, trend


def speaks_of_gain(evidence: Evidence) -> bool:
    """Whether the text says anything of graphs, eager execution or speed that may be such a sentence."""
    texts = [passage.text for passage in evidence.prose.passages if not passage.is_heading]
    return any(_GAIN.search(text) or _SPOKEN.search(text) or _names_eager(text) for text in texts)


def _names_eager(text: str) -> bool:
    return any(mention.mode is Mode.EAGER for mention in mentions_in(text))


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
    if small and large:
        by_factors = _trend_by_factors(sentence, small_first=small.start() < large.start())
        if by_factors is not None:
            return by_factors
    more, less = _MORE.search(sentence), _LESS.search(sentence)
    if bool(more) == bool(less) or bool(small) == bool(large):
        return Trend.OPEN
    return Trend.FALLS if bool(small) == bool(more) else Trend.GROWS


def _trend_by_factors(sentence: str, *, small_first: bool) -> Trend | None:
    """What two factors say of a small and of a large model, in the order in which these are named."""
    factors = [float(found[1].replace(",", ".")) for found in _FACTOR.finditer(sentence)]
    if len(factors) != 2:
        return None
    small, large = factors if small_first else reversed(factors)
    if small == large:
        return Trend.OPEN
    return Trend.FALLS if small > large else Trend.GROWS
