"""Broken scripts, for whoever puts them before a class."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer

from grader.verbs.options import (
    DONE,
    SOME_NOT_GRADED,
    AssignmentArgument,
    CourseOption,
    DataOption,
    JobsOption,
)


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command()(references)


def references(
    assignment: AssignmentArgument,
    data: DataOption = None,
    propose: Annotated[
        bool, typer.Option("--calibrate", help="Propose bars for scripts.yaml from what the runs reach.")
    ] = False,
    course: CourseOption = None,
    jobs: JobsOption = None,
) -> None:
    """Run the broken scripts of an assignment: each must fail as described, each listed fix must mend it."""
    from grader.course import find_course
    from grader.execution.interface import find_executor
    from grader.script_references import check_scripts
    from grader.script_terminal import show_bars, show_scripts
    from grader.terminal import progress_on_stderr

    found = find_course(course)
    with (
        closing(find_executor("local")(jobs)) as executor,
        progress_on_stderr(executor.remaining_seconds) as progress,
    ):
        checked = check_scripts(assignment, found, executor, data=data, progress=progress)
    if not checked:
        typer.echo(
            f"Assignment {assignment} has no broken scripts (no rubrics/{assignment}/scripts.yaml). Its "
            f"reference solutions are graded by: python -m pytest reference_solutions/{assignment}"
        )
        return
    show_scripts(checked)
    if propose:
        show_bars(checked)
    raise typer.Exit(SOME_NOT_GRADED if any(script.faults for script in checked) else DONE)
