"""What many hand-ins share: the same reason for lost points, the same mend. With examples, without names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from grader.model import Grade, Outcome, Reason, Run
from grader.report.examples import Example, ExampleTaker

_SHOWN = 12
_FEWEST = 2  # hand-ins
_QUOTED = re.compile(r"[“\"][^“”\"]*[”\"]")
_OWN_WORDS = re.compile(rf"{_QUOTED.pattern}|`[^`]*`")
_NUMBER = re.compile(r"(?<![A-Za-z_])\d+(?:[.,]\d+)*(?![A-Za-z_])")


@dataclass(frozen=True, kw_only=True)
class SharedMistake:
    """A sentence that holds for `count` hand-ins; what may differ between them is left out of it.

    `said` are sentences with particulars, `examples` pieces of hand-ins that show it.
    """

    where: str
    sentence: str
    count: int
    said: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()


def shared_mistakes(
    grades: Sequence[Grade], runs: Mapping[str, Run], taker: ExampleTaker
) -> list[SharedMistake]:
    """The mistakes that at least `_FEWEST` hand-ins share, the most frequent first, at most `_SHOWN`.

    Points lost by a verdict (bonus aside) and mends count; what a person decided otherwise does not.
    """
    told: dict[tuple[str, str], dict[str, Reason]] = {}
    for grade in grades:
        for where, reason in (*_lost_points(grade), *_mends(runs.get(grade.submission))):
            told.setdefault((where, without_particulars(reason.text)), {})[grade.submission] = reason
    shared = [(where, general, by) for (where, general), by in told.items() if len(by) >= _FEWEST]
    shared.sort(key=lambda one: -len(one[2]))
    return [_shown(where, general, by, taker) for where, general, by in shared[:_SHOWN]]


def without_particulars(text: str) -> str:
    """A reason with what a hand-in's author wrote, and all numbers, replaced by `…`."""
    return _NUMBER.sub("…", _OWN_WORDS.sub("…", text))


def _shown(where: str, general: str, by: Mapping[str, Reason], taker: ExampleTaker) -> SharedMistake:
    texts = list(dict.fromkeys(reason.text for reason in by.values()))
    said = taker.sentences(by)
    if not said and not _QUOTED.search(texts[0]):
        said = tuple(texts[:1])
    is_same = len(texts) == len(said) == 1
    return SharedMistake(
        where=where,
        sentence=said[0] if is_same else general,
        count=len(by),
        said=() if is_same else said,
        examples=taker.pieces(by),
    )


def _lost_points(grade: Grade) -> Iterator[tuple[str, Reason]]:
    for criterion in grade.criteria:
        is_lost = criterion.verdict.outcome in (Outcome.NOT_MET, Outcome.PARTLY_MET)
        if is_lost and criterion.override is None and not criterion.is_bonus:
            yield criterion.title, criterion.verdict.reasons[0]


def _mends(run: Run | None) -> Iterator[tuple[str, Reason]]:
    for mend in run.mends if run is not None else ():
        yield "Versions", Reason(text=mend.text, cell=mend.cell)
