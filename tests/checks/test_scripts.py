"""What fix and diagnosis of a broken script come to together."""

from __future__ import annotations

from pathlib import Path

import pytest
from evidence.watching import a_run

from grader.checks import scripts as checked
from grader.checks.scripts import script_mended
from grader.evidence.record import Evidence
from grader.evidence.scripts import Trial, TriedFix, TriedScript
from grader.fixes.causes import KNOWN_CAUSES
from grader.fixes.diagnoses import Diagnosis, Said
from grader.fixes.records import Bar, Fix, FixKind, Passage, Script
from grader.model import Attachment, Outcome, Participant, RunStatus, Source, Submission
from grader.notebook.outputs import read_outputs
from grader.notebook.records import Cell, CellKind, Notebook

SCRIPT = Script(name="fail1", source="", title="It explodes", causes=(KNOWN_CAUSES["weights-too-large"],))
SAID = (Passage(cell=2, text="The weights are far too large."),)


def a_fix(
    trial: Trial,
    kind: FixKind = FixKind.REDEFINITION,
    *,
    is_sure: bool = True,
    is_vague: bool = False,
    adds_only: bool = False,
    **fields: object,
) -> TriedFix:
    changes = (("W = 1.0", "W = 0.1"),)
    doubts = {"is_sure": is_sure, "is_vague": is_vague, "adds_only": adds_only}
    fix = Fix(script="fail1", kind=kind, source="x", changes=changes, cell=3, **doubts)
    runs = (a_run(0.95 if trial is Trial.MENDED else 0.1),)
    return TriedFix.model_validate({"fix": fix, "trial": trial, "why": "It ran.", "runs": runs} | fields)


def evidence_of(*fixes: TriedFix, said=SAID, is_run=True, text="# Assignment", others=()) -> Evidence:
    notebook = Notebook(cells=(Cell(number=1, kind=CellKind.MARKDOWN, source=text),))
    tried = TriedScript(
        name="fail1",
        title="It explodes",
        causes=SCRIPT.causes,
        bar=Bar(accuracy=0.9) if is_run else None,
        broken=a_run(0.1, bad=3) if is_run else None,
        fixes=fixes,
        said=said,
    )
    submission = Submission(
        id="one",
        assignment="a2",
        participant=Participant(),
        folder=Path("a2/one"),
        notebook="a2.ipynb",
        notebook_sha256="0" * 64,
    )
    saved = read_outputs(notebook)
    return Evidence(submission=submission, notebook=notebook, saved=saved, scripts=(tried, *others))


@pytest.fixture
def outcome_of(monkeypatch):
    """The outcome for fixes and a diagnosis that was read as given."""

    def judge(diagnosed: Said, *fixes: TriedFix, **fields: object) -> Outcome:
        monkeypatch.setattr(checked, "diagnose", lambda *_: Diagnosis(outcome=diagnosed))
        return script_mended(evidence_of(*fixes, **fields), script=SCRIPT).outcome

    return judge


@pytest.mark.parametrize(
    ("trial", "said", "outcome"),
    [
        (Trial.MENDED, Said.RIGHT, Outcome.MET),
        (Trial.MENDED, Said.WRONG, Outcome.PARTLY_MET),
        (Trial.MENDED, Said.ABSENT, Outcome.PARTLY_MET),
        (Trial.MENDED, Said.UNCLEAR, Outcome.NEEDS_REVIEW),
        (Trial.FAILED, Said.RIGHT, Outcome.PARTLY_MET),
        (Trial.FAILED, Said.WRONG, Outcome.NOT_MET),
        (Trial.FAILED, Said.ABSENT, Outcome.NEEDS_REVIEW),
        (Trial.FAILED, Said.UNCLEAR, Outcome.NEEDS_REVIEW),
        (Trial.REFUSED, Said.RIGHT, Outcome.PARTLY_MET),
        (Trial.REFUSED, Said.WRONG, Outcome.NEEDS_REVIEW),
        (Trial.UNCLEAR, Said.RIGHT, Outcome.NEEDS_REVIEW),
        (Trial.UNCLEAR, Said.WRONG, Outcome.NEEDS_REVIEW),
    ],
)
def test_fix_and_diagnosis_come_to_this(outcome_of, trial, said, outcome):
    assert outcome_of(said, a_fix(trial)) is outcome


def test_a_right_diagnosis_without_a_fix_that_was_found_is_for_a_person(outcome_of):
    assert outcome_of(Said.RIGHT) is Outcome.NEEDS_REVIEW


