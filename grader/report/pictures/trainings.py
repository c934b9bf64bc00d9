"""Curves of trainings: as the saved outputs and our run print them, and as measured by us on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from grader.evidence.measured import MeasuredTraining
from grader.evidence.record import Evidence
from grader.notebook.records import Quantity, Readings, Series, Split
from grader.report.pictures.curves import Curve, Point, draw_curves
from grader.report.pictures.svg import Picture
from grader.report.wording import SPLITS, dataset_name

_MOST_PRINTED = 6  # pictures
_MOST_MEASURED = 40  # curves in one picture
_FEWEST_POINTS = 3
_TITLES = {
    (Quantity.ACCURACY, True): "the accuracy over its steps",
    (Quantity.LOSS, True): "the loss over its steps",
    (Quantity.ACCURACY, False): "the accuracies that it prints",
    (Quantity.LOSS, False): "the losses that it prints",
}


def printed_curves(evidence: Evidence) -> Iterator[Picture]:
    """One picture per cell and quantity of which a series was printed, by cell: those of trainings that were
    cut short, then the longest series.
    """
    saved, ours = _by_place(evidence.saved), _by_place(evidence.rerun)
    replayed = {(replay.cell, replay.quantity) for replay in evidence.replays}
    places = sorted(
        saved.keys() | ours.keys(),
        key=lambda at: (at not in replayed, -_longest(saved.get(at), ours.get(at)), at),
    )
    for cell, quantity in sorted(places[:_MOST_PRINTED], key=lambda at: (at not in replayed, at)):
        both = {"as saved": saved.get((cell, quantity), ()), "in our run": ours.get((cell, quantity), ())}
        series = [one for group in both.values() for one in group]
        has_steps = all(_has_steps(one) for one in series)
        curves = [
            Curve(
                name=_name(one.split, quantity, whose),
                points=_points(one, has_steps=has_steps),
                style=f"{'saved' if whose == 'as saved' else 'rerun'} {_second(one, group)}".strip(),
            )
            for whose, group in both.items()
            for one in group
        ]
        picture = draw_curves(
            curves,
            title=f"Cell {cell}: {_TITLES[quantity, has_steps]}",
            across="step or epoch" if has_steps else "in the order printed",
            is_share=quantity is Quantity.ACCURACY,
        )
        if picture is not None:
            yield picture


def measured_curves(evidence: Evidence) -> Iterator[Picture]:
    """One picture per data set: the accuracy before, during and after each training, the best one marked."""
    steps = {seen.id: seen.updates for seen in (evidence.observed.trainings if evidence.observed else ())}
    by_dataset: dict[str, list[MeasuredTraining]] = {}
    for training in evidence.measured.trainings if evidence.measured else ():
        by_dataset.setdefault(training.dataset, []).append(training)
    for dataset, trainings in by_dataset.items():
        ordered = sorted(trainings, key=lambda one: one.accuracy)[-_MOST_MEASURED:]
        others = [
            Curve(name="", points=_measured_points(one, steps), style="measured other")
            for one in ordered[:-1]
        ]
        name = f"the best of {len(trainings)} trainings" if len(trainings) > 1 else "the training"
        best = Curve(name=name, points=_measured_points(ordered[-1], steps), style="measured")
        picture = draw_curves(
            [*others, best],
            title=f"{dataset_name(dataset)}: measured accuracy during training",
            across="updates of the weights",
            is_share=True,
        )
        if picture is not None:
            yield picture


def _by_place(readings: Readings | None) -> dict[tuple[int, Quantity], list[Series]]:
    found: dict[tuple[int, Quantity], list[Series]] = {}
    for series in readings.series if readings is not None else ():
        if len(series.values) >= _FEWEST_POINTS or _has_steps(series):
            found.setdefault((series.cell, series.quantity), []).append(series)
    return found


def _longest(*groups: Sequence[Series] | None) -> int:
    return max(len(series.values) for group in groups for series in group or ())


def _has_steps(series: Series) -> bool:
    """Whether at least all values but a last one, of the end, were printed with their step."""
    return len(series.steps) > 1 and None not in series.steps[:-1]


def _points(series: Series, *, has_steps: bool) -> list[Point]:
    if not has_steps:
        return [(float(place), value) for place, value in enumerate(series.values, 1)]
    return [
        (float(at), value) for at, value in zip(series.steps, series.values, strict=True) if at is not None
    ]


def _name(split: Split, quantity: Quantity, whose: str) -> str:
    what = f"{SPLITS[split]} {quantity.value}".strip()
    return f"{what}, {whose}"


def _second(series: Series, group: Sequence[Series]) -> str:
    """The class that tells a second and third curve of one origin from the first."""
    return ("", "second", "third", "fourth")[min(3, group.index(series))]


def _measured_points(training: MeasuredTraining, steps: dict[int, int]) -> list[Point]:
    points = [] if training.before is None else [(0.0, training.before)]
    points += [(float(step), accuracy) for step, accuracy in training.during]
    end = float(steps.get(training.training, 0))
    return [*(point for point in points if point[0] < end), (end, training.accuracy)]
