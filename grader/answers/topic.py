"""Whether a text speaks of a question at all, whatever it says of it."""

from __future__ import annotations

from rapidfuzz import fuzz

from grader.answers.claims import compiled
from grader.answers.clauses import holds, sentences_of
from grader.answers.doubts import MOST_CHARS, is_soup
from grader.answers.language import ADDRESSES, phrases
from grader.answers.questions import Question
from grader.answers.words import normal, words_of
from grader.notebook.prose import Passage

_BRIEF_WORDS = 9
_COPIED_CHARS = 15
_COPIED_ALIKE = 88  # of 100


def speaks_of(question: Question, text: str) -> bool:
    """Whether `text` holds any word of the question's topic (a short one: of a claim) besides repeating the
    question, is in a language not known here, or speaks to whoever grades.
    """
    words = words_of(without_copies(question, text))
    letters = [word.text for word in words if word.text[0].isalpha()]
    if is_soup(letters) or holds(words, ADDRESSES) or compiled(question).speaks_of_topic(words):
        return True
    if question.topic and not _is_brief(text):
        return False
    hints = phrases(*(f"{normal(word)}*" for word in question.words))
    return holds(words, hints) or compiled(question).telling_in(words) > 0


def is_about(question: Question, passage: Passage) -> bool:
    """Whether a passage speaks of the question: it names one of its subjects, where it has any."""
    if not question.subjects:
        return True
    ready = compiled(question)
    text = "\n".join((*passage.headings, passage.text))
    clauses = (clause for sentence in sentences_of(text) for clause in sentence.clauses)
    return any(not subject.is_aside for clause in clauses for subject, _ in ready.subjects_of(clause))


def _is_brief(text: str) -> bool:
    """Whether a text may say something in words of its own that a longer one would explain."""
    return len(text.split()) < _BRIEF_WORDS


def without_copies(question: Question, text: str) -> str:
    """`text` without the sentences that stand, nearly so, in the question."""
    asked = normal(question.asks)
    ends = [(sentence.start, sentence.end) for sentence in sentences_of(text[:MOST_CHARS])]
    told = (text[start:end] for start, end in ends)
    return "\n".join(sentence for sentence in told if not _is_copied(normal(sentence), asked))


def _is_copied(sentence: str, asked: str) -> bool:
    return len(sentence) >= _COPIED_CHARS and fuzz.partial_ratio(sentence, asked) >= _COPIED_ALIKE
