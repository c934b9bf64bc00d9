"""Names left out of all that is shown: who handed in goes by a number, names are taken out of the text.

What is known to be a name is taken out: Moodle's, and those that are found in the notebook. Names that only
the reader of a text or of a picture would recognise stay.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from grader.evidence.record import Evidence
from grader.model import Grade, Participant, Reason, Record, Rejected
from grader.notebook.names import find_names, is_name_word

LEFT_OUT = "[name]"
STAFF = "staff"
_NUMBER_LEFT_OUT = "[number]"
_WORD = re.compile(r"[^\W\d_]{3,}")
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
_NUMBER = re.compile(r"(?<![\w.])\d{5,8}(?![\w.])")
_MATRICULATION = re.compile(r"(?i)\b(matr\w*\.?[\s-]*(?:nr|no|number|nummer)?\.?\s*[:=]?\s*)\d{5,8}\b")
_HOME = re.compile(r"(/Users/|/home/|[A-Za-z]:\\+Users\\+)[^/\\\s'\"]+")
_UNTOUCHED = frozenset({"image", "sha256", "notebook_sha256", "rubric_sha256", "key", "run_key", "id"})
_IMAGES = ("image/png", "image/jpeg")

Shown = TypeVar("Shown", bound=Record)


def pseudonym_of(submission: str, participant: Participant, secret: bytes) -> str:
    """What a hand-in is called instead: by Moodle's number where there is one, else by eight digits.

    The digits come of the course's `secret`, so that nobody can tell a name from them.
    """
    if participant.id is not None and re.fullmatch(r"[A-Za-z0-9]{1,40}", participant.id):
        return f"{'Group' if participant.is_group else 'Participant'}_{participant.id}"
    return f"Hand-in_{hmac.new(secret, submission.encode(), hashlib.sha256).hexdigest()[:8]}"


def nameless_hand_in(grade: Grade, evidence: Evidence, secret: bytes) -> tuple[Grade, Evidence]:
    """A grade and its evidence as they may be shown."""
    called = pseudonym_of(grade.submission, grade.participant, secret)
    names = names_in(evidence)
    submission = evidence.submission.model_copy(
        update={"id": called, "participant": nobody(grade.participant), "folder": Path(called)}
    )
    shown = evidence.model_copy(update={"submission": submission, "code_facts": evidence.facts})
    return _nameless_grade(grade, called, names), without_names(shown, names)


def nameless_other(grade: Grade, secret: bytes) -> Grade:
    """A grade of which the evidence is not at hand: without its reasons, which may hold names."""
    called = pseudonym_of(grade.submission, grade.participant, secret)
    reason = Reason(text="The report of this hand-in says why.")
    criteria = [
        criterion.model_copy(
            update={"verdict": criterion.verdict.model_copy(update={"reasons": (reason,)}), "override": None}
            if criterion.override is None
            else {"override": criterion.override.model_copy(update={"comment": ""})}
        )
        for criterion in grade.criteria
    ]
    shown = grade.model_copy(update={"criteria": tuple(criteria), "flags": ()})
    return _nameless_grade(shown, called, names_of(grade.participant))


def nameless_rejected(rejected: Rejected, secret: bytes) -> Rejected:
    """A rejected hand-in as it may be shown."""
    called = pseudonym_of(rejected.id, rejected.participant, secret)
    shown = rejected.model_copy(update={"id": called, "participant": nobody(rejected.participant)})
    return without_names(shown, names_of(rejected.participant))


def nobody(participant: Participant) -> Participant:
    """A participant without a name."""
    return participant.model_copy(update={"name": None})


def names_of(participant: Participant) -> tuple[str, ...]:
    """The name that Moodle, or a file's name, knows."""
    return (participant.name,) if participant.name else ()


def names_in(evidence: Evidence) -> tuple[str, ...]:
    """All names that are known of a hand-in: Moodle's, and those that stand in the notebook."""
    found = find_names(evidence.notebook)
    named = (*names_of(evidence.submission.participant), *found.top, *(name for _, name in found.elsewhere))
    return tuple(dict.fromkeys(named))


def _nameless_grade(grade: Grade, called: str, names: Iterable[str]) -> Grade:
    criteria = tuple(
        criterion
        if criterion.override is None
        else criterion.model_copy(
            update={"override": criterion.override.model_copy(update={"submission": called, "who": STAFF})}
        )
        for criterion in grade.criteria
    )
    update = {"submission": called, "participant": nobody(grade.participant), "criteria": criteria}
    return without_names(grade.model_copy(update=update), names)


def without_names(record: Shown, names: Iterable[str]) -> Shown:
    """A record with the names taken out of every text in it; pictures, ids and hashes stay as they are."""
    patterns = tuple(_patterns(names))
    return type(record).model_validate(_walked(record.model_dump(by_alias=True), patterns))


def nameless_node(node: Any, names: Iterable[str]) -> Any:
    """The same for a notebook as JSON."""
    return _walked(node, tuple(_patterns(names)))


def nameless_text(text: str, names: Iterable[str]) -> str:
    """The same for one text."""
    return _replaced(text, tuple(_patterns(names)))


def _patterns(names: Iterable[str]) -> Iterator[re.Pattern[str]]:
    """What is taken out: a whole name in any spelling of its letters, and each of its words as it is written."""
    for name in names:
        words = _WORD.findall(name)
        if len(words) > 1:
            yield re.compile(r"(?<![^\W_])" + r"[\s_,.-]+".join(map(re.escape, words)) + r"(?![^\W_])", re.I)
        for word in words:
            if is_name_word(word):
                yield re.compile(rf"(?<![^\W_]){re.escape(word)}(?![^\W_])")


def _walked(value: Any, patterns: tuple[re.Pattern[str], ...], key: object = None) -> Any:
    if isinstance(value, str):
        return value if key in _UNTOUCHED or key in _IMAGES else _replaced(value, patterns)
    if isinstance(value, dict):
        return {name: _walked(inner, patterns, name) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_walked(inner, patterns, key) for inner in value)
    return value


def _replaced(text: str, patterns: tuple[re.Pattern[str], ...]) -> str:
    text = _HOME.sub(rf"\1{LEFT_OUT}", _EMAIL.sub(LEFT_OUT, text))
    text = _MATRICULATION.sub(rf"\1{_NUMBER_LEFT_OUT}", text)
    if not any(pattern.search(text) for pattern in patterns):
        return text
    lines = []
    for line in text.split("\n"):
        plain = line
        for pattern in patterns:
            plain = pattern.sub(LEFT_OUT, plain)
        lines.append(_NUMBER.sub(_NUMBER_LEFT_OUT, plain) if plain != line else line)
    return "\n".join(lines)
