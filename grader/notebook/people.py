"""Whether two ways of writing a name may mean one person: case, accents, umlauts, order, names between."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TypeVar

LETTERS = re.compile(r"[^\W\d_]{2,}")
Bearer = TypeVar("Bearer")
_SPELT_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


@lru_cache(maxsize=4096)
def folded(text: str) -> frozenset[str]:
    """The words of `text` in lower case, with and without accents, umlauts also spelt out."""
    plain = unicodedata.normalize("NFKC", text).lower()
    bare = "".join(c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))
    variants = (plain, bare, plain.translate(_SPELT_OUT))
    return frozenset(word for variant in variants for word in LETTERS.findall(variant))


def is_named(name: str, text: str) -> bool:
    """Whether the first and the last word of `name` stand in `text`, in any order and spelling."""
    parts = LETTERS.findall(name)
    there = folded(text)
    return bool(parts) and all(folded(part) & there for part in (parts[0], parts[-1]))


def by_word(named: Iterable[tuple[str, Bearer]]) -> dict[str, list[Bearer]]:
    """By each word of a name, in every spelling: what bears such a name. To look for names among many."""
    found: dict[str, list[Bearer]] = {}
    for name, bearer in named:
        for word in folded(name):
            found.setdefault(word, []).append(bearer)
    return found


def with_a_word_of(text: str, index: Mapping[str, list[Bearer]]) -> list[Bearer]:
    """What bears a name that shares a word with `text`, each once, in the order of these words."""
    words = (spelling for word in LETTERS.findall(text) for spelling in sorted(folded(word)))
    return list(dict.fromkeys(bearer for word in words for bearer in index.get(word, ())))


def share_a_word(name: str, text: str) -> bool:
    """Whether a word of more than two letters stands in both."""
    return any(len(word) > 2 for word in folded(name) & folded(text.replace("_", " ")))


def is_same_person(one: str, other: str) -> bool:
    """Whether two names may be one person's: all words of the shorter one, at least two, are in the other.

    Names of one word are the same only where both are that word.
    """
    words, others = sorted((LETTERS.findall(one), LETTERS.findall(other)), key=len)
    if len(words) < 2 and len(words) != len(others):
        return False
    there = [folded(word) for word in others]
    return bool(words) and all(any(folded(word) & found for found in there) for word in words)
