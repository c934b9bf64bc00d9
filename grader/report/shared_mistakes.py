"""What many hand-ins share: the same reason for lost points, the same error, the same mend. Without names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from grader.model import Grade, Outcome, Run

_SHOWN = 12
_FEWEST = 2  # hand-ins
_OWN_WORDS = re.compile(r"[“\"][^“”\"]*[”\"]|`[^`]*`")
_NUMBER = re.compile(r"(?<![A-Za-z_])\d+(?:[.,]\d+)*(?![A-Za-z_])")


@dataclass(frozen=True, kw_only=True)
class SharedMistake:
    """A sentence that holds for `count` hand-ins; what differs between them is left out."""

    where: str
    sentence: str
    count: int


def shared_mistakes(grades: Sequence[Grade], runs: Mapping[str, Run]) -> list[SharedMistake]:
    """The mistakes that at least `_FEWEST` hand-ins share, the most frequent first, at most `_SHOWN`.

    Points lost by a verdict (bonus aside), errors of the run and mends count; what a person decided otherwise
    does not.
    """
    told: dict[tuple[str, str], dict[str, str]] = {}
    for grade in grades:
        for where, sentence in (*_lost_points(grade), *_troubles(runs.get(grade.submission))):
            told.setdefault((where, without_particulars(sentence)), {})[grade.submission] = sentence
    found = [
        SharedMistake(
            where=where,
            sentence=next(iter(by.values())) if len(set(by.values())) == 1 else general,
            count=len(by),
        )
        for (where, general), by in told.items()
        if len(by) >= _FEWEST
    ]
    return sorted(found, key=lambda mistake: -mistake.count)[:_SHOWN]


def without_particulars(text: str) -> str:
    """A reason with what a hand-in's author wrote, and all numbers, replaced by `…`."""
    return _NUMBER.sub("…", _OWN_WORDS.sub("…", text))


def _lost_points(grade: Grade) -> Iterator[tuple[str, str]]:
    for criterion in grade.criteria:
        is_lost = criterion.verdict.outcome in (Outcome.NOT_MET, Outcome.PARTLY_MET)
        if is_lost and criterion.override is None and not criterion.is_bonus:
            yield criterion.title, criterion.verdict.reasons[0].text


def _troubles(run: Run | None) -> Iterator[tuple[str, str]]:
    if run is None:
        return
    for cell in run.failed_cells:
        yield "Run again", f"A cell raised {(cell.error or 'an error').split(':')[0][:60]}."
    for mend in run.mends:
        yield "Versions", mend.text
