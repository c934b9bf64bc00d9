"""Looks at a student's notebook before it is handed in: evidence × student edition → `Looked`. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pydantic import ValidationError

from grader.checks.needs import Needs, cell_that_lacks, files_in_words, needs_of
from grader.checks.previews import Preview, Sight, later
from grader.checks.registry import all_checks
from grader.errors import RubricError
from grader.evidence.record import Evidence
from grader.model import Reason, RunStatus, Source
from grader.notebook.ipython import AUTOMAGICS
from grader.notebook.scopes import Unbound, read_names
from grader.student.edition import Edition, Item
from grader.student.faults import likely_faults
from grader.student.findings import Finding, Looked
from grader.student.fitting import how_it_fits

_SHOWN = 6
_AT_GRADING = later(Reason(text="This is looked at when it is graded."))
_AUTOMAGIC = re.compile(rf"\s*(?:{'|'.join(sorted(AUTOMAGICS))})\b(?!\s*[=(.\[])")
_LINE = re.compile(r"line (\d+): ")


def look(evidence: Evidence, edition: Edition) -> Looked:
    """What can be told of a notebook by what everybody may know of its assignment.

    `evidence` may hold a run with public data, or none. Raises `RubricError` when an item of `edition` does
    not fit its check.
    """
    asked_for = tuple(_looked_for(evidence, item) for item in edition.items)
    run = evidence.run
    return Looked(
        assignment=edition.assignment,
        title=edition.title,
        notebook=evidence.submission.notebook,
        was_run=run is not None,
        isolation=None if run is None else run.isolation.value,
        about_notebook=(
            how_it_fits(evidence, edition, asked_for),
            _runs_from_top_to_bottom(evidence),
            *_files_are_there(evidence),
        ),
        asked_for=asked_for,
        likely_faults=likely_faults(
            evidence, frozenset(edition.given_out), are_asked_for=_asks_for_faults(edition)
        ),
    )


# What is asked for ------------------------------------------------------------------------------------


def _looked_for(evidence: Evidence, item: Item) -> Finding:
    preview = _preview(evidence, item)
    return Finding(
        id=item.id,
        title=item.title,
        sight=preview.sight,
        reasons=tuple(dict.fromkeys(preview.reasons))[:_SHOWN],
        required=not item.bonus,
        is_asked_for=True,
    )


def _preview(evidence: Evidence, item: Item) -> Preview:
    check = all_checks().get(item.check)
    if check is None:
        return _AT_GRADING
    try:
        parameters = check.public_parameters(item.public)
    except ValidationError as error:
        wrong = ", ".join(".".join(map(str, detail["loc"])) for detail in error.errors())
        raise RubricError(
            f"The item {item.id!r} of the student edition does not fit the check {item.check!r} ({wrong}): "
            "get the edition anew, or the program in the version that it was made with."
        ) from error
    if parameters is None:
        return _AT_GRADING
    try:
        return check.preview(evidence, parameters)
    except Exception as bug:  # noqa: BLE001 - a bug in a check must not keep a student from all else
        text = (
            f"A fault of the program ({type(bug).__name__} in its check {check.name!r}) kept this from being "
            "looked at: tell your course, with your notebook. It is looked at when it is graded."
        )
        return later(Reason(text=text))


def _asks_for_faults(edition: Edition) -> bool:
    """Whether to find faults in code that was given out is the task."""
    return any(item.check == "script-mended" for item in edition.items)


# The notebook itself ----------------------------------------------------------------------------------


def _runs_from_top_to_bottom(evidence: Evidence) -> Finding:
    title = "It runs from top to bottom in a fresh session."
    if evidence.run is not None:
        sight, reasons = _how_it_ran(evidence)
    else:
        sight, reasons = _how_it_would_run(evidence)
    return Finding(id="runs", title=title, sight=sight, reasons=tuple(reasons), required=True)


def _how_it_ran(evidence: Evidence) -> tuple[Sight, list[Reason]]:
    run = evidence.run
    assert run is not None
    failed = [
        Reason(text=f"Cell {cell.cell} failed: {cell.error}", cell=cell.cell, source=Source.RERUN)
        for cell in run.failed_cells[:_SHOWN]
    ]
    if run.missing_modules:
        text = f"It needs {', '.join(run.missing_modules)}, which your Python does not have."
        return Sight.UNCLEAR, [Reason(text=text, source=Source.RERUN), *failed]
    if failed:
        return Sight.MISSING, failed
    how = run.status.value.replace("_", " ")
    if run.status is RunStatus.COMPLETED:
        text = f"All {len(run.cells)} code cells ran to their end, in {run.wall_seconds:.0f} s."
        return Sight.FOUND, [Reason(text=text, source=Source.RERUN)]
    text = f"The run did not come to its end ({how}, after {run.wall_seconds:.0f} s)."
    return Sight.UNCLEAR, [Reason(text=told, source=Source.RERUN) for told in (text, *run.remarks[:2])]


def _how_it_would_run(evidence: Evidence) -> tuple[Sight, list[Reason]]:
    names = read_names(evidence.code)
    certain = [*_unparsed(evidence), *map(_unbound_in_words, names.unbound)]
    if certain:
        return Sight.MISSING, sorted(certain, key=lambda reason: reason.cell or 0)[:_SHOWN]
    text = "Every cell is Python, and every name is set above where it is used, as far as reading can tell."
    if names.unknown_from is not None:
        text = (
            f"Every cell is Python. From cell {names.unknown_from} on it cannot be told where names come "
            "from (`import *` or the like)."
        )
    read = Reason(text=text, source=Source.SOURCE)
    stops = cell_that_lacks(needs_of(evidence))
    if stops is None:
        return Sight.FOUND, [read]
    text = f"It may stop in cell {stops}, which uses what was not found: see below."
    return Sight.UNCLEAR, [Reason(text=text, cell=stops, source=Source.SOURCE), read]


def _unparsed(evidence: Evidence) -> Iterator[Reason]:
    """The cells that are not Python; a line that only IPython understands is none."""
    for cell, message in evidence.code.unparsed:
        line = _LINE.match(message)
        if line is None:
            continue
        lines = evidence.code.source(cell).replace("\r\n", "\n").split("\n")
        number = int(line[1])
        text = lines[number - 1] if number <= len(lines) else ""
        if not _AUTOMAGIC.match(text):
            where = f"Cell {cell} is not Python, {message}"
            yield Reason(text=f"{where} (`{text.strip()[:60]}`).", cell=cell, source=Source.SOURCE)


def _unbound_in_words(unbound: Unbound) -> Reason:
    name, cell = unbound.name, unbound.cell
    use = f"Cell {cell} uses `{name}`"
    if unbound.through:
        use = f"Cell {cell} calls `{unbound.through}`, which uses `{name}`"
    if unbound.deleted_in is not None:
        text = f"{use}, which cell {unbound.deleted_in} deleted."
    elif unbound.set_in is None:
        text = f"{use}, and no cell sets it."
    elif unbound.set_in == cell:
        text = f"{use} above the line that sets it."
    else:
        text = f"{use}, which is set only further down, in cell {unbound.set_in}."
    return Reason(text=text, cell=cell, source=Source.SOURCE)


def _files_are_there(evidence: Evidence) -> Iterator[Finding]:
    """What has to be handed in with it, and what is not there; nothing where it needs no files."""
    needs = needs_of(evidence)
    beside = [attachment.name for attachment in evidence.submission.attachments]
    missing = list(_missing(needs))
    if not missing and not beside:
        return
    sight = Sight.UNCLEAR if missing else Sight.FOUND
    if beside:
        text = f"Hand in with it what it uses: {', '.join(f'`{name}`' for name in beside)}."
        missing.append(Reason(text=text, source=Source.SOURCE))
    yield Finding(id="files", title="The files that it uses are there.", sight=sight, reasons=tuple(missing))


def _missing(needs: Needs) -> Iterator[Reason]:
    if needs.gone:
        text = (
            f"Not beside the notebook: {files_in_words(needs.gone)}. Where it is graded there is only what "
            "you hand in: hand that in too, or do without it."
        )
        yield Reason(text=text, cell=needs.gone[0].cell, source=Source.SOURCE)
    for file, name in needs.elsewhere:
        text = (
            f"Cell {file.cell} opens `{file.path[:120]}`, and where it is graded that path leads nowhere: "
            f"open it as `{name}`."
        )
        yield Reason(text=text, cell=file.cell, source=Source.SOURCE)
    for module, cell in needs.modules.items():
        text = (
            f"`{module}` (cell {cell}) is neither a file beside the notebook nor a library known here: hand "
            "the file in too, or put its code into the notebook."
        )
        yield Reason(text=text, cell=cell, source=Source.SOURCE)
    if needs.downloaded:
        text = f"Downloaded, and there is no network where it is graded: {files_in_words(needs.downloaded)}."
        yield Reason(text=text, cell=needs.downloaded[0].cell, source=Source.SOURCE)
