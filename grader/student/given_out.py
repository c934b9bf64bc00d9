"""Code that a course gave out so that its faults are found: known by its lines, wherever it is pasted.

An edition holds a short hash of each line. The code itself is no secret; its faults are the task.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Set

_HASH_CHARS = 8
_SHORTEST = 8  # characters of a line that tells something
_FEWEST = 4  # lines
_MOST_OF = 0.5


def line_hashes(sources: Iterable[str]) -> tuple[str, ...]:
    """A hash of each different line of code, sorted; white space and comments aside."""
    return tuple(sorted({_hash(line) for source in sources for line in _lines(source)}))


def is_given_out(source: str, known: Set[str]) -> bool:
    """Whether most lines of a cell are among the `known` ones."""
    hashes = [_hash(line) for line in _lines(source)]
    shared = sum(one in known for one in hashes)
    return shared >= _FEWEST and shared > _MOST_OF * len(hashes)


def _lines(source: str) -> list[str]:
    lines = (re.sub(r"\s+", "", line.partition("#")[0]) for line in source.splitlines())
    return [line for line in lines if len(line) >= _SHORTEST]


def _hash(line: str) -> str:
    return hashlib.sha256(line.encode("utf-8", "replace")).hexdigest()[:_HASH_CHARS]
