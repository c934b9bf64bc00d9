"""`python -m grader.validity`: try everything, and write the page. Typed again, it goes on where it was."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import psutil

from grader.course import Course, find_course
from grader.datasets.finding import dataset_names, find_dataset
from grader.errors import GraderError, UsageError
from grader.execution.interface import find_executor
from grader.execution.jobs import installed_versions
from grader.model import DatasetOrigin
from grader.reference_grading import course_of_references
from grader.rubric import Rubric, read_rubric
from grader.terminal import progress_on_stderr
from grader.validity.page import Setting, page
from grader.validity.trials import Kind, run_trials, trials_of

_ACCURACY = "accuracy-at-least"
_CPUS = Path("/proc/cpuinfo")


def main(words: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; 0 when the page is written, 2 for what a person can mend."""
    arguments = _parser().parse_args(words)
    try:
        _try_everything(arguments)
    except GraderError as error:
        print(f"validity: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped. What is finished is kept: type the same command again to go on.", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m grader.validity", description=__doc__)
    parser.add_argument("assignment", nargs="?", default="a1")
    parser.add_argument("--data", type=Path, required=True, help="the folder with the real data sets")
    parser.add_argument("--repeats", type=int, default=10, help="of the solution and its variants")
    parser.add_argument("--mutant-repeats", type=int, help="of the mutants; as many if not given, 0 for none")
    parser.add_argument("--mutation-repeats", type=int, default=1, help="of what is generated; 0 for none")
    parser.add_argument("--folder", type=Path, help="where runs are kept; .grader/validity if not given")
    parser.add_argument("--to", type=Path, help="the page; docs/validity.md if not given")
    parser.add_argument("--jobs", type=int, help="rooms at a time; as cores and memory allow if not given")
    return parser


def _try_everything(arguments: argparse.Namespace) -> None:
    course = find_course(None)
    rubric = read_rubric(course.rubric_path(arguments.assignment), datasets=dataset_names())
    folder = arguments.folder or course.state / "validity"
    data = _real_data(rubric, course_of_references(course.rubrics, folder), arguments.data)
    repeats = {
        Kind.HONEST: arguments.repeats,
        Kind.MUTANT: arguments.repeats if arguments.mutant_repeats is None else arguments.mutant_repeats,
        Kind.GENERATED: arguments.mutation_repeats,
    }
    found = trials_of(course.references / arguments.assignment, rubric)
    trials = [trial for trial in found if repeats[trial.kind] > 0]
    with (
        closing(find_executor("local")(arguments.jobs)) as executor,
        progress_on_stderr(executor.remaining_seconds) as progress,
    ):
        tried = run_trials(
            trials,
            repeats,
            rubrics=course.rubrics,
            folder=folder,
            executor=executor,
            data=arguments.data,
            progress=progress,
        )
    setting = Setting(
        date=datetime.now(UTC).date().isoformat(),
        machine=_machine(),
        versions=installed_versions(),
        data=data,
        repeats=repeats,
    )
    criteria = [criterion.id for criterion in rubric.criteria]
    accuracy = next((c.id for c in rubric.criteria if c.check.name == _ACCURACY), "")
    to = arguments.to or course.root / "docs" / "validity.md"
    to.write_text(page(arguments.assignment, criteria, accuracy, tried, setting), "utf-8")
    print(f"Written: {to}")


def _real_data(rubric: Rubric, course: Course, data: Path) -> tuple[tuple[str, str], ...]:
    """Name and checksum of each data set, before the split; a stand-in is an error, for it shows nothing."""
    cache = course.state / "cache"
    found = [find_dataset(name, data=data, course_data=course.data, cache=cache) for name in rubric.datasets]
    stand_ins = [files.name for files in found if files.origin is DatasetOrigin.STAND_IN]
    if stand_ins:
        raise UsageError(
            f"{data} has no {' and no '.join(stand_ins)}: name the folder with the real data sets."
        )
    return tuple((files.name, files.sha256) for files in found)


def _machine() -> str:
    """Processor, cores, memory and system, in words."""
    models = [
        line.partition(":")[2] for line in _CPUS.read_text().splitlines() if line.startswith("model name")
    ]
    cores = len(os.sched_getaffinity(0))
    memory = psutil.virtual_memory().total / 1024**3
    system = f"{platform.system()} {platform.release().partition('-')[0]}"
    return f"{models[0].strip() if models else platform.machine()}, {cores} cores, {memory:.0f} GiB, {system}"


if __name__ == "__main__":
    sys.exit(main())
