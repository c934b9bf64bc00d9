"""How often people agreed with each check, and which checks may not decide alone for now.

Counted is every decision of a person on a criterion that a check had decided: spot checks, appeals,
corrections. A check that people agreed with too seldom stops deciding until somebody has looked at it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal

from grader.gradebook.records import GradeState
from grader.gradebook.store import Gradebook
from grader.model import CriterionGrade, Record

LEAST_AGREEMENT = 0.97
FEWEST_DECISIONS = 50


class Agreement(Record):
    """How often people decided as a check had, since somebody last looked at it."""

    check: str
    decided: int
    agreed: int

    @property
    def share(self) -> float | None:
        """The share of decisions that agreed, None where there were none."""
        return self.agreed / self.decided if self.decided else None

    @property
    def is_trusted(self) -> bool:
        """Whether the check may decide alone."""
        return self.decided < FEWEST_DECISIONS or self.agreed / self.decided >= LEAST_AGREEMENT


def agreements(gradebook: Gradebook) -> dict[str, Agreement]:
    """What is known of each check that a person has decided beside, by its name, over all assignments."""
    looked_at = gradebook.looked_at()
    counts: dict[str, tuple[int, int]] = {}
    for check, when, is_agreed in _decided(gradebook):
        if when > looked_at.get(check, datetime.min.replace(tzinfo=UTC)):
            decided, agreed = counts.get(check, (0, 0))
            counts[check] = decided + 1, agreed + is_agreed
    return {
        check: Agreement(check=check, decided=decided, agreed=agreed)
        for check, (decided, agreed) in sorted(counts.items())
    }


def distrusted(found: Mapping[str, Agreement]) -> frozenset[str]:
    """The checks that may not decide alone."""
    return frozenset(check for check, agreement in found.items() if not agreement.is_trusted)


def _decided(gradebook: Gradebook) -> Iterator[tuple[str, datetime, bool]]:
    """Each decision on what a check had decided: the check, when, and whether both gave the same points."""
    for assignment in gradebook.assignments():
        for submission in {decision.submission: None for decision in gradebook.decisions(assignment)}:
            states = gradebook.history(assignment, submission)
            for event in gradebook.decision_history(assignment, submission):
                if event.is_withdrawn:
                    continue
                criterion = _as_it_stood(states, event.override.criterion, event.recorded_at)
                if criterion is None or criterion.verdict.fraction is None or not criterion.check:
                    continue
                given = (criterion.points * criterion.verdict.fraction).quantize(Decimal("0.01"))
                yield criterion.check, event.recorded_at, given == event.override.points


def _as_it_stood(states: tuple[GradeState, ...], criterion: str, when: datetime) -> CriterionGrade | None:
    """A criterion in the last state of a grade that was recorded before a decision."""
    before = [state for state in states if state.recorded_at < when]
    if not before:
        return None
    return next((found for found in before[-1].grade.criteria if found.id == criterion), None)
