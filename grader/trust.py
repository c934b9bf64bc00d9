"""How often people agreed with each check, and which checks may not decide alone for now.

Counted is what people decided on criteria that a check had decided: spot checks, appeals, corrections; a
decision that was taken back or replaced does not count, one whose hand-in was erased since does. A check that
people agreed with too seldom stops deciding until somebody has looked at it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

from grader.gradebook.records import Agreed, GradeState
from grader.gradebook.store import Gradebook
from grader.model import CriterionGrade, Grade, Record

LEAST_AGREEMENT = 0.97
FEWEST_DECISIONS = 50
SPOT_CHECKS = 0.05  # the share of automatic verdicts that a person looks at all the same


class Agreement(Record):
    """How often people decided as a check had, since somebody last looked at it, and `ever`."""

    check: str
    decided: int
    agreed: int
    ever: Agreed

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
    ever: Counter[tuple[str, bool]] = Counter()
    now: Counter[tuple[str, bool]] = Counter()
    for one in _of_everybody(gradebook):
        counts = Counter({(one.check, True): one.agreed, (one.check, False): one.decided - one.agreed})
        ever += counts
        if one.when > looked_at.get(one.check, datetime.min.replace(tzinfo=UTC)):
            now += counts
    return {
        check: Agreement(
            check=check,
            decided=now[check, True] + now[check, False],
            agreed=now[check, True],
            ever=Agreed(decided=ever[check, True] + ever[check, False], agreed=ever[check, True]),
        )
        for check in sorted({check for check, _ in ever})
    }


def distrusted(found: Mapping[str, Agreement]) -> frozenset[str]:
    """The checks that may not decide alone."""
    return frozenset(check for check, agreement in found.items() if not agreement.is_trusted)


def agreed_on(gradebook: Gradebook, assignment: str, submission: str) -> dict[str, Agreed]:
    """What the decisions on one submission say of each check, as far as it still counts."""
    looked_at = gradebook.looked_at()
    found: dict[str, Agreed] = {}
    for one in _counted(gradebook, assignment, submission):
        if one.when > looked_at.get(one.check, datetime.min.replace(tzinfo=UTC)):
            before = found.get(one.check, Agreed(decided=0, agreed=0))
            found[one.check] = Agreed(decided=before.decided + one.decided, agreed=before.agreed + one.agreed)
    return found


def is_drawn(grade: Grade, criterion: CriterionGrade, secret: bytes) -> bool:
    """Whether chance puts this automatic verdict before a person; the course's secret is the dice."""
    thrown = "\n".join((grade.assignment, grade.submission, criterion.id, grade.run_key or ""))
    drawn = hmac.new(secret, thrown.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
    return int.from_bytes(drawn[:4]) < SPOT_CHECKS * 2**32


class _Counted(NamedTuple):
    """Decisions beside a check; a single one, but where they were erased since."""

    check: str
    when: datetime
    decided: int
    agreed: int


def _of_everybody(gradebook: Gradebook) -> Iterator[_Counted]:
    for kept in gradebook.agreements_kept():
        yield _Counted(kept.check, kept.at, kept.counts.decided, kept.counts.agreed)
    for assignment in gradebook.assignments():
        for submission in {decision.submission: None for decision in gradebook.decisions(assignment)}:
            yield from _counted(gradebook, assignment, submission)


def _counted(gradebook: Gradebook, assignment: str, submission: str) -> Iterator[_Counted]:
    """The decisions on what a check had decided: of each criterion the last one that was not taken back.

    One that was taken while the criterion was open says nothing of the check and does not count; what was
    counted before stays.
    """
    states = gradebook.history(assignment, submission)
    counted: dict[tuple[str, str], _Counted] = {}
    for event in gradebook.decision_history(assignment, submission):
        place = (event.override.criterion, event.origin)
        if event.is_withdrawn:
            counted.pop(place, None)
            continue
        criterion = _as_it_stood(states, event.override.criterion, event.recorded_at)
        if criterion is None or criterion.verdict.fraction is None or not criterion.check:
            continue
        given = (criterion.points * criterion.verdict.fraction).quantize(Decimal("0.01"))
        counted[place] = _Counted(criterion.check, event.recorded_at, 1, int(given == event.override.points))
    yield from counted.values()


def _as_it_stood(states: tuple[GradeState, ...], criterion: str, when: datetime) -> CriterionGrade | None:
    """A criterion in the last state of a grade that was recorded before a decision."""
    before = [state for state in states if state.recorded_at < when]
    if not before:
        return None
    return next((found for found in before[-1].grade.criteria if found.id == criterion), None)
