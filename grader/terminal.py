"""What the command line shows: progress while rooms run, and the summary afterwards.

On a terminal with colours and a live bar (rich); plain lines, one per event, when it is a file or a pipe.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from grader.calibration.rule import Calibration
from grader.execution.forecast import Forecast, in_words
from grader.execution.running import Progress as ProgressFunction
from grader.exporting import MoodleExport
from grader.gradebook.changes import GradeChange
from grader.model import CriterionGrade, Grade, Group, Isolation, plain_amount
from grader.moodle.filling import Fate
from grader.pipeline import Graded
from grader.releasing import ReleasedGrade, Told
from grader.report.visible import show_hidden as visible
from grader.sandbox.doctor import Finding
from grader.trust import FEWEST_DECISIONS, LEAST_AGREEMENT, Agreement


@contextmanager
def progress_on_stderr(
    remaining_seconds: Callable[[], float | None] = lambda: None,
) -> Iterator[ProgressFunction]:
    """A function that shows how many of the notebooks that have to be run are done, and what is left of time.

    `remaining_seconds` estimates that, None while nothing is known.
    """
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield lambda doing, done, total: console.print(
            _line(doing, done, total, remaining_seconds()), soft_wrap=True
        )
        return
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, TextColumn("{task.fields[left]}"), console=console, transient=True) as bar:
        task = bar.add_task("running notebooks", total=None, left="")
        yield lambda doing, done, total: bar.update(
            task, completed=done, total=total, left=_left(remaining_seconds())
        )


def _line(doing: str, done: int, total: int, remaining_seconds: float | None) -> str:
    if done == 0:
        return f"running {total} notebook{'s' if total != 1 else ''}"
    left = _left(remaining_seconds)
    return f"[{done}/{total}] {doing}{', ' if left else ''}{left}".replace("[", r"\[")


def _left(seconds: float | None) -> str:
    """An estimate in words, no finer than it is true; "" for none."""
    return f"about {in_words(seconds)} left" if seconds else ""


def show_forecast(forecast: Forecast) -> None:
    """Say on stderr, before the first notebook is run, how long all of them will take."""
    Console(stderr=True, highlight=False).print(Text(forecast.sentence), soft_wrap=True)


def summarise(graded: Sequence[Graded]) -> None:
    """Print, per assignment: who has how many points, whose grade moved, what was rejected, what to open."""
    console = Console(highlight=False)
    for part in graded:
        if part.grades:
            _print_points(part, console)
        for change in part.changes:
            console.print(_moved(change), soft_wrap=True)
        for item in part.rejected:
            console.print(Text(f"not graded: {visible(item.id)}: {visible(item.reason)}"), soft_wrap=True)
        for name in part.lost:
            console.print(Text(f"lost: {name}: our machinery failed; type the same command again"))
        ran = f"{part.executed} run, the rest from store" if part.executed else "nothing had to be run"
        console.print(f"{len(part.grades)} graded ({ran}), {len(part.rejected)} not gradable.")
        if part.isolation is Isolation.NONE:
            console.print(Text("Run without isolation: every report says so.", style="bold"))
        console.print(Text(f"Open {_short(part.class_page)}"), soft_wrap=True)


def _short(path: Path) -> Path:
    """`path` as seen from here, where it lies below."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _print_points(part: Graded, console: Console) -> None:
    """A line per grade, in columns; not by a `Table` of rich, which is slow where a class is large."""
    heads = ("Hand-in", "Points", "Still open", "of")
    rows = [
        (_who(one), *map(plain_amount, (one.final_score, one.open_points, one.max_points)))
        for one in part.grades
    ]
    of_names, *widths = (max(map(cell_len, column)) for column in zip(heads, *rows, strict=True))
    of_names = min(of_names, console.width - sum(widths) - 9)  # a long name makes its own line long, no other

    def line(name: str, *amounts: str) -> str:
        padded = (amount.rjust(width) for amount, width in zip(amounts, widths, strict=True))
        return "   ".join((name + " " * (of_names - cell_len(name)), *padded))

    console.print(Text(f"Assignment {part.assignment}", style="italic"))
    console.print(Text(line(*heads), style="bold"), soft_wrap=True)
    console.out("\n".join(line(*row) for row in rows))