def test_one_fix_that_mends_is_enough(outcome_of):
    fixes = a_fix(Trial.FAILED), a_fix(Trial.MENDED), a_fix(Trial.UNCLEAR)
    assert outcome_of(Said.RIGHT, *fixes) is Outcome.MET


def test_a_fix_that_was_made_of_words_never_fails_for_certain(outcome_of):
    assert outcome_of(Said.WRONG, a_fix(Trial.FAILED, FixKind.WORDS)) is Outcome.NEEDS_REVIEW


@pytest.mark.parametrize("doubt", [{"is_sure": False}, {"is_vague": True}, {"adds_only": True}])
def test_a_fix_that_may_be_for_another_script_never_fails_for_certain(outcome_of, doubt):
    assert outcome_of(Said.WRONG, a_fix(Trial.FAILED, **doubt)) is Outcome.NEEDS_REVIEW


def test_a_fix_in_words_that_could_not_be_run_is_not_passed_over(outcome_of):
    """Else the code beside it, a look into the broken script say, would be judged in its place."""
    said = (Passage(cell=2, text="The weights are too large. They should come from somewhere else."),)
    assert outcome_of(Said.RIGHT, a_fix(Trial.FAILED), said=said) is Outcome.NEEDS_REVIEW
    said = (Passage(cell=2, text="The weights are too large. We use this instead:"),)
    assert outcome_of(Said.RIGHT, a_fix(Trial.FAILED), said=said) is Outcome.PARTLY_MET


def test_a_fix_that_mends_but_may_be_for_another_script_is_for_a_person(outcome_of):
    assert outcome_of(Said.RIGHT, a_fix(Trial.MENDED, is_sure=False)) is Outcome.NEEDS_REVIEW


def test_a_fix_without_words_is_for_a_person_where_text_may_hold_the_diagnosis(outcome_of):
    text = "The gradient of the first layer is enormous."
    assert outcome_of(Said.ABSENT, a_fix(Trial.MENDED), text=text) is Outcome.NEEDS_REVIEW


def test_nothing_at_all_is_not_met(outcome_of):
    assert outcome_of(Said.ABSENT, said=(), is_run=False) is Outcome.NOT_MET


def test_a_python_file_beside_the_notebook_may_be_a_fix():
    evidence = evidence_of(said=(), is_run=False)
    file = Attachment(name="mine.py", size_bytes=1, sha256="0" * 64)
    submission = evidence.submission.model_copy(update={"attachments": (file,)})
    verdict = script_mended(evidence.model_copy(update={"submission": submission}), script=SCRIPT)
    assert verdict.outcome is Outcome.NEEDS_REVIEW
    assert "mine.py" in verdict.reasons[0].text


def test_text_that_may_speak_of_it_is_for_a_person(outcome_of):
    text = "The last script fails because of its gradients."
    assert outcome_of(Said.ABSENT, said=(), is_run=False, text=text) is Outcome.NEEDS_REVIEW


def test_a_hand_in_that_speaks_of_other_scripts_is_for_a_person(outcome_of):
    other = TriedScript(name="fail2", title="", causes=SCRIPT.causes, said=SAID)
    assert outcome_of(Said.ABSENT, said=(), is_run=False, others=(other,)) is Outcome.NEEDS_REVIEW


def test_a_lost_run_costs_nothing(outcome_of):
    lost = a_fix(Trial.UNCLEAR, runs=(a_run(None, status=RunStatus.LOST),))
    assert outcome_of(Said.WRONG, lost) is Outcome.NOT_CHECKED


def test_a_hand_in_that_was_not_looked_into_is_not_checked():
    evidence = evidence_of().model_copy(update={"scripts": None})
    assert script_mended(evidence, script=SCRIPT).outcome is Outcome.NOT_CHECKED


def test_the_reasons_tell_the_figure_the_cell_and_the_change(monkeypatch):
    monkeypatch.setattr(checked, "diagnose", lambda *_: Diagnosis(outcome=Said.RIGHT))
    verdict = script_mended(evidence_of(a_fix(Trial.MENDED)), script=SCRIPT)
    first = verdict.reasons[0]
    assert (first.cell, first.numbers, first.source) == (3, (0.95,), Source.MEASURED)
    assert "`W = 1.0` became `W = 0.1`" in first.text
    assert any("far too large" in reason.text for reason in verdict.reasons)
