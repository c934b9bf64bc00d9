"""The command line: one thin function per verb; everything heavy is imported by the verb that needs it."""

from __future__ import annotations

import atexit
import gc
import json
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from grader.errors import GraderError, trace_of
from grader.letters import write_plainly_where_needed
from grader.verbs import desk, groups, scripts, students
from grader.verbs.options import (
    DONE,
    FAULT,
    SOME_NOT_GRADED,
    STOPPED,
    USAGE,
    CourseOption,
    DataOption,
    GpusOption,
    JobsOption,
    JobsPerGpuOption,
    JsonOption,
)

if TYPE_CHECKING:
    from grader.pipeline import Graded

MAIN_VERB = "run"
_GARBAGE = 2_000_000  # objects; records hold no cycles, and looking for some goes through all of them


class _MainVerb(TyperGroup):
    """Lets `grade PATH` stand for `grade run PATH`; as the first word, a verb's name wins over a path's."""

    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in {*self.commands, "--help", "--version"}:
            args = [MAIN_VERB, *args]
        return super().parse_args(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Show the main verb's options after the list of verbs."""
        super().format_help(ctx, formatter)
        main_verb = self.commands[MAIN_VERB]
        with main_verb.make_context("grade", [], resilient_parsing=True) as inner:
            main_verb.format_help(inner, formatter)


app = typer.Typer(
    cls=_MainVerb,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Runs and grades notebooks. `grade PATH` is the main verb: a Moodle zip, a folder or a notebook "
    "goes in, a report per hand-in, a class page and a gradebook come out. A verb's name wins over a "
    "path of the same name: write `./doctor` for the path.",
)


def _tell_version(is_asked: bool) -> None:
    if is_asked:
        from importlib import metadata

        typer.echo(metadata.version("grader"))
        raise typer.Exit(DONE)


@app.callback()
def _every_verb(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and leave.", is_eager=True, callback=_tell_version),
    ] = False,
) -> None:
    """Options of `grade` itself."""


datasets_app = typer.Typer(no_args_is_help=True, help="The data sets that notebooks find in the room.")
app.add_typer(datasets_app, name="datasets")
desk.register(app)
groups.register(app)
students.register(app)
scripts.register(app)


