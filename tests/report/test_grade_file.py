import json
from datetime import UTC, datetime
from decimal import Decimal

from grader.model import Override, Reason, Source, met, needs_review, partly_met
from grader.report.grade_file import grade_json

DECISION = Override(
    submission="Participant_101",
    criterion="why",
    points=Decimal("0.5"),
    comment="Half of it.",
    who="The TA",
    when=datetime(2025, 6, 3, 14, 5, tzinfo=UTC),
)


def test_the_file_has_exactly_the_keys_that_others_read(a_grade, a_criterion):
    reason = Reason(text="Two hidden layers.", cell=3, numbers=(2.0,), source=Source.SOURCE)
    assert grade_json(a_grade(a_criterion(met(reason)), flags=("look",))) == {
        "schema": 1,
        "submission": "Participant_101",
        "assignment": "a1",
        "score": 3,
        "open_points": 0,
        "max_points": 3,
        "flags": ["look"],
        "criteria": [
            {
                "id": "mlp",
                "title": "A deep model",
                "points": 3,
                "check": "",
                "outcome": "met",
                "fraction": 1,
                "sources": ["source"],
                "reasons": [{"text": "Two hidden layers.", "cell": 3, "numbers": [2.0]}],
            }
        ],
    }


def test_what_is_open_has_no_fraction_and_no_points(a_grade, a_criterion):
    written = grade_json(a_grade(a_criterion(needs_review(Reason(text="?")))))
    assert written["criteria"][0]["fraction"] is None
    assert (written["score"], written["open_points"]) == (0, 3)


def test_a_share_of_the_points_is_a_json_number(a_grade, a_criterion):
    written = json.dumps(grade_json(a_grade(a_criterion(partly_met(Decimal("0.5"), Reason(text="half"))))))
    assert '"score": 1.5' in written
    assert '"fraction": 0.5' in written


def test_a_decision_of_a_person_is_visible_and_only_there(a_grade, a_criterion):
    open_verdict = needs_review(Reason(text="?"))
    written = grade_json(a_grade(a_criterion(open_verdict, id="why", override=DECISION), a_criterion()))
    decided, undecided = written["criteria"]
    assert decided["decision"] == {
        "points": 0.5,
        "comment": "Half of it.",
        "who": "The TA",
        "when": "2025-06-03T14:05:00+00:00",
    }
    assert decided["outcome"] == "needs_review"
    assert "decision" not in undecided
    assert written["open_points"] == 0


def test_figures_that_json_cannot_hold_are_left_out(a_grade, a_criterion):
    reason = Reason(text="The loss is not a number.", numbers=(float("nan"), 0.5, float("inf")))
    written = json.dumps(grade_json(a_grade(a_criterion(met(reason)))), allow_nan=False)
    assert '"numbers": [0.5]' in written
