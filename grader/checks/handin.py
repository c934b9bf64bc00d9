"""Checks of the hand-in itself: whose it is, and whether its outputs were saved."""

from __future__ import annotations

import re

from grader.checks.foreign_outputs import results_of_other_code
from grader.checks.guards import never_against, nothing_seen
from grader.checks.registry import check
from grader.evidence.record import Evidence
from grader.model import Reason, Source, Verdict, met, needs_review, not_met
from grader.notebook.markdown import code_texts
from grader.notebook.names import NamesFound
from grader.notebook.people import is_named, share_a_word
from grader.notebook.records import CellKind, OutputKind

_RESULT = re.compile(r"\d\.\d|(?<!\d)\.\d\d|\d ?%")


@check("names-given")
def names_given(evidence: Evidence) -> Verdict:
    """Names of all group members stand at the top of the notebook.

    Not met only when the notebook has no text and no comment at all; names elsewhere, or names that
    are not the one Moodle knows, are for a person to look at. Under blind marking it is always met.
    """
    participant = evidence.submission.participant
    if participant.is_blind:
        return met(Reason(text="Marking is blind, so missing names cost nothing.", source=Source.SOURCE))
    found = evidence.names
    is_from_moodle = participant.id is not None and not participant.is_group  # else it is a file's name
    known = participant.name if participant.name and is_from_moodle else None
    if known and is_named(known, found.top_text):
        return met(Reason(text=f"{known} is named at the top of the notebook.", source=Source.SOURCE))
    if found.top:
        names = ", ".join(found.top)
        if known and not share_a_word(known, names):
            text = f"The names at the top of the notebook ({names}) do not include {known}."
            return needs_review(Reason(text=text, cell=found.top_cell, source=Source.SOURCE))
        text = f"Names stand at the top of the notebook: {names}."
        return met(Reason(text=text, cell=found.top_cell, source=Source.SOURCE))
    return _without_names_at_top(evidence, found, known)


def _without_names_at_top(evidence: Evidence, found: NamesFound, known: str | None) -> Verdict:
    if found.elsewhere:
        cell, _ = found.elsewhere[0]
        names = ", ".join(dict.fromkeys(name for _, name in found.elsewhere))
        text = f"No names were found at the top of the notebook, where they belong; further down: {names}."
        return needs_review(Reason(text=text, cell=cell, source=Source.SOURCE))
    file_name = evidence.submission.notebook.rsplit("/", 1)[-1]
    if known and share_a_word(known, file_name):
        text = f"No names were found in the notebook; its file name ({file_name}) holds one."
        return needs_review(Reason(text=text, source=Source.SOURCE))
    if not _has_any_text(evidence):
        text = (
            "The notebook has no names: it has no text and no comment. Put the names of all members on top."
        )
        return not_met(Reason(text=text, source=Source.SOURCE))
    text = (
        f"No names were found at the top of the notebook (its file is called {file_name}); those of all "
        "members belong there."
    )
    return needs_review(Reason(text=text, source=Source.SOURCE))


def _has_any_text(evidence: Evidence) -> bool:
    """Whether there is a text cell, a comment or a string, a text given online, or another file."""
    submission = evidence.submission
    if submission.online_text or submission.attachments:
        return True
    return any(
        cell.source.strip() and (cell.kind is not CellKind.CODE or any(code_texts(cell.source)))
        for cell in evidence.notebook.cells
    )


@check("outputs-saved")
@never_against(nothing_seen)
def outputs_saved(evidence: Evidence) -> Verdict:
    """The notebook was saved with outputs that show its code working.

    Not met only when no code cell has an output; met when the outputs hold accuracies, losses or
    figures, or when most code cells have one and there are results among them (numbers with a decimal
    point or a percent sign). Left to a person when our run ended well and showed no result at all. Whether
    they are right is for other checks.
    """
    saved = evidence.saved
    if saved.code_cells == 0:
        return needs_review(Reason(text="The notebook has no code cells.", source=Source.SAVED))
    if saved.cells_with_output == 0 and evidence.prose.pictures:
        cell = evidence.prose.pictures[0]
        text = f"No code cell has a saved output, but cell {cell} shows a picture that may be one."
        return needs_review(Reason(text=text, cell=cell, source=Source.SAVED))
    if saved.cells_with_output == 0:
        count = saved.code_cells
        none = "The code cell has no" if count == 1 else f"None of the {count} code cells has a"
        text = (
            f"{none} saved output: run it all and save it with its outputs (in Colab: Edit, Notebook "
            "settings, untick 'Omit code cell output')."
        )
        return not_met(Reason(text=text, numbers=(0.0,), source=Source.SAVED))
    foreign = results_of_other_code(evidence)
    if foreign:
        text = "The saved outputs show results, but run again to its end the notebook shows none."
        return needs_review(Reason(text=text, cell=foreign[0], source=Source.RERUN))
    has_them = f"{saved.cells_with_output} of {saved.code_cells} code cells have saved outputs"
    if saved.numbers or saved.figures:
        cell = saved.numbers[-1].cell if saved.numbers else saved.figures[-1]
        numbers, figures = len(saved.numbers), len(saved.figures)
        results = "1 accuracy or loss" if numbers == 1 else f"{numbers} accuracies and losses"
        pictures = f"{figures} figure{'s' * (figures != 1)}"
        shown = [what for count, what in ((numbers, results), (figures, pictures)) if count]
        text = f"{has_them}, with {' and '.join(shown)} among them."
        return met(Reason(text=text, cell=cell, source=Source.SAVED))
    last = _cell_with_a_result(evidence)
    if last is not None and 2 * saved.cells_with_output >= saved.code_cells:
        return met(Reason(text=f"{has_them}, with results among them.", cell=last, source=Source.SAVED))
    text = f"{has_them}, but no accuracy, loss or figure was recognised in them."
    return needs_review(Reason(text=text, source=Source.SAVED))


def _cell_with_a_result(evidence: Evidence) -> int | None:
    """The last cell that put out a number as results are written, messages of libraries aside."""
    for cell in reversed(evidence.notebook.code_cells):
        for output in cell.outputs:
            is_told = output.kind is not OutputKind.ERROR and not output.is_stderr
            if is_told and _RESULT.search(output.text[:100_000]):
                return cell.number
    return None
