"""A person's word on a group in doubt: its copies are graded together, by one of them, or stay apart."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from grader.errors import UsageError
from grader.gradebook.store import Gradebook
from grader.model import Group, GroupDecision, hand_in_mark


def known_groups(gradebook: Gradebook, assignment: str) -> list[Group]:
    """Every group as the latest grading found it, each once; raises `UsageError` when nothing was graded."""
    latest = gradebook.latest(assignment)
    if not latest:
        raise UsageError(f"Nothing of {assignment} was graded yet: grade it first.")
    newest = gradebook.group_decisions(assignment)
    groups = {(grade.group.mark, grade.group.doubts): grade.group for grade in latest.values() if grade.group}
    return [
        group.model_copy(update={"decision": newest.get(group.mark, group.decision)})
        for group in groups.values()
    ]


def decide(
    gradebook: Gradebook,
    assignment: str,
    hand_in: str,
    is_together: bool,
    *,
    who: str,
    why: str,
    now: datetime,
) -> None:
    """Write down that the group in which `hand_in` is in doubt is graded together by it, or left apart.

    Raises `UsageError` when nobody signs, no reason is given, or `hand_in` is in no group in doubt.
    """
    if not who.strip() or not why.strip():
        raise UsageError("Whoever decides on a group signs for it: add --by NAME --why TEXT.")
    doubtful = [group for group in known_groups(gradebook, assignment) if group.doubts]
    fitting = {group.mark: group for group in doubtful if hand_in_mark(hand_in) in group.hand_ins}
    if not fitting:
        raise UsageError(f"{hand_in} is in no group in doubt: `grade groups {assignment}` lists them.")
    own = gradebook.latest(assignment)[hand_in].group
    group = fitting.get(own.mark) if own is not None else None
    group = group or next(iter(fitting.values()))
    decision = GroupDecision(is_together=is_together, head=hand_in_mark(hand_in), who=who, why=why, when=now)
    gradebook.decide_group(assignment, members_of(group, gradebook.latest(assignment)), group.mark, decision)


def members_of(group: Group, known: Iterable[str]) -> list[str]:
    """The ids of a group's hand-ins, in its order, as far as they are `known`."""
    names = {hand_in_mark(name): name for name in known}
    return [names[mark] for mark in group.hand_ins if mark in names]
