"""Writes what a person reads below `reports/<assignment>/`; all of it can be made again from the store."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path

import nbformat
from pydantic_core import to_json

from grader.errors import StoreError, trace_of
from grader.evidence.record import Evidence
from grader.model import Grade, Record, Rejected, Run
from grader.notebook.reading import notebook_from_node
from grader.processes import for_each
from grader.report.amounts import filled
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
    again: Sequence[Grade] = (),
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
    written only when something it shows has changed, the class page also when any grade was given. Grades
    `again` come without evidence: the pages that are there show all of it, and get other amounts. `others`
    are grades of the assignment that this call did not give: they stay on the class page; pages of anybody
    else are removed. Runs of `again` and `others` are from `run_of`. The class page's examples of mistakes
    are from `examples_from`, by the ids of hand-ins; None: from `evidence`. `standings` are those of all
    assignments, for the class page.
    Every file is replaced as a whole.
    Raises `StoreError` when something cannot be written.
    """
    at_hand = examples_from or {item.submission.id: item for item in evidence}
    standing = [*again, *others]
    everybody = [*grades, *standing]

    def show_class() -> None:
        write(to / "gradebook.csv", gradebook_csv(everybody, rejected))
        stamp = _stamp_of_class(everybody, rejected, title, standings)
        if not grades and not again and stamp_of(to) == stamp:
            return
        runs = {item.submission.id: item.run for item in evidence if item.run is not None}
        for grade in standing:
            run = run_of(grade.run_key) if grade.run_key is not None else None
            if run is not None:
                runs[grade.submission] = run
        page = render_class(everybody, rejected, runs, title=title, evidence=at_hand, standings=standings)
        write(to / _PAGE, stamp + page)

    def show(grade: Grade, item: Evidence | None) -> None:
        folder = to / grade.submission
        try:
            if item is None:
                _publish_again(grade, folder)
            else:
                _publish_submission(grade, item, title, executed, folder)
        except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError) as bug:
            # a bug in showing one hand-in must not cost the others their pages
            what = "the points" if item is None else f"the notebook {item.submission.notebook_sha256[:12]}"
            log.error("a fault of the grader in the report on %s: %s", what, trace_of(bug))
            write(folder / _PAGE, _NO_PAGE)

    shown: list[tuple[Grade, Evidence | None]] = [*zip(grades, evidence, strict=True)]
    shown += ((grade, None) for grade in again)
    pages: list[Callable[[], None]] = [show_class]  # takes longest
    pages += (partial(show, *one) for one in shown)
    with _told_with_mend(to):
        to.mkdir(parents=True, exist_ok=True)
        _remove_others(to, {grade.submission for grade in everybody})
        for_each(_make, pages)
    return to / _PAGE


@contextmanager
def _told_with_mend(to: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"The reports cannot be written below {to} ({error.strerror}: {error.filename}): make room or "
            "make it writable, then type the same command again; the grades are kept."
        ) from error


def _make(page: Callable[[], None]) -> None:
    page()


def _publish_submission(
    grade: Grade, evidence: Evidence, title: str, executed: Executed, folder: Path
) -> None:
    stamp = _stamp(_stamp_of_evidence(evidence, title), grade)
    if stamp_of(folder) == stamp:
        return
    folder.mkdir(parents=True, exist_ok=True)
    contacts = ContactsLeftOut(evidence)
    node = contacts.node(executed(evidence))
    notebook = None
    if node is not None:
        write(folder / "executed.ipynb", json.dumps(node, indent=1) + "\n")
        notebook = notebook_from_node(node)
    _write_grade(grade, folder)
    shown = contacts.grade(grade), contacts.evidence(evidence)
    html = render_submission(*shown, notebook, rubric_title=title)
    write(folder / _PAGE, stamp + html)  # last: a page that is there vouches for the files beside it


def _publish_again(grade: Grade, folder: Path) -> None:
    """Write other amounts into the page that is there, and its grade beside it."""
    first_line, _, page = (folder / _PAGE).read_bytes().decode().partition("\n")
    html = filled(page, grade)
    if html is None:
        raise ValueError("the page that is there does not ask for the amounts that there are")
    _write_grade(grade, folder)
    write(folder / _PAGE, _stamp(first_line.removeprefix(_STAMP).split()[0], grade) + html)


def _write_grade(grade: Grade, folder: Path) -> None:
    write(folder / "grade.json", to_json(grade_json(grade), indent=1).decode() + "\n")


def _stamp(of_evidence: str, grade: Grade) -> str:
    """A comment that begins a page and changes with everything that the page shows."""
    return f"{_STAMP}{of_evidence} {_sha256([grade.model_dump_json()])} -->\n"


def _stamp_of_evidence(evidence: Evidence, title: str) -> str:
    """The part of a page's stamp that changes with all that the page shows beside the grade."""
    parts: list[Record | None] = [evidence.submission, evidence.saved, evidence.run, evidence.rerun]
    parts += [evidence.observed, evidence.measured, *evidence.repeats, *(evidence.scripts or ())]
    shown = ("" if part is None else part.model_dump_json() for part in parts)
    return _sha256([title, _writer_sha256(), *shown])


def _stamp_of_class(
    grades: Iterable[Grade], rejected: Iterable[Rejected], title: str, standings: Iterable[Standing]
) -> str:
    """A comment that begins the class page and changes with everything that it shows of grades that stand."""
    in_order = sorted(grades, key=lambda grade: grade.submission)
    parts = (part.model_dump_json() for part in (*in_order, *rejected))
    return f"{_STAMP}{_sha256([title, _writer_sha256(), *parts, *map(repr, standings)])} -->\n"


def _sha256(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


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
