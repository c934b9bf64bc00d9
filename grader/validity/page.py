"""The page `docs/validity.md`: what was tried where, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from grader.model import Record
from grader.references import Expected
from grader.rewriting.mutations import OPERATORS
from grader.validity import counting
from grader.validity.counting import Found, Row
from grader.validity.trials import Kind, Tried

_NOT_MET = (Expected.LOST, Expected.LOST_OR_REVIEW)
_LONGEST = 300  # characters of reasons that are shown
_INTRODUCTION = """\
# How valid the verdicts are

Written by `make validity`; what stands here is what that command saw. It runs notebooks of which is known
what they must get ([references](../reference_solutions/README.md)), with their full trainings, on the real
data sets, with other seeds in each repeat, and counts the verdicts that are not what they must be. Then it
changes the solution and the variants by program, in ways that must cost something, and lists the criteria
that were met all the same. Typed again, the command goes on where it was stopped; after a change of a check
it judges the stored runs anew."""


class Setting(Record):
    """Where and with what it was tried. `data` is the name and the SHA-256 of each data set."""

    date: str
    machine: str
    versions: dict[str, str]
    data: tuple[tuple[str, str], ...]
    repeats: dict[Kind, int]


def page(
    assignment: str, criteria: Sequence[str], accuracy: str, tried: Sequence[Tried], setting: Setting
) -> str:
    """The whole page, as Markdown. `accuracy` is the criterion that measured accuracies are taken from."""
    parts = [
        _INTRODUCTION,
        _what_was_run(assignment, tried, setting),
        _by_kind("The solution and its variants", tried, criteria, Kind.HONEST),
        _by_kind("Mutants", tried, criteria, Kind.MUTANT),
        _deviations(tried, criteria),
        _flips(tried, criteria),
        _gaps(tried, accuracy),
        _generated(tried, criteria),
    ]
    return "\n\n".join(parts) + "\n"


def _what_was_run(assignment: str, tried: Sequence[Tried], setting: Setting) -> str:
    kinds = {kind: [one for one in tried if one.trial.kind is kind] for kind in Kind}
    hours = sum(seen.seconds for one in tried for seen in one.seen) / 3600
    runs = sum(len(one.seen) for one in tried)
    return _section(
        "What was run",
        _table(
            ("what", "value"),
            [
                ("assignment", assignment),
                ("date", setting.date),
                ("solution and variants", _times(len(kinds[Kind.HONEST]), setting.repeats[Kind.HONEST])),
                ("mutants", _times(len(kinds[Kind.MUTANT]), setting.repeats[Kind.MUTANT])),
                ("generated mutations", _times(len(kinds[Kind.GENERATED]), setting.repeats[Kind.GENERATED])),
                ("runs", f"{runs}, {hours:.1f} hours in their cells"),
                ("data", "; ".join(f"{name}, real, SHA-256 {sha256[:12]}…" for name, sha256 in setting.data)),
                ("machine", setting.machine),
                ("versions", ", ".join(f"{name} {version}" for name, version in setting.versions.items())),
            ],
        ),
    )


def _times(notebooks: int, repeats: int) -> str:
    return f"{notebooks} notebooks, {repeats} repeat{'s' * (repeats != 1)}"


def _by_kind(title: str, tried: Sequence[Tried], criteria: Sequence[str], kind: Kind) -> str:
    its = [one for one in tried if one.trial.kind is kind]
    flipped = [flip.criterion for flip in counting.flips(its, criteria)]
    counted = counting.count_rows(its, criteria)
    head = (
        *("criterion", "must be met", "lost", "to a person"),
        *("must not be met", "met", "to a person", "a person's", "met", "lost", "flips"),
    )
    rows = [_row(row, flipped.count(row.criterion)) for row in counted]
    total = Row("**all**", sum((row.counts for row in counted), Counter()))
    note = (
        "Verdicts over all repeats, by what they must be, and how many came to something else. “To a person” "
        "counts only where a verdict was due. Flips are notebooks whose verdict differs between repeats."
    )
    return _section(title, note, _table(head, [*rows, _row(total, len(flipped))]))


def _row(row: Row, flipped: int) -> tuple[str, ...]:
    figures = (
        *(row.due(Expected.MET), row.found(Found.LOST, Expected.MET), row.found(Found.REVIEW, Expected.MET)),
        *(row.due(*_NOT_MET), row.found(Found.MET, *_NOT_MET), row.found(Found.REVIEW, Expected.LOST)),
        row.due(Expected.REVIEW),
        *(row.found(Found.MET, Expected.REVIEW), row.found(Found.LOST, Expected.REVIEW)),
        flipped,
    )
    return row.criterion, *(str(figure) for figure in figures)


def _deviations(tried: Sequence[Tried], criteria: Sequence[str]) -> str:
    lines = [
        f"- `{found.name}`, `{found.criterion}`: {found.found.value} instead of {found.due.value}, in repeat "
        f"{', '.join(map(str, found.repeats))}. {_shortened(found.why)}"
        for found in counting.deviations(tried, criteria)
    ]
    return _section("Verdicts that are not what they must be", _list(lines))


def _flips(tried: Sequence[Tried], criteria: Sequence[str]) -> str:
    lines = [
        f"- `{flip.name}`, `{flip.criterion}`: "
        + ", ".join(f"{count} times {found.value}" for found, count in flip.counts.most_common())
        + f" (must be {flip.due.value})."
        for flip in counting.flips(tried, criteria)
    ]
    return _section("Verdicts that flip", _list(lines))


def _gaps(tried: Sequence[Tried], accuracy: str) -> str:
    rows = [
        (gap.name, f"{gap.measured:.4f}", f"{gap.reported:.4f}", f"{abs(gap.measured - gap.reported):.4f}")
        for gap in counting.gaps(tried, accuracy)
    ]
    note = "The repeat in which the two differ most. Reported is the best that the outputs show."
    return _section(
        "Accuracy as measured and as reported",
        note,
        _table(("notebook", "measured on withheld images", "reported", "apart"), rows),
    )


def _generated(tried: Sequence[Tried], criteria: Sequence[str]) -> str:
    titles = {operator.name: operator.title for operator in OPERATORS}
    rows = [
        (
            *(f"`{found.name}`: {titles[found.name]}", str(found.notebooks), str(found.counts.total())),
            *(str(found.counts[kind]) for kind in (Found.LOST, Found.REVIEW)),
            str(found.counts[Found.MET] + found.counts[Found.NONE]),
        )
        for found in counting.operators(tried)
    ]
    head = ("mutation", "notebooks", "verdicts that must break", "lost", "to a person", "survived")
    lines = [
        f"- `{found.name}`, `{found.criterion}`: {_shortened(found.why)}"
        for found in counting.survivors(tried, criteria)
    ]
    note = "Survivors, each with the reason that its verdict gives:"
    return _section("Generated mutations", _table(head, rows), note, _list(lines))


def _section(title: str, *parts: str) -> str:
    return "\n\n".join([f"## {title}", *parts])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def _list(lines: Sequence[str]) -> str:
    return "\n".join(lines) or "None."


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST].rstrip()} …"
