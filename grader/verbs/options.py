"""Options and exit codes that verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DONE, SOME_NOT_GRADED, USAGE, FAULT, STOPPED = 0, 1, 2, 70, 130

CourseOption = Annotated[
    Path | None,
    typer.Option("--course", help="Course root: the folder with rubrics/. Searched upwards if not given."),
]
DataOption = Annotated[
    Path | None,
    typer.Option("--data", envvar="GRADER_DATA", help="Folder with the real data sets, in Keras's layout."),
]
JobsOption = Annotated[
    int | None, typer.Option(min=1, help="Rooms at a time. Default: as cores and memory allow.")
]
GpusOption = Annotated[
    str | None,
    typer.Option(
        metavar="0,1|none",
        help="GPUs to run on, or none. Default: all with enough free memory. See docs/gpu.md.",
    ),
]
JobsPerGpuOption = Annotated[
    int | None, typer.Option(min=1, help="Rooms that share a GPU. Default: one for each 4 GiB that is free.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON and nothing else.")]
AssignmentArgument = Annotated[str, typer.Argument(help="Which assignment (a1, a2, …).")]
