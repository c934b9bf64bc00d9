"""The criteria of one hand-in as its page shows them: outcome, reasons, pictures, excerpts, decision."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from grader.evidence.record import Evidence
from grader.model import CriterionGrade, Grade, Outcome, Reason
from grader.report.allowance import PICTURES, REASONS, fair_limit, size_of
from grader.report.excerpts import Excerpt, ExcerptTaker
from grader.report.pictures.svg import Picture
from grader.report.pictures.where import OF_CHECKS
from grader.report.visible import cut_to_fit

_REASON_LIMIT = 6_000  # bytes of one reason
_REASONS_SHOWN = 12  # of one criterion


@dataclass(frozen=True, kw_only=True)
class ReasonView:
    """One reason: its sentence, cut where it is very long, and what it goes back to."""

    reason: Reason
    text: str
    left_out: int


@dataclass(frozen=True, kw_only=True)
class CriterionView:
    """One criterion, ready to be shown; `number` is its place in the rubric, from 1."""

    number: int
    criterion: CriterionGrade
    tone: str
    reasons: Sequence[ReasonView]
    reasons_left_out: int = 0
    pictures: Sequence[Picture] = ()
    excerpts: Sequence[Excerpt] = ()


def view_criteria(grade: Grade, evidence: Evidence) -> list[CriterionView]:
    """Every criterion of `grade`, in the rubric's order, with the evidence that its reasons speak of."""
    limit = _limit(grade)
    taker = ExcerptTaker(evidence)
    return [
        CriterionView(
            number=number,
            criterion=criterion,
            tone=tone(criterion),
            reasons=[_view_reason(reason, limit) for reason in criterion.verdict.reasons[:_REASONS_SHOWN]],
            reasons_left_out=max(0, len(criterion.verdict.reasons) - _REASONS_SHOWN),
            pictures=list(OF_CHECKS.get(criterion.check, _none)(evidence, criterion)),
            excerpts=taker.take(criterion.verdict.reasons),
        )
        for number, criterion in enumerate(grade.criteria, 1)
    ]


def criteria_by_cell(grade: Grade) -> dict[int, list[int]]:
    """For each cell that reasons speak of, the numbers of the criteria that do, from 1."""
    found: dict[int, list[int]] = {}
    for number, criterion in enumerate(grade.criteria, 1):
        for cell in {reason.cell for reason in criterion.verdict.reasons if reason.cell is not None}:
            found.setdefault(cell, []).append(number)
    return found


def anchor(criterion_id: str) -> str:
    """The id of a criterion's place on the page of a hand-in."""
    return "criterion-" + re.sub(r"[^A-Za-z0-9_-]", "-", criterion_id)


def tone(criterion: CriterionGrade) -> str:
    """The outcome as it counts: a decision of a person stands above the verdict."""
    if criterion.override is None:
        return criterion.verdict.outcome.value
    if criterion.override.points >= criterion.points:
        return Outcome.MET.value
    return Outcome.PARTLY_MET.value if criterion.override.points else Outcome.NOT_MET.value


def within(pictures: Iterator[Picture], room: int = PICTURES) -> Iterator[Picture]:
    """The first of `pictures` that together take no more than `room` bytes."""
    for picture in pictures:
        room -= size_of(picture.body)
        if room < 0:
            return
        yield picture


def _none(evidence: Evidence, criterion: CriterionGrade) -> tuple[Picture, ...]:
    return ()


def _limit(grade: Grade) -> int:
    shown = (criterion.verdict.reasons[:_REASONS_SHOWN] for criterion in grade.criteria)
    texts = (reason.text for reasons in shown for reason in reasons)
    return min(_REASON_LIMIT, fair_limit((size_of(text) for text in texts), REASONS))


def _view_reason(reason: Reason, limit: int) -> ReasonView:
    shown = cut_to_fit(reason.text, limit, keep_end=False)
    return ReasonView(reason=reason, text=shown.head, left_out=shown.left_out)
