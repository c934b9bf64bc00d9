"""The text of a notebook: its passages, and the ones that probably answer a question."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz import fuzz

from grader.model import Record
from grader.notebook.markdown import code_texts, plain_blocks, shows_picture
from grader.notebook.records import Cell, CellKind, Notebook
from grader.notebook.terminal import shorten
from grader.notebook.words import words as word_set

MAX_PASSAGES = 5_000
MAX_PASSAGE_CHARS = 20_000
MAX_ANSWER_PASSAGES = 5

_SENTENCE_WORDS = 5
_STRING_WORDS = 8
_QUESTION_ALIKE = 85.0
_PART_ALIKE = 90.0
_PART_CHARS = 20
_PART_WORDS = 4  # fewer may be an answer that names what the question names
_BRIEF_WORDS = 6  # of a heading such as `What is missing?`
_FOLLOWING = 4  # passages after a question that may be its answer
_FOLLOWING_CELLS = 2

_SENTENCE_END = re.compile(r"(?<=[.?!])(?<!e\.g\.)(?<!i\.e\.)(?<!z\.B\.)\s+")
_FORMULA = re.compile(r"\w\s*=\s*\S")
_PARENTHESIS = re.compile(r"\([^()]{0,300}\)")
_NOT_WORD = re.compile(r"[\W_]+")
_IDEOGRAPH = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_NUMBERING = re.compile(
    r"^\s*(?:\(?\d{1,2}[.):]|(?:q|question|frage|task|aufgabe)\b\s*\d*\s*[-.:)]*)\s*", re.IGNORECASE
)
_ANSWER_MARK = re.compile(
    r"^\W*(?:ans|answers?|antwort(?:en)?|solution|lösung|a)\b\s*\d{0,2}\s*[-–:.)=>]+\s*|^\W*(?:answers?|antwort)\W*$",
    re.IGNORECASE,
)
_PLACEHOLDERS = frozenset(("n a", "k a", "xxx", "ans"))
_PLACING = word_set(
    "todo tbd answer antwort idea know ahnung later spaeter added ergaenzt bearbeitet beantwortet erledigen "
    "folgt soon"
)  # one of these, and nothing besides them and the words below: there is no answer yet, or none
_PLACED = _PLACING | word_set(
    "a an be been begruendung coming done don do erklaerung explanation fill gibt here hier i ich in "
    "is it kein keine kommt leider no noch nicht not now reason sorry still t the there this to type und we "
    "weiss wir write will wird yet your zu"
)


class Origin(StrEnum):
    """Where a passage stands: in a text cell, in a comment of a code cell, in a string of its code."""

    MARKDOWN = "markdown"
    COMMENT = "comment"
    STRING = "string"


class Passage(Record):
    """A piece of text: a paragraph, list or table of a text cell, a heading, or a comment of sentences.

    `headings` is the path of headings above it, outermost first. `answers_to` is set by `find_answer`: the
    part of the question, or the heading that asks it, that stands with it or right above it.
    """

    cell: int
    text: str
    headings: tuple[str, ...] = ()
    origin: Origin = Origin.MARKDOWN
    is_heading: bool = False
    answers_to: str = ""

    @property
    def is_comment(self) -> bool:
        """True for text in a comment or docstring of a code cell."""
        return self.origin is Origin.COMMENT


class Prose(Record):
    """All passages of a notebook in order. `pictures` are the text cells that show an image (no badge)."""

    passages: tuple[Passage, ...] = ()
    pictures: tuple[int, ...] = ()


def read_prose(notebook: Notebook) -> Prose:
    """The passages of `notebook`: text cells, and the whole sentences in comments and strings of its code."""
    passages: list[Passage] = []
    pictures: list[int] = []
    path: list[tuple[int, str]] = []
    for cell in notebook.cells:
        if len(passages) >= MAX_PASSAGES:
            break
        text = _markdown_of(cell)
        if text is None:
            headings = tuple(heading for _, heading in path)
            passages.extend(_passages_of_code(cell, headings))
            continue
        if shows_picture(text):
            pictures.append(cell.number)
        for block in plain_blocks(text):
            shown, _ = shorten(block.text, MAX_PASSAGE_CHARS)
            if block.level:
                path = [entry for entry in path if entry[0] < block.level]
            headings = tuple(heading for _, heading in path)
            passages.append(
                Passage(cell=cell.number, text=shown, headings=headings, is_heading=block.level > 0)
            )
            if block.level:
                path.append((block.level, shown[:200]))
    return Prose(passages=tuple(passages[:MAX_PASSAGES]), pictures=tuple(pictures))


def _markdown_of(cell: Cell) -> str | None:
    """The Markdown of a text cell, or of a code cell that begins with `%%markdown`; None for other code."""
    if cell.kind is not CellKind.CODE:
        return cell.source
    first, _, rest = cell.source.lstrip().partition("\n")
    return rest if first.strip().lower() in {"%%markdown", "%%latex", "%%html"} else None


def _passages_of_code(cell: Cell, headings: tuple[str, ...]) -> Iterator[Passage]:
    for found in code_texts(cell.source):
        least = _SENTENCE_WORDS if found.is_comment else _STRING_WORDS  # strings are mostly labels of outputs
        if is_sentence(found.text, least):
            text, _ = shorten(found.text, MAX_PASSAGE_CHARS)
            origin = Origin.COMMENT if found.is_comment else Origin.STRING
            yield Passage(cell=cell.number, text=text, headings=headings, origin=origin)


def is_sentence(text: str, least: int = _SENTENCE_WORDS) -> bool:
    """Whether `text` reads like a sentence: `least` plain words, and more words than anything else."""
    pieces = text[:MAX_PASSAGE_CHARS].split()
    plain = sum(1 for piece in pieces if piece.strip(".,;:!?()[]\"'*-–").isalpha())
    return (plain >= least and plain >= 0.6 * len(pieces)) or len(_IDEOGRAPH.findall(text)) >= 8


def find_answer(prose: Prose, *, question_words: Sequence[str], question: str) -> tuple[Passage, ...]:
    """The passages that probably answer `question`, in the order of the notebook; at most five.

    `question` is the task's own text (any number of sentences): wherever a passage repeats it, that
    part is taken away first, so that a pasted question without an answer gives nothing. A passage
    counts when it follows the pasted question, stands under a heading like it, or holds several of
    `question_words` (beginnings of words, in any case; the last two letters of long ones do not matter).
    """
    rated = [_Rated(passage, *_without_question(passage.text, question)) for passage in prose.passages]
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


def _asked_above(rated: Sequence[_Rated], question_words: Sequence[str], question: str) -> dict[int, str]:
    """By place: what asks for a passage, as it stands with it, right above it, or as its heading."""
    asked: dict[int, str] = {}
    for place, entry in enumerate(rated):
        heading = _asking_heading(entry.passage, question, question_words)
        if entry.asked:
            asked[place] = entry.asked
        elif heading:
            asked.setdefault(place, heading)
        own = _only_asks(entry.rest) and _hits(entry.rest, question_words) >= min(2, len(question_words))
        for follower in _followers(rated, place) if entry.asked or own else ():
            asked[follower] = entry.asked or entry.rest
    return asked


def _asking_heading(passage: Passage, question: str, question_words: Sequence[str]) -> str:
    """The innermost heading above a passage that asks the question or a part of it, "" if there is none."""

    def asks(heading: str) -> bool:
        is_brief = heading.endswith("?") and len(heading.split()) <= _BRIEF_WORDS
        return _is_like(heading, question) or _hits(heading, question_words) >= (1 if is_brief else 2)

    return next((heading for heading in reversed(passage.headings) if asks(heading)), "")


def _scores(
    rated: Sequence[_Rated], question_words: Sequence[str], question: str, least: int
) -> dict[int, float]:
    """How likely each passage answers the question, by its place; those that hardly can are left out."""
    scores: dict[int, float] = {}
    for place, entry in enumerate(rated):
        above = entry.passage.headings[-1] if entry.passage.headings else ""
        hits = _hits(entry.rest, question_words)
        around = _hits(f"{above} {entry.rest}", question_words)
        asks = bool(entry.asked) or (_only_asks(entry.rest) and around >= least)
        score = 0.0
        if hits and around >= least and (is_sentence(entry.rest) or _is_marked(entry)):
            score += hits
        if entry.asked:
            score += 8
        if _asking_heading(entry.passage, question, question_words):
            score += 4
        if score:
            scores[place] = scores.get(place, 0) + score
        if asks:
            for follower in _followers(rated, place):
                scores[follower] = scores.get(follower, 0) + 6 + _hits(rated[follower].rest, question_words)
    return {place: score for place, score in scores.items() if _can_answer(rated[place])}


def _can_answer(entry: _Rated) -> bool:
    is_title = entry.passage.is_heading and len(entry.rest.split()) < 6
    return _says_something(entry.rest) and not is_title and not _only_asks(entry.rest)


def _only_asks(text: str) -> bool:
    """Whether a text is nothing but questions, such as the task's in other words."""
    sentences = _sentences(text)
    return bool(sentences) and all(sentence.rstrip(' *_”")').endswith("?") for sentence in sentences)


