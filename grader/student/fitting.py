"""Whether a notebook is for the assignment that it is held against, by its name and by what is in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from rapidfuzz import fuzz

from grader.checks.previews import Sight
from grader.evidence.record import Evidence
from grader.intake.choice import assignments_named_in
from grader.model import Reason, Source
from grader.student.edition import Edition
from grader.student.findings import Finding

_ON_TOP = 3  # passages of text in which a notebook says what it is
_LINES_ON_TOP = 4  # of each of them
_TITLE_CHARS = 80  # a longer line tells of something, the first one aside
MUCH = 0.5  # of what an assignment asks for
_ALIKE = 88  # of 100, for a title
_IN_ANY_NOTEBOOK = frozenset(("names-given", "outputs-saved", "accuracy-at-least", "network-tested"))
TITLE = "It is a notebook for this assignment."


def assignments_named(evidence: Evidence, titles: Mapping[str, str]) -> dict[str, Reason]:
    """The assignments that a notebook calls itself by, in its file's name or on its top, and where.

    `titles` are those of the assignments that are known.
    """
    named: dict[str, Reason] = {}
    for text, cell in _texts_on_top(evidence):
        by_title = {name for name, title in titles.items() if _holds(text, title)}
        for name in sorted(assignments_named_in(text) | by_title):
            where = "The file's name" if cell is None else f"Cell {cell}"
            said = f"{where} calls it {titles.get(name) or name}."
            named.setdefault(name, Reason(text=said, cell=cell, source=Source.SOURCE))
    return named


def _texts_on_top(evidence: Evidence) -> Iterator[tuple[str, int | None]]:
    yield evidence.submission.notebook.rsplit(".", 1)[0].replace("_", " "), None
    for passage in evidence.prose.passages[:_ON_TOP]:
        first, *more = passage.text.split("\n")[:_LINES_ON_TOP]
        yield first[:200], passage.cell
        yield from ((line, passage.cell) for line in more if len(line) <= _TITLE_CHARS)


def _holds(text: str, title: str) -> bool:
    """Whether `title` stands in `text`, as it is or nearly so."""
    return len(text) >= 0.8 * len(title) and fuzz.partial_ratio(text.lower(), title.lower()) >= _ALIKE


def how_it_fits(evidence: Evidence, edition: Edition, asked_for: Sequence[Finding]) -> Finding:
    """Whether the notebook is for the assignment of `edition`, of which `asked_for` was looked for.

    Only one that calls itself another assignment's, and has nothing of what is asked for, is surely the
    wrong one.
    """
    titles = {edition.assignment: edition.title, **edition.others}
    named = assignments_named(evidence, titles)
    own = named.pop(edition.assignment, None)
    has_something = _is_any_found(edition, asked_for) or how_much_fits(edition, asked_for) >= MUCH
    if own is not None or (has_something and not named):
        text = "It has what this assignment asks for, or some of it."
        return _finding(Sight.FOUND, [own or Reason(text=text, source=Source.SOURCE)])
    others = list(named.values())
    if others and not has_something:
        text = f"Nothing was found of what {edition.title} ({edition.assignment}) asks for."
        return _finding(Sight.MISSING, [*others, Reason(text=text, source=Source.SOURCE)])
    if others:
        return _finding(Sight.UNCLEAR, others)
    text = f"Little was found that only {edition.title} ({edition.assignment}) asks for: is it the right one?"
    return _finding(Sight.UNCLEAR, [Reason(text=text, source=Source.SOURCE)])


def _telling(edition: Edition, asked_for: Iterable[Finding]) -> list[Finding]:
    """The findings that a notebook of another assignment would not give anyhow."""
    general = {item.id for item in edition.items if item.bonus or item.check in _IN_ANY_NOTEBOOK}
    return [finding for finding in asked_for if finding.id not in general]


def _is_any_found(edition: Edition, asked_for: Iterable[Finding]) -> bool:
    return any(finding.sight is Sight.FOUND for finding in _telling(edition, asked_for))


def how_much_fits(edition: Edition, asked_for: Iterable[Finding]) -> float:
    """The share of what an assignment asks for of which something was seen, in [0, 1]."""
    telling = _telling(edition, asked_for)
    return sum(map(_is_seen, telling)) / max(1, len(telling))


def _is_seen(finding: Finding) -> bool:
    """Whether something was found, or a cell that a run will look at."""
    has_cell = any(reason.cell is not None for reason in finding.reasons)
    return finding.sight is Sight.FOUND or (finding.sight is Sight.LATER and has_cell)


def _finding(sight: Sight, reasons: Sequence[Reason]) -> Finding:
    return Finding(id="right-assignment", title=TITLE, sight=sight, reasons=tuple(reasons), required=True)
