"""A text held against a question: what repeats the question, asks it again, or says anything besides."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from functools import lru_cache

from rapidfuzz import fuzz

from grader.notebook.prose import IDEOGRAPH
from grader.notebook.words import words as word_set

_QUESTION_ALIKE = 85.0
_PART_ALIKE = 90.0
_PART_CHARS = 20
_PART_WORDS = 4  # fewer may be an answer that names what the question names

_SENTENCE_END = re.compile(r"(?<=[.?!])(?<!e\.g\.)(?<!i\.e\.)(?<!z\.B\.)\s+")
_FORMULA = re.compile(r"\w\s*=\s*\S")
_PARENTHESIS = re.compile(r"\([^()]{0,300}\)")
_NOT_WORD = re.compile(r"[\W_]+")
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


def without_question(text: str, question: str) -> tuple[str, str]:
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


def is_like(text: str, question: str) -> bool:
    """Whether a text, a heading say, is about one of the sentences of the question."""
    plain = _plain(text)
    return len(plain) > 10 and any(fuzz.ratio(plain, part) >= 80 for part in _asked_in(question))


def hits_in(text: str, question_words: Sequence[str]) -> int:
    """How many of the words occur in `text`, each as the beginning of a word, endings of long ones aside."""
    plain = " " + _plain(text)
    return sum(1 for word in question_words if " " + _stem(word) in plain)


@lru_cache(maxsize=1024)
def _stem(word: str) -> str:
    """`initialise` finds initialization, `symmetry` finds symmetric."""
    word = _plain(word)
    return word[:-2] if len(word) >= 7 else word


def only_asks(text: str) -> bool:
    """Whether a text is nothing but questions, such as the task's in other words."""
    sentences = _sentences(text)
    return bool(sentences) and all(sentence.rstrip(' *_”")').endswith("?") for sentence in sentences)


def is_marked(text: str) -> bool:
    """Whether a text begins with the mark of an answer, as `Answer:`."""
    return _ANSWER_MARK.match(text) is not None


def says_something(text: str) -> bool:
    """Whether a text holds a word or a formula, and is not merely in the place of an answer."""
    plain = _plain(text)
    says = re.search(r"[^\W\d_]{2}|" + IDEOGRAPH.pattern, plain) or _FORMULA.search(text)
    return bool(says) and plain not in _PLACEHOLDERS and not _stands_in(set(plain.split()))


def _stands_in(words: Set[str]) -> bool:
    """Whether words are only in the place of an answer: `TODO`, `(not done yet)`, `no idea, sorry`."""
    return words <= _PLACED and bool(words & _PLACING)


def _sentences(text: str) -> list[str]:
    return [sentence for sentence in _SENTENCE_END.split(" ".join(text.split())) if sentence.strip()]


@lru_cache(maxsize=64)
def _asked_in(question: str) -> tuple[str, ...]:
    """The sentences of a question, as they are compared."""
    return tuple(map(_plain, _sentences(question)))


def _plain(text: str) -> str:
    return _NOT_WORD.sub(" ", text.lower()).strip()
