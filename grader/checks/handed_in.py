"""What counts where our run failed though the saved outputs show success: the rubric's `on_rerun_failure`."""

from __future__ import annotations

from decimal import Decimal

from pydantic import BaseModel

from grader.checks.registry import Check
from grader.evidence.record import Evidence
from grader.model import (
    OnRerunFailure,
    Outcome,
    Reason,
    RunStatus,
    Source,
    Verdict,
    met,
    needs_review,
    partly_met,
)

_HALF = Decimal("0.5")
_UNSETTLED = (Outcome.NEEDS_REVIEW, Outcome.NOT_CHECKED)
_SETTLED = (Outcome.MET, Outcome.PARTLY_MET)
_TRUST = {
    OnRerunFailure.SAVED: "this rubric lets the saved outputs count",
    OnRerunFailure.PARTLY: "this rubric lets the saved outputs count half",
}


def after_a_failed_run(
    verdict: Verdict,
    evidence: Evidence,
    check: Check,
    parameters: BaseModel,
    *,
    on_failure: OnRerunFailure,
    failure: Reason,
) -> Verdict:
    """The verdict, or what the rubric makes of it where only failing cells of our run stand in its way.

    That is so when `check` would be met by code and outputs as handed in, when outputs were saved at all, and
    when what was seen in our run is not what speaks against it. Then both sides are laid out for a person, or
    the saved outputs count, wholly or half. `failure` says how the run failed, with the cell.
    """
    run = evidence.run
    if verdict.outcome not in _UNSETTLED or run is None or run.status is RunStatus.LOST:
        return verdict
    is_whole = run.status is RunStatus.COMPLETED and not run.missing_modules
    if is_whole or not (evidence.saved.numbers or evidence.saved.figures):
        return verdict
    saved = check.as_handed_in(evidence, parameters)
    if saved.outcome not in _SETTLED or _holds_without_the_recorder(evidence, check, parameters):
        return verdict
    if on_failure is OnRerunFailure.REVIEW:
        would = "met" if saved.outcome is Outcome.MET else "partly met"
        text = f"By the code and the outputs as handed in this would be {would}: {saved.reasons[-1].text}"
        handed_in = saved.reasons[-1].model_copy(update={"text": text, "source": Source.SAVED})
        return needs_review(handed_in, failure, *verdict.reasons)
    text = f"Our run failed, and {_TRUST[on_failure]}."
    reasons = (Reason(text=text, source=Source.SAVED), *saved.reasons, failure)
    share = (saved.fraction or Decimal(1)) * (_HALF if on_failure is OnRerunFailure.PARTLY else 1)
    return met(*reasons) if share == 1 else partly_met(share, *reasons)


def _holds_without_the_recorder(evidence: Evidence, check: Check, parameters: BaseModel) -> bool:
    """Whether it would be met though cells failed, were it not for what was observed: then that decides."""
    unseen = evidence.model_copy(update={"observed": None, "measured": None, "repeats": ()})
    return check(unseen, parameters).outcome in _SETTLED
