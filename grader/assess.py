"""Rubric × evidence × decisions → `Grade`. Pure: the same input gives the same grade, nothing is run."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime

from grader.checks.foreign_outputs import flags_of_foreign_outputs
from grader.checks.handed_in import after_a_failed_run
from grader.checks.measurement import flags_of_measurement
from grader.checks.needs import flags_of_needs
from grader.checks.replayed import flags_of_replays
from grader.checks.shortcuts import flags_of_shortcuts
from grader.errors import trace_of
from grader.evidence.record import Evidence
from grader.model import (
    CriterionGrade,
    Findings,
    Grade,
    KerasFlavour,
    Outcome,
    Override,
    Reason,
    Run,
    RunStatus,
    Source,
    Submission,
    Verdict,
    needs_review,
    not_checked,
)
from grader.rubric import Criterion, Rubric

log = logging.getLogger(__name__)

_SOURCE_WORDS = {
    Source.SOURCE: "the code and the text",
    Source.SAVED: "the outputs as handed in",
    Source.REPLAYED: "saved outputs whose beginning our run saw too",
    Source.RERUN: "the outputs of our run",
    Source.OBSERVED: "what was seen while it ran",
    Source.MEASURED: "our own measurement",
}

_OUTCOME_WORDS = {
    Outcome.MET: "met",
    Outcome.PARTLY_MET: "partly met",
    Outcome.NOT_MET: "not met",
}


def assess(
    evidence: Evidence,
    rubric: Rubric,
    overrides: Iterable[Override] = (),
    distrusted: Collection[str] = (),
) -> Grade:
    """Hold the evidence against every criterion, then lay people's decisions over it."""
    run_key = evidence.run.key if evidence.run is not None else None
    return grade_of(evidence.submission, run_key, find(evidence, rubric, distrusted), rubric, overrides)


def find(
    evidence: Evidence,
    rubric: Rubric,
    distrusted: Collection[str] = (),
    known: Findings | None = None,
) -> Findings:
    """Hold the evidence against every criterion. Checks in `distrusted` decide nothing.

    What is `known` is taken as it is: flags, and verdicts on some criteria.
    """
    verdicts = {} if known is None else known.verdicts
    return Findings(
        flags=tuple(_flags_of_evidence(evidence)) if known is None else known.flags,
        verdicts={
            one.id: verdicts.get(one.id) or _verdict(evidence, one, distrusted) for one in rubric.criteria
        },
    )


def grade_of(
    submission: Submission,
    run_key: str | None,
    findings: Findings,
    rubric: Rubric,
    overrides: Iterable[Override] = (),
) -> Grade:
    """Points for what was found of a hand-in and of its run, with people's decisions laid over it.

    Of the decisions on this submission the newest per criterion counts. One that gives more than
    the criterion now has, or that speaks of a criterion that the rubric no longer has, does not
    count, and a flag says so. The flags are sentences for the TA, those on the evidence first.
    """
    newest = _newest(override for override in overrides if override.submission == submission.id)
    flags = list(findings.flags)
    criteria = []
    for criterion in rubric.criteria:
        override = newest.pop(criterion.id, None)
        if override is not None:
            judged = judged_sha256(submission, run_key, criterion.id)
            flags.extend(_flags_of_override(override, criterion, judged))
            override = override if override.points <= criterion.points else None
        criteria.append(_grade(criterion, findings.verdicts[criterion.id], override))
    for left in newest.values():
        flags.append(
            f"The decision of {left.who} on “{left.criterion}” does not count: no such criterion is left."
        )
    return Grade(
        submission=submission.id,
        assignment=submission.assignment,
        participant=submission.participant,
        run_key=run_key,
        rubric_sha256=rubric.sha256,
        scale=rubric.scale,
        pass_points=rubric.pass_points,
        criteria=tuple(criteria),
        flags=tuple(flags),
    )


def with_decisions(grade: Grade, overrides: Iterable[Override]) -> Grade:
    """A grade with other decisions laid over its verdicts, as far as they fit; flags stay as they are."""
    newest = _newest(override for override in overrides if override.submission == grade.submission)
    criteria = tuple(
        criterion.model_copy(
            update={
                "override": found
                if (found := newest.get(criterion.id)) is not None and found.points <= criterion.points
                else None
            }
        )
        for criterion in grade.criteria
    )
    return grade.model_copy(update={"criteria": criteria})


