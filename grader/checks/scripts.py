"""The check of a broken script: what was found wrong with it, and whether the fix mends it when it is run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from pydantic import BaseModel, JsonValue

from grader.checks.answers import answer_elsewhere, laid_out
from grader.checks.previews import Preview, PublicSide, later, unclear
from grader.checks.registry import check
from grader.evidence.record import Evidence
from grader.evidence.scripts import Trial, TriedFix, TriedScript
from grader.fixes.diagnoses import Diagnosis, Said, diagnose
from grader.fixes.records import Fix, FixKind
from grader.fixes.scripts import NamedScript
from grader.fixes.unread import proposes_what_was_not_run
from grader.model import (
    Reason,
    RunStatus,
    Source,
    Verdict,
    met,
    needs_review,
    not_checked,
    not_met,
    partly_met,
)

_HALF = Decimal("0.5")
_SHOWN = 3  # fixes that are told of, and passages
_LINE = 80  # characters of a change
_CODE_FILES = (".py", ".ipynb")
_ABOUT_TRAINING = (
    *("script", "skript", "fail", "gradient", "softmax", "sigmoid", "noise", "rausch", "initiali", "weights"),
    *("gewicht", "vanish", "verschwind", "explo", "nan", "dead"),
)  # in any word: text with none of them diagnoses nothing


def _name_of_script(parameters: BaseModel) -> dict[str, JsonValue]:
    return {"script": parameters.model_dump()["script"]["name"]}


def _script_before_grading(evidence: Evidence, *, script: str) -> Preview:
    """Where a hand-in names the script; what is said of it there is not looked at."""
    stem = script.rstrip("0123456789")
    number = script.removeprefix(stem)
    nouns = "|".join(filter(None, (r"s[ck]ript", re.escape(stem.rstrip("-_ ")))))
    by_number = rf"|\b(?:{nouns})[\W_]{{0,4}}(?:n[or]\.?\s?)?{number}\b" if number else ""
    names = re.compile(rf"\b{re.escape(script)}(?!\d){by_number}", re.IGNORECASE)
    for cell in evidence.notebook.cells:
        if names.search(cell.source):
            text = f"Cell {cell.number} names {script}; what mends it is run when it is graded."
            return later(Reason(text=text, cell=cell.number, source=Source.SOURCE))
    for file in evidence.submission.attachments:
        if names.search(file.name):
            text = f"{file.name} speaks of {script} by its name; what mends it is run when it is graded."
            return later(Reason(text=text, source=Source.SOURCE))
    text = f"Nothing names {script}. Name it where you write what is wrong with it and how to mend it."
    return unclear(Reason(text=text, source=Source.SOURCE))


@check("script-mended", public_side=PublicSide(_name_of_script, _script_before_grading))
def script_mended(evidence: Evidence, *, script: NamedScript) -> Verdict:
    """A broken script is diagnosed and mended.

    Met when the fix, run in the script's place, trains, and the diagnosis fits what was measured; one of both
    is half. Not met when a fix that is meant for this script does not train in three seeds and the diagnosis
    contradicts what was measured, or when nothing in the hand-in speaks of the script. All else is for a
    person, with what was run.
    """
    tried = evidence.script(script.name)
    if tried is None:
        return not_checked(Reason(text="The hand-in could not be searched for fixes: a fault of ours."))
    if any(run.status is RunStatus.LOST for fix in tried.fixes for run in fix.runs) or _is_broken_lost(tried):
        return not_checked(Reason(text="A run of this script was lost: type the same command again."))
    if tried.broken is None or not (tried.fixes or tried.said):
        return _nothing_found(evidence, tried)
    diagnosis = diagnose(tried.said, tried.causes, tried.broken.symptoms)
    reasons = [*_of_fixes(tried.fixes), *_of_diagnosis(diagnosis, tried)]
    is_elsewhere = diagnosis.outcome is Said.ABSENT and _has_text_about_training(evidence)
    said = Said.UNCLEAR if is_elsewhere else diagnosis.outcome
    trial = _trial(tried.fixes)
    if trial is Trial.FAILED and proposes_what_was_not_run(tried.said, script.source):
        trial = Trial.UNCLEAR
        text = "The text proposes something that could not be made an edit of the script, and was not run."
        reasons.append(Reason(text=text, source=Source.SOURCE))
    return _verdict(trial, said, reasons)


def _verdict(trial: Trial | None, said: Said, reasons: Sequence[Reason]) -> Verdict:
    """What fix and diagnosis come to together; a `trial` of None: no fix was found."""
    if said is Said.UNCLEAR:
        return needs_review(*reasons)
    if trial is Trial.MENDED:
        return met(*reasons) if said is Said.RIGHT else partly_met(_HALF, *reasons)
    if trial in (Trial.FAILED, Trial.REFUSED) and said is Said.RIGHT:
        return partly_met(_HALF, *reasons)
    if trial is Trial.FAILED and said is Said.WRONG:
        return not_met(*reasons)
    return needs_review(*reasons)


def _trial(fixes: Sequence[TriedFix]) -> Trial | None:
    """What the fixes come to: one that mends is enough, if it surely is for this script.

    They failed only when all are code that is surely meant for it and takes something of it away, and each of
    them failed.
    """
    trials = {fix.trial for fix in fixes}
    if not trials:
        return None
    if Trial.MENDED in trials:
        is_meant = any(one.fix.is_sure for one in fixes if one.trial is Trial.MENDED)
        return Trial.MENDED if is_meant else Trial.UNCLEAR
    is_certain = all(_is_certain(one.fix) for one in fixes)
    if trials == {Trial.REFUSED}:
        return Trial.REFUSED if is_certain else Trial.UNCLEAR
    return Trial.FAILED if is_certain and trials <= {Trial.FAILED, Trial.REFUSED} else Trial.UNCLEAR


def _is_certain(fix: Fix) -> bool:
    return fix.is_sure and not fix.is_vague and not fix.adds_only and fix.kind is not FixKind.WORDS


def _is_broken_lost(tried: TriedScript) -> bool:
    return tried.broken is not None and tried.broken.status is RunStatus.LOST


def _nothing_found(evidence: Evidence, tried: TriedScript) -> Verdict:
    """Nothing speaks of this script: certain only where no text and no file is left that could."""
    elsewhere = answer_elsewhere(evidence)
    if elsewhere is not None:
        return needs_review(elsewhere)
    files = [file.name for file in evidence.submission.attachments if file.name.endswith(_CODE_FILES)]
    told = [one for one in evidence.scripts or () if one.fixes or one.said]
    if told or files or _has_text_about_training(evidence):
        beside = f"; beside the notebook there is {files[0]}" if files else ""
        text = f"No text and no fix was found that surely is about {tried.name} ({tried.title}){beside}."
        return needs_review(Reason(text=text, source=Source.SOURCE))
    text = f"Nothing is said about {tried.name}, and no fix is given."
    return not_met(Reason(text=text, source=Source.SOURCE))


def _has_text_about_training(evidence: Evidence) -> bool:
    return any(
        word in passage.text.lower() for passage in evidence.prose.passages for word in _ABOUT_TRAINING
    )


def _of_fixes(fixes: Sequence[TriedFix]) -> Iterator[Reason]:
    order = list(Trial)
    for tried in sorted(fixes, key=lambda one: order.index(one.trial))[:_SHOWN]:
        best = tried.runs[tried.best] if tried.runs else None
        numbers = () if best is None or best.symptoms.accuracy is None else (best.symptoms.accuracy,)
        source = Source.OBSERVED if best is None or best.accuracy_from is None else best.accuracy_from
        where = f"The fix in {tried.fix.attachment}" if tried.fix.attachment else "The fix"
        text = f"{where}, run in the script's place: {tried.why[0].lower()}{tried.why[1:]}"
        yield Reason(
            text=f"{text} {_changed(tried)}".strip(), cell=tried.fix.cell, numbers=numbers, source=source
        )
    if not fixes:
        yield Reason(text="No fix was found that could be run.", source=Source.SOURCE)


def _changed(tried: TriedFix) -> str:
    """What the fix changes in the script, the first of it."""
    if not tried.fix.changes:
        return ""
    old, new = tried.fix.changes[0]
    more = f", and {len(tried.fix.changes) - 1} more" if len(tried.fix.changes) > 1 else ""
    before, after = (_short(part) or "nothing" for part in (old, new))
    return f"(Changed: {before} became {after}{more}.)"


def _short(source: str) -> str:
    line = " ".join(source.split())
    line = line if len(line) <= _LINE else f"{line[: _LINE - 2]} …"
    return f"`{line}`" if line else ""


def _of_diagnosis(diagnosis: Diagnosis, tried: TriedScript) -> Iterator[Reason]:
    cell = tried.said[0].cell if tried.said else None
    for text in diagnosis.reasons:
        yield Reason(text=text, cell=cell, source=Source.SOURCE)
    if not diagnosis.reasons:
        words = {
            Said.RIGHT: "The diagnosis fits what was measured.",
            Said.WRONG: "The diagnosis contradicts what was measured.",
            Said.UNCLEAR: "Whether the diagnosis is right is for a person to say.",
            Said.ABSENT: "No words were found on what is wrong with the script.",
        }
        yield Reason(text=words[diagnosis.outcome], cell=cell, source=Source.SOURCE)
    yield from (laid_out(passage) for passage in tried.said[:_SHOWN])
