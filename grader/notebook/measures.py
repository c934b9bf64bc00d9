"""Numbers with their meaning in one line of text: a small grammar over tokens, linear in the line.

What counts: a quantity's name, then its number with nothing but connecting words between
(`accuracy is 0.95`), or with any words between when a colon or an equals sign stands right before the
number (`accuracy with 2 layers: 0.95`). A whole number is never an accuracy unless it carries a per
cent sign. When in doubt the number is left out.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import NamedTuple

from grader.notebook.records import Quantity, Split
from grader.notebook.search import Search, Written
from grader.notebook.tokens import Line, Token
from grader.notebook.words import NOT_A_RESULT, Label, words

DIVERGED = sys.float_info.max
"""How a loss that was printed as nan or inf is recorded: JSON has neither, and it is worse than any other."""


_BOUNDS = words("over above below under than least most")


class Measured(NamedTuple):
    """A number with its meaning. `at` is its place in the line."""

    quantity: Quantity
    split: Split
    value: float
    step: int | None
    at: int


class LineReading(NamedTuple):
    """What one line says: its numbers, the last step that it names, and whether a name waits for a number."""

    numbers: tuple[Measured, ...]
    step: int | None
    waiting: Label | None = None


def as_fraction(text: str, is_percent: bool) -> float | None:
    """An accuracy as a fraction from how it was written; None when it cannot be one, or not surely.

    `0.95`, `95 %` and `95.1` can; `1 %`, `95`, `3.2` and `-0.1` cannot. A fraction with a per cent sign
    (`0.95%`) is taken for the fraction that it must be.
    """
    value = float(text)
    if not math.isfinite(value):
        return None
    if is_percent:
        if 0 < value < 1:
            return value
        return value / 100 if 1 < value <= 100 or value == 0 else None
    if text.lstrip("+").isdecimal():
        return None
    if 0 <= value <= 1:
        return value
    return value / 100 if 5 <= value <= 100 else None


def values_of(label: Label, written: Sequence[Written]) -> list[tuple[Token, float]]:
    """What the numbers of one name say, in the quantity's unit; none of them if one cannot be."""
    if label.quantity is Quantity.LOSS:
        values = [float(number.token.text) for number in written]
        return [
            (number.token, value if math.isfinite(value) else DIVERGED)
            for number, value in zip(written, values, strict=True)
        ]
    is_percent = len(written) > 1 and max(float(number.token.text) for number in written) > 1
    found: list[tuple[Token, float]] = []
    for number in written:
        value = number.ratio
        if value is None:
            value = as_fraction(number.token.text, is_percent or number.is_percent or label.is_percent)
        if value is None:
            return []
        found.append((number.token, 1 - value if label.is_error_rate else value))
    return found


def read_line(text: str, step: int | None = None) -> LineReading:
    """The numbers with a meaning in `text`, in order; `step` holds for them unless the line names another."""
    return _LineReader(Line(text), step).read()


