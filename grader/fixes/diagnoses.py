"""What a hand-in says is wrong with a script, held against its causes and against what was measured."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from grader.answers.claims import compiled
from grader.answers.clauses import Sentence, holds, sentences_of
from grader.answers.doubts import doubt_about
from grader.answers.judging import Stand
from grader.answers.language import HEDGES
from grader.answers.patterns import read_pattern
from grader.answers.questions import Claim, Question
from grader.fixes.asides import is_aside
from grader.fixes.causes import KNOWN_CAUSES
from grader.fixes.measured import contradicts, in_words
from grader.fixes.records import Cause, Passage, Symptom, Symptoms
from grader.fixes.sayings import CAUSES, SYMPTOMS, Saying
from grader.fixes.vocabulary import GROUPS
from grader.model import Record

_MOST_CHARS = 6_000  # of one passage
_QUOTE = 160
_MOST_OPEN = 2  # causes that nobody can tell of; with more, a text names whatever there is
_SHOWN = 3
_OBSERVED = frozenset((Symptom.LOSS_NOT_FINITE,))  # what everybody sees, and no diagnosis by itself

_WEIGHTS = r"\b(?:weights?|gewichte?n?|initiali\w+)\b.{0,60}"
_RANGES = {
    "biases-negative": re.compile(r"\bbias\w*\b[^.;]{0,60}?(?<![\w.])[-−]\s?\d", re.IGNORECASE),
    "weights-negative": re.compile(
        _WEIGHTS + r"[-−][\w.,]{1,9}\s*(?:and|und|to|bis|,|;)\s*0(?:[.,]0+)?(?![\d.,]*\d)", re.IGNORECASE
    ),
    "weights-too-large": re.compile(
        _WEIGHTS + r"[-−]([1-9]\d*)(?:[.,]0)?\s*(?:and|und|to|bis|,|;)\s*\1(?![\d]|[.,][1-9])", re.IGNORECASE
    ),
}
"""Causes that are named by the values that weights and biases begin with."""

_PROPOSED = re.compile(
    r"\b(?:should|instead|use|sollt\w+|stattdessen|statt|fix|solution|lösung)\b", re.IGNORECASE
)


class Said(StrEnum):
    """What a diagnosis comes to."""

    RIGHT = "right"
    WRONG = "wrong"  # it contradicts what was measured
    UNCLEAR = "unclear"
    ABSENT = "absent"  # no text speaks of the script


class Diagnosis(Record):
    """A diagnosis, and sentences on what it says."""

    outcome: Said
    reasons: tuple[str, ...] = ()


class _Told(NamedTuple):
    """One thing that is said: a cause or a symptom, whether it is so, and the sentence."""

    what: Cause | Symptom
    stand: Stand
    says: str
    quote: str


def diagnose(said: Sequence[Passage], causes: Sequence[Cause], measured: Symptoms) -> Diagnosis:
    """What is `said` of a script with these causes, of which this was `measured`.

    *Right*: it names one of the causes, or a symptom that is more than what everybody sees and that was
    measured; nothing said contradicts what was measured. *Wrong*: it plainly says something that is measured
    not to be so, and nothing else that could be right. All else is *unclear*: also what hedges, corrects
    itself, names whatever there is, or may be about another script. What may be, and says nothing that is
    understood, is passed over.
    """
    if not any(passage.text.strip() for passage in said):
        return Diagnosis(outcome=Said.ABSENT)
    by_passage = [(passage, list(_told(passage, tuple(causes), measured))) for passage in said]
    told = [one for _, own in by_passage for one in own]
    doubt = doubt_about([passage.text for passage in said])
    is_certain = any(passage.is_sure for passage in said)
    if doubt or not is_certain or any(own and not passage.is_sure for passage, own in by_passage):
        why = doubt or "Whether all of it is about this script is not certain."
        return Diagnosis(outcome=Said.UNCLEAR, reasons=(why, *_reasons(told, measured)))
    return Diagnosis(outcome=_outcome(told), reasons=tuple(_reasons(told, measured)))


def _outcome(told: Sequence[_Told]) -> Said:
    right = [one for one in told if one.stand is Stand.RIGHT]
    wrong = [one for one in told if one.stand is Stand.WRONG]
    unproven = {one.what for one in told if one.stand is Stand.OPEN} - {one.what for one in right}
    if wrong:
        return Said.UNCLEAR if right or unproven else Said.WRONG
    is_told = any(one.what not in _OBSERVED for one in right)
    return Said.RIGHT if is_told and len(unproven) <= _MOST_OPEN else Said.UNCLEAR


def _told(passage: Passage, causes: tuple[Cause, ...], measured: Symptoms) -> Iterator[_Told]:
    """What a passage says; a wrong symptom that only repeats a right cause is left out."""
    question = _question(causes)
    named = {cause.id: cause for cause in causes}
    for sentence in sentences_of(passage.text[:_MOST_CHARS]):
        found: list[_Told] = []
        quote = _quoted(passage.text, sentence)
        is_hedged = holds(sentence.words, HEDGES)  # also by what comes after: “…, maybe.”
        for claimed in compiled(question).said_in(sentence):
            if claimed.is_denied or is_aside(sentence, claimed.clause):
                continue
            is_doubtful = is_hedged or claimed.is_doubtful
            kind, _, name = claimed.claim.name.partition(" ")
            if kind == "cause":
                cause = named.get(name) or KNOWN_CAUSES[name]
                stand = Stand.RIGHT if name in named and not is_doubtful else Stand.OPEN
                found.append(_Told(cause, stand, cause.says, quote))
                continue
            if is_doubtful:
                continue
            symptom = Symptom(name)
            is_wrong = kind == "clear" and contradicts(symptom, measured)
            if symptom in measured.shown:
                found.append(_Told(symptom, Stand.RIGHT, claimed.claim.says, quote))
            elif is_wrong:
                found.append(_Told(symptom, Stand.WRONG, claimed.claim.says, quote))
        if not (sentence.asks or sentence.hedges or is_hedged):
            found += _ranges(named, quote)
        yield from _without_repetitions(found)


def _ranges(named: Mapping[str, Cause], quote: str) -> Iterator[_Told]:
    """The causes of a script that a sentence names by a range, and not to propose it."""
    for name, pattern in _RANGES.items():
        if name in named and pattern.search(quote) and not _PROPOSED.search(quote):
            yield _Told(named[name], Stand.RIGHT, named[name].says, quote)


_SAME = {
    "softmax-twice": Symptom.OUTPUTS_SOFTMAXED,
    "inputs-noisy": Symptom.INPUTS_SWAMPED,
    "saturating-activation": Symptom.UNITS_SATURATED,
    "weights-negative": Symptom.UNITS_DEAD,
    "biases-negative": Symptom.UNITS_DEAD,
}
"""Causes by what they show at once: words for the one are words for the other."""


def _without_repetitions(found: Sequence[_Told]) -> Iterator[_Told]:
    """What a sentence says, without a cause and a symptom that are the same: the known cause counts, or else
    what was measured.
    """
    causes = {one.what.id: one for one in found if isinstance(one.what, Cause)}
    right = {_SAME.get(name) for name, one in causes.items() if one.stand is Stand.RIGHT}
    wrong = {one.what for one in found if one.stand is Stand.WRONG}
    for one in found:
        same = _SAME.get(one.what.id) if isinstance(one.what, Cause) else None
        is_refuted = one.stand is Stand.OPEN and same is not None and same in wrong
        if not is_refuted and not (one.stand is Stand.WRONG and one.what in right):
            yield one


def _quoted(text: str, sentence: Sentence) -> str:
    quote = " ".join(text[sentence.start : sentence.end].split())
    return quote if len(quote) <= _QUOTE else f"{quote[: _QUOTE - 2]} …"


def _reasons(told: Sequence[_Told], measured: Symptoms) -> Iterator[str]:
    """What was understood, in sentences: what is wrong first, each thing once."""
    order = [Stand.WRONG, Stand.RIGHT, Stand.OPEN]
    once = {one.what: one for one in sorted(told, key=lambda one: -order.index(one.stand))}
    for one in sorted(once.values(), key=lambda one: order.index(one.stand))[:_SHOWN]:
        seen = in_words(one.what, measured) if isinstance(one.what, Symptom) else ""
        measurement = f" Measured: {seen}." if seen else ""
        if one.stand is Stand.RIGHT:
            yield f"“{one.quote}” This fits: {one.says}{measurement}"
        elif one.stand is Stand.WRONG:
            yield f"“{one.quote}” What was measured says otherwise.{measurement}"
        else:
            yield f"“{one.quote}” Understood as: {one.says} Whether it is so is for a person to say."


@lru_cache(maxsize=64)
def _question(causes: tuple[Cause, ...]) -> Question:
    """All that can be said, as claims: `cause <id>`, `shown <symptom>`, `clear <symptom>`."""
    claims = []
    known = {**KNOWN_CAUSES, **{cause.id: cause for cause in causes}}
    for name, cause in known.items():
        saying = CAUSES.get(name, Saying(()))
        said = (*saying.said, *_patterns(cause.words))
        claims.append(Claim(name=f"cause {name}", says=cause.says, said=said))
        claims.append(_across(f"cause {name}", cause.says, saying))
    for symptom, saying in SYMPTOMS.items():
        says = _SAYS[symptom]
        claims.append(Claim(name=f"clear {symptom}", says=says, said=saying.clear))
        claims.append(Claim(name=f"shown {symptom}", says=says, said=saying.said))
        claims.append(_across(f"shown {symptom}", says, saying))
    return Question(name="diagnosis", asks="", words=(), groups=tuple(GROUPS.items()), claims=tuple(claims))


def _across(name: str, says: str, saying: Saying) -> Claim:
    return Claim(name=name, says=says, said=saying.across, is_of_sentences=True)


def _patterns(words: Sequence[str]) -> Iterator[str]:
    """The ways to say a cause that `scripts.yaml` adds: patterns, or words that stand side by side."""
    for text in words:
        try:
            read_pattern(text, GROUPS)
            yield text
        except ValueError:
            plain = " ".join(re.findall(r"[^\W_]+", text))
            if plain:
                yield plain


_SAYS = {
    Symptom.LOSS_NOT_FINITE: "The loss or a gradient is no number from some step on.",
    Symptom.GRADIENTS_VANISH: "The gradients vanish.",
    Symptom.GRADIENTS_EXPLODE: "The gradients explode.",
    Symptom.UNITS_DEAD: "Nearly all units of a layer are dead.",
    Symptom.UNITS_SATURATED: "The units are saturated.",
    Symptom.INPUTS_SWAMPED: "The images drown in noise.",
    Symptom.OUTPUTS_SOFTMAXED: "What the loss takes for logits went through a softmax already.",
}
