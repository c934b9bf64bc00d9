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
            fixes = "every listed fix mends it" if script.fixes else "no fix is listed"
            console.print(Text(f"ok    {script.script.name}: fails as described, {fixes}"))
        console.print()


def show_bars(checked: Sequence[CheckedScript]) -> None:
    """Print the bars that the runs suggest, as lines of `scripts.yaml`."""
    console = Console(highlight=False)
    for script in checked:
        bar = script.proposed
        if bar is None:
            why = "no bar lies between the broken and the mended runs" if script.fixes else "no fix is listed"
            console.print(f"{script.script.name}: {why}; a bar is proposed between the two.", soft_wrap=True)
            continue
        loss = "" if bar.loss_below is None else f", loss_below: {bar.loss_below}"
        line = f"{script.script.name}:  bar: {{accuracy: {bar.accuracy}{loss}}}"
        console.print(Text(line), soft_wrap=True)


def _versions(script: CheckedScript) -> Table:
    bar = script.bar
    loss = "" if bar.loss_below is None else f", loss below {bar.loss_below:g}"
    title = f"{script.script.name}: {script.script.title} (bar: accuracy {bar.accuracy:g}{loss})"
    table = _table(title, "Version", "Steps", "Accuracy", "Loss, first", "last", "NaN from")
    table.add_row("as it is", *_figures(script.broken))
    for key, fix in zip(script.script.fixes, script.fixes, strict=True):
        table.add_row(key.id, *_figures(fix.runs))
    return table


def _table(title: str, *headings: str) -> Table:
    table = Table(
        title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True
    )
    for heading in headings:
        is_text = heading in ("Version", "From")
        table.add_column(heading, justify="left" if is_text else "right", overflow="fold")
    return table


def _figures(runs: Sequence[ScriptRun]) -> Iterator[str]:
    symptoms = [run.symptoms for run in runs]
    yield _span([one.steps for one in symptoms], ".5g")
    yield _span([one.accuracy for one in symptoms], ".3f")
    yield _span([one.first_loss for one in symptoms], ".2g")
    yield _span([one.last_loss for one in symptoms], ".2g")
    yield _span([one.not_finite_from for one in symptoms], ".5g")


def _span(values: Sequence[float | None], form: str) -> str:
    """The smallest and the largest of what is known, once when they look alike."""
    known = [value for value in values if value is not None]
    if not known:
        return "–"
    return "–".join(dict.fromkeys((f"{min(known):{form}}", f"{max(known):{form}}")))


def _layers(version: str, run: ScriptRun) -> Table:
    """One row per product of data and weights: what goes in at the first step, and its weights' gradient.

    Shares of zeros and norms of gradients are those of the first and of the last step that was looked at.
    """
    headings = ("Mean", "Deviation", "Zeros", "last", "Saturated", "‖g‖", "last")
    table = _table(f"{version}, layer by layer{_images(run)}", "Layer", "From", *headings)
    watched = run.watched
    if watched is None:
        return table
    for place, made_by in enumerate(watched.layers):
        mean, deviation, zeros, saturated = (
            _seen(watched, f"layer {place} {what}") for what in ("mean", "deviation", "zeros", "saturated")
        )
        norms = _seen(watched, f"gradient {run.order[place]}") if place < len(run.order) else ("–", "–")
        shares = (*zeros, saturated[0])
        table.add_row(str(place + 1), made_by or "images", mean[0], deviation[0], *shares, *norms)
    return table


def _images(run: ScriptRun) -> str:
    """How far neighbouring pixels of what goes in are alike."""
    smoothness = [] if run.watched is None else [v for _, v in run.watched.curve("layer 0 smoothness")]
    return f" (neighbouring pixels: correlation {smoothness[0]:.2f})" if smoothness else ""


def _seen(watched: Watched, column: str) -> tuple[str, str]:
    """A column at the first and the last step that tell it."""
    values = [value for _, value in watched.curve(column)]
    return (f"{values[0]:.2g}", f"{values[-1]:.2g}") if values else ("–", "–")
