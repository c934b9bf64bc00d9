"""Names left out of all that is shown: who handed in goes by a number, names are taken out of the text.

What is known to be a name is taken out: Moodle's, and those that are found in the notebook. Names that only
the reader of a text or of a picture would recognise stay.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from grader.evidence.record import Evidence
from grader.model import Grade, Participant, Reason, Record, Rejected, Submission
from grader.notebook.names import is_name_word
from grader.report.contacts import EMAIL, MATRICULATION, NUMBER, NUMBER_LEFT_OUT, within

LEFT_OUT = "[name]"
STAFF = "staff"
_WORD = re.compile(r"[^\W\d_]+")
_SHORTEST = 3  # letters of a word that is taken out by itself
_PLAIN_NUMBER = re.compile(r"[A-Za-z0-9]{1,40}")
_HOME = re.compile(r"(/Users/|/home/|[A-Za-z]:\\+Users\\+)[^/\\\s'\"]+")

Shown = TypeVar("Shown", bound=Record)
Executed = Callable[[Evidence], Any]
Progress = Callable[[str, int, int], None]


class Published(NamedTuple):
    """What the pages of an assignment are made of; `executed` gives a hand-in's notebook of our run."""

    grades: Sequence[Grade]
    evidence: Sequence[Evidence]
    rejected: Sequence[Rejected]
    others: Sequence[Grade]
    executed: Executed


class NamesLeftOut:
    """Whoever handed in, called otherwise, and shown without names. `secret` is the course's."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def called(self, submission: str, participant: Participant) -> str:
        """What a hand-in is called instead: by Moodle's number where there is one, else by eight digits.

        The digits come of the secret, so that nobody can tell a name from them.
        """
        if participant.id is not None and _PLAIN_NUMBER.fullmatch(participant.id):
            return f"{'Group' if participant.is_group else 'Participant'}_{participant.id}"
        return f"Hand-in_{hmac.new(self._secret, submission.encode(), hashlib.sha256).hexdigest()[:8]}"

    def progress(self, progress: Progress, received: Iterable[Submission | Rejected]) -> Progress:
        """`progress`, told of hand-ins by what they are called instead."""
        called = {item.id: self.called(item.id, item.participant) for item in received}
        return lambda doing, done, total: progress(called.get(doing, doing), done, total)

    def published(self, shown: Published) -> Published:
        """The same without names: in each hand-in its own names, word by word, and everybody's whole ones."""
        own = [
            (*names_in(evidence), *_deciding(grade))
            for grade, evidence in zip(shown.grades, shown.evidence, strict=True)
        ]
        people = [item.participant for item in shown.rejected] + [other.participant for other in shown.others]
        whole = _whole_names((*chain.from_iterable(own), *chain.from_iterable(map(_names_of, people))))
        texts = [_Texts((*whole, *_words_of(names))) for names in own]
        originals = {
            self.called(evidence.submission.id, evidence.submission.participant): (evidence, text)
            for evidence, text in zip(shown.evidence, texts, strict=True)
        }

        def executed(evidence: Evidence) -> Any:
            original, text = originals[evidence.submission.id]
            node = shown.executed(original)
            return None if node is None else text.within(node)

        return Published(
            grades=[self._grade(*pair) for pair in zip(shown.grades, texts, strict=True)],
            evidence=[self._evidence(*pair) for pair in zip(shown.evidence, texts, strict=True)],
            rejected=[self._rejected(item, whole) for item in shown.rejected],
            others=[self._other(grade, whole) for grade in shown.others],
            executed=executed,
        )

    def _evidence(self, evidence: Evidence, texts: _Texts) -> Evidence:
        submission = evidence.submission
        called = self.called(submission.id, submission.participant)
        nameless = {"id": called, "participant": _nobody(submission.participant), "folder": Path(called)}
        update = {
            "submission": submission.model_copy(update=nameless),
            "code_facts": evidence.facts,
            "text": evidence.prose,
        }
        return texts.record(evidence.model_copy(update=update))

    def _grade(self, grade: Grade, texts: _Texts) -> Grade:
        """A grade as it may be shown; who decided is not told either."""
        called = self.called(grade.submission, grade.participant)
        decided = {"submission": called, "who": STAFF}
        criteria = tuple(
            criterion.model_copy(
                update={"override": criterion.override and criterion.override.model_copy(update=decided)}
            )
            for criterion in grade.criteria
        )
        update = {"submission": called, "participant": _nobody(grade.participant), "criteria": criteria}
        return texts.record(grade.model_copy(update=update))

    def _other(self, grade: Grade, whole: tuple[re.Pattern[str], ...]) -> Grade:
        """A grade of which the evidence is not at hand: without its reasons, for they may hold names."""
        reasons = (Reason(text="The report of this hand-in says why."),)
        criteria = tuple(
            criterion.model_copy(
                update={
                    "verdict": criterion.verdict.model_copy(update={"reasons": reasons}),
                    "override": criterion.override and criterion.override.model_copy(update={"comment": ""}),
                }
            )
            for criterion in grade.criteria
        )
        shown = grade.model_copy(update={"criteria": criteria, "flags": ()})
        return self._grade(shown, _Texts((*whole, *_words_of(_names_of(grade.participant)))))

    def _rejected(self, item: Rejected, whole: tuple[re.Pattern[str], ...]) -> Rejected:
        called = self.called(item.id, item.participant)
        shown = item.model_copy(update={"id": called, "participant": _nobody(item.participant)})
        return _Texts((*whole, *_words_of(_names_of(item.participant)))).record(shown)