def judged_sha256(submission: Submission, run_key: str | None, criterion_id: str) -> str:
    """Hash of what a person saw when deciding: the notebook, its run (by key) and the criterion."""
    judged = "\n".join((submission.notebook_sha256, run_key or "no run", criterion_id))
    return hashlib.sha256(judged.encode()).hexdigest()


def judged_by_criterion(submission: Submission, run_key: str | None, rubric: Rubric) -> dict[str, str]:
    """`judged_sha256` of every criterion, as the gradebook keeps it beside the grade."""
    return {one.id: judged_sha256(submission, run_key, one.id) for one in rubric.criteria}


def _newest(overrides: Iterable[Override]) -> dict[str, Override]:
    """The newest decision per criterion; of two of the same moment, the later in order."""
    newest: dict[str, Override] = {}
    for override in overrides:
        other = newest.get(override.criterion)
        if other is None or _moment(override.when) >= _moment(other.when):
            newest[override.criterion] = override
    return newest


def _flags_of_override(override: Override, criterion: Criterion, judged: str) -> Iterator[str]:
    decision = f"The decision of {override.who} on “{criterion.title}”"
    if override.points > criterion.points:
        yield (
            f"{decision} gives {override.points} points, but there are only {criterion.points}: it does not "
            "count until it is changed."
        )
    elif override.judged not in (None, judged):
        yield (
            f"{decision} was taken on earlier evidence (the notebook or its run has changed since): it "
            "counts, but look again."
        )


def _moment(when: datetime) -> datetime:
    return when if when.tzinfo is not None else when.replace(tzinfo=UTC)


def _grade(criterion: Criterion, verdict: Verdict, override: Override | None) -> CriterionGrade:
    return CriterionGrade(
        id=criterion.id,
        title=criterion.title,
        check=criterion.check.name,
        points=criterion.points,
        is_bonus=criterion.is_bonus,
        visibility=criterion.visibility,
        verdict=verdict,
        override=override,
    )


def asks_for_more_seeds(evidence: Evidence, rubric: Rubric) -> bool:
    """Whether a criterion can only be settled when the notebook is run with other seeds too."""
    for criterion in rubric.criteria:
        try:
            repeats = criterion.check.repeats
            if repeats is not None and repeats(evidence, criterion.parameters):
                return True
        except Exception as bug:  # noqa: BLE001 - a bug in a check must not stop the others; its verdict tells of it
            _log_fault(evidence, criterion, bug)
    return False


def _verdict(evidence: Evidence, criterion: Criterion, distrusted: Collection[str]) -> Verdict:
    verdict = _found(evidence, criterion)
    if criterion.check.name in distrusted and verdict.outcome in _OUTCOME_WORDS:
        sentence = (
            f"This looks {_OUTCOME_WORDS[verdict.outcome]}; but people have disagreed with this check too "
            "often lately, so a person decides until somebody has looked at it."
        )
        return needs_review(Reason(text=sentence), *verdict.reasons)
    return verdict


def _found(evidence: Evidence, criterion: Criterion) -> Verdict:
    try:
        verdict = criterion.check(evidence, criterion.parameters)
        if not isinstance(verdict, Verdict):
            raise TypeError(
                f"the check {criterion.check.name!r} returned {type(verdict).__name__}, not a Verdict"
            )
        return after_a_failed_run(
            _as_accepted(verdict, criterion),
            evidence,
            criterion.check,
            criterion.parameters,
            on_failure=criterion.on_rerun_failure,
            failure=_how_it_failed(evidence.run),
        )
    except Exception as bug:  # noqa: BLE001 - a bug in a check must not cost marks, nor stop the other criteria
        _log_fault(evidence, criterion, bug)
        sentence = (
            f"A fault in the grader ({type(bug).__name__} in its check {criterion.check.name!r}) kept this "
            "from being checked: it costs no points, and a person decides."
        )
        return not_checked(Reason(text=sentence))


def _log_fault(evidence: Evidence, criterion: Criterion, bug: Exception) -> None:
    notebook = evidence.submission.notebook_sha256[:12]
    log.error("a fault in the check %s at the notebook %s: %s", criterion.check.name, notebook, trace_of(bug))


def _how_it_failed(run: Run | None) -> Reason:
    """How a run failed, with its first failing cell."""
    if run is None or (run.status is RunStatus.COMPLETED and not run.missing_modules):
        return Reason(text="No cell of our run failed.", source=Source.RERUN)
    cell = run.failed_cells[0].cell if run.failed_cells else None
    sentence = _missing_sentence(run) if run.status is RunStatus.COMPLETED else _status_sentence(run)
    return Reason(text=sentence, cell=cell, source=Source.RERUN)


