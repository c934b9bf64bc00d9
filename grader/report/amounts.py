"""What a hand-in's page tells in points: filled in last, and anew where a grade differs in nothing else.

The rubric's fingerprint is filled in with them: it changes whenever points do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from markupsafe import Markup

from grader.model import CriterionGrade, Grade
from grader.report.criteria import tone
from grader.report.environment import environment
from grader.report.wording import awarded_briefly, awarded_words

_END = "<!--end-->"
_AMOUNT = re.compile(rf"(<!--amount (\w+)-->).*?({_END})", re.DOTALL)  # no hand-in's own comment is shown
_SHOWN_OF_GRADES = Grade.model_fields.keys() - {
    *("criteria", "rubric_sha256", "pass_points", "late", "flags"),  # flags are not for who handed in
}
_SHOWN_OF_CRITERIA = CriterionGrade.model_fields.keys() - {"points", "is_bonus"}
_SCORE, _EACH = 1_000, 60  # bytes, at most: of the score with its sentences, of a criterion's amounts


def room_for_amounts(grade: Grade) -> int:
    """The bytes that are left free for amounts when the rest of a page is cut to fit."""
    return _SCORE + _EACH * len(grade.criteria)


def filled(page: str, grade: Grade) -> str | None:
    """The page of a hand-in with the amounts of `grade`; None where it does not ask for just these."""
    amounts = dict(_amounts(grade))
    asked: list[str] = []

    def fill(found: re.Match[str]) -> str:
        before, name, after = found.groups()
        asked.append(name)
        return f"{before}{amounts.get(name, '')}{after}"

    told, end, cells = page.rpartition(_END)  # far above the end of most pages
    page = _AMOUNT.sub(fill, told + end) + cells
    return page if sorted(asked) == sorted(amounts) else None


def differ_in_amounts_only(grade: Grade, other: Grade) -> bool:
    """Whether the pages of two grades of a hand-in tell the same, amounts aside."""
    return _without_amounts(grade) == _without_amounts(other)


def _amounts(grade: Grade) -> Iterator[tuple[str, Markup]]:
    """All amounts on the page, each by the name that the templates call it by."""
    yield "rubric", Markup.escape(grade.rubric_sha256)
    score = environment().get_template("score.html.j2")
    open_criteria = [one for one in grade.criteria if one.is_open]
    bonus = sum((one.awarded or Decimal(0) for one in grade.criteria if one.is_bonus), Decimal(0))
    yield "score", Markup(score.render(grade=grade, open_criteria=open_criteria, bonus=bonus))
    for number, criterion in enumerate(grade.criteria, 1):
        yield f"glance_{number}", Markup.escape(awarded_briefly(criterion, grade.scale))
        yield f"points_{number}", Markup.escape(awarded_words(criterion, grade.scale))


def _without_amounts(grade: Grade) -> list[object]:
    """All that the page of a grade shows, amounts aside; what they say of decisions stands for them."""
    shown: list[object] = [getattr(grade, name) for name in _SHOWN_OF_GRADES]
    for criterion in grade.criteria:
        shown += (tone(criterion), *(getattr(criterion, name) for name in _SHOWN_OF_CRITERIA))
    return shown
