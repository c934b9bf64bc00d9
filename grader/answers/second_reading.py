"""An answer read a second time, by the words of labelled answers: whether it is like the right ones.

The first reading goes by claims and knows what is so, but takes a half-understood answer for a right one now
and then. The second knows nothing, and counts: a logistic regression over single words and pairs of words
(TF-IDF). Where both agree is decided; docs/decisions/0031 says why, docs/answers.md how well.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from grader.answers.examples import Label, read_examples
from grader.answers.judging import Judged, Stand, answer_in, judge
from grader.answers.questions import Question
from grader.notebook.prose import Passage

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

_SURE = 0.8  # the chance of a label, from which on an answer reads like those that have it
_LABELS = {Stand.RIGHT: Label.MET, Stand.WRONG: Label.NOT_MET}


def chances(examples: str, text: str) -> dict[Label, float]:
    """How likely each label is for `text`, by the labelled answers in `examples` (a file's content)."""
    learned = _learned(examples)
    [shares] = learned.predict_proba([text])
    return {Label(name): float(share) for name, share in zip(learned.classes_, shares, strict=True)}


def judge_twice(question: Question, passages: Sequence[Passage]) -> Judged:
    """Judge the answer in `passages`, by its claims and, where the question has labelled answers, by these.

    What was decided stays so only where it also reads so; what is right as far as it was understood is right
    when it reads right as a whole. Nothing becomes wrong by this.
    """
    judged = judge(question, passages)
    if not question.examples or (judged.stand is Stand.OPEN and not judged.is_right_so_far):
        return judged
    likely = chances(question.examples, _text(answer_in(question, passages)))
    if judged.stand is Stand.OPEN:
        if likely[Label.MET] < _SURE:
            return judged
        why = "A part was understood and is right, and as a whole it reads like answers that are right."
        return judged.model_copy(update={"stand": Stand.RIGHT, "why": why, "is_likened": True})
    if likely[_LABELS[judged.stand]] >= _SURE:
        return judged
    why = f"What was understood is {judged.stand.value}, but the answer does not read like those that are."
    return judged.model_copy(update={"stand": Stand.OPEN, "why": why})


def reads_as_none(question: Question, passages: Sequence[Passage]) -> bool:
    """Whether texts in which no word of an answer was found read like wrong answers, too.

    True where the question has no labelled answers.
    """
    return not question.examples or chances(question.examples, _text(passages))[Label.NOT_MET] >= _SURE


def _text(passages: Sequence[Passage]) -> str:
    return "\n".join(passage.text for passage in passages)


@lru_cache(maxsize=4)
def _learned(examples: str) -> Pipeline:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    labelled = read_examples(examples)
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    regression = LogisticRegression(C=10, max_iter=2000, class_weight="balanced")
    learned = make_pipeline(words, regression)
    return learned.fit([one.text for one in labelled], [one.expect.value for one in labelled])
