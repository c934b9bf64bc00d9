"""Checks of answers in words: what is clear is decided, all else is laid out for a person."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Protocol, cast

from pydantic import BaseModel, JsonValue

from grader.answers.judging import Stand, Stated
from grader.answers.questions import NamedQuestion, Question
from grader.answers.second_reading import judge_twice, reads_as_none
from grader.answers.tasks import is_of_the_task
from grader.answers.topic import speaks_of
from grader.checks.previews import Preview, PublicSide, found, missing, unclear, words_of_question
from grader.checks.registry import check
from grader.evidence.record import Evidence
from grader.model import Outcome, Reason, Source, Verdict, met, needs_review, not_met
from grader.notebook.answering import find_answer, repeats, text_beside
from grader.notebook.prose import Origin, Passage

EXCERPT_CHARS = 400
_LABEL_WORDS = 4  # at most so many words go with names (`Names of all group members`)
_WORD = re.compile(r"[^\W\d_]{2,}")
_CODE_FILES = frozenset({".ipynb", ".py", ".h5", ".keras", ".npz", ".npy", ".ckpt", ".csv"})
_PLACES = {
    Origin.MARKDOWN: "",
    Origin.COMMENT: " (in a comment)",
    Origin.STRING: " (in a string in the code)",
}


def asked_in_words(parameters: BaseModel) -> Mapping[str, JsonValue]:
    """What students may know of a check of an answer: the text of the question."""
    return {"asks": cast(AboutQuestion, parameters).question.asks}


class AboutQuestion(Protocol):
    """The parameters of a check of an answer."""

    question: Question


def _answer_before_grading(evidence: Evidence, *, asks: str) -> Preview:
    """Whether the question has an answer, by its own text alone; what the answer says is not looked at."""
    return answer_seen(evidence, asks)


def answer_seen(evidence: Evidence, asks: str) -> Preview:
    """Where the answer to a question stands: for sure only right below the question or a heading like it."""
    passages = _besides_names(
        evidence, find_answer(evidence.prose, question_words=words_of_question(asks), question=asks)
    )
    answers = [passage for passage in passages if passage.answers_to and not is_of_the_task(passage)]
    if answers:
        cells = sorted({passage.cell for passage in answers})
        return found(said(f"An answer stands in {cells_in_words(cells)}.", cells[0]))
    if all(map(is_of_the_task, passages)):
        passages = []
    if passages:
        cells = sorted({passage.cell for passage in passages})
        text = (
            f"The text in {cells_in_words(cells)} may answer it; put it right below the question to be sure."
        )
        return unclear(said(text, cells[0]))
    asked = next((p.cell for p in evidence.prose.passages if repeats(p, asks)), None)
    told = [passage for passage in text_beside(evidence.prose, asks) if not _announces(passage)]
    if _besides_names(evidence, told):
        text = (
            "No text was found that clearly answers it; put your answer right below the question, or below a "
            "heading that names it."
        )
        if asked is not None:
            text = f"The question stands in cell {asked}, and no answer right below it."
        return unclear(said(text, asked))
    elsewhere = answer_elsewhere(evidence)
    if elsewhere is not None:
        return unclear(elsewhere)
    if asked is not None:
        return missing(said(f"The question stands in cell {asked}, and no answer below it.", asked))
    return missing(said("There is no answer: the notebook has no text besides code, headings and questions."))


def _announces(passage: Passage) -> bool:
    """Whether a passage only says what comes: a heading, `Names:`."""
    return passage.is_heading or passage.text.rstrip(" *_").endswith(":")


def said(text: str, cell: int | None = None) -> Reason:
    """A reason that was read in a hand-in, whatever its code does when it runs."""
    return Reason(text=text, cell=cell, source=Source.SOURCE)


@check(
    "question-answered",
    public_side=PublicSide(asked_in_words, _answer_before_grading, heading=lambda *, asks: asks),
)
def question_answered(evidence: Evidence, *, question: NamedQuestion, decide: bool = True) -> Verdict:
    """A question of the task is answered in the text.

    `question` is the name of one that the assignment's `answers.yaml` describes. Decided where the answer is
    understood and nothing speaks against it, and where there are labelled answers only if it reads like
    those; all else is laid out for a person. Not met when what it says is a known mistake, when the hand-in
    holds no text that could answer, or none with a word of an answer. Where it does not `decide`, all that
    rests on reading is only a hint for the person.
    """
    found = find_answer(evidence.prose, question_words=question.words, question=question.asks)
    passages = _besides_names(evidence, found)
    beside = _besides_names(evidence, text_beside(evidence.prose, question.asks))
    is_told = any(speaks_of(question, passage.text) for passage in (*passages, *beside))
    is_told = is_told or any(passage.answers_to for passage in passages)
    if passages and (is_told or not question.claims):
        return as_settled(_judged(question, passages), decide=decide)
    if is_told or (beside and not (question.claims and reads_as_none(question, beside))):
        cells = sorted({passage.cell for passage in beside})
        text = (
            "No passage was found that clearly answers the question; there is text in "
            f"{cells_in_words(cells)}."
        )
        return needs_review(said(text, cells[0]))
    elsewhere = answer_elsewhere(evidence)
    if elsewhere is not None:
        return needs_review(elsewhere)
    if beside:
        text = "The question is not answered: no text in the notebook holds a word of an answer."
        return as_settled(not_met(said(text)), decide=decide)
    text = "The question is not answered: besides code, headings and the question there is no text."
    return not_met(said(text))


def as_settled(verdict: Verdict, *, decide: bool) -> Verdict:
    """What was understood of an answer: the verdict, or where it is not to `decide` a hint for a person."""
    if decide or verdict.outcome is Outcome.NEEDS_REVIEW:
        return verdict
    read = verdict.outcome.value.replace("_", " ")
    text = f"As far as the program understands the answer this is {read}; a person reads it and decides."
    return needs_review(said(text), *verdict.reasons)


def _judged(question: Question, passages: Sequence[Passage]) -> Verdict:
    judged = judge_twice(question, passages)
    if judged.stand is Stand.RIGHT:
        how = (said(judged.why, passages[0].cell),) if judged.is_likened else ()
        return met(*(_told(s) for s in _one_each(judged.stated, Stand.RIGHT)), *how)
    if judged.stand is Stand.WRONG:
        return not_met(*(_told(s) for s in _one_each(judged.stated, Stand.WRONG)))
    why = said(judged.why, passages[0].cell)
    return needs_review(why, *(laid_out(passage) for passage in passages))


def _one_each(stated: Sequence[Stated], stand: Stand) -> list[Stated]:
    """The first sentence for each claim that stands so."""
    first: dict[str, Stated] = {}
    for s in stated:
        if s.stand is stand:
            first.setdefault(s.claim, s)
    return list(first.values())


def _told(stated: Stated) -> Reason:
    """What a sentence was understood to say."""
    verb = "says the opposite of" if stated.is_denied else "says"
    text = f"“{excerpt(stated.quote, EXCERPT_CHARS // 2)}” {verb}: {stated.says}"
    return said(text, stated.cell)


def laid_out(passage: Passage) -> Reason:
    """A passage, cut to an excerpt, for a person to read."""
    head = f"Cell {passage.cell}{_PLACES[passage.origin]}: "
    body = excerpt(passage.text, EXCERPT_CHARS - len(head) - 2)
    return said(f"{head}“{body}”", passage.cell)


def excerpt(text: str, room: int) -> str:
    """`text` on one line, cut to `room` characters."""
    body = " ".join(text.split())
    return body if len(body) <= room else body[: room - 2].rstrip() + " …"


def _besides_names(evidence: Evidence, passages: Sequence[Passage]) -> list[Passage]:
    """The passages that are more than a line of names."""
    found = evidence.names
    names = [*found.top, *(name for _, name in found.elsewhere)]

    def says_more(passage: Passage) -> bool:
        rest = passage.text
        for name in names:
            rest = rest.replace(name, " ")
        return rest == passage.text or len(_WORD.findall(rest)) > _LABEL_WORDS

    return [passage for passage in passages if says_more(passage)]


def answer_elsewhere(evidence: Evidence) -> Reason | None:
    """Where an answer may be that cannot be read here: a picture, a text given online, another file."""
    if evidence.prose.pictures:
        cell = evidence.prose.pictures[0]
        text = f"No answer was found as text; cell {cell} shows a picture that may hold one."
        return said(text, cell)
    submission = evidence.submission
    if submission.online_text and submission.online_text.strip():
        text = "No answer was found in the notebook; a text was handed in online beside it."
        return said(text)
    for attachment in submission.attachments:
        path = PurePosixPath(attachment.name)
        if path.suffix.lower() not in _CODE_FILES - {".ipynb"} and not path.name.startswith("."):
            text = f"No answer was found in the notebook; {attachment.name} was handed in beside it."
            return said(text)
    return None


def cells_in_words(cells: Sequence[int]) -> str:
    """`cell 3`, `cells 3, 5`."""
    shown = ", ".join(str(cell) for cell in cells[:8])
    return f"cell {shown}" if len(cells) == 1 else f"cells {shown}{' and more' if len(cells) > 8 else ''}"
