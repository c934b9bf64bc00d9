"""Traces: what pipelines over `range(n)` gave, batch by batch."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from grader.model import Record

Batch = tuple[int, ...]
Batches = tuple[Batch, ...]
Count = Annotated[int, Field(ge=1)]


class Trace(Record):
    """What one pipeline over `range(examples)` gave, in each of several passes over it."""

    order: str
    examples: Count
    batch_size: Count
    buffer: Count
    epochs: Count
    seed: int
    passes: Annotated[tuple[Batches, ...], Field(min_length=1)]


class Witness(Record):
    """One pass that shows how a fact was found; `at` is the batch (from 0) where it shows."""

    examples: Count
    batch_size: Count
    buffer: Count
    epochs: Count
    batches: Batches
    at: Annotated[int, Field(ge=0)]

    @property
    def in_words(self) -> str:
        """The batches up to the one where it shows, with that one marked: `[4 5 6] [7 8] →[4 5 6]`."""
        first = max(0, self.at - 5)
        shown = [
            ("→" if place == self.at else "") + f"[{' '.join(map(str, self.batches[place]))}]"
            for place in range(first, self.at + 1)
        ]
        return ("… " if first else "") + " ".join(shown) + (" …" if self.at + 1 < len(self.batches) else "")
