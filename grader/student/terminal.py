"""What `grade check` prints: a line for each thing that was looked at, and what was seen of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from grader.report.visible import show_hidden as visible
from grader.student.findings import Finding, Looked
from grader.student.wording import (
    COUNTING,
    GOES_BY,
    STYLES,
    how_it_was_looked_at,
    sections,
    summary,
    word_of,
)

_SHOWN = 3  # reasons of one finding
_LONGEST = 400  # characters of one reason
_WORD = 9  # columns of the longest word


@contextmanager
def working_on(doing: str) -> Iterator[None]:
    """Say on stderr what takes long, while it does; nothing where there is nothing to say."""
    console = Console(stderr=True, highlight=False)
    if not doing:
        yield
    elif console.is_terminal:
        with console.status(doing):
            yield
    else:
        console.print(doing)
        yield


def show(looked: Looked) -> None:
    """Print what was found, as wide as the terminal is."""
    console = Console(highlight=False)
    console.print(Text(f"{visible(looked.title)} ({looked.assignment})", style="bold"))
    console.print(Text(f"{visible(looked.notebook)}: {how_it_was_looked_at(looked)} {COUNTING}"))
    for title, findings in sections(looked):
        if findings:
            console.print()
            console.print(Text(title, style="bold"))
            console.print(_table(findings))
    console.print()
    console.print(Text(summary(looked), style="bold"))
    for finding in looked.failures:
        console.print(Padding(Text(f"- {visible(finding.title)}"), (0, 0, 0, 2)))
    console.print(Text(GOES_BY))


def _table(findings: Sequence[Finding]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, min_width=_WORD)
    table.add_column(overflow="fold")
    for finding in findings:
        text = Text(visible(finding.title))
        for reason in finding.reasons[:_SHOWN]:
            text.append(f"\n{visible(reason.text)[:_LONGEST]}", style="dim")
        table.add_row(Text(word_of(finding), style=STYLES[finding.sight]), text)
    return table
