"""What `grade references` shows: each script as it is and mended, in numbers, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader.evidence.scripts import ScriptRun
from grader.evidence.watched import Watched
from grader.script_references import CheckedScript


def show_scripts(checked: Sequence[CheckedScript]) -> None:
    """Print, per script: what each version reaches over seeds, its layers, and what is not as described."""
    console = Console(highlight=False)
    for script in checked:
        console.print(_versions(script))
        console.print(_layers("as it is", script.broken[0]))
        for key, fix in zip(script.script.fixes, script.fixes, strict=True):
            if fix.runs:
                console.print(_layers(key.id, fix.runs[fix.best]))
        for fault in script.faults:
            console.print(Text(f"FAIL  {script.script.name}: {fault}", style="bold red"), soft_wrap=True)
        if not script.faults:
            console.print(Text(f"ok    {script.script.name}: fails as described, every fix mends it"))
        console.print()


def show_bars(checked: Sequence[CheckedScript]) -> None:
    """Print the bars that the runs suggest, as lines of `scripts.yaml`."""
    console = Console(highlight=False)
    for script in checked:
        bar = script.proposed
        if bar is None:
            console.print(f"{script.script.name}: no bar lies between the broken and the mended runs.")
            continue
        loss = "" if bar.loss_below is None else f", loss_below: {bar.loss_below}"
        line = f"{script.script.name}:  bar: {{accuracy: {bar.accuracy}{loss}}}"
        console.print(Text(line), soft_wrap=True)


def _versions(script: CheckedScript) -> Table:
    bar = script.bar
    loss = "" if bar.loss_below is None else f" and a loss below {bar.loss_below:g}"
    title = f"{script.script.name}: {script.script.title} (bar: accuracy {bar.accuracy:g}{loss})"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Version", no_wrap=True)
    for heading in ("Steps", "Accuracy", "Loss, first", "Loss, last", "Not finite from"):
        table.add_column(heading, justify="right")
    table.add_row("as it is", *_figures(script.broken))
    for key, fix in zip(script.script.fixes, script.fixes, strict=True):
        table.add_row(key.id, *_figures(fix.runs))
    return table


def _figures(runs: Sequence[ScriptRun]) -> Iterator[str]:
    symptoms = [run.symptoms for run in runs]
    yield _span([one.steps for one in symptoms])
    yield _span([one.accuracy for one in symptoms])
    yield _span([one.first_loss for one in symptoms])
    yield _span([one.last_loss for one in symptoms])
    yield _span([one.not_finite_from for one in symptoms])


def _span(values: Sequence[float | None]) -> str:
    """The smallest and the largest of what is known, once when they look alike."""
    known = [value for value in values if value is not None]
    if not known:
        return "–"
    return "–".join(dict.fromkeys((f"{min(known):.4g}", f"{max(known):.4g}")))


def _layers(version: str, run: ScriptRun) -> Table:
    """One row per product of data and weights: what goes in, and the norm of its weights' gradient."""
    table = Table(title=f"  {version}", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    headings = (
        "Layer",
        "Input from",
        "Mean",
        "Deviation",
        "Zeros",
        "Saturated",
        "Smooth",
        "‖g‖ first",
        "last",
    )
    for heading in headings:
        table.add_column(heading, justify="left" if heading == "Input from" else "right", no_wrap=True)
    watched = run.watched
    if watched is None:
        return table
    for place, made_by in enumerate(watched.layers):
        slot = run.order[place] if place < len(run.order) else None
        gradients = [] if slot is None else [value for _, value in watched.curve(f"gradient {slot}")]
        columns = [
            _seen(watched, place, what) for what in ("mean", "deviation", "zeros", "saturated", "smoothness")
        ]
        norms = [f"{gradients[0]:.2g}", f"{gradients[-1]:.2g}"] if gradients else ["–", "–"]
        table.add_row(str(place + 1), made_by or "images", *columns, *norms)
    return table


def _seen(watched: Watched, place: int, what: str) -> str:
    """A layer's figure at the last step that tells one."""
    values = [value for _, value in watched.curve(f"layer {place} {what}")]
    return f"{values[-1]:.3g}" if values else "–"
