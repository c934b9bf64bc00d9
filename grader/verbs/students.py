"""Students, before they hand in: a look at their notebook, and what a course gives out for that."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from grader.verbs.options import DONE, STOPPED, AssignmentArgument, CourseOption, DataOption, JsonOption

SOMETHING_MISSING = 1


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.command()(check)
    app.command("student-edition")(student_edition)
    app.command()(template)


def check(
    notebook: Annotated[Path, typer.Argument(metavar="NOTEBOOK", help="The .ipynb file to hand in.")],
    assignment: Annotated[
        str | None, typer.Option(help="Which assignment it is for, when several may be meant (a1, a2, …).")
    ] = None,
    edition: Annotated[
        Path | None,
        typer.Option(help="The course's student edition; searched beside the notebook if not given."),
    ] = None,
    execute: Annotated[
        bool, typer.Option("--run", help="Run it too, and measure with the public split of the data.")
    ] = False,
    data: DataOption = None,
    course: CourseOption = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write what was found as a page.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Look at a notebook before it is handed in: what is found, what is missing, will it run."""
    from grader.student.checking import check_notebook
    from grader.student.page import render
    from grader.student.terminal import show, working_on

    try:
        with working_on("running it" if execute else ""):
            looked = check_notebook(
                notebook, assignment=assignment, edition=edition, course=course, execute=execute, data=data
            )
    except KeyboardInterrupt:
        typer.echo("Stopped.", err=True)
        raise typer.Exit(STOPPED) from None
    if html is not None:
        _write(html, render(looked))
    if as_json:
        typer.echo(json.dumps(looked.as_json(), indent=1))
    else:
        show(looked)
    raise typer.Exit(SOMETHING_MISSING if looked.failures else DONE)


def student_edition(
    assignment: AssignmentArgument,
    to: Annotated[
        Path | None, typer.Option(help="Where to write it. Default: <assignment>.student.yaml.")
    ] = None,
    course: CourseOption = None,
) -> None:
    """Write the one file that students get for `grade check`: what of a rubric everybody may read."""
    from grader.course import find_course
    from grader.student.choosing import course_edition
    from grader.student.edition import SUFFIX, edition_in_yaml

    target = to or Path(f"{assignment}{SUFFIX}")
    _write(target, edition_in_yaml(course_edition(find_course(course), assignment)))
    typer.echo(f"Written to {target}.")


def template(
    assignment: AssignmentArgument,
    to: Annotated[Path | None, typer.Option(help="Where to write it. Default: <assignment>.ipynb.")] = None,
    edition: Annotated[Path | None, typer.Option(help="A student edition to make it from.")] = None,
    course: CourseOption = None,
) -> None:
    """Write a notebook with the headings below which answers are found for sure. Nobody has to use it."""
    from grader.errors import UsageError
    from grader.student.choosing import find_editions
    from grader.student.skeleton import skeleton

    target = to or Path(f"{assignment}.ipynb")
    if target.exists():
        raise UsageError(f"There is already a file {target}: name another one with --to.")
    editions = find_editions(target, edition=edition, course=course)
    if assignment not in editions:
        raise UsageError(f"There is no student edition of {assignment}, only of {', '.join(editions)}.")
    _write(target, skeleton(editions[assignment]))
    typer.echo(f"Written to {target}.")


def _write(target: Path, text: str) -> None:
    """Write a file for a person; `UsageError` when that is not possible."""
    from grader.errors import UsageError

    try:
        target.write_text(text, encoding="utf-8")
    except OSError as refusal:
        raise UsageError(f"{target} cannot be written ({refusal.strerror}): name another file.") from refusal
