"""What a person looks at: one criterion of one hand-in; and in which order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from rapidfuzz import fuzz, process

from grader.evidence.record import Evidence
from grader.model import CriterionGrade, Grade, Record
from grader.trust import is_drawn

_COMPARED = 3_000  # characters of a passage


class Why(StrEnum):
    """Why an item is here."""

    OPEN = "open"  # nobody but a person can decide
    SPOT_CHECK = "spot check"  # decided by the program, drawn by chance


class Item(Record):
    """One criterion of one hand-in; `key` names the hand-in in addresses and on the page, without a name."""

    key: str
    submission: str
    criterion: CriterionGrade
    why: Why

    @property
    def place(self) -> tuple[str, str]:
        """Which hand-in and which criterion, whatever was decided."""
        return self.key, self.criterion.id

    @property
    def is_decided(self) -> bool:
        """Whether a person has decided."""
        return self.criterion.override is not None


def items_of(grades: Iterable[tuple[str, Grade]], secret: bytes) -> tuple[Item, ...]:
    """All that is or was a person's to decide, of grades with their keys, in their and the rubric's order."""
    return tuple(
        Item(key=key, submission=grade.submission, criterion=criterion, why=why)
        for key, grade in grades
        for criterion in grade.criteria
        if (why := _why(grade, criterion, secret)) is not None
    )


def _why(grade: Grade, criterion: CriterionGrade, secret: bytes) -> Why | None:
    if criterion.verdict.fraction is None:
        return Why.OPEN
    return Why.SPOT_CHECK if is_drawn(grade, criterion, secret) else None


def by_likeness(items: Sequence[Item], passages: Mapping[str, str]) -> list[Item]:
    """Items of one criterion so that those with similar passages stand next to each other.

    Begins with the shortest; after each comes what is most like it. `passages` are by key.
    """
    left = sorted(items, key=lambda item: (len(passages.get(item.key, "")), item.key))
    texts = [passages.get(item.key, "")[:_COMPARED] for item in left]
    order: list[Item] = []
    number = 0
    while left:
        order.append(left.pop(number))
        text = texts.pop(number)
        if left:
            best = process.extractOne(text, texts, scorer=fuzz.token_sort_ratio)
            number = best[2] if best is not None else 0
    return order


def passage_of(evidence: Evidence, criterion: CriterionGrade) -> str:
    """The text of the cells that a criterion's reasons speak of, each once."""
    numbers = dict.fromkeys(reason.cell for reason in criterion.verdict.reasons if reason.cell is not None)
    cells = {cell.number: cell.source for cell in evidence.notebook.cells}
    return "\n".join(cells[number] for number in numbers if number in cells)