def _is_marked(entry: _Rated) -> bool:
    return _ANSWER_MARK.match(entry.passage.text) is not None


def text_beside(prose: Prose, question: str) -> tuple[Passage, ...]:
    """The passages that say anything besides repeating `question`.

    Short headings do not count, nor do comments and strings in code that are no whole sentences. Empty
    means: there is no text in which an answer could be.
    """
    beside = []
    for passage in prose.passages:
        rest, _ = _without_question(passage.text, question)
        is_short = not is_sentence(rest) and (passage.is_heading or passage.origin is not Origin.MARKDOWN)
        if _says_something(rest) and not is_short:
            beside.append(passage.model_copy(update={"text": rest}))
    return tuple(beside)


def repeats(passage: Passage, question: str) -> bool:
    """Whether a passage repeats `question`, or a part of it."""
    return bool(_without_question(passage.text, question)[1])


class _Rated(NamedTuple):
    passage: Passage
    rest: str  # the text without the question
    asked: str  # the sentences of the question that stood in the text, "" when there were none


def _plain(text: str) -> str:
    return _NOT_WORD.sub(" ", text.lower()).strip()


def _sentences(text: str) -> list[str]:
    return [sentence for sentence in _SENTENCE_END.split(" ".join(text.split())) if sentence.strip()]


