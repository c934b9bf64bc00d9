"""The search for the number that belongs to a quantity named in a line."""

from __future__ import annotations

from typing import NamedTuple

from grader.notebook.records import Quantity, Split
from grader.notebook.tokens import Line, Token
from grader.notebook.words import CONNECTING, NOT_A_RESULT, SETTINGS, words

_REACH = 25  # tokens between a quantity's name and its number
_SEPARATORS = frozenset(":=≈~")
_OPENING = frozenset("([{<'\"*")
_CLOSING = frozenset(")]}>'\"*")
_COUNTED = words("layers units neurons nodes hidden size width")


class Written(NamedTuple):
    """A number as it was written."""

    token: Token
    is_percent: bool = False
    ratio: float | None = None


class Search:
    """Looks from `place` on for the numbers of `count` quantities just named."""

    def __init__(self, line: Line, place: int, quantity: Quantity, count: int) -> None:
        self.line = line
        self.start = self.place = place
        self.quantity = quantity
        self.count = count
        self.splits: list[Split] = []
        self.step: int | None = None
        self.is_clean = True  # nothing but connecting words so far
        self.is_setting = False  # a setting was named; the next number is its value
        self.is_percent = False
        self.ran_out = False  # the line ended before anything spoke against a number

    def run(self) -> list[Written]:
        """The numbers, none if unsure; `place` is then where to go on from."""
        end = min(len(self.line), self.start + _REACH)
        while self.place < end:
            found = self._look()
            if found is not None:
                return found
        self.ran_out = self.place >= len(self.line) and self.is_clean
        return []

    def _look(self) -> list[Written] | None:
        """Takes the token at `place`; numbers end the search, and so does an empty list."""
        line, place = self.line, self.place
        kind, text = line.kind(place), line.text(place)
        if kind == "word" and not (text in {"nan", "inf"} and self.quantity is Quantity.LOSS):
            return self._word()
        if kind == "symbol":
            if text in {";", "|"} or (text == "." and not self.is_clean) or line.is_comparison(place):
                return []
            if text in {"[", "("} and self._may_stand(place):
                numbers, after = self._list(place, "]" if text == "[" else ")")
                if numbers:
                    self.place = after
                    return numbers
            self.is_percent = self.is_percent or text == "%"
        elif (theirs := self._numbers()) is not None:
            return theirs
        elif kind in {"number", "skip"}:
            self.is_clean = False
        self.place += 1
        return None

    def _word(self) -> list[Written] | None:
        line, word = self.line, self.line.text(self.place)
        if line.label_at(self.place) is not None:
            return []
        if (step := line.step_at(self.place)) is not None:
            self.step, self.place = step
            return None
        if word in NOT_A_RESULT:
            return []
        if (split := line.split_at(self.place)) is not None:
            self.splits.append(split)
        elif word in SETTINGS:
            self.is_setting, self.is_clean = True, False
        elif word not in CONNECTING:
            self.is_clean = False
        self.is_percent = self.is_percent or word in {"percent", "percentage", "prozent"}
        self.place += 1
        return None

    def _mark_before(self, place: int) -> int:
        """The place of what stands before `place`, opening brackets and quotes aside."""
        place -= 1
        while place >= self.start and self.line.text(place) in _OPENING:
            place -= 1
        return place

    def _may_stand(self, place: int) -> bool:
        """Whether a number at `place` may be the quantity's."""
        before = self._mark_before(place)
        mark = self.line.text(before) if before >= self.start else ""
        if mark not in _SEPARATORS and not (mark == ">" and self.line.text(before - 1) in {"-", "="}):
            return self.is_clean
        if self.is_clean:
            return True
        name = self.line.text(before - 1)
        if (self.is_setting or name in SETTINGS) and name not in _COUNTED:
            return False
        return mark != "=" or self.line.kind(before - 1) != "word" or name in CONNECTING

    def _numbers(self) -> list[Written] | None:
        """The numbers from `place` on, one for each quantity; None if they are not theirs."""
        first = self._number(self.place)
        if first is None:
            self.is_setting = False
            return None
        found, place = [first[0]], first[1]
        while len(found) < self.count:
            while self.line.text(place) in {",", "/", "and", "&", "und"}:
                place += 1
            following = self._number(place) if self.line.kind(place) == "number" else None
            if following is None:
                return []
            found.append(following[0])
            place = following[1]
        self.place = place
        return found

    def _number(self, place: int) -> tuple[Written, int] | None:
        line, token = self.line, self.line.tokens[place]
        is_percent = line.text(place + 1) == "%"
        after = place + 1 + is_percent
        if token.kind == "skip" or line.is_joined(place) or self._names_something(after):
            return None
        is_first = place == self.place
        if is_first and not self._may_stand(place):
            return None
        if token.kind == "number" and not token.is_fractional and not is_percent:
            if self.quantity is Quantity.ACCURACY and self.count == 1:
                ratio = self._ratio(place)
                if ratio is not None:
                    return Written(token, ratio=ratio), place + 3
            is_told = line.text(self._mark_before(place)) in _SEPARATORS
            if is_first and not (is_told and (self.quantity is Quantity.LOSS or self.is_percent)):
                return None
        return Written(token, is_percent), after

    def _names_something(self, place: int) -> bool:
        """Whether a colon or an equals sign follows: then the number is a name, not a result."""
        while self.line.text(place) in _CLOSING:
            place += 1
        return self.line.text(place) in {":", "="}

    def _ratio(self, place: int) -> float | None:
        """`9512/10000`."""
        line = self.line
        if line.text(place + 1) != "/" or not line.is_whole(place) or not line.is_whole(place + 2):
            return None
        if line.text(self._mark_before(place)) not in _SEPARATORS or line.text(place + 3) == "/":
            return None
        right, total = int(line.text(place)), int(line.text(place + 2))
        return right / total if total > 1 and right <= total else None

    def _list(self, place: int, closing: str) -> tuple[list[Written], int]:
        """The numbers of `[0.91, 0.93]` if it holds nothing else, and as many as are looked for."""
        line = self.line
        numbers: list[Written] = []
        while (place := place + 1) < len(line):
            token = line.tokens[place]
            if token.text == closing:
                is_enough = len(numbers) == self.count if self.count > 1 else bool(numbers)
                is_list = closing == "]" or len(numbers) > 1
                return (numbers, place + 1) if is_enough and is_list else ([], place)
            if token.kind == "number" and not line.is_joined(place):
                numbers.append(Written(token, line.text(place + 1) == "%" or self.is_percent))
            elif token.text.lower() in {"nan", "inf"}:
                numbers.append(Written(token))
            elif token.text not in {",", "%", "'", '"'}:
                return [], place
        return [], place
