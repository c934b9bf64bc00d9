"""One person in a course: which hand-ins are theirs, by id, by Moodle's number or by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rapidfuzz import process

from grader.cleaning import inside, submission_of
from grader.course import Course
from grader.datasets.withheld import course_secret
from grader.errors import UsageError
from grader.gradebook.store import Gradebook
from grader.model import Participant, Record, Submission
from grader.report.pseudonyms import NamesLeftOut


class HandIn(Record):
    """A hand-in of which something is kept, and whose it is."""

    assignment: str
    submission: str
    participant: Participant


def hand_ins_of(
    course: Course, who: str, assignment: str | None = None, *, is_whole_group: bool = False
) -> tuple[HandIn, ...]:
    """The hand-ins of one person, in the order of assignments.

    `who` is a hand-in's id, Moodle's number or the name that Moodle gave. Moodle numbers people anew in each
    assignment: `assignment` is needed where several know that number. A group's hand-in is the others', too,
    and is refused unless `is_whole_group`. Raises `UsageError` when nothing is kept under that name or it may
    be several people.
    """
    with Gradebook.open(course.state / "gradebook.sqlite") as gradebook:
        known = _known(course, gradebook)
    found = [one for one in known if assignment in (None, one.assignment) and _is_called(one, who)]
    if not found:
        raise UsageError(_nobody(who, known))
    _refuse_doubt(who, found)
    groups = [one.submission for one in found if one.participant.is_group]
    if groups and not is_whole_group:
        raise UsageError(
            f"{groups[0]} is the hand-in of a group, and its other members' grades rest on it: if it is "
            "meant all the same, add --whole-group."
        )
    return tuple(sorted(found, key=lambda one: (one.assignment, one.submission)))


def evidence_of(course: Course, hand_ins: Sequence[HandIn]) -> list[tuple[Path, Submission]]:
    """The files of evidence on these hand-ins, older ones included."""
    theirs = {(one.assignment, one.submission) for one in hand_ins}
    return [
        (file, found)
        for file in inside(course.state / "evidence")
        if (found := submission_of(file)) is not None and (found.assignment, found.id) in theirs
    ]


def report_names(course: Course, one: HandIn) -> list[str]:
    """The folders in which a hand-in's report may lie: by its own name, and by the one that stands for it."""
    names = NamesLeftOut(course_secret(course.state))
    return sorted({one.submission, names.called(one.submission, one.participant)})


def _known(course: Course, gradebook: Gradebook) -> list[HandIn]:
    """All hand-ins of which there is a grade or evidence, each once."""
    graded = [
        HandIn(assignment=assignment, submission=name, participant=grade.participant)
        for assignment in gradebook.assignments()
        for name, grade in gradebook.latest(assignment).items()
    ]
    collected = [
        HandIn(assignment=found.assignment, submission=found.id, participant=found.participant)
        for file in inside(course.state / "evidence")
        if (found := submission_of(file)) is not None
    ]
    each = {(one.assignment, one.submission): one for one in (*collected, *graded)}
    return list(each.values())


def _is_called(one: HandIn, who: str) -> bool:
    name = one.participant.name
    return who in (one.submission, one.participant.id) or (name is not None and _plain(name) == _plain(who))


def _refuse_doubt(who: str, found: Sequence[HandIn]) -> None:
    """Several hand-ins are one person's only where one name says so, and once in each assignment."""
    assignments = sorted({one.assignment for one in found})
    is_name = all(
        one.participant.name is not None and _plain(one.participant.name) == _plain(who) for one in found
    )
    if len(assignments) > 1 and not is_name:
        raise UsageError(f"{who!r} is found in {', '.join(assignments)}: name one of them with --assignment.")
    if len(found) > len(assignments):
        ids = ", ".join(sorted(one.submission for one in found))
        raise UsageError(f"{who!r} may be several people ({ids}): give one of these ids.")


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())


def _nobody(who: str, known: Sequence[HandIn]) -> str:
    nearest = process.extractOne(who, [one.submission for one in known], score_cutoff=60)
    mend = f"did you mean {nearest[0]!r}?" if nearest else "give the id on the class page, or the number."
    return f"Nothing is kept of a person {who!r}: {mend}"
