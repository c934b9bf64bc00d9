"""Runs that went wrong and hand-ins that could not be graded, grouped by what was the cause."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from grader.model import Grade, Rejected, Run, RunStatus
from grader.report.causes import cause_of
from grader.report.examples import ExampleTaker
from grader.report.shared_mistakes import without_particulars
from grader.report.wording import RUN_STATUSES

_MESSAGE_SHOWN = 200
_NOT_FAILED = (RunStatus.COMPLETED, RunStatus.LOST)  # a lost run is ours, and listed by itself


@dataclass(kw_only=True)
class FailureGroup:
    """One cause: the hand-ins whose runs failed by it, or those that could not be graded for it.

    `example` is an error as one of them had it, without names; "" for none.
    """

    cause: str
    example: str = ""
    grades: list[Grade] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many hand-ins."""
        return len(self.grades) + len(self.rejected)


def failures_by_cause(
    grades: Sequence[Grade], runs: Mapping[str, Run], rejected: Sequence[Rejected], taker: ExampleTaker
) -> list[FailureGroup]:
    """Every failure under its cause, the most frequent first. Of a run the first failing cell counts."""
    groups: dict[str, FailureGroup] = {}
    for grade in grades:
        run = runs.get(grade.submission)
        if run is None or run.status in _NOT_FAILED:
            continue
        cause, error = _cause(grade, run, taker)
        group = groups.setdefault(cause, FailureGroup(cause=cause))
        group.grades.append(grade)
        group.example = group.example or taker.text(grade.submission, error, _MESSAGE_SHOWN)
    for item in rejected:
        cause = f"Not graded: {without_particulars(item.reason)}"
        groups.setdefault(cause, FailureGroup(cause=cause)).rejected.append(item)
    return sorted(groups.values(), key=lambda group: -group.count)


def _cause(grade: Grade, run: Run, taker: ExampleTaker) -> tuple[str, str]:
    """The cause in general, and the error as this hand-in had it; "" for none."""
    if run.status is not RunStatus.CELL_FAILED or not run.failed_cells:
        return RUN_STATUSES[run.status][1], ""
    failed = run.failed_cells[0]
    error = failed.error or "an error"
    evidence = taker.evidence(grade.submission)
    why = ""
    if evidence is not None:
        cells = evidence.notebook.code_cells
        why = without_particulars(cause_of(failed, cells, run.cells, run.missing_modules))
    return " ".join(_parts(error.split(":")[0][:60], why)), error


def _parts(error: str, why: str) -> Iterator[str]:
    yield f"A cell raised {error}."
    if why:
        yield why
