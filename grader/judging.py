"""Judging hand-ins: of what was found before, all that stands is taken, and only the rest is found anew."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from grader.assess import find, grade_of, judged_by_criterion
from grader.evidence.record import Evidence
from grader.groups.sharing import in_group, judged_as
from grader.judged_before import Judged, JudgedBefore, judged_together
from grader.lateness import HandInTimes
from grader.model import Findings, Grade, Group, Override, Submission, hand_in_mark
from grader.processes import for_each
from grader.report.amounts import differ_in_amounts_only
from grader.rubric import Rubric


@dataclass(frozen=True, kw_only=True)
class Judge:
    """Gives grades by one rubric, with people's `decisions`, the times of hand-ins and `groups` laid over.

    Checks in `distrusted` decide nothing. `earlier` are the grades so far, and `before` knows what they rest
    on.
    """

    rubric: Rubric
    decisions: Sequence[Override]
    distrusted: Collection[str]
    handed_in: HandInTimes
    groups: Mapping[str, Group]
    earlier: Mapping[str, Grade]
    before: JudgedBefore

    def anew(self, evidence: Sequence[Evidence]) -> list[Judged]:
        """A grade for each hand-in, by the evidence on it."""
        return for_each(self._anew, evidence)

    def again(self, submissions: Sequence[Submission], everybody: Iterable[Submission]) -> list[Judged]:
        """The grades that need no evidence, and whose pages need none: they differ in amounts only.

        `everybody` are all hand-ins at hand, copies of groups among them. Of a group that is judged by one
        copy, all grades or none are given.
        """
        by_mark = {hand_in_mark(one.id): one for one in everybody}
        judged = {}
        for submission in submissions:
            found = self._again(submission, by_mark)
            if found is not None:
                judged[hand_in_mark(submission.id)] = found
        return [one for one in judged.values() if judged.keys() >= set(judged_together(one.grade.group))]

    @cached_property
    def _decided(self) -> dict[str, list[Override]]:
        """The decisions by hand-in: a large class has thousands."""
        decided: dict[str, list[Override]] = {}
        for decision in self.decisions:
            decided.setdefault(decision.submission, []).append(decision)
        return decided

    def _anew(self, evidence: Evidence) -> Judged:
        name = evidence.submission.id
        basis = self.before.basis(name, evidence.scripts or ())
        known = self.before.findings(basis, self.earlier.get(name))
        run_key = evidence.run.key if evidence.run is not None else None
        found = find(evidence, self.rubric, self.distrusted, known)
        return self._judged(evidence.submission, run_key, found, basis, is_known=known is not None)

    def _again(self, submission: Submission, by_mark: Mapping[str, Submission]) -> Judged | None:
        earlier = self.earlier.get(submission.id)
        if earlier is None:
            return None
        basis = self.before.basis(submission.id)
        found = self.before.findings(basis, earlier)
        if found is None or len(found.verdicts) < len(self.rubric.criteria):
            return None
        of = judged_as(submission, by_mark, self.groups)
        judged = self._judged(of, earlier.run_key, found, basis, is_known=True)
        return judged if judged.keeps_page else None

    def _judged(
        self, submission: Submission, run_key: str | None, found: Findings, basis: str, *, is_known: bool
    ) -> Judged:
        """`is_known`: the evidence is that of the earlier grade."""
        grade = grade_of(submission, run_key, found, self.rubric, self._decided.get(submission.id, ()))
        told = in_group(self.handed_in.told(grade), self.groups, self.earlier)
        return Judged(
            grade=told,
            basis=basis,
            own_flags=len(found.flags),
            seen=judged_by_criterion(submission, run_key, self.rubric),
            keeps_page=is_known
            and differ_in_amounts_only(self.earlier[submission.id], told)
            and self.before.is_shown(submission.id),
        )
