"""One line of an output as tokens, and what stands at a place: a step, a part of the data, a quantity."""

from __future__ import annotations

import re
from typing import NamedTuple

from grader.notebook.records import Quantity, Split
from grader.notebook.words import STEP_WORDS, Label, label_of, split_of, words

_TOKEN = re.compile(
    r"(?P<skip>\d{4}-\d\d-\d\d|\d{1,2}:\d\d(?::\d\d)?(?![\d.])|\d+(?:\.\d+){2,}|\d{1,3}(?:,\d{3})+(?![\d.,]))"
    r"|(?P<number>(?:(?<![\w.\])}%])[-+])?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)"
    r"|(?P<word>[^\W\d]\w*)|(?P<symbol>\S)"
)
_NOT_THE_PART_BEFORE = words("after before during while since")
_NOT_THE_PART_AFTER = words("finished done complete completed time loop took with") | STEP_WORDS
_BETWEEN_LABELS = frozenset({",", "and", "und", "&", "/", "'", '"'})


class Token(NamedTuple):
    """One token. `kind` is word, symbol, number, or skip (a date, a time of day, a version, `10,000`)."""

    kind: str
    text: str
    start: int
    end: int

    @property
    def is_fractional(self) -> bool:
        """True for a number written with a point or an exponent."""
        return self.kind == "number" and any(mark in self.text for mark in ".eE")


class Line:
    """A line of text as tokens. Places outside the line hold the empty word."""

    def __init__(self, text: str) -> None:
        self.tokens = [Token(m.lastgroup or "", m[0], m.start(), m.end()) for m in _TOKEN.finditer(text)]

    def __len__(self) -> int:
        return len(self.tokens)

    def text(self, place: int) -> str:
        """The token at `place` in lower case."""
        return self.tokens[place].text.lower() if 0 <= place < len(self.tokens) else ""

    def kind(self, place: int) -> str:
        """The kind of the token at `place`."""
        return self.tokens[place].kind if 0 <= place < len(self.tokens) else ""

    def is_whole(self, place: int) -> bool:
        """Whether a whole number without a sign, of at most nine digits, stands at `place`."""
        return self.kind(place) == "number" and self.text(place).isdecimal() and len(self.text(place)) < 10

    def is_joined(self, place: int) -> bool:
        """Whether a letter follows at once (`10s`, `3x`)."""
        return self.kind(place + 1) == "word" and self.tokens[place + 1].start == self.tokens[place].end

    def is_dash(self, place: int) -> bool:
        """Whether a dash between spaces stands at `place`."""
        if self.text(place) not in {"-", "–", "—"}:
            return False
        token = self.tokens[place]
        before = self.tokens[place - 1].end if place else -1
        after = self.tokens[place + 1].start if place + 1 < len(self) else token.end + 1
        return before < token.start and token.end < after

    def is_comparison(self, place: int) -> bool:
        """Whether `>`, `<`, `≥` or `≤` stands at `place`, and no arrow."""
        return self.text(place) in {">", "<", "≥", "≤"} and self.text(place - 1) not in {"-", "="}

    def step_at(self, place: int) -> tuple[int, int] | None:
        """The step and the place after it where `epoch 3`, `Step: 100` or `Epoch [3/10]` stands."""
        if self.text(place) not in STEP_WORDS:
            return None
        after = place + 1
        while self.text(after) in {":", "=", "#", "[", "("}:
            after += 1
        if not self.is_whole(after) or self.is_joined(after):
            return None
        step = int(self.text(after))
        if self.text(after + 1) in {"/", "of"} and self.is_whole(after + 2):
            after += 2
        return step, after + 1

    def split_at(self, place: int) -> Split | None:
        """The part of the data named at `place`; not by `after training`, `Training step` or `Test 3`."""
        split = split_of(self.text(place))
        if split is Split.TRAIN and (
            self.text(place - 1) in _NOT_THE_PART_BEFORE or self.text(place + 1) in _NOT_THE_PART_AFTER
        ):
            return None
        if split is Split.TEST and (
            self.is_whole(place + 1) or self.text(place + 1) in {"run", "number", "#"}
        ):
            return None
        return split

    def label_at(self, place: int) -> tuple[Label, int] | None:
        """The quantity named at `place`, and the place after its name."""
        if self.kind(place) != "word":
            return None
        word, after = self.text(place), self.text(place + 1)
        if word in {"error", "misclassification"} and after == "rate":
            return Label(Quantity.ACCURACY, is_error_rate=True), place + 2
        if word == "cross" and "entropy" in (after, self.text(place + 2)):
            place += 1 if after == "entropy" else 2
            named = self.label_at(place + 1)  # `cross entropy loss`
            return named or (Label(Quantity.LOSS), place + 1)
        label = label_of(self.tokens[place].text)
        return (label, place + 1) if label is not None else None

    def labels_at(self, place: int) -> tuple[list[Label], int]:
        """The quantities named one after the other (`test loss, test acc`), and the place after them."""
        labels: list[Label] = []
        ahead = place
        while True:
            split = self.split_at(ahead) if labels else None
            named = self.label_at(ahead + (split is not None))
            if named is None:
                return labels, place
            label, place = named
            labels.append(label._replace(split=split) if split is not None else label)
            ahead = place
            while self.text(ahead) in _BETWEEN_LABELS:
                ahead += 1
            if ahead == place:
                return labels, place
