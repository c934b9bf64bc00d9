"""What moved between two grades of one submission."""

from __future__ import annotations

from decimal import Decimal

from grader.model import CriterionGrade, Grade, Outcome, Record


class CriterionChange(Record):
    """One criterion before and after; `old` is None where it is new, `new` where it is gone."""

    old: CriterionGrade | None
    new: CriterionGrade | None

    @property
    def id(self) -> str:
        """The criterion's id."""
        return self._present.id

    @property
    def title(self) -> str:
        """The criterion's title, as it is now."""
        return self._present.title

    @property
    def old_outcome(self) -> Outcome | None:
        """What the check said before."""
        return self.old.verdict.outcome if self.old else None

    @property
    def new_outcome(self) -> Outcome | None:
        """What the check says now."""
        return self.new.verdict.outcome if self.new else None

    @property
    def old_awarded(self) -> Decimal | None:
        """Points given before, None while they were open."""
        return self.old.awarded if self.old else None

    @property
    def new_awarded(self) -> Decimal | None:
        """Points given now, None while they are open."""
        return self.new.awarded if self.new else None

    @property
    def _present(self) -> CriterionGrade:
        present = self.new or self.old
        if present is None:
            raise ValueError("a change needs a criterion before or after")
        return present


class GradeChange(Record):
    """Two grades of one submission that differ in an outcome, in points, or in what lateness costs."""

    old: Grade
    new: Grade

    @property
    def submission(self) -> str:
        """Whose grade moved."""
        return self.new.submission

    @property
    def old_score(self) -> Decimal:
        """Settled points before, less what lateness costs."""
        return self.old.final_score

    @property
    def new_score(self) -> Decimal:
        """Settled points now, less what lateness costs."""
        return self.new.final_score

    @property
    def criteria(self) -> tuple[CriterionChange, ...]:
        """The criteria that moved: those of today in the rubric's order, then those that are gone."""
        before = {criterion.id: criterion for criterion in self.old.criteria}
        now = {criterion.id: criterion for criterion in self.new.criteria}
        pairs = [(before.get(name), now.get(name)) for name in now | before]
        return tuple(CriterionChange(old=old, new=new) for old, new in pairs if _weight(old) != _weight(new))


def change_between(old: Grade, new: Grade) -> GradeChange | None:
    """The change from `old` to `new`, None when nothing moved (other words, other flags)."""
    change = GradeChange(old=old, new=new)
    return change if change.criteria or old.final_score != new.final_score else None


def _weight(criterion: CriterionGrade | None) -> tuple[object, ...] | None:
    """What of a criterion counts as moving."""
    if criterion is None:
        return None
    return criterion.verdict.outcome, criterion.awarded, criterion.points, criterion.is_bonus