@lru_cache(maxsize=64)
def _asked_in(question: str) -> tuple[str, ...]:
    """The sentences of a question, as they are compared."""
    return tuple(map(_plain, _sentences(question)))


def _without_question(text: str, question: str) -> tuple[str, str]:
    """`text` without the sentences of `question` and the marks of an answer, and those sentences."""
    asked = [sentence for sentence in _asked_in(question) if len(sentence) > 5]
    kept: list[str] = []
    taken: list[str] = []
    begin = 0
    for end in [*(gap.end() for gap in _SENTENCE_END.finditer(text)), len(text)]:
        raw, begin = text[begin:end], end
        sentence = " ".join(raw.split())
        rest = _remainder(sentence, asked)
        if rest != sentence:
            taken.append(sentence)
        if rest:
            kept.append(raw if rest == sentence else f"{rest} ")
    rest = _ANSWER_MARK.sub("", "".join(kept), count=1).strip(" >*-\n")
    return rest, " ".join(taken)


def _remainder(sentence: str, asked: Sequence[str]) -> str:
    """What a sentence says besides one of the sentences asked; itself when it repeats none."""
    numberless = _NUMBERING.sub("", sentence, count=1)[:4_000]
    plain = _plain(numberless)
    brief = _plain(_PARENTHESIS.sub(" ", numberless))  # as asked, but for `(e.g. …)`
    for question in asked:
        if max(fuzz.ratio(plain, question), fuzz.ratio(brief, question)) >= _QUESTION_ALIKE:
            return ""
        if min(len(plain), len(question)) < _PART_CHARS or len(plain.split()) < _PART_WORDS:
            continue
        alignment = fuzz.partial_ratio_alignment(question, plain, score_cutoff=_PART_ALIKE)
        if alignment is None:
            continue
        if len(plain) <= 1.2 * len(question):
            return ""
        rest = f"{plain[: alignment.dest_start]} {plain[alignment.dest_end :]}".strip()
        return rest if len(rest.split()) > 2 else ""
    return sentence


def _says_something(text: str) -> bool:
    plain = _plain(text)
    says = re.search(r"[^\W\d_]{2}|" + _IDEOGRAPH.pattern, plain) or _FORMULA.search(text)
    return bool(says) and plain not in _PLACEHOLDERS and not _stands_in(set(plain.split()))


def _stands_in(words: Set[str]) -> bool:
    """Whether words are only in the place of an answer: `TODO`, `(not done yet)`, `no idea, sorry`."""
    return words <= _PLACED and bool(words & _PLACING)


def _hits(text: str, question_words: Sequence[str]) -> int:
    """How many of the words occur in `text`, each as the beginning of a word, endings of long ones aside."""
    plain = " " + _plain(text)
    return sum(1 for word in question_words if " " + _stem(word) in plain)


@lru_cache(maxsize=1024)
def _stem(word: str) -> str:
    """`initialise` finds initialization, `symmetry` finds symmetric."""
    word = _plain(word)
    return word[:-2] if len(word) >= 7 else word


def _is_like(text: str, question: str) -> bool:
    plain = _plain(text)
    return len(plain) > 10 and any(fuzz.ratio(plain, part) >= 80 for part in _asked_in(question))


def _followers(rated: Sequence[_Rated], asked_at: int) -> Iterator[int]:
    """The passages after a question up to the next heading or the next question."""
    question = rated[asked_at].passage
    for place in range(asked_at + 1, min(len(rated), asked_at + 1 + _FOLLOWING)):
        entry = rated[place]
        is_far = entry.passage.cell - question.cell > _FOLLOWING_CELLS
        asks_anew = _only_asks(entry.passage.text) and not entry.asked
        if entry.passage.is_heading or is_far or asks_anew or entry.passage.origin is Origin.STRING:
            return
        yield place