_TOLD = {
    Told.RAISED: "raised",
    Told.LOWERED: "lowered",
    Told.REWORDED: "same points, other reasons",
    Told.OPEN: "not released, points are open",
    Told.KEPT: "left as it was told",
}


def _who(grade: Grade) -> str:
    name = grade.participant.name
    return f"{grade.submission} ({visible(name)})" if name else grade.submission


def _moved(change: GradeChange) -> Text:
    criteria = ", ".join(
        f"{moved.id}: {_state(moved.old)} → {_state(moved.new)}" for moved in change.criteria
    )
    scores = f"{plain_amount(change.old_score)} → {plain_amount(change.new_score)}"
    return Text(f"moved: {change.submission}: {scores} points ({criteria or 'by what lateness costs'})")


def _state(criterion: CriterionGrade | None) -> str:
    """How a criterion stands: its outcome, or that a person decided, and the points."""
    if criterion is None:
        return "not asked"
    outcome = "decided" if criterion.override else criterion.verdict.outcome.value.replace("_", " ")
    points = "open" if criterion.awarded is None else plain_amount(criterion.awarded)
    return f"{outcome} ({points})"


def show_calibration(calibration: Calibration) -> None:
    """Print what was reached on each data set, and the thresholds and the band in the rubric and proposed."""
    console = Console(highlight=False)
    title = f"Assignment {calibration.assignment}, criterion {calibration.criterion}: withheld accuracy"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Data set", no_wrap=True)
    for heading in ("Min", "Median", "Spread", "SD", "Full", "Partly"):
        table.add_column(heading, justify="right", no_wrap=True)
    for reached in calibration.reached:
        figures = (min(reached.accuracies), reached.median, reached.spread, reached.deviation)
        now, proposed = reached.now, reached.proposed
        table.add_row(
            reached.dataset,
            *(f"{figure:.3f}" for figure in figures),
            f"{now.full:.2f} → {proposed.full:.2f}",
            f"{now.partly:.2f} → {proposed.partly:.2f}",
        )
    console.print(table)
    for reached in calibration.reached:
        origin = reached.origin.value.replace("_", "-")
        measured = f"{len(reached.accuracies)} of {calibration.seeds} seeds measured"
        console.print(f"{reached.dataset}: {reached.notebook}, {origin} data, {measured}.", soft_wrap=True)
    console.print(f"Band: {calibration.band:.2f} → {calibration.proposed_band:.2f}.")
    console.print(
        "Left of an arrow is what the rubric says, right of it what the rule of thumb says.", soft_wrap=True
    )


def show_release(found: Sequence[ReleasedGrade], spot_checks: int) -> None:
    """Print what a release told whom, what it left as it was and why, and how many spot checks are left."""
    console = Console(highlight=False)
    for one in found:
        if one.told in (Told.SAME, Told.NEW):
            continue
        before = "" if one.before is None else f"{plain_amount(one.before.final_score)} → "
        points = f"{before}{plain_amount(one.now.final_score)} points"
        line = f"{_TOLD[one.told]}: {visible(one.submission)}: {points}"
        console.print(Text(line), soft_wrap=True)
    counts = Counter(one.told for one in found)
    changed = sum(counts[told] for told in (Told.RAISED, Told.LOWERED, Told.REWORDED))
    console.print(
        f"{counts[Told.NEW]} released for the first time, {changed} changed, {counts[Told.SAME]} as "
        f"before, {counts[Told.OPEN]} still open, {counts[Told.KEPT]} not lowered.",
        soft_wrap=True,
    )
    if counts[Told.KEPT]:
        console.print("To lower what was told, sign for it: --lower --why TEXT.")
    if spot_checks:
        console.print(
            f"{spot_checks} spot checks of what the program decided alone are left: `grade review`.",
            soft_wrap=True,
        )


