"""The page of a check before handing in: one file that loads nothing."""

from __future__ import annotations

from grader.report.environment import environment
from grader.student import wording
from grader.student.findings import Looked


def render(looked: Looked) -> str:
    """One self-contained HTML page with all that was found; nothing of it depends on the clock."""
    template = environment().get_template("check.html.j2")
    return template.render(page_title=f"{looked.title} – {looked.notebook}", looked=looked, wording=wording)
