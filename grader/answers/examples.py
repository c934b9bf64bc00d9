"""Labelled answers to one question, a JSON object in each line: what a fair person would decide on them."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from functools import lru_cache
from typing import Annotated

from pydantic import Field, ValidationError

from grader.model import Record

FEWEST_OF_EACH = 30  # answers of each label, below which counts of words say little


class Label(StrEnum):
    """What a person decides on an answer; *review*: neither, or both."""

    MET = "met"
    NOT_MET = "not_met"
    REVIEW = "review"


class Example(Record):
    """One labelled answer: `set` tells with which others it was written, `kind` why it is there."""

    set: Annotated[str, Field(min_length=1)]
    language: str
    kind: str
    expect: Label
    text: str


@lru_cache(maxsize=8)
def read_examples(content: str) -> tuple[Example, ...]:
    """The labelled answers in the text of a file.

    Raises ValueError with a sentence and the mend for a line that holds none, and when there are too few.
    """
    examples = []
    lines = content.removesuffix("\n").split("\n") if content else []  # other line ends may stand in a text
    for number, line in enumerate(lines, start=1):
        try:
            examples.append(Example.model_validate_json(line))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise ValueError(
                f"line {number} is no labelled answer ({where + ': ' if where else ''}{first['msg']}): write "
                '{"set": …, "language": …, "kind": …, "expect": "met", "not_met" or "review", "text": …}'
            ) from None
    counts = Counter(example.expect for example in examples)
    for label in Label:
        if counts[label] < FEWEST_OF_EACH:
            raise ValueError(
                f"there are {counts[label]} answers labelled {label.value!r}, and {FEWEST_OF_EACH} are "
                "needed: add some, or leave `examples` out"
            )
    return tuple(examples)
