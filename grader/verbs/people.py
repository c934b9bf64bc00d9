"""What is kept of people: all of one person told or removed, and what is kept for longer than was set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grader.verbs.options import CourseOption

if TYPE_CHECKING:
    from grader.course import Course

WhoArgument = Annotated[
    str | None,
    typer.Argument(metavar="WHO", help="A hand-in's id, Moodle's number, or the name as Moodle gave it."),
]
OfOption = Annotated[
    str | None, typer.Option("--assignment", help="Which one, where several know that number.")
]
GroupOption = Annotated[
    bool, typer.Option("--whole-group", help="A group's hand-in is meant, with all its members.")
]


def register(app: typer.Typer, export: typer.Typer) -> None:
    """Add the verbs to the command line, one of them among the exports."""
    app.command()(forget)
    export.command("person")(export_person)


def forget(
    who: WhoArgument = None,
    assignment: OfOption = None,
    due: Annotated[
        bool, typer.Option("--due", help="Instead of one person: what retention.yaml says is due.")
    ] = False,
    whole_group: GroupOption = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking.")] = False,
    course: CourseOption = None,
) -> None:
    """Remove all that is kept of one person (WHO), or all that is due; says what that is, and asks."""
    from grader.course import find_course
    from grader.errors import UsageError

    if due == (who is not None):
        raise UsageError("Say what is meant: `grade forget WHO` for one person, or `grade forget --due`.")
    found = find_course(course)
    if who is None:
        _forget_due(found, is_sure=yes)
    else:
        _forget_person(found, who, assignment, is_whole_group=whole_group, is_sure=yes)


def _forget_person(
    course: Course, who: str, assignment: str | None, *, is_whole_group: bool, is_sure: bool
) -> None:
    from datetime import UTC, datetime

    from grader.forgetting import forget as remove
    from grader.forgetting import kept_of
    from grader.people import hand_ins_of
    from grader.people_terminal import show_kept, show_what_stays

    hand_ins = hand_ins_of(course, who, assignment, is_whole_group=is_whole_group)
    show_kept(kept_of(course, hand_ins))
    if is_sure or typer.confirm("Remove it for good?"):
        show_what_stays(remove(course, hand_ins, now=datetime.now(UTC)))
    else:
        typer.echo("Nothing was removed.")


def _forget_due(course: Course, *, is_sure: bool) -> None:
    from datetime import UTC, date, datetime

    from grader.people_terminal import show_due
    from grader.retention import RETENTION, Kind, read_retention, remove_due, what_is_due

    if not read_retention(course):
        typer.echo(f"No dates are set: {course.root / RETENTION} would say for how long things are kept.")
        return
    found = what_is_due(course, date.today())
    show_due(found)
    ours = [one for one in found if one.kind is not Kind.HAND_INS]
    if not ours:
        return
    if is_sure or typer.confirm("Remove it for good (hand-ins aside: they are yours to remove)?"):
        remove_due(course, ours, now=datetime.now(UTC))
        typer.echo("Removed.")
    else:
        typer.echo("Nothing was removed.")


def export_person(
    who: Annotated[str, typer.Argument(metavar="WHO", help="A hand-in's id, Moodle's number, or the name.")],
    to: Annotated[Path, typer.Option(metavar="DIR", help="Where the zip goes.")] = Path(),
    assignment: OfOption = None,
    whole_group: GroupOption = False,
    course: CourseOption = None,
) -> None:
    """Put all that is kept of one person into one zip that they can read, without answer keys."""
    from datetime import UTC, datetime

    from grader.course import find_course
    from grader.dossier import write_person
    from grader.people import hand_ins_of

    found = find_course(course)
    hand_ins = hand_ins_of(found, who, assignment, is_whole_group=whole_group)
    made = write_person(found, hand_ins, to, now=datetime.now(UTC))
    typer.echo(f"{made.files} files in {made.path}")
