"""What a verdict can be traced to: the files, the rubric, the run, the program, each with its fingerprint."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.metadata import version

from grader.evidence.collect import collector_sha256
from grader.evidence.record import Evidence
from grader.model import DatasetOrigin, Grade
from grader.report.wording import dataset_name


def trace(grade: Grade, evidence: Evidence) -> Iterator[tuple[str, str, str]]:
    """(what it is, its name, its fingerprint) of everything that the grade rests on; either may be empty."""
    submission, run = evidence.submission, evidence.run
    yield "Notebook", submission.notebook, submission.notebook_sha256
    yield "Rubric", grade.assignment, grade.rubric_sha256
    if run is not None:
        yield "Our run", f"seed {run.seed}", run.key
        for use in run.datasets:
            kind = "real" if use.origin is DatasetOrigin.REAL else "stand-in"
            yield "Data", f"{dataset_name(use.name)}, {kind}", use.sha256
    yield "What read and measured it", f"grader {_program()}", collector_sha256()


@cache
def _program() -> str:
    return version("grader")