def _as_accepted(verdict: Verdict, criterion: Criterion) -> Verdict:
    """The verdict, or a person's turn when none of its facts is from a source that the criterion accepts.

    A criterion that accepts every source asks nothing, so reasons without a source pass it too. What a replay
    decides rests on nothing else, whatever stands beside it.
    """
    if verdict.outcome not in _OUTCOME_WORDS or set(criterion.accepts) == set(Source):
        return verdict
    deciding = [source for source in verdict.sources if source is Source.REPLAYED] or verdict.sources
    if any(source in criterion.accepts for source in deciding):
        return verdict
    found = " and ".join(_SOURCE_WORDS[source] for source in verdict.sources) or "no named source"
    accepted = " or ".join(_SOURCE_WORDS[source] for source in criterion.accepts)
    sentence = (
        f"This looks {_OUTCOME_WORDS[verdict.outcome]}, judged by {found}; this criterion goes by "
        f"{accepted}, so a person decides."
    )
    return needs_review(Reason(text=sentence), *verdict.reasons)


def _flags_of_evidence(evidence: Evidence) -> Iterator[str]:
    """What a TA should know before trusting the verdicts."""
    yield from evidence.submission.remarks
    yield from evidence.notebook.remarks
    yield from flags_of_needs(evidence)
    yield from flags_of_foreign_outputs(evidence)
    yield from flags_of_shortcuts(evidence)
    if evidence.run is None:
        yield "It was not run: the verdicts rest on the code, the text and the outputs as handed in."
        return
    yield from _flags_of_run(evidence.run)
    yield from flags_of_replays(evidence)
    yield from flags_of_measurement(evidence)


def _flags_of_run(run: Run) -> Iterator[str]:
    if run.status is not RunStatus.COMPLETED:
        yield _status_sentence(run)
    if run.missing_modules:
        yield _missing_sentence(run)
    if run.keras is KerasFlavour.LEGACY:
        yield "It was run with legacy Keras (tf-keras), because it was written for Keras 2."
    for mend in run.mends:
        where = f" (cell {mend.cell})" if mend.cell is not None else ""
        yield f"Mended so that older code runs{where}: {mend.text}"
    if run.isolation != "bubblewrap":
        yield f"It was run without the usual isolation ({run.isolation})."
    yield from run.remarks


def _missing_sentence(run: Run) -> str:
    modules = ", ".join(run.missing_modules)
    return f"Our environment lacks {modules}: what needs it could not be run, our fault, no points lost."


def _status_sentence(run: Run) -> str:
    """How the run ended, with the number and the cell."""
    seconds = f"{run.wall_seconds:.0f} s"
    failed = run.failed_cells
    cells = "; ".join(f"cell {cell.cell}: {(cell.error or 'an error')[:160]}" for cell in failed[:3])
    more = f"; and {len(failed) - 3} more" if len(failed) > 3 else ""
    limits = run.limits
    ended = {
        RunStatus.CELL_FAILED: f"Run again, {_count(len(failed), 'cell')} raised an error",
        RunStatus.CUT_SHORT: f"The run was cut short at the time limit of {limits.wall_seconds:.0f} s",
        RunStatus.TIMED_OUT: f"The run was stopped after {seconds}: it did not end in time",
        RunStatus.OUT_OF_MEMORY: f"The run was stopped: it used its {_mib(limits.memory_bytes)} of memory up",
        RunStatus.TOO_MUCH_CPU: f"The run was stopped after {seconds}: all its processes together used more "
        f"than {limits.cpu_seconds:.0f} s of processor time",
        RunStatus.TOO_MUCH_DISK: f"The run was stopped: it wrote more than {_mib(limits.disk_bytes)}",
        RunStatus.TOO_MUCH_OUTPUT: f"The run was stopped: it printed more than {_mib(limits.output_bytes)}",
        RunStatus.TOO_MANY_PROCESSES: f"The run was stopped: it had more than {limits.processes} processes",
        RunStatus.TOO_MANY_FILES: f"The run had more than {limits.open_files} files open in one process",
        RunStatus.KERNEL_DIED: f"The kernel died after {seconds}",
        RunStatus.LOST: "The run was lost through a fault of ours; it will be run again",
    }[run.status]
    return f"{ended} ({cells}{more})." if cells else f"{ended}."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _mib(size_bytes: int) -> str:
    return f"{size_bytes // 1024**2} MiB"
