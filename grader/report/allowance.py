"""How much of a page each piece of a hand-in may take: the page stays small whatever was handed in."""

from __future__ import annotations

from collections.abc import Iterable

# Bytes of markup on the page of a hand-in, figures aside. The notebook gets what the others leave of `PAGE`.
PAGE = 298_000
REASONS = 25_000
EXCERPTS = 12_000
PICTURES = 20_000
DIFFERENCES = 12_000
FIGURES = 24_000_000  # come on top


def fair_limit(sizes: Iterable[int], total: int) -> int:
    """The largest size for a piece such that all `sizes`, cut to it, come to no more than `total`.

    Short pieces stay whole, long ones give way. When everything fits, it is the largest of `sizes`.
    """
    waiting = sorted(sizes)
    for place, size in enumerate(waiting):
        share = total // (len(waiting) - place)
        if size > share:
            return share
        total -= size
    return waiting[-1] if waiting else total


def size_of(text: str) -> int:
    """The bytes that `text` takes in a file."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