def show_moodle_export(made: MoodleExport) -> None:
    """Print what Moodle will take of a worksheet and what it will skip, and where the files are."""
    console = Console(highlight=False)
    for row in made.rows:
        if row.fate is Fate.SKIPPED:
            who = f"{row.participant} {visible(row.name)}".strip()
            console.print(Text(f"skipped: {who}: {visible(row.why)}"), soft_wrap=True)
    for name in made.unclaimed:
        console.print(Text(f"in no row: {visible(name)}"), soft_wrap=True)
    for name, why in made.without_report.items():
        console.print(Text(f"no feedback file: {visible(name)}: {why}"), soft_wrap=True)
    counts = Counter(row.fate for row in made.rows)
    console.print(
        f"Moodle will take {counts[Fate.TAKEN]} of {len(made.rows)} grades and {counts[Fate.COMMENT_ONLY]} "
        f"comments without a new grade; {counts[Fate.UNCHANGED]} are there already, "
        f"{counts[Fate.SKIPPED]} are skipped. It also skips, without a word, whoever was graded in Moodle "
        "after this worksheet was downloaded.",
        soft_wrap=True,
    )
    console.print(Text(f"1. Upload the grading worksheet {_short(made.worksheet)}"), soft_wrap=True)
    reports = f"{made.people} report{'' if made.people == 1 else 's'}"
    console.print(Text(f"2. Then the feedback files {_short(made.feedback)} ({reports})"), soft_wrap=True)


def show_changes(changes: Sequence[GradeChange], since: str) -> None:
    """Print whose grade moved between two states, and by which criteria."""
    console = Console(highlight=False)
    for change in changes:
        console.print(_moved(change), soft_wrap=True)
    console.print(f"{len(changes)} moved since {since}.")


def show_groups(found: Sequence[tuple[Group, Sequence[str]]]) -> None:
    """Print which hand-ins are graded together, and which are in doubt, with why and who decided."""
    console = Console(highlight=False)
    for group, hand_ins in found:
        state = "together" if group.is_shared else "in doubt" if group.waits else "apart"
        console.print(Text(f"{state}: {visible(', '.join(hand_ins))}"), soft_wrap=True)
        for doubt in group.doubts:
            console.print(Text(f"  {visible(doubt)}"), soft_wrap=True)
        if (told := group.decision) is not None:
            word = "together" if told.is_together else "apart"
            console.print(Text(f"  {visible(told.who)} decided: {word}. {visible(told.why)}"), soft_wrap=True)
    waiting = sum(group.waits for group, _ in found)
    console.print(f"{len(found)} groups, {waiting} wait for a person (--together or --apart HAND-IN).")


def show_agreements(found: Sequence[Agreement]) -> None:
    """Print, per check, how often people decided as it had, and whether it may decide alone."""
    console = Console(highlight=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("Check", "Decisions", "Agreed", "Ever", "Now"):
        table.add_column(heading, justify="left" if heading in ("Check", "Now") else "right")
    for one in found:
        share = "" if one.share is None else f"{one.share:.1%}"
        now = "decides" if one.is_trusted else "left to a person"
        ever = f"{one.ever.agreed} of {one.ever.decided}"
        table.add_row(Text(one.check), str(one.decided), share, ever, now)
    console.print(table)
    console.print(
        f"A check is left to a person when fewer than {LEAST_AGREEMENT:.0%} of at least {FEWEST_DECISIONS} "
        "decisions agreed with it, until somebody has looked at it (--looked-at CHECK).",
        soft_wrap=True,
    )


def show_findings(findings: Sequence[Finding]) -> None:
    """Print what `grade doctor` found, one line each, with the mend where something is missing."""
    console = Console(highlight=False)
    for finding in findings:
        mark = Text("ok  ", style="green") if finding.is_fine else Text("FAIL", style="bold red")
        console.print(Text.assemble(mark, f"  {finding.name}: {finding.text}"), soft_wrap=True)
