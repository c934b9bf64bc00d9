"""The pages of the desk, made of the reports' own pieces."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from markupsafe import Markup

from grader.gradebook.decisions import mark_of
from grader.model import Grade, Record
from grader.report.criteria import CriterionView, view_criteria
from grader.report.environment import environment
from grader.review.desk import ReviewDesk, neighbours, progress
from grader.review.items import Item

if TYPE_CHECKING:
    from jinja2 import Environment

COMMENTS_SHOWN = 9  # one for each digit


class Reader(Record):
    """For whom a page is made: who signs, the key of their forms, whether they asked for names."""

    who: str
    csrf: str
    sees_names: bool = False


@cache
def _environment() -> Environment:
    from jinja2 import ChoiceLoader, PackageLoader

    reports = environment()
    ours = PackageLoader("grader.review", "templates")
    made = reports.overlay(loader=ChoiceLoader([ours, reports.loader] if reports.loader else [ours]))
    return made


@cache
def content_policy() -> str:
    """The policy of every page: nothing but our style, our script, pictures in the page, forms back to us."""
    ours = [f"style-src '{_sha256(_style())}'", f"script-src '{_sha256(_ours('review.js'))}'"]
    return "; ".join(["default-src 'none'", *ours, "img-src data:", "form-action 'self'", "base-uri 'none'"])


def overview_page(desk: ReviewDesk, reader: Reader) -> str:
    """Both ways through the work, by question and by student, with how much is done; groups in doubt."""
    items = desk.items()
    grades = desk.grades()
    titles = {item.criterion.id: item.criterion.title for item in items}
    students: dict[str, list[Item]] = {}
    for item in items:
        students.setdefault(item.key, []).append(item)
    return _render(
        "overview.html.j2",
        page_title=f"Review of {desk.assignment}",
        assignment=desk.assignment,
        reader=reader,
        names={key: _name(grades[key], reader) for key in students},
        titles=titles,
        questions=progress(items),
        students={key: (sum(i.is_decided for i in theirs), len(theirs)) for key, theirs in students.items()},
        doubtful=desk.doubtful_groups(),
        done=sum(item.is_decided for item in items),
        total=len(items),
    )


def item_page(
    desk: ReviewDesk,
    way: str,
    items: Sequence[Item],
    item: Item,
    reader: Reader,
    *,
    told: str = "",
    draft: tuple[str, str] = ("", ""),
) -> str:
    """One item: the passage in front, suggestion and evidence beside it, and the form to decide.

    `way` is `question` or `student`; `told` a sentence on what just happened; `draft` points and comment of a
    form that could not be taken.
    """
    before, after = neighbours(items, item)
    grade = desk.grades()[item.key]
    return _render(
        "item.html.j2",
        page_title=f"{item.key}: {item.criterion.title}",
        assignment=desk.assignment,
        way=way,
        item=item,
        name=_name(grade, reader),
        view=_view(desk, item, grade),
        grade=grade,
        number=items.index(item) + 1,
        total=len(items),
        left=sum(not other.is_decided for other in items),
        before=before,
        after=after,
        comments=desk.comments(item.criterion.id)[:COMMENTS_SHOWN],
        half=(item.criterion.points / 2).quantize(Decimal("0.01")),
        has_report=desk.report(item.key) is not None,
        seen=mark_of(item.criterion.override),
        reader=reader,
        kept_as=desk.draft(item),
        told=told,
        draft=draft,
        cells_shown=0,
    )


def message_page(title: str, sentence: str, *, form: str = "", csrf: str = "") -> str:
    """A page with one sentence; with `form="who"` it asks who is here."""
    return _render("message.html.j2", page_title=title, sentence=sentence, form=form, csrf=csrf)


def _name(grade: Grade, reader: Reader) -> str:
    """The name that Moodle gave, for who asked; "" otherwise."""
    return (grade.participant.name or "") if reader.sees_names else ""


def _view(desk: ReviewDesk, item: Item, grade: Grade) -> CriterionView | None:
    """The criterion with pictures and excerpts, None where the evidence is gone."""
    evidence = desk.evidence(item.submission)
    if evidence is None:
        return None
    views = view_criteria(grade, evidence)
    return next(view for view in views if view.criterion.id == item.criterion.id)


def _render(template: str, **values: object) -> str:
    page = _environment().get_template(template)
    return page.render(css=_style(), script=_ours("review.js"), policy=Markup(content_policy()), **values)


@cache
def _style() -> Markup:
    return Markup(f"{environment().globals['css']}\n{_ours('review.css')}")


@cache
def _ours(file: str) -> Markup:
    return Markup(files("grader.review").joinpath(f"templates/{file}").read_text(encoding="utf-8").strip())


def _sha256(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