def remover_of_names(evidence: Evidence, others: Iterable[str] = ()) -> Callable[[str], str]:
    """Takes names out of a text of a hand-in: its own word by word, those of `others` as a whole."""
    own = names_in(evidence)
    return _Texts((*_whole_names((*own, *others)), *_words_of(own))).text


def names_in(evidence: Evidence) -> tuple[str, ...]:
    """All names that are known of a hand-in: Moodle's, and those that stand in the notebook."""
    found = evidence.names
    elsewhere = (name for _, name in found.elsewhere)
    return tuple(dict.fromkeys((*_names_of(evidence.submission.participant), *found.top, *elsewhere)))


def _names_of(participant: Participant) -> tuple[str, ...]:
    return (participant.name,) if participant.name else ()


def _deciding(grade: Grade) -> tuple[str, ...]:
    """Who decided; flags speak of them."""
    of_group = grade.group.decision if grade.group is not None else None
    decided = (criterion.override.who for criterion in grade.criteria if criterion.override is not None)
    return (*decided, *((of_group.who,) if of_group is not None else ()))


def _nobody(participant: Participant) -> Participant:
    return participant.model_copy(update={"name": None})


def _words_of(names: Iterable[str]) -> tuple[re.Pattern[str], ...]:
    """One pattern of every word of the names, as it is written; words that mean something are left."""
    words = {word for name in names for word in _WORD.findall(name)}
    return _pattern_of({word for word in words if len(word) >= _SHORTEST and is_name_word(word)}, 0)


def _whole_names(names: Iterable[str]) -> tuple[re.Pattern[str], ...]:
    """One pattern of the whole names, in either order, in capitals or not, whatever joins their words."""
    parts = [words for name in names if len(words := _WORD.findall(name)) > 1]
    orders = (*parts, *(words[::-1] for words in parts))
    return _pattern_of({r"[\s_,.-]*".join(words) for words in orders}, re.IGNORECASE)


def _pattern_of(options: set[str], flags: int) -> tuple[re.Pattern[str], ...]:
    if not options:
        return ()
    either = "|".join(sorted(options, key=lambda option: (-len(option), option)))
    return (re.compile(rf"(?<![^\W_])(?:{either})(?![^\W_])", flags),)


class _Texts:
    """Takes the names out of texts, and out of all that holds texts."""

    def __init__(self, patterns: tuple[re.Pattern[str], ...]) -> None:
        self._patterns = patterns

    def record(self, record: Shown) -> Shown:
        """A record with the names taken out of every text; pictures, ids and hashes stay as they are."""
        shown: Shown = self.within(record)
        return shown

    def within(self, value: Any) -> Any:
        """The same for anything made of records, lists, dicts and texts."""
        return within(value, self.text)

    def text(self, text: str) -> str:
        """The same for one text; numbers beside a name go with it, and so do addresses."""
        text = _HOME.sub(rf"\1{LEFT_OUT}", EMAIL.sub(LEFT_OUT, text))
        text = MATRICULATION.sub(rf"\1{NUMBER_LEFT_OUT}", text)
        if not any(pattern.search(text) for pattern in self._patterns):
            return text
        return "\n".join(map(self._line, text.split("\n")))

    def _line(self, line: str) -> str:
        plain = line
        for pattern in self._patterns:
            plain = pattern.sub(LEFT_OUT, plain)
        return line if plain == line else NUMBER.sub(NUMBER_LEFT_OUT, plain)
