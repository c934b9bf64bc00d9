"""Groups: where copies disagree and who decides, and hand-ins that are like each other."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grader.verbs.options import AssignmentArgument, CourseOption


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.command()(groups)
    app.command()(likeness)


def groups(
    assignment: AssignmentArgument,
    together: Annotated[
        str | None,
        typer.Option(metavar="HAND-IN", help="Grade its group together, by this copy; needs --by and --why."),
    ] = None,
    apart: Annotated[
        str | None,
        typer.Option(metavar="HAND-IN", help="Leave the copies of its group apart; needs --by and --why."),
    ] = None,
    by: Annotated[str, typer.Option(metavar="NAME", help="Who decides.")] = "",
    why: Annotated[str, typer.Option(metavar="TEXT", help="The reason.")] = "",
    course: CourseOption = None,
) -> None:
    """Tell which hand-ins are graded together and which groups are in doubt, or decide on one of these."""
    from datetime import UTC, datetime

    from grader.course import find_course
    from grader.errors import UsageError
    from grader.gradebook.store import Gradebook
    from grader.groups.deciding import decide, known_groups, members_of
    from grader.terminal import show_groups

    if together is not None and apart is not None:
        raise UsageError("A group is graded together or left apart: give --together or --apart, not both.")
    with Gradebook.open(find_course(course).state / "gradebook.sqlite") as gradebook:
        hand_in = together or apart
        if hand_in is not None:
            now = datetime.now(UTC)
            decide(gradebook, assignment, hand_in, together is not None, who=by, why=why, now=now)
            typer.echo("Kept. Type the grade command again: it grades by what was decided.")
            return
        latest = gradebook.latest(assignment)
        found = known_groups(gradebook, assignment)
        show_groups([(group, members_of(group, latest)) for group in found])


def likeness(
    assignment: AssignmentArgument,
    material: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Course code, tutorials. Default: the course's course_material/."),
    ] = None,
    earlier: Annotated[
        list[Path] | None,
        typer.Option(metavar="PATH", help="Hand-ins of another year to compare with; may be repeated."),
    ] = None,
    names: Annotated[bool, typer.Option("--names", help="Show names instead of numbers.")] = False,
    allow_earlier: Annotated[
        bool,
        typer.Option("--allow-earlier", help="Record why other years may be used: --by, --why."),
    ] = False,
    forbid_earlier: Annotated[
        bool, typer.Option("--forbid-earlier", help="Record why no longer; needs --by and --why.")
    ] = False,
    by: Annotated[str, typer.Option(metavar="NAME", help="Who allows or forbids it.")] = "",
    why: Annotated[str, typer.Option(metavar="TEXT", help="The reason.")] = "",
    course: CourseOption = None,
) -> None:
    """Lay hand-ins of different groups that are alike side by side, for staff: a hint, no verdict."""
    from datetime import UTC, datetime

    from grader.course import find_course
    from grader.errors import UsageError
    from grader.gradebook.records import Permission
    from grader.gradebook.store import Gradebook
    from grader.likeness.comparing import likenesses
    from grader.likeness.gathering import gather
    from grader.likeness.page import likeness_page
    from grader.report.publish import write

    found_course = find_course(course)
    if allow_earlier or forbid_earlier:
        if not by.strip() or not why.strip() or (allow_earlier and forbid_earlier):
            raise UsageError("Say one of them, and sign for it: --allow-earlier --by NAME --why TEXT.")
        permission = Permission(is_allowed=allow_earlier, who=by, why=why, when=datetime.now(UTC))
        with Gradebook.open(found_course.state / "gradebook.sqlite") as gradebook:
            gradebook.permit_years(permission)
    gathered = gather(found_course, assignment, material=material, earlier=earlier or [], has_names=names)
    found = likenesses(gathered.works, gathered.material, gathered.apart)
    page = found_course.reports / assignment / "likeness.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    works, taken_away = len(gathered.works), len(gathered.material)
    write(page, likeness_page(assignment, found, works=works, material=taken_away))
    typer.echo(f"{len(found)} pairs of {works} works are alike, a hint and no verdict: {page}")
