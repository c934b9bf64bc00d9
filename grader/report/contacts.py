"""Matriculation numbers and addresses left out of what a student gets, whoever's of the group they are.

Names stay. Left out are e-mail addresses, numbers that a label calls a matriculation number, numbers of five
to eight digits on a line with a name or on a line of their own below one, and the same numbers wherever else
they stand. Pictures are not read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from decimal import Decimal
from functools import cache
from operator import is_
from pathlib import Path
from typing import Any, TypeVar

from grader.evidence.record import Evidence
from grader.model import Grade, Record
from grader.notebook.people import is_named

ADDRESS_LEFT_OUT = "[address]"
NUMBER_LEFT_OUT = "[number]"
_AT = r"(?:@|＠|&commat;|&#0{0,4}64;|&#x0{0,4}40;|\s?[\[({]\s?(?:at|@)\s?[\])}]\s?)"
_TOP = (
    r"(?-i:[a-z]{2})|com|net|org|edu|gov|mil|int|info|name|mail|email|test|example"  # `x@w.T` is no address
)
EMAIL = re.compile(
    rf"(?i)(?<![\w.+-])[\w.+-]{{1,64}}{_AT}(?!self\.)(?:[\w-]{{1,63}}\.){{1,4}}(?:{_TOP})(?![\w-])"
)
MATRICULATION = re.compile(r"(?i)\b(matr\w*\.?[\s-]*(?:nr|no|number|nummer)?\.?\s*[:=]?\s*)\d{5,8}\b")
NUMBER = re.compile(r"(?<![\w.])\d{5,8}(?![\w.])")
_MAY_HOLD_ADDRESS = re.compile(r"[@＠&]|[\[({]\s?(?i:at)")  # whatever `_AT` finds
_ONLY_NUMBERS = re.compile(r"[\W_]*\d{5,8}(?:[\W_]+\d{5,8}){0,5}[\W_]*")
_FIVE_DIGITS = re.compile(r"(?<!\d)\d{5,8}(?!\d)")
_HAS_LETTERS = re.compile(r"[^\W\d_]{3,}")
_LINE = 300  # characters of a line that may name somebody
_ROUND = 1000  # 60000 images are nobody's number

UNTOUCHED = frozenset(
    {"image", "image/png", "image/jpeg", "sha256", "notebook_sha256", "rubric_sha256", "key", "run_key", "id"}
)
_WITHOUT_TEXT = frozenset({int, float, bool, type(None), Decimal})
_FIGURES = ("observed", "measured")  # of evidence; `repeats` are figures, too
Shown = TypeVar("Shown", bound=Record)


def within(value: Any, changed: Callable[[str], str], key: object = None) -> Any:
    """`value`, of records, lists, dicts and texts, with every text `changed` but pictures, ids and hashes.

    Whatever has no text that changes is itself, and not a copy.
    """
    kind = type(value)
    if kind is str:  # and no enum
        text = value if key in UNTOUCHED else changed(value)
        return value if text == value else text
    if isinstance(value, Record):
        parts = {name: value.__dict__[name] for name in _fields(type(value))}
        update = _changes(parts, changed)
        if not update:
            return value
        bare = value.model_copy()
        bare.__dict__.clear()  # of what was derived from the texts as they were
        return bare.model_copy(update=parts | update)
    if isinstance(value, dict):
        update = _changes(value, changed)
        return value | update if update else value
    if isinstance(value, (list, tuple)):
        members = [inner if type(inner) in _WITHOUT_TEXT else within(inner, changed, key) for inner in value]
        if all(map(is_, members, value)):
            return value
        return kind(*members) if hasattr(value, "_fields") else kind(members)
    return value


def _changes(parts: Mapping[str, Any], changed: Callable[[str], str]) -> dict[str, Any]:
    """Those of `parts` that come out changed."""
    update = {}
    for name, part in parts.items():
        if type(part) not in _WITHOUT_TEXT:
            new = within(part, changed, name)
            if new is not part:
                update[name] = new
    return update


@cache
def _fields(kind: type[Record]) -> tuple[str, ...]:
    return tuple(kind.model_fields)


def labelled_left_out(text: str) -> str:
    """`text` without addresses and without numbers that are called matriculation numbers."""
    if _MAY_HOLD_ADDRESS.search(text) is not None:
        text = EMAIL.sub(ADDRESS_LEFT_OUT, text)
    return MATRICULATION.sub(rf"\1{NUMBER_LEFT_OUT}", text) if "matr" in text.lower() else text


class ContactsLeftOut:
    """What is shown of one hand-in, without numbers and addresses of whoever made it."""

    def __init__(self, evidence: Evidence) -> None:
        numbers = sorted(set(_numbers(evidence)))
        self._numbers = re.compile(rf"(?<!\d)(?:{'|'.join(numbers)})(?!\d)") if numbers else None

    def text(self, text: str) -> str:
        """The same for one text."""
        plain = labelled_left_out(text)
        return plain if self._numbers is None else self._numbers.sub(NUMBER_LEFT_OUT, plain)

    def evidence(self, evidence: Evidence) -> Evidence:
        """Evidence as it may be shown; what was read of it stays what was read in the original.

        What was observed and measured stays as it is: it holds large arrays, and no text that names people.
        """
        submission = evidence.submission
        file = _FIVE_DIGITS.sub(NUMBER_LEFT_OUT, submission.notebook)
        update = {
            "submission": submission.model_copy(update={"notebook": file, "folder": Path(submission.id)}),
            "code_facts": evidence.facts,
            "text": evidence.prose,
        }
        bare = evidence.model_copy(update={**update, **dict.fromkeys(_FIGURES), "repeats": ()})
        kept = {name: getattr(evidence, name) for name in (*_FIGURES, "repeats")}
        return self.record(bare).model_copy(update=kept)

    def record(self, record: Shown) -> Shown:
        """A record with every text changed."""
        shown: Shown = within(record, self.text)
        return shown

    def node(self, node: Any) -> Any:
        """A notebook file's content with every text changed."""
        return within(node, self.text)

    def grade(self, grade: Grade) -> Grade:
        """A grade with every text changed; whose it is stays."""
        shown = self.record(grade)
        return shown.model_copy(update={"submission": grade.submission, "participant": grade.participant})


def _numbers(evidence: Evidence) -> Iterator[str]:
    """Numbers that stand with names, or after a label, or alone in the lines after those."""
    found = evidence.names
    names = {*found.top, *(name for _, name in found.elsewhere)}
    if evidence.submission.participant.name:
        names.add(evidence.submission.participant.name)
    for cell in evidence.notebook.cells:
        for text in (cell.source, *(output.text[:100_000] for output in cell.outputs)):
            yield from _numbers_beside(names, text)


def _numbers_beside(names: Collection[str], text: str) -> Iterator[str]:
    if _FIVE_DIGITS.search(text) is None:
        return
    is_below = False  # only numbers stand between here and a line with a name
    for line in text.split("\n"):
        has_number = _FIVE_DIGITS.search(line[:_LINE]) is not None
        has_name = len(line) <= _LINE and any(is_named(name, line) for name in names)
        if has_number and (
            has_name or MATRICULATION.search(line) or (is_below and _ONLY_NUMBERS.fullmatch(line))
        ):
            yield from (number for number in _FIVE_DIGITS.findall(line[:_LINE]) if int(number) % _ROUND)
        is_below = has_name or (is_below and not _HAS_LETTERS.search(line))