class _LineReader:
    """Walks over a line, keeping what was said so far."""

    def __init__(self, line: Line, step: int | None) -> None:
        self.line = line
        self.step = step
        self.found: list[Measured] = []
        self.waiting: Label | None = None
        self.said: list[Split] = []  # parts of the data named since the last break
        self.recent: list[str] = []  # words since the last break or number
        self.carried: Split | None = None  # the part that a group speaks of (`Test loss: 0.3, accuracy: 0.9`)
        self.seen: set[Quantity] = set()  # the quantities that the group has had

    def read(self) -> LineReading:
        line = self.line
        if line.is_whole(0) and len(line) > 2 and (line.text(1) == ":" or line.label_at(1) is not None):
            self.step = int(line.text(0))  # `100: loss 2.3`
        elif line.text(0) in {"[", "("} and line.is_whole(1) and line.text(2) == "/" and line.is_whole(3):
            self.step = int(line.text(1))  # `[ 200/800] loss 0.5`
        place = 0
        while place < len(line):
            place = self._advance(place)
        return LineReading(tuple(self.found), self.step, self.waiting)

    def _advance(self, place: int) -> int:
        line = self.line
        if line.kind(place) == "word":
            return self._word(place)
        if line.kind(place) == "number":
            return self._number_first(place)
        if line.text(place) in {";", "|"}:
            self.carried, self.seen = None, set()
        if line.text(place) in {";", "|", ",", "."} or line.is_dash(place):
            self.said, self.recent = [], []
        return place + 1

    def _word(self, place: int) -> int:
        step = self.line.step_at(place)
        if step is not None:
            self.step, self.said, self.recent = step[0], [], []
            return step[1]
        labels, after = self.line.labels_at(place)
        if labels:
            return self._labels(labels, after)
        if (split := self.line.split_at(place)) is not None:
            self.said.append(split)
        self.recent.append(self.line.text(place))
        return place + 1

    def _labels(self, labels: list[Label], place: int) -> int:
        search = Search(self.line, place, labels[0].quantity, len(labels))
        written = search.run()
        is_result = labels[0].is_result and not any(word in NOT_A_RESULT for word in self.recent[-3:])
        self.waiting = labels[0] if search.ran_out and is_result and len(labels) == 1 else None
        if self.waiting is not None:
            self.waiting = self.waiting._replace(split=self._split(labels[0], search))
        self.step = search.step if search.step is not None else self.step
        self.recent = []
        if not written or not is_result:
            return search.place
        if len(labels) > 1:
            first = self._split(labels[0], search)
            for label, number in zip(labels, written, strict=True):
                split = first if label.split is Split.UNKNOWN else label.split
                self._record(label, split, [number])
        else:
            split = self._split(labels[0], search)
            if split is Split.UNKNOWN and not self.said and not search.splits:
                split = self._split_behind(search.place) or self._split_of_group(labels[0].quantity)
            elif split is not self.carried:
                self.carried, self.seen = split, set()
            self._record(labels[0]._replace(is_percent=search.is_percent), split, written)
        self.seen.update(label.quantity for label in labels)
        self.said = []
        return search.place

    def _split(self, label: Label, search: Search) -> Split:
        """The one part of the data named in, before or after the name; UNKNOWN for none or several."""
        named = {label.split, *self.said, *search.splits} - {Split.UNKNOWN}
        return named.pop() if len(named) == 1 else Split.UNKNOWN

    def _split_of_group(self, quantity: Quantity) -> Split:
        return self.carried if self.carried is not None and quantity not in self.seen else Split.UNKNOWN

    def _split_behind(self, place: int) -> Split | None:
        """`0.95 (test)`, `0.95 on the test set`."""
        line = self.line
        while line.text(place) in {"%", ")"}:
            place += 1
        start = place
        while line.text(place) in {"(", "on", "for", "the", "auf", "den"}:
            place += 1
        return line.split_at(place) if place > start else None

    def _record(self, label: Label, split: Split, written: Sequence[Written]) -> None:
        for token, value in values_of(label, written):
            self.found.append(Measured(label.quantity, split, value, self.step, token.start))

    def _number_first(self, place: int) -> int:
        """`95.12% test accuracy`, `0.95 accuracy`."""
        line, token = self.line, self.line.tokens[place]
        self.recent = [] if token.is_fractional else [*self.recent, token.text]
        is_percent = line.text(place + 1) == "%"
        after = place + 1 + is_percent
        splits: list[Split] = []
        while line.text(after) in {"overall", "total", "final"} or line.split_at(after) is not None:
            splits += [split] if (split := line.split_at(after)) is not None else []
            after += 1
        named = line.label_at(after)
        if line.is_comparison(place - 1) or line.text(place - 1) in _BOUNDS:
            return place + 1
        says_it = is_percent or (token.is_fractional and 0 <= float(token.text) <= 1)
        if (
            named is None
            or not says_it
            or named[0].quantity is not Quantity.ACCURACY
            or not named[0].is_result
        ):
            return place + 1
        if Search(line, named[1], Quantity.ACCURACY, 1).run():
            return place + 1
        label = named[0]
        known = {label.split, *splits, *self.said, self._split_behind(named[1])} - {Split.UNKNOWN, None}
        split = known.pop() if len(known) == 1 else None
        self._record(label, split or Split.UNKNOWN, [Written(token, is_percent)])
        return named[1]
