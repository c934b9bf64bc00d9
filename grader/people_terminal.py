"""What the command line shows of what is kept of people, before and after it goes."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from grader.forgetting import Kept
from grader.report.visible import show_hidden as visible
from grader.retention import Due, Kind


def show_kept(kept: Kept) -> None:
    """Print what is kept of one person: what would be removed, what stays, what is not ours to remove."""
    console = Console(highlight=False)
    for one, entries in zip(kept.hand_ins, kept.entries, strict=True):
        name = f" ({visible(one.participant.name)})" if one.participant.name else ""
        line = (
            f"{one.assignment}: {one.submission}{name}: {entries.grades} states of the grade, "
            f"{entries.decisions} decisions, {entries.releases} releases"
        )
        console.print(Text(line), soft_wrap=True)
    console.print(
        f"With them go {len(kept.runs)} runs, {len(kept.evidence)} pieces of evidence, {len(kept.reports)} "
        "reports, and what is made again: unpacked copies of hand-ins, class page, gradebook.csv, files for "
        "Moodle.",
        soft_wrap=True,
    )
    if kept.shared_runs:
        console.print(f"Stays: {kept.shared_runs} runs that the grade of somebody else rests on.")


def show_what_stays(kept: Kept) -> None:
    """Print, after a removal, what is still there and why, and what is the TA's to remove."""
    console = Console(highlight=False)
    console.print("Removed. The class page and gradebook.csv are made again by the next grading.")
    console.print(
        "Stays, without a name: that there was an erasure, when, in which assignment, of how many entries, "
        "and how often people had agreed with checks.",
        soft_wrap=True,
    )
    if kept.released_in:
        there = ", ".join(kept.released_in)
        console.print(
            f"A grade had been released in {there}: that there was one is kept, which one is not; Moodle has "
            "its own record.",
            soft_wrap=True,
        )
    console.print(
        "Not ours to remove: rows of decisions.csv and deadlines.yaml, zips, worksheets, dossiers, backups, "
        "and what lies in",
        soft_wrap=True,
    )
    for folder in kept.left or ("the folder that was graded",):
        console.print(Text(f"  {visible(str(folder))}"), soft_wrap=True)


_KINDS = {
    Kind.HAND_INS: "hand-ins, yours to remove",
    Kind.EVIDENCE: "runs, evidence, reports",
    Kind.GRADES: "grades, decisions, releases",
}


def show_due(found: Sequence[Due]) -> None:
    """Print what is kept for longer than was set, and where."""
    console = Console(highlight=False)
    for one in found:
        much = f"{one.entries} hand-ins" if one.kind is Kind.GRADES else f"{one.bytes / 1024**2:.1f} MiB"
        line = f"{one.assignment}: {_KINDS[one.kind]}: {much}, kept until {one.last_day:%Y-%m-%d}"
        console.print(Text(line), soft_wrap=True)
        if one.kind is Kind.HAND_INS:
            console.print(Text(f"  {visible(str(one.paths[0]))}"), soft_wrap=True)
    if not found:
        console.print("Nothing is due.")
