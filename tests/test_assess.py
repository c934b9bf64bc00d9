"""Assessing: a fault of ours costs nothing, sources are minded, decisions count as they should."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from grader.assess import assess, judged_by_criterion, judged_sha256
from grader.checks.registry import Check
from grader.evidence.record import Evidence
from grader.model import (
    CellRun,
    CellStatus,
    DatasetOrigin,
    DatasetUse,
    Isolation,
    KerasFlavour,
    Limits,
    Mend,
    Outcome,
    Override,
    Participant,
    Reason,
    Run,
    RunStatus,
    Scale,
    Source,
    Submission,
    Verdict,
    met,
    needs_review,
    not_met,
    partly_met,
)
from grader.notebook.records import Cell, CellKind, Notebook, Readings
from grader.rubric import Criterion, Rubric

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def a_run(**fields: Any) -> Run:
    given: dict[str, Any] = {"key": "c" * 64, "status": RunStatus.COMPLETED, "seed": 1, "limits": Limits()}
    return Run(**{**given, **fields})


def some_evidence(run: Run | None = None, **submission: Any) -> Evidence:
    given: dict[str, Any] = {
        "id": "Participant_101",
        "assignment": "a1",
        "participant": Participant(id="101", is_blind=True),
        "folder": Path("hand-in"),
        "notebook": "a1.ipynb",
        "notebook_sha256": "a" * 64,
    }
    notebook = Notebook(cells=(Cell(number=1, kind=CellKind.CODE, source="x = 1"),))
    return Evidence(
        submission=Submission(**{**given, **submission}), notebook=notebook, saved=Readings(), run=run
    )


def says(verdict: Verdict) -> Callable[[Evidence], Verdict]:
    return lambda evidence: verdict


def a_criterion(function: Callable[..., Any], **fields: Any) -> Criterion:
    check = Check("the-check", function)
    given: dict[str, Any] = {"id": "it", "title": "It is so.", "points": Decimal(2), "check": check}
    return Criterion(**{**given, "parameters": check.parameters(), **fields})


def a_rubric(*criteria: Criterion, **fields: Any) -> Rubric:
    given: dict[str, Any] = {"assignment": "a1", "title": "T", "edition": 2026, "scale": Scale.POINTS}
    return Rubric(**{**given, "criteria": criteria, **fields})


def an_override(points: str = "1", **fields: Any) -> Override:
    given = {"submission": "Participant_101", "criterion": "it", "who": "TA", "when": NOON}
    return Override(**{**given, "points": Decimal(points), **fields})


SAVED = Reason(text="0.95 in cell 3.", cell=3, source=Source.SAVED)
MEASURED = Reason(text="0.94 measured.", source=Source.MEASURED)
PLAIN = Reason(text="because")


def test_points_follow_from_the_verdicts() -> None:
    grade = assess(
        some_evidence(),
        a_rubric(
            a_criterion(says(met(PLAIN)), id="a"),
            a_criterion(says(partly_met(Decimal("0.5"), PLAIN)), id="b"),
            a_criterion(says(not_met(PLAIN)), id="c"),
            a_criterion(says(needs_review(PLAIN)), id="d"),
            a_criterion(says(met(PLAIN)), id="e", points=Decimal("0.5"), is_bonus=True),
        ),
    )
    assert (grade.score, grade.open_points, grade.max_points) == (Decimal("3.50"), Decimal(2), Decimal(8))
    assert [criterion.id for criterion in grade.criteria] == ["a", "b", "c", "d", "e"]


def test_a_grade_carries_whose_it_is_and_what_it_rests_on() -> None:
    rubric = a_rubric(a_criterion(says(met(PLAIN))), scale=Scale.PASS_FAIL, pass_points=Decimal(1))
    grade = assess(some_evidence(a_run()), rubric)
    assert (grade.submission, grade.participant.id, grade.run_key) == ("Participant_101", "101", "c" * 64)
    assert grade.rubric_sha256 == rubric.sha256
    assert grade.is_passed


def test_parameters_reach_the_check() -> None:
    def at_least(evidence: Evidence, *, number: int = 1) -> Verdict:
        return met(Reason(text=f"{number}"))

    check = Check("at-least", at_least)
    criterion = a_criterion(at_least, check=check, parameters=check.parameters(number=7))
    assert assess(some_evidence(), a_rubric(criterion)).criteria[0].verdict.reasons[0].text == "7"


def broken(evidence: Evidence) -> Verdict:
    raise KeyError("secret detail")


def of_the_wrong_type(evidence: Evidence) -> None:
    return None


@pytest.mark.parametrize(("function", "name"), [(broken, "KeyError"), (of_the_wrong_type, "TypeError")])
def test_a_bug_in_a_check_costs_no_points_and_stops_no_other_check(
    function: Callable[..., Any], name: str, caplog: pytest.LogCaptureFixture
) -> None:
    rubric = a_rubric(a_criterion(function, id="a"), a_criterion(says(met(PLAIN)), id="b"))
    grade = assess(some_evidence(), rubric)
    verdict = grade.criteria[0].verdict
    assert verdict.outcome is Outcome.NOT_CHECKED
    assert "fault in the grader" in verdict.reasons[0].text
    assert name in verdict.reasons[0].text
    assert "secret detail" not in verdict.reasons[0].text
    assert (grade.score, grade.open_points) == (2, 2)
    assert name in caplog.text
    assert "test_assess.py" in caplog.text or name == "TypeError"
    assert "secret detail" not in caplog.text
    assert "Participant_101" not in caplog.text


@pytest.mark.parametrize(
    "verdict", [met(SAVED), partly_met(Decimal("0.5"), SAVED), not_met(SAVED), met(PLAIN)]
)
def test_a_verdict_without_a_fact_from_an_accepted_source_is_left_to_a_person(verdict: Verdict) -> None:
    criterion = a_criterion(says(verdict), accepts=(Source.RERUN, Source.MEASURED))
    judged = assess(some_evidence(), a_rubric(criterion)).criteria[0]
    assert judged.verdict.outcome is Outcome.NEEDS_REVIEW
    assert judged.awarded is None
    assert "the outputs of our run or our own measurement" in judged.verdict.reasons[0].text
    assert judged.verdict.reasons[1:] == verdict.reasons


def test_facts_from_other_sources_stay_visible_beside_an_accepted_one() -> None:
    criterion = a_criterion(says(met(SAVED, MEASURED)), accepts=(Source.MEASURED,))
    verdict = assess(some_evidence(), a_rubric(criterion)).criteria[0].verdict
    assert verdict == met(SAVED, MEASURED)


def test_a_criterion_that_accepts_everything_asks_for_no_source() -> None:
    assert assess(some_evidence(), a_rubric(a_criterion(says(met(PLAIN))))).score == 2


def test_an_open_verdict_stays_what_it_is_whatever_is_accepted() -> None:
    criterion = a_criterion(says(needs_review(SAVED)), accepts=(Source.MEASURED,))
    assert assess(some_evidence(), a_rubric(criterion)).criteria[0].verdict == needs_review(SAVED)


def test_the_newest_decision_of_this_submission_counts() -> None:
    overrides = [
        an_override("0.5", when=NOON.replace(hour=14)),
        an_override("1.5", when=NOON),
        an_override("2", submission="Participant_102", when=NOON.replace(hour=20)),
    ]
    grade = assess(some_evidence(), a_rubric(a_criterion(says(needs_review(PLAIN)))), overrides)
    assert (grade.score, grade.open_points) == (Decimal("0.5"), 0)
    assert grade.criteria[0].verdict.outcome is Outcome.NEEDS_REVIEW


def test_of_two_decisions_of_one_moment_the_later_in_order_counts() -> None:
    overrides = [an_override("0.5"), an_override("1", when=NOON.replace(tzinfo=None))]
    assert assess(some_evidence(), a_rubric(a_criterion(says(met(PLAIN)))), overrides).score == 1


def test_a_decision_on_earlier_evidence_counts_and_is_flagged() -> None:
    evidence = some_evidence(a_run())
    rubric = a_rubric(a_criterion(says(met(PLAIN))))
    fresh = assess(evidence, rubric, [an_override(judged=judged_in(evidence, "it"))])
    earlier = assess(evidence, rubric, [an_override(judged="b" * 64)])
    assert fresh.score == earlier.score == 1
    assert not [flag for flag in fresh.flags if "earlier evidence" in flag]
    assert [flag for flag in earlier.flags if "earlier evidence" in flag]


@pytest.mark.parametrize(
    ("override", "told"),
    [(an_override("2.5"), "there are only 2"), (an_override(criterion="gone"), "no such criterion")],
)
def test_a_decision_that_no_longer_fits_the_rubric_does_not_count_and_is_flagged(
    override: Override, told: str
) -> None:
    grade = assess(some_evidence(a_run()), a_rubric(a_criterion(says(needs_review(PLAIN)))), [override])
    assert grade.open_points == 2
    assert told in grade.flags[0]


def judged_in(evidence: Evidence, criterion_id: str) -> str:
    run_key = evidence.run.key if evidence.run is not None else None
    return judged_sha256(evidence.submission, run_key, criterion_id)


def test_what_was_judged_depends_on_notebook_run_and_criterion() -> None:
    base = some_evidence(a_run())
    hashes = {
        judged_in(base, "it"),
        judged_in(base, "other"),
        judged_in(some_evidence(), "it"),
        judged_in(some_evidence(a_run(key="d" * 64)), "it"),
        judged_in(some_evidence(a_run(), notebook_sha256="b" * 64), "it"),
    }
    assert len(hashes) == 5
    rubric = a_rubric(a_criterion(says(met(PLAIN))))
    assert judged_by_criterion(base.submission, "c" * 64, rubric) == {"it": judged_in(base, "it")}


def flags_of(run: Run | None, **submission: Any) -> str:
    return "\n".join(assess(some_evidence(run, **submission), a_rubric(a_criterion(says(met(PLAIN))))).flags)


def test_a_run_without_anything_odd_has_no_flags() -> None:
    assert flags_of(a_run()) == ""


def test_what_a_ta_should_know_is_flagged() -> None:
    failed = CellRun(cell=7, status=CellStatus.FAILED, error="NameError: name 'h_1' is not defined")
    run = a_run(
        status=RunStatus.CELL_FAILED,
        cells=(failed,),
        datasets=(DatasetUse(name="mnist", origin=DatasetOrigin.STAND_IN, sha256="0"),),
        keras=KerasFlavour.LEGACY,
        mends=(Mend(name="lr", text="`lr` was read as `learning_rate`.", cell=4),),
        missing_modules=("torch",),
        isolation=Isolation.NONE,
        remarks=("A remark of the run.",),
    )
    flags = flags_of(run, remarks=("Two notebooks were handed in.",))
    for told in (
        "Two notebooks were handed in.",
        "1 cell raised an error (cell 7: NameError: name 'h_1' is not defined)",
        "legacy Keras",
        "(cell 4): `lr` was read as `learning_rate`.",
        "lacks torch",
        "without the usual isolation (none)",
        "A remark of the run.",
    ):
        assert told in flags


@pytest.mark.parametrize("status", [status for status in RunStatus if status is not RunStatus.COMPLETED])
def test_every_status_but_completed_has_its_sentence(status: RunStatus) -> None:
    assert flags_of(a_run(status=status)).endswith(".")


def test_that_nothing_was_run_is_flagged() -> None:
    assert "was not run" in flags_of(None)


@pytest.mark.parametrize("verdict", [met(Reason(text="Yes.")), not_met(Reason(text="No."))])
def test_a_check_that_is_not_trusted_decides_nothing(verdict):
    rubric = a_rubric(a_criterion(lambda evidence: verdict))
    [criterion] = assess(some_evidence(), rubric, (), {"the-check"}).criteria
    assert criterion.verdict.outcome is Outcome.NEEDS_REVIEW
    assert criterion.awarded is None
    assert criterion.verdict.reasons[1:] == verdict.reasons