@app.command(MAIN_VERB, hidden=True)
def run(
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="A Moodle zip, a folder of hand-ins, or one notebook.")
    ],
    assignment: Annotated[
        str | None, typer.Option(help="Which assignment it is, when no folder tells (a1, a2, …).")
    ] = None,
    data: DataOption = None,
    decisions: Annotated[
        Path | None, typer.Option(help="A decisions.csv that lies elsewhere than in the assignment's folder.")
    ] = None,
    worksheet: Annotated[
        Path | None,
        typer.Option(help="Moodle's grading worksheet, for when things were handed in (deadlines.yaml)."),
    ] = None,
    course: CourseOption = None,
    jobs: JobsOption = None,
    gpus: GpusOption = None,
    jobs_per_gpu: JobsPerGpuOption = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A limit of runs, as in a rubric: memory_mib=8192."),
    ] = None,
    isolation: Annotated[
        Literal["bubblewrap", "none"],
        typer.Option(help="`none` runs notebooks as programs of yours: only those you trust like your own."),
    ] = "bubblewrap",
    pseudonyms: Annotated[
        bool, typer.Option("--pseudonyms", help="Leave names out of the pages, the tables and the terminal.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Grade what is at PATH: run what was not run before, judge everything, write the reports."""
    from grader.course import find_course
    from grader.errors import UsageError
    from grader.execution.devices import choose_devices, parse_choice
    from grader.execution.interface import find_executor
    from grader.model import Isolation
    from grader.pipeline import grade
    from grader.terminal import progress_on_stderr, show_forecast, summarise

    if not path.exists():
        raise UsageError(
            f"There is nothing at {path}: give a Moodle zip, a folder of hand-ins, or a notebook."
        )
    if data is not None and not data.is_dir():
        raise UsageError(
            f"--data (or GRADER_DATA) names {data}, which is no folder: correct it or leave it out."
        )
    for option, file in (("--decisions", decisions), ("--worksheet", worksheet)):
        if file is not None and not file.is_file():
            raise UsageError(f"{option} names {file}, which is no file: correct it or leave it out.")
    found = find_course(course, near=path)
    devices = choose_devices(parse_choice(gpus, jobs_per_gpu))
    try:
        with (
            closing(find_executor("local")(jobs, devices=devices)) as executor,
            progress_on_stderr(executor.remaining_seconds) as progress,
        ):
            graded = list(
                grade(
                    path,
                    found,
                    executor,
                    assignment=assignment,
                    data=data,
                    decisions=decisions,
                    worksheet=worksheet,
                    limits=limit or (),
                    isolation=Isolation(isolation),
                    pseudonyms=pseudonyms,
                    progress=progress,
                    foretell=show_forecast,
                )
            )
    except KeyboardInterrupt:
        typer.echo("Stopped. What is finished is kept: type the same command again to go on.", err=True)
        raise typer.Exit(STOPPED) from None
    if as_json:
        typer.echo(json.dumps([_as_json(part) for part in graded], ensure_ascii=False, indent=1))
    else:
        summarise(graded)
    raise typer.Exit(SOME_NOT_GRADED if any(part.rejected or part.lost for part in graded) else DONE)


@app.command()
def calibrate(
    assignment: Annotated[str, typer.Argument(help="Which assignment (a1, a2, …).")],
    data: DataOption = None,
    seeds: Annotated[int, typer.Option(min=2, help="How many seeds each reference is run with.")] = 5,
    write: Annotated[
        bool, typer.Option("--write", help="Put the proposed thresholds and their figures into the rubric.")
    ] = False,
    course: CourseOption = None,
    jobs: JobsOption = None,
    gpus: GpusOption = None,
    jobs_per_gpu: JobsPerGpuOption = None,
) -> None:
    """Measure what the references reach over seeds, and propose thresholds for the accuracy asked for."""
    from datetime import date

    from grader.calibration.measuring import calibrate as measure
    from grader.calibration.writing import write_thresholds
    from grader.course import find_course
    from grader.execution.devices import choose_devices, parse_choice
    from grader.execution.interface import find_executor
    from grader.terminal import progress_on_stderr, show_calibration

    found = find_course(course)
    devices = choose_devices(parse_choice(gpus, jobs_per_gpu))
    with (
        closing(find_executor("local")(jobs, devices=devices)) as executor,
        progress_on_stderr(executor.remaining_seconds) as progress,
    ):
        calibration = measure(
            assignment,
            found,
            executor,
            data=data,
            seeds=seeds,
            needs_real_data=write,
            progress=progress,
        )
    show_calibration(calibration)
    if write:
        path = found.rubric_path(assignment)
        write_thresholds(calibration, path, date.today())
        typer.echo(f"Written into {path}; grade again to see whose grade moves.")


@app.command()
def doctor(as_json: JsonOption = False) -> None:
    """Try out what grading needs on this machine, and say what is missing and how to mend it."""
    from grader.sandbox.doctor import examine
    from grader.terminal import show_findings

    findings = examine()
    if as_json:
        typer.echo(json.dumps([finding.model_dump() for finding in findings], indent=1))
    else:
        show_findings(findings)
    raise typer.Exit(DONE if all(finding.is_fine for finding in findings) else USAGE)


@app.command()
def clean(course: CourseOption = None) -> None:
    """Free what no grade needs: runs and evidence that no latest or released grade rests on, and drafts."""
    from grader.cleaning import clean as free
    from grader.course import find_course

    freed = free(find_course(course))
    typer.echo(
        f"{freed.runs} runs and {freed.evidence} pieces of evidence freed, {freed.bytes / 1024**2:.1f} MiB."
    )


@datasets_app.command("pull")
def pull(
    names: Annotated[list[str] | None, typer.Argument(help="Which ones; all when none is named.")] = None,
    course: CourseOption = None,
) -> None:
    """Download the real data sets with Keras into the course's data folder (needs internet)."""
    from grader.course import find_course
    from grader.datasets.finding import dataset_names
    from grader.datasets.pulling import pull_dataset

    target = find_course(course).data
    for name in names or dataset_names():
        files = pull_dataset(name, target)
        typer.echo(f"{files.name}: {len(files.files)} file(s) in {target}")


def _as_json(graded: Graded) -> dict[str, Any]:
    from grader.report.grade_file import grade_json

    return {
        "assignment": graded.assignment,
        "grades": [grade_json(grade) for grade in graded.grades],
        "rejected": [{"submission": item.id, "reason": item.reason} for item in graded.rejected],
        "lost": list(graded.lost),
        "class_page": str(graded.class_page),
    }


def main() -> None:
    """Entry point of `grade`: 0 done, 1 some could not be graded, 2 usage or configuration, 70 a bug."""
    write_plainly_where_needed(sys.stdout, sys.stderr)
    gc.set_threshold(_GARBAGE)
    atexit.register(gc.freeze)  # what is left ends with the process, and nothing looks through it
    try:
        app()
    except GraderError as error:
        typer.echo(f"grade: {error}", err=True)
        sys.exit(USAGE)
    except ModuleNotFoundError as lack:
        top = (lack.name or "").partition(".")[0]
        if top not in _of_extra("run"):
            typer.echo(f"grade: {_fault(lack)}", err=True)
            sys.exit(FAULT)
        typer.echo(
            f"grade: Running notebooks needs {top}, which is not installed: "
            f'{sys.executable} -m pip install "grader[run]"',
            err=True,
        )
        sys.exit(USAGE)
    except Exception as bug:  # noqa: BLE001 - the outermost boundary: one sentence, and the rest in a file
        typer.echo(f"grade: {_fault(bug)}", err=True)
        sys.exit(FAULT)


def _of_extra(extra: str) -> set[str]:
    """The modules that an extra of ours installs, as far as they are called like their packages."""
    import re
    from importlib import metadata

    wanted = [line for line in metadata.requires("grader") or () if re.search(rf"extra == .{extra}\b", line)]
    return {re.split(r"[^\w.-]", line)[0].replace("-", "_") for line in wanted}


def _fault(bug: Exception) -> str:
    """One sentence on a bug of ours, with the file that says where it is; neither quotes a hand-in."""
    import tempfile

    with tempfile.NamedTemporaryFile("w", prefix="grade-fault-", suffix=".txt", delete=False) as file:
        file.write(trace_of(bug) + "\n")
    return (
        f"A fault in the grader ({type(bug).__name__}); what is finished is kept, and "
        f"{file.name} says more: report it with that file, or type the same command again."
    )
