"""The page that lays works side by side, for teaching staff."""

from __future__ import annotations

from collections.abc import Sequence

from jinja2 import ChoiceLoader, PackageLoader

from grader.likeness.comparing import Likeness
from grader.report.environment import environment
from grader.report.visible import escaped_within

_MOST_CELL = 4000  # bytes of a cell that are shown


def likeness_page(assignment: str, found: Sequence[Likeness], *, works: int, material: int) -> str:
    """One page that loads nothing: each pair with the cells in which it is most alike.

    `works` is how many were compared, `material` how many runs of course material were taken away.
    """
    reports = environment()
    ours = PackageLoader("grader.likeness", "templates")
    made = reports.overlay(loader=ChoiceLoader([ours, reports.loader] if reports.loader else [ours]))
    return made.get_template("likeness.html.j2").render(
        page_title=f"Likeness in {assignment}",
        assignment=assignment,
        found=found,
        works_compared=works,
        material=material,
        shown=lambda cell: escaped_within(cell.source, _MOST_CELL, keep_end=False),
    )
