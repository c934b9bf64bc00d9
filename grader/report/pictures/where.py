"""Which pictures stand where on the page of a hand-in: the tables that a new picture is added to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from grader.evidence.record import Evidence
from grader.model import CriterionGrade
from grader.report.pictures.accuracy import accuracies_of
from grader.report.pictures.blocks import blocks_found
from grader.report.pictures.graph_gain import gains_seen
from grader.report.pictures.orders import order_seen
from grader.report.pictures.pipelines import pipelines_seen
from grader.report.pictures.scripts import script_seen
from grader.report.pictures.svg import Picture
from grader.report.pictures.trainings import measured_curves, printed_curves

# By the name of a check: below the reasons of every criterion that it judged.
OF_CHECKS: Mapping[str, Callable[[Evidence, CriterionGrade], Iterable[Picture]]] = {
    "accuracy-at-least": accuracies_of,
    "connected-blocks": blocks_found,
    "graph-gain": gains_seen,
    "order-described": order_seen,
    "script-mended": script_seen,
    "trained-from-pipeline": pipelines_seen,
}

# By what the evidence holds: in the section on the numbers, whatever the criteria are.
OF_EVIDENCE: tuple[Callable[[Evidence], Iterable[Picture]], ...] = (measured_curves, printed_curves)
