"""What the code that shows a value tells about it, where the output itself does not."""

from __future__ import annotations

import re
from functools import lru_cache

from grader.notebook.records import Cell, Split
from grader.notebook.words import label_of, split_of, word_parts

_CODE_CHARS = 20_000
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
_EXPRESSION = re.compile(r"^[\w.\[\]()'\", :=\-*]{1,120}$")
_PLAIN_VALUE = re.compile(r"^\[?[\d.,eE\s%+-]{1,4000}\]?$")
_PRINT = re.compile(
    r"(?:\bprint|\btf\.print)\s*\(\s*[fFrRuU]{0,2}(?P<quote>[\"'])(?P<start>[^\"'{}%\n]{3,120})(?P<rest>[^\n]*)"
)
_SHORT_NAMES = {
    **dict.fromkeys(["xte", "yte", "xtst", "ytst", "xtest", "ytest"], Split.TEST),
    **dict.fromkeys(["xtr", "ytr", "xtrn", "ytrn", "xtrain", "ytrain"], Split.TRAIN),
    **dict.fromkeys(["xval", "yval"], Split.VALIDATION),
}


def is_plain_value(text: str) -> bool:
    """Whether a text is nothing but a number, or a list of them."""
    return _PLAIN_VALUE.match(text.strip()) is not None


def splits_named(code: str) -> set[Split]:
    """The parts of the data that the names in a piece of code speak of (`x_test`, `train_images`)."""
    found: set[Split] = set()
    for name in _IDENTIFIER.findall(code):
        for part in word_parts(name):
            split = split_of(part) or _SHORT_NAMES.get(part)
            if split is not None:
                found.add(split)
    return found


def named_by_source(cell: Cell, text: str) -> str | None:
    """`test accuracy: 0.95` for an output that is only a value, shown by an expression that names it."""
    if len(cell.outputs) != 1 or not is_plain_value(text):
        return None
    if len(text.split()) > 1 and not text.strip().startswith("["):  # which of several numbers it is of?
        return None
    code = [line.strip() for line in cell.source[-4_000:].split("\n")]
    shown = next((line for line in reversed(code) if line and not line.startswith("#")), "")
    if not _EXPRESSION.match(shown) or "==" in shown:
        return None
    label = next(
        (found for name in _IDENTIFIER.findall(shown) if (found := label_of(name)) is not None), None
    )
    if label is None or not label.is_result or label.is_error_rate:
        return None
    if "=" in shown and "(" not in shown.split("=")[0]:
        return None
    splits = splits_named(shown)
    part = f"{splits.pop().value} " if len(splits) == 1 else ""
    return f"{part}{label.quantity.value}: {text.strip()}"


def split_by_source(cell: Cell, line: str) -> Split:
    """The part of the data that `line` speaks of, as the `print` that wrote it tells; UNKNOWN if unclear.

    `print("Accuracy:", accuracy(x_test, y_test))` wrote `Accuracy: 0.95`: that is one of test data.
    """
    shown = line.strip()
    found = [splits for start, splits in _prints(cell.source[:_CODE_CHARS]) if shown.startswith(start)]
    told = frozenset[Split]().union(*found)
    return next(iter(told)) if len(told) == 1 and all(found) else Split.UNKNOWN


@lru_cache(maxsize=4)  # a cell's outputs hold thousands of lines, and its code is the same for all of them
def _prints(code: str) -> tuple[tuple[str, frozenset[Split]], ...]:
    """For each `print` in `code` how its line begins, and the parts of the data that its names speak of."""
    return tuple(
        (statement["start"].strip(), frozenset(splits_named(statement["rest"])))
        for statement in _PRINT.finditer(code)
    )
