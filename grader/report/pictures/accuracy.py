"""Reported, run again, measured: accuracies side by side on one axis, with what was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from grader.evidence.record import Evidence
from grader.model import CriterionGrade, DatasetOrigin, Source, Visibility
from grader.notebook.records import Quantity, Readings, Split
from grader.report.pictures.svg import WIDTH, Picture, Scale, element, joined, linear, tick_label, ticks
from grader.report.wording import dataset_name

_LEFT, _RIGHT = 8, WIDTH - 8
_ROW, _ASKED, _AXIS = 47, 14, 26
_MOST_DOTS = 40
_LOWEST = (0.8, 0.5, 0.0)  # where the axis may begin


@dataclass(frozen=True, kw_only=True)
class Row:
    """Accuracies of one origin, in [0, 1]. `counts` is the one that is told, `asked` what was asked of it."""

    label: str
    values: Sequence[float]
    style: str
    counts: float
    asked: float | None = None


def accuracies_of(evidence: Evidence, criterion: CriterionGrade | None = None) -> Iterator[Picture]:
    """The picture of one hand-in's accuracies; with a `criterion`, also what its reasons say was asked for.

    By convention of the checks of accuracy, the numbers of a reason are what was reached and, where it is
    told, what was asked for. So nothing is drawn that the reasons do not tell, and for a criterion that
    students may not read beforehand not even that.
    """
    rows = [*_printed(evidence), *_measured(evidence)]
    if criterion is not None and criterion.visibility is Visibility.PUBLIC:
        rows = _with_what_was_asked(rows, criterion)
    picture = draw_accuracies(rows)
    if picture is not None:
        yield picture


def draw_accuracies(rows: Sequence[Row]) -> Picture | None:
    """One row per origin with a dot per value, and a dashed mark at what was asked for. None without rows."""
    if not rows:
        return None
    shown = [value for row in rows for value in (*row.values, *([] if row.asked is None else [row.asked]))]
    low = next(start for start in _LOWEST if min(shown) >= start + 0.02 or start == 0)
    x = linear(low, 1.0, _LEFT + 6, _RIGHT - 6)
    parts: list[Markup] = []
    top = 0.0
    for row in rows:
        parts += _row(x, row, top)
        top += _ROW if row.asked is None else _ROW + _ASKED
    return Picture(
        title="Accuracy: reported, run again, measured",
        description=" ".join(_in_words(row) for row in rows),
        height=top + _AXIS,
        body=joined([*_axis(x, low, top), *parts]),
    )


def _printed(evidence: Evidence) -> Iterator[Row]:
    for label, style, readings in (
        ("In the outputs you saved", "saved", evidence.saved),
        ("In the outputs of our run", "rerun", evidence.rerun),
    ):
        split, values = _of_tests(readings) if readings is not None else (Split.TEST, [])
        if values:
            doubt = "" if split is Split.TEST else " (data not named)"
            yield Row(label=label + doubt, values=values, style=style, counts=max(values))


def _of_tests(readings: Readings) -> tuple[Split, list[float]]:
    """Accuracies on test data; where none is told to be that, those of which nothing is told."""
    for split in (Split.TEST, Split.UNKNOWN):
        values = [n.value for n in readings.numbers if n.quantity is Quantity.ACCURACY and n.split is split]
        if values:
            return split, values
    return Split.TEST, []


def _measured(evidence: Evidence) -> Iterator[Row]:
    every = [run for run in (evidence.measured, *evidence.repeats) if run is not None]
    by_dataset: dict[str, list[float]] = {}
    for run in every:
        for training in run.trainings:
            by_dataset.setdefault(training.dataset, []).append(training.accuracy)
    stand_ins = {
        use.name
        for use in (evidence.run.datasets if evidence.run else ())
        if use.origin is DatasetOrigin.STAND_IN
    }
    for name, values in by_dataset.items():
        data = f"{dataset_name(name)}{' (stand-in)' if name in stand_ins else ''}"
        yield Row(label=f"Measured by us: {data}", values=values, style="measured", counts=max(values))


def _with_what_was_asked(rows: Sequence[Row], criterion: CriterionGrade) -> list[Row]:
    styles = {Source.MEASURED: "measured", Source.RERUN: "rerun", Source.REPLAYED: "saved"}
    asked = {
        (styles[reason.source], reason.numbers[0]): reason.numbers[1]
        for reason in criterion.verdict.reasons
        if reason.source in styles and len(reason.numbers) == 2
    }

    def held(row: Row) -> Row:
        for (style, reached), threshold in asked.items():
            if style == row.style and reached in row.values and 0 <= threshold <= 1:
                return replace(row, counts=reached, asked=threshold)
        return row

    return [held(row) for row in rows]


def _in_words(row: Row) -> str:
    among = f", one of {len(row.values)}" if len(row.values) > 1 else ""
    asked = f"; asked for: at least {row.asked:.2f}" if row.asked is not None else ""
    return f"{row.label}: {row.counts:.3f}{among}{asked}."


def _axis(x: Scale, low: float, bottom: float) -> Iterator[Markup]:
    for value in ticks(low, 1.0, 5):
        yield element("line", class_="grid", x1=x(value), x2=x(value), y1=33, y2=bottom)
        yield element(
            "text", tick_label(value), class_="tick", x=x(value), y=bottom + 18, text_anchor="middle"
        )


def _row(x: Scale, row: Row, top: float) -> Iterator[Markup]:
    y = top + 33
    yield element("text", row.label, class_="label", x=_LEFT, y=top + 16)
    yield element("text", f"{row.counts:.3f}", class_="value", x=_RIGHT, y=top + 16, text_anchor="end")
    yield element("line", class_="track", x1=_LEFT, x2=_RIGHT, y1=y, y2=y)
    for value in sorted(set(row.values) - {row.counts})[-_MOST_DOTS:]:
        yield element("circle", class_=f"other {row.style}", cx=x(value), cy=y, r=3.5)
    if row.asked is not None:
        side = "end" if x(row.asked) > WIDTH / 2 else "start"
        label = f"asked for: {row.asked:.2f}"
        yield element("line", class_="asked", x1=x(row.asked), x2=x(row.asked), y1=y - 9, y2=y + 20)
        yield element(
            "text",
            label,
            class_="tick",
            x=x(row.asked) + (-5 if side == "end" else 5),
            y=y + 18,
            text_anchor=side,
        )
    yield element("circle", class_=row.style, cx=x(row.counts), cy=y, r=5.5)
