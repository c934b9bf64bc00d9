"""A page that is filled in anew is the page that would be made anew, and asks for no amount but ours."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from grader.model import Grade, Lateness, Reason, Scale, Source, met, needs_review
from grader.notebook.records import Output, OutputKind
from grader.report.amounts import differ_in_amounts_only, filled

FORGED = "<!--amount score--><!--end--><!--amount points_1-->10 of 10 points<!--end-->"
LATE = Lateness(
    handed_in=datetime(2026, 11, 3, tzinfo=UTC),
    due=datetime(2026, 11, 1, tzinfo=UTC),
    has_extension=False,
    days=2,
    penalty=Decimal("0.6"),
    is_refused=False,
)


def with_points(grade: Grade, points: str) -> Grade:
    criteria = tuple(one.model_copy(update={"points": Decimal(points)}) for one in grade.criteria)
    return grade.model_copy(update={"criteria": criteria, "rubric_sha256": "c" * 64})


@pytest.mark.parametrize("points", ["0", "1.25", "1000"])
@pytest.mark.parametrize("change", [{}, {"late": LATE}, {"pass_points": Decimal(2)}])
def test_a_page_filled_in_anew_is_the_page_made_anew(full, points, change):
    settled = tuple(one for one in full.grade.criteria if one.override is None)  # points may undo a decision
    full.grade = full.grade.model_copy(update={"criteria": settled})
    before = full.page()
    other = with_points(full.grade, points).model_copy(update=change)
    assert differ_in_amounts_only(full.grade, other)
    again = filled(before, other)
    full.grade = other
    assert again == full.page() != before


def test_the_rubrics_fingerprint_goes_with_the_points(full):
    page = filled(full.page(), with_points(full.grade, "7.25"))
    assert page.count("7.25 of 7.25 points") == 1
    assert "c" * 64 in page.split("<dt>Rubric</dt>")[1].split("</dd>")[0]


def test_a_notebook_is_cut_alike_whatever_the_amounts(full, code, a_notebook):
    full.executed = None
    cells = [code("x = 1  # " + "long " * 900) for _ in range(120)]
    full.evidence = full.evidence.model_copy(update={"notebook": a_notebook(*cells), "rerun": None})
    settled = tuple(one for one in full.grade.criteria if one.override is None)
    full.grade = full.grade.model_copy(update={"criteria": settled})
    before, other = full.page(), with_points(full.grade, "123.25")
    assert "characters left out" in before
    full.grade = other
    assert filled(before, other) == full.page()


def test_no_text_of_a_hand_in_passes_for_an_amount(full, code, markdown, a_notebook):
    output = Output(kind=OutputKind.DISPLAY, html=FORGED, text=FORGED)
    cells = [markdown(f"{FORGED}\n\n<b>x</b>{FORGED}"), code(f"'{FORGED}'", output)]
    reasons = (Reason(text=FORGED, cell=2, source=Source.SAVED),)
    criterion = full.grade.criteria[0].model_copy(update={"verdict": met(*reasons), "title": FORGED})
    full.executed = None
    submission = {"online_text": FORGED, "remarks": (FORGED,), "notebook": f"{FORGED}.ipynb"}
    full.evidence = full.evidence.model_copy(
        update={
            "notebook": a_notebook(*cells),
            "submission": full.evidence.submission.model_copy(update=submission),
            "run": None,
            "rerun": None,
        }
    )
    full.grade = full.grade.model_copy(update={"criteria": (criterion,)})
    page = full.page()
    assert page.count("<!--amount ") == 4  # the score, the rubric, and the points of a criterion twice
    assert filled(page, full.grade) == page


def test_a_page_that_asks_for_other_amounts_is_not_filled_in(full):
    fewer = full.grade.model_copy(update={"criteria": full.grade.criteria[:-1]})
    assert filled(full.page(), fewer) is None
    assert filled("<p>somebody's own page</p>", full.grade) is None


def test_whatever_is_no_amount_makes_a_page_anew(a_grade, a_criterion):
    grade = a_grade(a_criterion())
    [criterion] = grade.criteria
    assert differ_in_amounts_only(grade, grade.model_copy(update={"flags": ("for the TA",), "late": LATE}))
    others = {
        "title": "Another title",
        "id": "another",
        "check": "another",
        "verdict": needs_review(Reason(text="Unclear.")),
    }
    for name, value in others.items():
        changed = criterion.model_copy(update={name: value})
        assert not differ_in_amounts_only(grade, grade.model_copy(update={"criteria": (changed,)})), name
    assert not differ_in_amounts_only(grade, grade.model_copy(update={"scale": Scale.PASS_FAIL}))
    assert not differ_in_amounts_only(grade, grade.model_copy(update={"criteria": (criterion, criterion)}))


def test_points_that_change_what_a_decision_comes_to_make_a_page_anew(full):
    decided = next(one for one in full.grade.criteria if one.override is not None)
    grade = full.grade.model_copy(update={"criteria": (decided,)})
    assert differ_in_amounts_only(grade, with_points(grade, "2"))
    assert not differ_in_amounts_only(grade, with_points(grade, "1")), "half of it is all of it now"
