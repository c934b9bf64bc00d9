"""Where something may be said about an order of shuffle, batch and repeat that no text names."""

from __future__ import annotations

import re
from collections.abc import Sequence

from grader.answers.clauses import sentences_of
from grader.answers.mentions import mentions_in
from grader.answers.operations import operation_of
from grader.answers.orders import Told
from grader.answers.words import words_of
from grader.checks.answers import answer_elsewhere, laid_out, said
from grader.checks.seen_orders import SeenOrders, in_words
from grader.evidence.record import Evidence
from grader.model import Reason
from grader.notebook.answering import text_beside
from grader.notebook.prose import Passage

_FEWEST_BATCHES = 3  # in a text that shows what an order gives
_BATCHES = re.compile(r"\[\s*\d+(?:[\s,.]+\d+)+\s*\]")  # batches of numbers, written down


def may_tell_of(evidence: Evidence, told: Told, seen: SeenOrders, order: str, asks: str) -> list[Reason]:
    """Where something may be said about an order that no text names; empty when there is nothing.

    `told` is what was read in the text that may answer what the question `asks`.
    """
    name = in_words(order)
    built = next((cell for cell, orders in seen.built.items() if order in orders), None)
    if built is not None:
        return [said(f"{name} is built in code; no words about it were found.", built)]
    written = [passage for passage in evidence.prose.passages if _BATCHES.search(passage.text)]
    if sum(len(_BATCHES.findall(passage.text)) for passage in written) >= _FEWEST_BATCHES:
        text = f"{name} is not named; the batches that are written down may show it."
        return [said(text, written[0].cell), *(laid_out(passage) for passage in written[:3])]
    vague = _spoken_in_general(told, text_beside(evidence.prose, asks))
    if vague:
        text = f"{name} is not named; there is text about the operations that may speak of it."
        return [said(text, vague[0].cell), *(laid_out(passage) for passage in vague[:3])]
    elsewhere = answer_elsewhere(evidence)
    return [] if elsewhere is None else [elsewhere]


def _spoken_in_general(told: Told, passages: Sequence[Passage]) -> list[Passage]:
    """Passages that speak of the operations without naming an order: of which one, nobody can tell."""
    vague = [spoken.passage for spoken in told.spoken if not spoken.orders]
    vague += [passage for orders, passage in told.unread if not orders]
    for passage in passages:
        for sentence in sentences_of(passage.text):
            named = {operation_of(word.text) for word in sentence.words} - {None}
            if len(named) > 1 and not mentions_in(sentence.words, passage.text):
                vague.append(passage)
    return list(dict.fromkeys(vague))


def speaks_of_operations(passage: Passage) -> bool:
    """Whether a text could hold a choice: it names an operation, or an order."""
    words = words_of(" ".join((*passage.headings, passage.text)))
    return any(operation_of(word.text) for word in words)
