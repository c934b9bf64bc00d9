"""One copy judged for a whole group: what is found in it goes to each member, decisions on it too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from grader.errors import NotebookError
from grader.evidence.record import Evidence
from grader.groups.copies import copy_of, owner_of
from grader.groups.finding import find_groups
from grader.model import Grade, Group, GroupDecision, Override, Rejected, Submission, hand_in_mark
from grader.notebook.names import find_names
from grader.notebook.people import by_word
from grader.notebook.reading import read_notebook

_LEFT = (
    "Group: it was graded together with other copies before, and is graded by itself now. If only a part of "
    "the class was graded, grade the whole assignment again; else its group has changed."
)
_TOLD = "The copies of your group list the same people: one of them was graded for all."


def groups_of(
    submissions: Sequence[Submission],
    decisions: Mapping[str, GroupDecision],
    stored: Mapping[str, Evidence],
) -> dict[str, Group]:
    """The group of each hand-in that lists others, by id; what cannot be read, or is a team's, has none.

    Of hand-ins on which there is `stored` evidence, the file is not read again.
    """
    copies = []
    owners = by_word((owner, owner) for one in submissions if (owner := owner_of(one)) is not None)
    for submission in submissions:
        if submission.participant.is_group:
            continue  # Moodle has told already who belongs together
        known = stored.get(submission.id)
        if known is not None:
            copies.append(copy_of(submission, known.notebook, known.names, owners))
            continue
        try:
            notebook = read_notebook((submission.folder / submission.notebook).read_bytes())
        except (NotebookError, OSError):  # told when it is graded
            continue
        copies.append(copy_of(submission, notebook, find_names(notebook), owners))
    return find_groups(copies, decisions) if len(copies) > 1 else {}


def judged_themselves(submissions: Iterable[Submission], groups: Mapping[str, Group]) -> list[Submission]:
    """The hand-ins that are run and judged, one for each group."""
    return [one for one in submissions if _stand_in(one.id, groups) is None]


def for_everybody(
    evidence: Iterable[Evidence], submissions: Iterable[Submission], groups: Mapping[str, Group]
) -> Iterator[Evidence | Rejected]:
    """The evidence on every hand-in, in their order: each member's is that of the copy that counts for all.

    Hand-ins without evidence of their own are passed over, but for members whose group's copy has none.
    """
    found = {hand_in_mark(item.submission.id): item for item in evidence}
    for submission in submissions:
        stand_in = _stand_in(submission.id, groups)
        item = found.get(stand_in or hand_in_mark(submission.id))
        if item is not None:
            group = groups.get(submission.id)
            yield _of_member(item, submission) if group is not None and group.is_shared else item
        elif stand_in is not None:
            yield Rejected(
                id=submission.id,
                assignment=submission.assignment,
                participant=submission.participant,
                reason="The copy that counts for its group could not be graded: mend that one first.",
            )


def judged_as(
    submission: Submission, by_mark: Mapping[str, Submission], groups: Mapping[str, Group]
) -> Submission:
    """What is judged for a hand-in: itself, or in its name the copy that counts for its group."""
    group = groups.get(submission.id)
    if group is None or not group.is_shared:
        return submission
    return _as_member(by_mark[group.hand_ins[0]], submission)


def shared_decisions(decisions: Sequence[Override], groups: Mapping[str, Group]) -> list[Override]:
    """`decisions` with those on any copy of a shared group laid on all of its copies, oldest first."""
    names = {hand_in_mark(name): name for name in groups}
    return [
        decision.model_copy(update={"submission": member})
        for decision in decisions
        for member in _members(decision.submission, groups, names)
    ]


def in_group(grade: Grade, groups: Mapping[str, Group], earlier: Mapping[str, Grade]) -> Grade:
    """The grade with its group, and flags for the TA that say what was found of it.

    `earlier` are the grades so far: one that was in a shared group, and is graded without it now, says so.
    """
    group = groups.get(grade.submission)
    if group is None:
        before = earlier[grade.submission].group if grade.submission in earlier else None
        if before is None or not before.is_shared:
            return grade
        return grade.model_copy(update={"flags": (*grade.flags, _LEFT)})
    return grade.model_copy(update={"group": group, "flags": (*grade.flags, *_flags(grade, group))})


def _flags(grade: Grade, group: Group) -> Iterator[str]:
    if group.is_shared:
        by = "" if group.decision is None else f", as {group.decision.who} decided"
        which = "its own copy" if grade.is_judged_itself else "another copy"
        yield f"Group: {len(group.hand_ins)} hand-ins graded together, by {which}{by}."
        return
    for doubt in group.doubts:
        yield f"Group in doubt, graded by its own copy: {doubt}"
    if group.decision is not None:
        yield f"Group: left apart, as {group.decision.who} decided."


def _stand_in(submission: str, groups: Mapping[str, Group]) -> str | None:
    group = groups.get(submission)
    return None if group is None else group.stands_in_for(submission)


def _members(submission: str, groups: Mapping[str, Group], names: Mapping[str, str]) -> Sequence[str]:
    group = groups.get(submission)
    if group is None or not group.is_shared:
        return (submission,)
    return [names[mark] for mark in group.hand_ins if mark in names]


def _of_member(item: Evidence, member: Submission) -> Evidence:
    """The evidence as that of a member's: whose it is changes, and nothing of what was judged."""
    return item.model_copy(update={"submission": _as_member(item.submission, member)})


def _as_member(copy: Submission, member: Submission) -> Submission:
    update = {
        "id": member.id,
        "participant": member.participant,
        "remarks": (*copy.remarks, _TOLD),
    }
    return copy.model_copy(update=update)
