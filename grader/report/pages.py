"""The pages a person reads, each one file that loads nothing: a page per hand-in, a page per class."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING
from urllib.parse import quote

from markupsafe import Markup

from grader.model import CriterionGrade, Grade, Outcome, Rejected, Run
from grader.notebook.records import Notebook
from grader.report import wording
from grader.report.cells import CELLS_SHOWN, view_cells
from grader.report.class_view import label, view_class
from grader.report.numbers import accuracy_rows
from grader.report.order import natural
from grader.report.sanitise import sanitise_html
from grader.report.visible import short_name, show_hidden

if TYPE_CHECKING:
    from jinja2 import Environment

    from grader.evidence.record import Evidence

_LEAD = 420  # characters of a reason before the rest is folded


def render_submission(
    grade: Grade, evidence: Evidence, executed: Notebook | None, *, rubric_title: str
) -> str:
    """One self-contained HTML page for whoever handed in.

    `executed` is the notebook of our run, with the same cell numbers; None when there was none.
    Nothing of it depends on the clock: the same records give the same page.
    """
    run = evidence.run
    return (
        _environment()
        .get_template("submission.html.j2")
        .render(
            page_title=f"{rubric_title} – {grade.submission}",
            rubric_title=rubric_title,
            grade=grade,
            submission=evidence.submission,
            run=run,
            notebook=evidence.notebook,
            cells=list(view_cells(evidence.notebook, executed, run.cells if run else ())),
            cells_shown=min(len(evidence.notebook.cells), CELLS_SHOWN),
            accuracies=accuracy_rows(evidence.saved, evidence.rerun),
            bonus=sum((c.awarded or Decimal(0) for c in grade.criteria if c.is_bonus), Decimal(0)),
            open_criteria=[criterion for criterion in grade.criteria if criterion.awarded is None],
        )
    )


def render_class(
    grades: Sequence[Grade], rejected: Sequence[Rejected], runs: Mapping[str, Run], *, title: str
) -> str:
    """One self-contained HTML page for the TA: all hand-ins, what waits for a person, how criteria went.

    `runs` is keyed by submission id; a hand-in without a run may be missing there. Links go to
    `<submission id>/index.html` beside the page.
    """
    return (
        _environment()
        .get_template("class.html.j2")
        .render(
            page_title=title,
            title=title,
            view=view_class(grades, runs),
            rejected=sorted(rejected, key=lambda entry: natural(entry.id)),
            runs=runs,
        )
    )


def anchor(criterion_id: str) -> str:
    """The id of a criterion's place on the page of a hand-in."""
    return "criterion-" + re.sub(r"[^A-Za-z0-9_-]", "-", criterion_id)


def page_address(submission: str, criterion_id: str | None = None) -> str:
    """The address of a hand-in's page as seen from the class page."""
    address = f"{quote(submission, safe='')}/index.html"
    return address if criterion_id is None else f"{address}#{anchor(criterion_id)}"


def folded(text: str) -> tuple[str, str]:
    """A reason as (what is shown at once, what is folded away), cut at a blank; both shown as text."""
    shown = show_hidden(text)
    if len(shown) <= _LEAD * 1.3:
        return shown, ""
    place = max(shown.rfind(blank, _LEAD // 2, _LEAD) for blank in (" ", "\n"))
    place = place if place > 0 else _LEAD
    return shown[:place], shown[place:].strip()


def coded(text: str) -> Markup:
    """`text`, escaped, with what stands between backticks set as code."""
    parts = re.split(r"`([^`\n]+)`", text)
    marked = (
        Markup("<code>{}</code>").format(part) if i % 2 else Markup.escape(part)
        for i, part in enumerate(parts)
    )
    return Markup("").join(marked)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("grader.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    css = files("grader.report").joinpath("templates/report.css").read_text(encoding="utf-8").strip()
    style = f"'sha256-{base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()}'"
    environment.globals.update(
        css=Markup(css),
        policy=f"default-src 'none'; style-src {style}; img-src data:; base-uri 'none'; form-action 'none'",
        words=wording,
        address=page_address,
        anchor=anchor,
        label=label,
    )
    environment.filters.update(
        seen=show_hidden,
        name=short_name,
        folded=folded,
        coded=coded,
        html=sanitise_html,
        tone=_tone,
        date=_date,
        stamp=datetime.isoformat,
    )
    return environment


def _tone(criterion: CriterionGrade) -> str:
    """The class that colours a criterion; a decision of a person stands above the verdict."""
    if criterion.override is None:
        return criterion.verdict.outcome.value
    if criterion.override.points >= criterion.points:
        return Outcome.MET.value
    return Outcome.PARTLY_MET.value if criterion.override.points else Outcome.NOT_MET.value


def _date(when: datetime) -> str:
    return f"{when.day} {when:%B %Y, %H:%M}"
