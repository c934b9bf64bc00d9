"""Writes what a person reads below `reports/<assignment>/`; all of it can be made again from the store."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

import nbformat

from grader.errors import StoreError, trace_of
from grader.evidence.record import Evidence
from grader.model import Grade, Record, Rejected, Run
from grader.notebook.reading import notebook_from_node
from grader.processes import for_each
from grader.report.contacts import ContactsLeftOut
from grader.report.grade_file import grade_json
from grader.report.pages import render_class, render_submission
from grader.report.standing import Standing
from grader.report.table import gradebook_csv
from grader.sources import sources_sha256

Executed = Callable[[Evidence], nbformat.NotebookNode | None]


log = logging.getLogger(__name__)

_PAGE = "index.html"
_STAMP = "<!-- grader "
_FIRST_LINE_BYTES = 200
_NO_PAGE = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>No report</title><p>A fault in the grader kept "
    "this report from being made. The grade is in grade.json beside it and in the gradebook.</p></html>\n"
)


def publish(
    grades: Sequence[Grade],
    evidence: Sequence[Evidence],
    rejected: Sequence[Rejected],
    *,
    others: Sequence[Grade] = (),
    examples_from: Mapping[str, Evidence] | None = None,
    run_of: Callable[[str], Run | None] = lambda key: None,
    title: str,
    executed: Executed,
    standings: Sequence[Standing] = (),
    to: Path,
) -> Path:
    """Write the pages of one assignment and return the class page's path.

    `executed` gives a hand-in's notebook with the outputs of our run, None where there is none. A page is
    written only when something it shows has changed, the class page also when any grade was given. `others`
    are grades of the assignment that this call did not give: they stay on the class page, with their runs
    from `run_of`; pages of anybody else are removed. Its examples of mistakes are from `examples_from`, by
    the ids of hand-ins; None: from `evidence`. `standings` are those of all assignments, for the class page.
    Every file is replaced as a whole.
    Raises `StoreError` when something cannot be written.
    """
    try:
        at_hand = examples_from or {item.submission.id: item for item in evidence}
        return _publish(grades, evidence, rejected, others, at_hand, run_of, title, executed, standings, to)
    except OSError as error:
        raise StoreError(
            f"The reports cannot be written below {to} ({error.strerror}: {error.filename}): make room or "
            "make it writable, then type the same command again; the grades are kept."
        ) from error


def _publish(
    grades: Sequence[Grade],
    evidence: Sequence[Evidence],
    rejected: Sequence[Rejected],
    others: Sequence[Grade],
    at_hand: Mapping[str, Evidence],
    run_of: Callable[[str], Run | None],
    title: str,
    executed: Executed,
    standings: Sequence[Standing],
    to: Path,
) -> Path:
    to.mkdir(parents=True, exist_ok=True)

    def show(grade_and_evidence: tuple[Grade, Evidence]) -> None:
        grade, item = grade_and_evidence
        try:
            _publish_submission(grade, item, title, executed, to / grade.submission)
        except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError) as bug:
            # a bug in showing one hand-in must not cost the others their pages
            notebook = item.submission.notebook_sha256[:12]
            log.error("a fault of the grader in the report on the notebook %s: %s", notebook, trace_of(bug))
            write(to / grade.submission / _PAGE, _NO_PAGE)

    for_each(show, list(zip(grades, evidence, strict=True)))
    everybody = [*grades, *others]
    _remove_others(to, {grade.submission for grade in everybody})
    write(to / "gradebook.csv", gradebook_csv(everybody, rejected))
    stamp = _stamp_of_class(everybody, rejected, title, standings)
    if grades or stamp_of(to) != stamp:
        runs = {item.submission.id: item.run for item in evidence if item.run is not None}
        for grade in others:
            run = run_of(grade.run_key) if grade.run_key is not None else None
            if run is not None:
                runs[grade.submission] = run
        page = render_class(everybody, rejected, runs, title=title, evidence=at_hand, standings=standings)
        write(to / _PAGE, stamp + page)
    return to / _PAGE


def _publish_submission(
    grade: Grade, evidence: Evidence, title: str, executed: Executed, folder: Path
) -> None:
    stamp = _stamp(grade, evidence, title)
    if stamp_of(folder) == stamp:
        return
    folder.mkdir(parents=True, exist_ok=True)
    contacts = ContactsLeftOut(evidence)
    node = contacts.node(executed(evidence))
    notebook = None
    if node is not None:
        write(folder / "executed.ipynb", json.dumps(node, indent=1) + "\n")
        notebook = notebook_from_node(node)
    write(folder / "grade.json", json.dumps(grade_json(grade), ensure_ascii=False, indent=1) + "\n")
    shown = contacts.grade(grade), contacts.evidence(evidence)
    html = render_submission(*shown, notebook, rubric_title=title)
    write(folder / _PAGE, stamp + html)  # last: a page that is there vouches for the files beside it


def _stamp(grade: Grade, evidence: Evidence, title: str) -> str:
    """A comment that begins a page and changes with everything that the page shows."""
    parts: list[Record | None] = [grade, evidence.submission, evidence.saved, evidence.run, evidence.rerun]
    parts += [evidence.observed, evidence.measured, *evidence.repeats, *(evidence.scripts or ())]
    return _stamp_over(title, ("" if part is None else part.model_dump_json() for part in parts))


def _stamp_of_class(
    grades: Iterable[Grade], rejected: Iterable[Rejected], title: str, standings: Iterable[Standing]
) -> str:
    """A comment that begins the class page and changes with everything that it shows of grades that stand."""
    in_order = sorted(grades, key=lambda grade: grade.submission)
    parts = (part.model_dump_json() for part in (*in_order, *rejected))
    return _stamp_over(title, (*parts, *map(repr, standings)))


def _stamp_over(title: str, parts: Iterable[str]) -> str:
    shown = "\n".join([title, _writer_sha256(), *parts])
    return f"{_STAMP}{hashlib.sha256(shown.encode('utf-8', 'surrogatepass')).hexdigest()} -->\n"


@cache
def _writer_sha256() -> str:
    """SHA-256 over this package: pages are written anew when what writes them has changed."""
    files = Path(__file__).parent.rglob("*.*")
    return sources_sha256(file for file in files if file.suffix in (".py", ".j2", ".css", ".js"))


def stamp_of(folder: Path) -> str:
    """The stamp of the page in a hand-in's folder; "" where there is none, or what a fault left behind."""
    try:
        with (folder / _PAGE).open("rb") as file:
            line = file.readline(_FIRST_LINE_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
    return line if line.startswith(_STAMP) else ""


def _remove_others(folder: Path, present: Iterable[str]) -> None:
    """Remove pages made by us for hand-ins that are gone; leave anything else alone."""
    keep = set(present)
    for page in folder.glob("*/grade.json"):
        if page.parent.name not in keep:
            shutil.rmtree(page.parent)


def write(path: Path, text: str) -> None:
    """Write `text` as UTF-8, all of it or nothing; what UTF-8 cannot hold is replaced."""
    handle, draft = tempfile.mkstemp(prefix=".draft-", dir=path.parent)
    with os.fdopen(handle, "w", encoding="utf-8", errors="replace", newline="\n") as file:
        file.write(text)
    Path(draft).chmod(0o644)
    Path(draft).replace(path)
