"""Hashes of source files, which say that what they make has to be made anew."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

PACKAGE = Path(__file__).parent


def sources_sha256(files: Iterable[Path]) -> str:
    """SHA-256 over files in the order of their paths: where they lie in this package, and what they hold.

    Of a file outside of the package it is the whole path.
    """
    digest = hashlib.sha256()
    for file in sorted(files):
        name = file.relative_to(PACKAGE) if file.is_relative_to(PACKAGE) else file
        digest.update(f"{name.as_posix()}\0".encode() + file.read_bytes())
    return digest.hexdigest()
