"""Shuffle, batch and repeat in any spelling, and the words that may stand between two of them."""

from __future__ import annotations

from functools import lru_cache

from grader.answers.language import FILLERS
from grader.answers.words import WordPattern
from grader.notebook.words import words as word_set

_SPELLINGS = {
    "shuffle": "shuffl* shuffel* shufl* suffl* shuflle* misch* gemischt* durchmisch* *mischen",
    "batch": "batch* bacth* bach bathc* *batchen gebatch* stapel*",
    "repeat": "repeat* repeet* repet* reapeat* repaet* wiederhol*",
}
_PATTERNS = {name: [WordPattern.read(word) for word in text.split()] for name, text in _SPELLINGS.items()}

LINKS = word_set(
    "-> => → ⟶ ⇒ ➔ ➜ ▶ ▸ » ↦ > - – — , ; . / + | & then than dan next second third followed dann danach "
    "anschliessend zweitens drittens and und before vor after nach finally lastly schliesslich zuletzt"
)
"""Marks and words that lead from one operation to the next."""

MAKING = word_set(
    "create created creating make making form formed build built group grouped divide divided split put into"
)
"""Words for making batches."""

BETWEEN = (
    LINKS
    | (FILLERS - frozenset(("so", "also", "this", "these")))
    | MAKING
    | word_set(
        "second third zweitens drittens erst schluss ende "
        "data dataset datasets elements examples samples items first frist last end step operation "
        "operations call called apply applied use used using zuerst erst daten datensatz elemente taken them "
        "order afterwards later when finish comes come done happens kommt ds ( ) ` * _ \" ' : 1 2 3 "
        "front ahead behind hinter prior placed put stands steht"
    )
)
"""What may stand between two operations of one order."""

MOST_BETWEEN = 8
REVERSING = word_set("after nach behind hinter")
"""Words behind which stands what is done earlier."""

PRECEDING = word_set("before vor prior front ahead")
"""Words behind which stands what is done later."""

PARTS = frozenset(("batches", "stapel"))
"""Words for the things, which may not mean the operation."""


@lru_cache(maxsize=20_000)
def operation_of(word: str) -> str | None:
    """The operation that a word (in its normal form) names, None for any other word."""
    fitting = (name for name, patterns in _PATTERNS.items() if any(p.fits(word) for p in patterns))
    return next(fitting, None)
