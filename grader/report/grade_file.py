"""`grade.json`: the grade of one hand-in, for other programs."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

from grader.model import CriterionGrade, Grade
from grader.report.contacts import labelled_left_out, within

SCHEMA = 1


def grade_json(grade: Grade) -> dict[str, Any]:
    """The grade as plain JSON values; an interface that others read, so keys are only ever added.

    Points and fractions are JSON numbers, `fraction` is null while nothing is decided. A criterion
    that a person decided carries the key `decision`; the others do not have it. `late` is there only where
    it is known when the hand-in came and when it was due. Addresses and labelled numbers are left out.
    """
    told: dict[str, Any] = {
        "schema": SCHEMA,
        "submission": grade.submission,
        "assignment": grade.assignment,
        "score": _number(grade.score),
        "open_points": _number(grade.open_points),
        "max_points": _number(grade.max_points),
        "flags": list(grade.flags),
        "criteria": [_criterion_json(criterion) for criterion in grade.criteria],
    }
    if grade.late is not None:
        told["late"] = {
            "handed_in": grade.late.handed_in.isoformat(),
            "due": grade.late.due.isoformat(),
            "days": grade.late.days,
            "penalty": _number(grade.late.penalty),
            "is_refused": grade.late.is_refused,
            "final_score": _number(grade.final_score),
        }
    untold: dict[str, Any] = within(told, labelled_left_out)
    return untold


def _criterion_json(criterion: CriterionGrade) -> dict[str, Any]:
    verdict = criterion.verdict
    entry: dict[str, Any] = {
        "id": criterion.id,
        "title": criterion.title,
        "points": _number(criterion.points),
        "check": criterion.check,
        "outcome": verdict.outcome.value,
        "fraction": None if verdict.fraction is None else _number(verdict.fraction),
        "sources": [source.value for source in verdict.sources],
        "reasons": [
            {
                "text": reason.text,
                "cell": reason.cell,
                "numbers": [number for number in reason.numbers if math.isfinite(number)],
            }
            for reason in verdict.reasons
        ],
    }
    if criterion.override is not None:
        entry["decision"] = {
            "points": _number(criterion.override.points),
            "comment": criterion.override.comment,
            "who": criterion.override.who,
            "when": criterion.override.when.isoformat(),
        }
    return entry


def _number(amount: Decimal) -> int | float:
    return int(amount) if amount == amount.to_integral_value() else float(amount)
