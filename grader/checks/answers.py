"""Checks of answers in words: the answer is found and laid out, and a person judges it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from grader.checks.registry import check
from grader.evidence.record import Evidence
from grader.model import Reason, Source, Verdict, needs_review, not_met
from grader.notebook.names import find_names
from grader.notebook.prose import Origin, Passage, find_answer, text_beside

EXCERPT_CHARS = 400
_LABEL_WORDS = 4  # at most so many words go with names (`Names of all group members`)
_WORD = re.compile(r"[^\W\d_]{2,}")
_CODE_FILES = frozenset({".ipynb", ".py", ".h5", ".keras", ".npz", ".npy", ".ckpt", ".csv"})
_PLACES = {
    Origin.MARKDOWN: "",
    Origin.COMMENT: " (in a comment)",
    Origin.STRING: " (in a string in the code)",
}


@check("question-answered")
def question_answered(evidence: Evidence, *, question: str, words: tuple[str, ...]) -> Verdict:
    """A question of the task is answered in the text.

    `question` is the task's text of it, all its sentences; `words` are words (or beginnings of words)
    that an answer is likely to hold. What is found is laid out for a person. Not met only when the hand-in
    holds no text at all besides that question, short headings and names.
    """
    found = _besides_names(evidence, find_answer(evidence.prose, question_words=words, question=question))
    if found:
        return needs_review(*(_laid_out(passage) for passage in found))
    beside = _besides_names(evidence, text_beside(evidence.prose, question))
    if beside:
        cells = sorted({passage.cell for passage in beside})
        text = f"No passage was found that clearly answers the question; there is text in {_cells(cells)}."
        return needs_review(Reason(text=text, cell=cells[0], source=Source.SOURCE))
    elsewhere = _where_else(evidence)
    if elsewhere is not None:
        return needs_review(elsewhere)
    text = "The question is not answered: besides code, headings and the question there is no text."
    return not_met(Reason(text=text, source=Source.SOURCE))


def _laid_out(passage: Passage) -> Reason:
    head = f"Cell {passage.cell}{_PLACES[passage.origin]}: "
    body = " ".join(passage.text.split())
    room = EXCERPT_CHARS - len(head) - 2
    if len(body) > room:
        body = body[: room - 2].rstrip() + " …"
    return Reason(text=f"{head}“{body}”", cell=passage.cell, source=Source.SOURCE)


def _besides_names(evidence: Evidence, passages: Sequence[Passage]) -> list[Passage]:
    """The passages that are more than a line of names."""
    found = find_names(evidence.notebook)
    names = [*found.top, *(name for _, name in found.elsewhere)]

    def says_more(passage: Passage) -> bool:
        rest = passage.text
        for name in names:
            rest = rest.replace(name, " ")
        return rest == passage.text or len(_WORD.findall(rest)) > _LABEL_WORDS

    return [passage for passage in passages if says_more(passage)]


def _where_else(evidence: Evidence) -> Reason | None:
    """Where an answer may be that cannot be read here: a picture, a text given online, another file."""
    if evidence.prose.pictures:
        cell = evidence.prose.pictures[0]
        text = f"No answer was found as text; cell {cell} shows a picture that may hold one."
        return Reason(text=text, cell=cell, source=Source.SOURCE)
    submission = evidence.submission
    if submission.online_text and submission.online_text.strip():
        text = "No answer was found in the notebook; a text was handed in online beside it."
        return Reason(text=text, source=Source.SOURCE)
    for attachment in submission.attachments:
        path = PurePosixPath(attachment.name)
        if path.suffix.lower() not in _CODE_FILES - {".ipynb"} and not path.name.startswith("."):
            text = f"No answer was found in the notebook; {attachment.name} was handed in beside it."
            return Reason(text=text, source=Source.SOURCE)
    return None


def _cells(cells: list[int]) -> str:
    shown = ", ".join(str(cell) for cell in cells[:8])
    return f"cell {shown}" if len(cells) == 1 else f"cells {shown}{' and more' if len(cells) > 8 else ''}"
