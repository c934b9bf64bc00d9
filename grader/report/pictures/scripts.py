"""A broken script and its mended version: the loss over the steps, and the gradients layer by layer."""

from __future__ import annotations

from collections.abc import Iterator

from grader.evidence.record import Evidence
from grader.evidence.scripts import ScriptRun, TriedScript
from grader.model import CriterionGrade
from grader.report.pictures.curves import Curve, Point, draw_curves
from grader.report.pictures.svg import Picture

_AS_IT_IS, _MENDED = "as it is", "with the fix"


def script_seen(evidence: Evidence, criterion: CriterionGrade) -> list[Picture]:
    """Loss and gradients of the script that a criterion asks about; nothing when it was not run."""
    tried = next((one for one in evidence.scripts or () if criterion.id in one.criteria), None)
    return [] if tried is None else pictures_of(tried)


def pictures_of(tried: TriedScript) -> list[Picture]:
    """Loss and gradients of a script as it is and with the fix that does best, as far as they were seen."""
    versions = list(_versions(tried))
    return [one for one in (_losses(tried, versions), _gradients(tried, versions)) if one is not None]


def _versions(tried: TriedScript) -> Iterator[tuple[str, str, ScriptRun]]:
    """Names, styles and runs: of the script as it is, and of the fix that does best."""
    if tried.broken is not None:
        yield _AS_IT_IS, "saved", tried.broken
    runs = [fix.runs[fix.best] for fix in tried.fixes if fix.runs]
    best = max(runs, key=lambda run: run.symptoms.accuracy or 0.0, default=None)
    if best is not None:
        yield _MENDED, "measured", best


def _losses(tried: TriedScript, versions: list[tuple[str, str, ScriptRun]]) -> Picture | None:
    curves = [
        Curve(name=f"{name}{_ending(run)}", points=_points(run, "loss"), style=style)
        for name, style, run in versions
    ]
    title = f"{tried.name}: the loss over its steps"
    return draw_curves(curves, title=title, across="step", is_share=False, is_logarithmic=True)


def _ending(run: ScriptRun) -> str:
    first = run.symptoms.not_finite_from
    return "" if first is None else f", NaN at step {first:,}"


def _points(run: ScriptRun, column: str) -> list[Point]:
    return [] if run.watched is None else [(float(step), value) for step, value in run.watched.curve(column)]


def _gradients(tried: TriedScript, versions: list[tuple[str, str, ScriptRun]]) -> Picture | None:
    """The norms of the weights' gradients, from the layer at the images to the one at the logits."""
    curves = []
    for name, style, run in versions:
        layers = [_points(run, f"gradient {slot}") for slot in run.order]
        if not layers or not all(layers):
            continue
        for moment, place, late in (("first step", 0, ""), ("last step", -1, "late")):
            points = [(float(layer), found[place][1]) for layer, found in enumerate(layers, 1)]
            curves.append(Curve(name=f"{name}, {moment}", points=points, style=f"{style} {late}".strip()))
    title = f"{tried.name}: size of the gradients, layer by layer"
    across = "layer, from the images to the logits"
    return draw_curves(curves, title=title, across=across, is_share=False, is_logarithmic=True)
