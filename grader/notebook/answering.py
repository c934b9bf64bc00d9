"""The passages of a notebook that probably answer a question, and those that could."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from grader.notebook.asked import hits_in, is_like, is_marked, only_asks, says_something, without_question
from grader.notebook.prose import Origin, Passage, Prose, is_sentence

MAX_ANSWER_PASSAGES = 5

_BRIEF_WORDS = 6  # of a heading such as `What is missing?`
_FOLLOWING = 4  # passages after a question that may be its answer
_FOLLOWING_CELLS = 2


def find_answer(prose: Prose, *, question_words: Sequence[str], question: str) -> tuple[Passage, ...]:
    """The passages that probably answer `question`, in the order of the notebook; at most five.

    `question` is the task's own text (any number of sentences): wherever a passage repeats it, that
    part is taken away first, so that a pasted question without an answer gives nothing. A passage
    counts when it follows the pasted question, stands under a heading like it, or holds several of
    `question_words` (beginnings of words, in any case; the last two letters of long ones do not matter).
    """
    rated = [_Rated(passage, *without_question(passage.text, question)) for passage in prose.passages]
    scores = _scores(rated, question_words, question, least=min(2, len(question_words)))
    if not scores:  # then what holds a single one of the words is better than nothing
        scores = _scores(rated, question_words, question, least=1)
    best = sorted(scores, key=lambda place: (-scores[place], place))[:MAX_ANSWER_PASSAGES]
    asked = _asked_above(rated, question_words, question)
    return tuple(
        rated[place].passage.model_copy(
            update={"text": rated[place].rest, "answers_to": asked.get(place, "")}
        )
        for place in sorted(best)
    )


class _Rated(NamedTuple):
    passage: Passage
    rest: str  # the text without the question
    asked: str  # the sentences of the question that stood in the text, "" when there were none


def _asked_above(rated: Sequence[_Rated], question_words: Sequence[str], question: str) -> dict[int, str]:
    """By place: what asks for a passage, as it stands with it, right above it, or as its heading."""
    asked: dict[int, str] = {}
    for place, entry in enumerate(rated):
        heading = _asking_heading(entry.passage, question, question_words)
        if entry.asked:
            asked[place] = entry.asked
        elif heading:
            asked.setdefault(place, heading)
        own = only_asks(entry.rest) and hits_in(entry.rest, question_words) >= min(2, len(question_words))
        for follower in _followers(rated, place) if entry.asked or own else ():
            asked[follower] = entry.asked or entry.rest
    return asked


def _asking_heading(passage: Passage, question: str, question_words: Sequence[str]) -> str:
    """The innermost heading above a passage that asks the question or a part of it, "" if there is none."""

    def asks(heading: str) -> bool:
        is_brief = heading.endswith("?") and len(heading.split()) <= _BRIEF_WORDS
        return is_like(heading, question) or hits_in(heading, question_words) >= (1 if is_brief else 2)

    return next((heading for heading in reversed(passage.headings) if asks(heading)), "")


def _scores(
    rated: Sequence[_Rated], question_words: Sequence[str], question: str, least: int
) -> dict[int, float]:
    """How likely each passage answers the question, by its place; those that hardly can are left out."""
    scores: dict[int, float] = {}
    for place, entry in enumerate(rated):
        above = entry.passage.headings[-1] if entry.passage.headings else ""
        hits = hits_in(entry.rest, question_words)
        around = hits_in(f"{above} {entry.rest}", question_words)
        asks = bool(entry.asked) or (only_asks(entry.rest) and around >= least)
        score = 0.0
        if hits and around >= least and (is_sentence(entry.rest) or is_marked(entry.passage.text)):
            score += hits
        if entry.asked:
            score += 8
        if _asking_heading(entry.passage, question, question_words):
            score += 4
        if score:
            scores[place] = scores.get(place, 0) + score
        if asks:
            for follower in _followers(rated, place):
                scores[follower] = scores.get(follower, 0) + 6 + hits_in(rated[follower].rest, question_words)
    return {place: score for place, score in scores.items() if _can_answer(rated[place])}


def _can_answer(entry: _Rated) -> bool:
    is_title = entry.passage.is_heading and len(entry.rest.split()) < 6
    return says_something(entry.rest) and not is_title and not only_asks(entry.rest)


def _followers(rated: Sequence[_Rated], asked_at: int) -> Iterator[int]:
    """The passages after a question up to the next heading or the next question."""
    question = rated[asked_at].passage
    for place in range(asked_at + 1, min(len(rated), asked_at + 1 + _FOLLOWING)):
        entry = rated[place]
        is_far = entry.passage.cell - question.cell > _FOLLOWING_CELLS
        asks_anew = only_asks(entry.passage.text) and not entry.asked
        if entry.passage.is_heading or is_far or asks_anew or entry.passage.origin is Origin.STRING:
            return
        yield place


def text_beside(prose: Prose, question: str) -> tuple[Passage, ...]:
    """The passages that say anything besides repeating `question`.

    Short headings do not count, nor do comments and strings in code that are no whole sentences. Empty
    means: there is no text in which an answer could be.
    """
    beside = []
    for passage in prose.passages:
        rest, _ = without_question(passage.text, question)
        is_short = not is_sentence(rest) and (passage.is_heading or passage.origin is not Origin.MARKDOWN)
        if says_something(rest) and not is_short:
            beside.append(passage.model_copy(update={"text": rest}))
    return tuple(beside)


def repeats(passage: Passage, question: str) -> bool:
    """Whether a passage repeats `question`, or a part of it."""
    return bool(without_question(passage.text, question)[1])
