"""The words in which a check before handing in speaks, in the terminal and on its page."""

from __future__ import annotations

from grader.checks.previews import Sight
from grader.student.findings import Finding, Looked

GOES_BY = "Whether an answer is right, and how many points it gives, is not looked at here."
COUNTING = "Cells are counted from the top, those with text too; the first is 1."
_WORDS = {Sight.FOUND: "found", Sight.MISSING: "MISSING", Sight.UNCLEAR: "look", Sight.LATER: "later"}
_OF_ANY_NOTEBOOK = {**_WORDS, Sight.FOUND: "ok", Sight.MISSING: "FAILS"}
STYLES = {Sight.FOUND: "green", Sight.MISSING: "bold red", Sight.UNCLEAR: "yellow", Sight.LATER: "dim"}
TONES = {
    Sight.FOUND: "met",
    Sight.MISSING: "not_met",
    Sight.UNCLEAR: "needs_review",
    Sight.LATER: "not_checked",
}


def word_of(finding: Finding) -> str:
    """How one thing stands, in a word or two; `not there` is what is missing and not required."""
    if not finding.is_asked_for:
        return _OF_ANY_NOTEBOOK[finding.sight]
    if finding.sight is Sight.MISSING and not finding.required:
        return "not there"
    return _WORDS[finding.sight]


def sections(looked: Looked) -> list[tuple[str, tuple[Finding, ...]]]:
    """The headings, and what stands below each."""
    return [
        ("The notebook", looked.about_notebook),
        ("What is asked for", looked.asked_for),
        ("Worth a second look", looked.likely_faults),
    ]


def how_it_was_looked_at(looked: Looked) -> str:
    """Whether it was run, and behind which wall."""
    if not looked.was_run:
        return "read, not run."
    where = "without a sandbox, as a program of yours" if looked.isolation == "none" else "in a sandbox"
    return f"read, and run {where}, on the public split of the data."


def summary(looked: Looked) -> str:
    """One sentence on how much is missing."""
    count = len(looked.failures)
    if not count:
        unclear = sum(finding.sight is Sight.UNCLEAR for finding in looked.findings)
        rest = f" {unclear} worth a look." if unclear else ""
        return f"Nothing that is required is missing.{rest}"
    return f"{count} required {'thing is' if count == 1 else 'things are'} missing or failing:"
