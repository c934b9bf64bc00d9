"""The TA's desk: telling grades, what moved, and the way out to Moodle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grader.verbs import people
from grader.verbs.options import DONE, SOME_NOT_GRADED, AssignmentArgument, CourseOption


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.command()(release)
    app.command()(diff)
    app.command()(review)
    app.command()(trust)
    app.command()(dossier)
    export = typer.Typer(
        no_args_is_help=True, help="Grades out to Moodle or as a table, or all of one person."
    )
    export.command("moodle")(export_moodle)
    export.command("csv")(export_csv)
    export.command("json")(export_json)
    people.register(app, export)
    app.add_typer(export, name="export")


def release(
    assignment: AssignmentArgument,
    by: Annotated[str, typer.Option(metavar="NAME", help="Who signs for it.")],
    why: Annotated[str, typer.Option(metavar="TEXT", help="The reason, where told grades change.")] = "",
    lower: Annotated[
        bool, typer.Option("--lower", help="Also tell grades that are lower than what was told; needs --why.")
    ] = False,
    course: CourseOption = None,
) -> None:
    """Fix the grades of today as what students are told: only those go to Moodle, none changes silently."""
    from datetime import UTC, datetime

    from grader.course import find_course
    from grader.releasing import Told, spot_checks_left
    from grader.releasing import release as tell
    from grader.terminal import show_release

    there = find_course(course)
    found = tell(there, assignment, who=by, why=why, may_lower=lower, now=datetime.now(UTC))
    show_release(found, spot_checks_left(there, assignment))
    raise typer.Exit(SOME_NOT_GRADED if any(one.told in (Told.OPEN, Told.KEPT) for one in found) else DONE)


def diff(
    assignment: AssignmentArgument,
    since: Annotated[
        str, typer.Option(metavar="TIME", help="A day or a time of this machine, as in 2026-11-20T18:00.")
    ],
    course: CourseOption = None,
) -> None:
    """Tell whose grade moved since a time, and by which criterion."""
    from datetime import datetime

    from grader.course import find_course
    from grader.errors import UsageError
    from grader.gradebook.store import Gradebook
    from grader.terminal import show_changes

    try:
        moment = datetime.fromisoformat(since).astimezone()
    except ValueError:
        raise UsageError(
            f"--since {since} is no time: write it like 2026-11-20 or 2026-11-20T18:00."
        ) from None
    with Gradebook.open(find_course(course).state / "gradebook.sqlite") as gradebook:
        show_changes(gradebook.changes_since(assignment, moment), since)


def review(
    assignment: AssignmentArgument,
    port: Annotated[
        int | None,
        typer.Option(min=1024, max=65535, help="Where it answers. Default: one of the course's own."),
    ] = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")
    ] = True,
    course: CourseOption = None,
) -> None:
    """Decide what waits for a person, on a web page that only this machine can reach."""
    import webbrowser

    from grader.course import find_course
    from grader.errors import UsageError

    try:
        from grader.review.server import serve
    except ModuleNotFoundError as error:
        raise UsageError(
            f"The review page needs {error.name}, which is not installed: pip install 'grader[review]'."
        ) from error
    from grader.review.desk import ReviewDesk

    def tell(address: str) -> None:
        typer.echo(
            f"The review of {assignment} is at {address}\nCtrl-C ends it; every decision is kept at once."
        )
        if browser:
            webbrowser.open(address)

    serve(ReviewDesk(find_course(course), assignment), port, tell)
    typer.echo("Type the grade command again: it makes the reports anew with what was decided.")


def trust(
    looked_at: Annotated[
        str | None,
        typer.Option(metavar="CHECK", help="Somebody has looked at this check: it may decide again."),
    ] = None,
    by: Annotated[str, typer.Option(metavar="NAME", help="With --looked-at: who.")] = "",
    why: Annotated[str, typer.Option(metavar="TEXT", help="With --looked-at: what was found.")] = "",
    course: CourseOption = None,
) -> None:
    """Tell how often people agreed with each check, and which may not decide alone for now."""
    from datetime import UTC, datetime

    from grader.course import find_course
    from grader.errors import UsageError
    from grader.gradebook.store import Gradebook
    from grader.terminal import show_agreements
    from grader.trust import agreements

    with Gradebook.open(find_course(course).state / "gradebook.sqlite") as gradebook:
        found = agreements(gradebook)
        if looked_at is not None:
            if looked_at not in found:
                raise UsageError(
                    f"Nobody has decided beside a check {looked_at!r}: `grade trust` lists them."
                )
            if not by.strip() or not why.strip():
                raise UsageError("Whoever looked at a check signs for it: add --by NAME --why TEXT.")
            gradebook.look_at(looked_at, who=by, why=why, now=datetime.now(UTC))
            found = agreements(gradebook)
        show_agreements(list(found.values()))


def dossier(
    assignment: AssignmentArgument,
    submission: Annotated[str, typer.Argument(help="The hand-in's id, as on the class page.")],
    to: Annotated[Path, typer.Option(metavar="DIR", help="Where the zip goes.")] = Path(),
    rubric: Annotated[
        bool, typer.Option("--rubric/--no-rubric", help="With the rubric and its answer keys: for staff.")
    ] = True,
    course: CourseOption = None,
) -> None:
    """Freeze all that one grade rests on in a zip: for an appeal, or (--no-rubric) for the person."""
    from datetime import UTC, datetime

    from grader.course import find_course
    from grader.dossier import write_dossier

    made = write_dossier(
        find_course(course), assignment, submission, to, has_rubric=rubric, now=datetime.now(UTC)
    )
    typer.echo(f"{made.files} files in {made.path}")


def export_moodle(
    assignment: AssignmentArgument,
    worksheet: Annotated[Path, typer.Option(help="The grading worksheet, as downloaded from Moodle.")],
    to: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where the files go. Default: the assignment's reports."),
    ] = None,
    cap: Annotated[bool, typer.Option("--cap", help="Cut grades to Moodle's maximum.")] = False,
    rescale: Annotated[
        bool, typer.Option("--rescale", help="Stretch the rubric's points to Moodle's maximum.")
    ] = False,
    passed: Annotated[
        str | None, typer.Option(metavar="WORD", help="Moodle's scale: its word for that.")
    ] = None,
    failed: Annotated[
        str | None, typer.Option(metavar="WORD", help="Moodle's scale: its word for that.")
    ] = None,
    comments: Annotated[
        bool, typer.Option("--comments/--no-comments", help="Fill empty feedback comments.")
    ] = True,
    course: CourseOption = None,
) -> None:
    """Fill a copy of Moodle's worksheet with the released grades, and zip the reports for upload."""
    from datetime import datetime

    from grader.course import find_course
    from grader.exporting import export_to_moodle
    from grader.moodle.filling import Wishes
    from grader.terminal import show_moodle_export

    found = find_course(course)
    wishes = Wishes(is_capped=cap, is_rescaled=rescale, passed=passed, failed=failed, has_comments=comments)
    target = to or found.for_moodle(assignment)
    show_moodle_export(export_to_moodle(found, assignment, worksheet, target, wishes, now=datetime.now()))


def export_csv(
    assignment: AssignmentArgument,
    course: CourseOption = None,
) -> None:
    """Print the latest grades as a table, as in gradebook.csv."""
    _print_table(assignment, course, "csv")


def export_json(
    assignment: AssignmentArgument,
    course: CourseOption = None,
) -> None:
    """Print the latest grades as JSON, each as in grade.json."""
    _print_table(assignment, course, "json")


def _print_table(assignment: str, course: Path | None, form: str) -> None:
    from grader.course import find_course
    from grader.exporting import export_table

    typer.echo(export_table(find_course(course), assignment, form), nl=False)
