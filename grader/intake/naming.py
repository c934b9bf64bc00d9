"""Names as people and file systems write them: shown safely, turned into ids, recognised as rubbish."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

ID_LENGTH = 100
"""Longest id made here; the records allow 120."""

_SPELLED_OUT = {
    ord("ß"): "ss",
    ord("ẞ"): "SS",
    ord("æ"): "ae",
    ord("Æ"): "AE",
    ord("œ"): "oe",
    ord("Œ"): "OE",
}
_SPELLED_OUT |= {ord(letter): plain for letter, plain in zip("øØłŁđĐı", "oOlLdDi", strict=True)}
_UNFIT_FOR_IDS = re.compile(r"[^A-Za-z0-9_]+")
_BIDI_CONTROLS = set("\u061c\u200b\u200e\u200f\u2028\u2029\ufeff") | {
    chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
}
_RUBBISH = {"__macosx", "__pycache__", "thumbs.db", "desktop.ini", "$recycle.bin"}
_NO_UNICODE = re.compile("[\ud800-\udfff]")
_DIGITS = re.compile(r"(\d+)")


def shown(name: str, limit: int = 80) -> str:
    """`name` fit for a sentence: one line, no control or direction marks, at most `limit` characters."""
    kept = "".join(character for character in encodable(name) if _is_harmless(character))
    kept = " ".join(kept.split())
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"


def encodable(name: str) -> str:
    """`name` in Unicode's composed form, with what is no Unicode (odd bytes in a file's name) replaced."""
    return unicodedata.normalize("NFC", _NO_UNICODE.sub("\ufffd", name))


def person_name(raw: str) -> str | None:
    """A person's or group's name from a file name: `_` becomes a space; None when nothing is left."""
    return shown(raw.replace("_", " "), limit=200) or None


def is_rubbish(name: str) -> bool:
    """Whether a file or folder of this name is never part of a hand-in: hidden, or left by a system."""
    return name.startswith((".", "~$")) or name.casefold() in _RUBBISH


def is_zip_name(name: str) -> bool:
    """Whether a file's name is a zip's."""
    return name.casefold().endswith(".zip")


def slug(text: str) -> str:
    """`text` in `[A-Za-z0-9_-]`, beginning with a letter or digit, at most `ID_LENGTH` long; may be empty."""
    plain = unicodedata.normalize("NFKD", text.translate(_SPELLED_OUT)).encode("ascii", "ignore").decode()
    return _UNFIT_FOR_IDS.sub("-", plain).strip("-_")[:ID_LENGTH].rstrip("-_")


def unique_ids(labels: Sequence[str]) -> list[str]:
    """One id per label, in order: its slug, and a short hash of the label where slugs meet or are empty.

    The ids differ also where case is ignored. They depend on the labels only; equal labels are told
    apart by how often they came before.
    """
    slugs = [slug(label) for label in labels]
    meetings = Counter(one.casefold() for one in slugs)
    taken = {key for key, times in meetings.items() if times == 1 and key}
    ids: list[str] = []
    for label, one in zip(labels, slugs, strict=True):
        is_alone = bool(one) and meetings[one.casefold()] == 1
        ids.append(one if is_alone else _with_hash(one, label, taken))
    return ids


def natural_order(text: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key that puts `Participant_9` before `Participant_101` and ignores case."""
    pieces = _DIGITS.split(text.casefold())
    return tuple((0, int(p[:18]), p) if p.isascii() and p.isdigit() else (1, 0, p) for p in pieces if p)


def _with_hash(stem: str, label: str, taken: set[str]) -> str:
    """`stem` and 8 digits of a hash of `label`, of which the first that are free; takes the result."""
    for times_before in range(len(taken) + 1):
        digest = hashlib.sha256(f"{times_before}:{label}".encode("utf-8", "surrogatepass")).hexdigest()
        candidate = f"{stem or 'hand-in'}-{digest[:8]}"
        if candidate.casefold() not in taken:
            break
    taken.add(candidate.casefold())
    return candidate


def _is_harmless(character: str) -> bool:
    """Whether a character can be shown: blanks are (they are joined later), other controls are not."""
    if character in " \t\n\r":
        return True
    return character not in _BIDI_CONTROLS and unicodedata.category(character) not in ("Cc", "Cs", "Cn")
