"""What a text proposes that nobody could make an edit of."""

from __future__ import annotations

from collections.abc import Sequence

from grader.answers.clauses import sentences_of
from grader.fixes.asides import proposes
from grader.fixes.editing import edit
from grader.fixes.records import Passage
from grader.fixes.wording import wishes_in

_MOST_CHARS = 6_000  # of one passage
_CODE = ("=", "(", ".py")


def proposes_what_was_not_run(said: Sequence[Passage], source: str) -> bool:
    """Whether a sentence of `said` proposes something for the script `source` that changes nothing in it.

    Sentences that lead to code ("we use this instead:"), or that hold some, are none: code is read by itself.
    """
    return any(
        _is_unread(passage.text[sentence.start : sentence.end + 1], source)
        for passage in said
        for sentence in sentences_of(passage.text[:_MOST_CHARS])
        if proposes(sentence)
    )


def _is_unread(text: str, source: str) -> bool:
    if text.rstrip().endswith(":") or any(mark in text for mark in _CODE):
        return False
    return edit(source, wishes_in(text)) is None
