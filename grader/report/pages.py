"""The pages a person reads, each one file that loads nothing: a page per hand-in, a page per class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from markupsafe import Markup

from grader.model import Grade, Rejected, Run
from grader.notebook.records import Notebook
from grader.report.allowance import PAGE
from grader.report.amounts import filled, room_for_amounts
from grader.report.cells import CELLS_SHOWN, view_cells
from grader.report.class_view import view_class
from grader.report.comparing import compare
from grader.report.criteria import CriterionView, criteria_by_cell, view_criteria, within
from grader.report.differences import view_differences
from grader.report.environment import environment
from grader.report.numbers import accuracy_rows
from grader.report.order import natural
from grader.report.pictures.accuracy import accuracies_of
from grader.report.pictures.standings import draw_standings
from grader.report.pictures.svg import Picture
from grader.report.pictures.where import OF_CHECKS, OF_EVIDENCE
from grader.report.sanitise import size_without_images
from grader.report.standing import Standing
from grader.report.tracing import trace

if TYPE_CHECKING:
    from grader.evidence.record import Evidence

_PLACE_OF_CELLS = "\0"  # what nothing that is shown holds


def render_submission(
    grade: Grade, evidence: Evidence, executed: Notebook | None, *, rubric_title: str
) -> str:
    """One self-contained HTML page for whoever handed in.

    `executed` is the notebook of our run, with the same cell numbers; None when there was none.
    Nothing of it depends on the clock: the same records give the same page.
    """
    run = evidence.run
    comparisons = compare(evidence.notebook, executed, run.cells if run else ())
    criteria = view_criteria(grade, evidence)
    render = partial(
        environment().get_template("submission.html.j2").render,
        page_title=f"{rubric_title} – {grade.submission}",
        rubric_title=rubric_title,
        grade=grade,
        criteria=criteria,
        submission=evidence.submission,
        run=run,
        pictures=_pictures(evidence, criteria),
        accuracies=accuracy_rows(evidence.saved, evidence.rerun),
        differences=view_differences(comparisons, evidence),
        trace=list(trace(grade, evidence)),
        notebook=evidence.notebook,
        cells_shown=min(len(evidence.notebook.cells), CELLS_SHOWN),
    )
    render_cells = partial(environment().get_template("cells.html.j2").render, criteria=criteria)
    before, _, after = render(cells=_PLACE_OF_CELLS).rpartition(_PLACE_OF_CELLS)
    taken = size_without_images(Markup(before + render_cells(cells=[]) + after)) + room_for_amounts(grade)
    cells = view_cells(evidence.notebook, comparisons, criteria_by_cell(grade), room=PAGE - taken)
    page = filled(before + render_cells(cells=cells) + after, grade)
    if page is None:
        raise ValueError("the templates do not ask for the amounts that there are")
    return page


def render_class(
    grades: Sequence[Grade],
    rejected: Sequence[Rejected],
    runs: Mapping[str, Run],
    *,
    title: str,
    evidence: Mapping[str, Evidence] | None = None,
    standings: Sequence[Standing] = (),
) -> str:
    """One self-contained HTML page for the TA: all hand-ins, what waits for a person, how criteria went.

    `runs` is keyed by submission id; a hand-in without a run may be missing there. Examples of mistakes come
    from `evidence`, keyed likewise. `standings` are of all assignments, this one among them. Links go to
    `<submission id>/index.html` beside the page.
    """
    return (
        environment()
        .get_template("class.html.j2")
        .render(
            page_title=title,
            title=title,
            view=view_class(grades, runs, rejected, evidence),
            standings=standings,
            progress=draw_standings(standings),
            rejected=sorted(rejected, key=lambda entry: natural(entry.id)),
            runs=runs,
        )
    )


def _pictures(evidence: Evidence, criteria: Sequence[CriterionView]) -> list[Picture]:
    """The pictures of the section on numbers; the accuracies too, where no criterion shows them."""
    has_accuracies = any(
        one.pictures and OF_CHECKS.get(one.criterion.check) is accuracies_of for one in criteria
    )
    of_evidence = chain.from_iterable(draw(evidence) for draw in OF_EVIDENCE)
    return list(within(of_evidence if has_accuracies else chain(accuracies_of(evidence), of_evidence)))
