"""Text of the task itself, pasted into a notebook: it speaks to whoever solves it, and answers nothing."""

from __future__ import annotations

import re

from grader.notebook.prose import Passage

_MOST = 2 / 3  # of the sentences
_SENTENCES = re.compile(r"(?<=[.?!:])[\s)]+|\n+")
_TO_THE_READER = re.compile(r"\byou(?:r|rself|['’](?:re|ll|ve|d))?\b", re.IGNORECASE)
_REQUEST = re.compile(
    r"^\W*(?:(?:also|next|then|now|first|second|finally|again|please|and|so|hint|note|task|bonus)\b\W*){0,3}"
    r"(?:note|think|see|consider|make|try|describe|explain|discuss|compare|document|experiment|look|check"
    r"|implement|train|build|hand\s+in|include|answer|remember|read|follow|go|play|reflect|explore|replace"
    r"|apply|evaluate|visuali[sz]e|plot|get)\b",
    re.IGNORECASE,
)
_HANDING_IN = re.compile(r"\bhand(?:ing)?[\s-]+in\b|\bto\s+submit\b", re.IGNORECASE)


def is_of_the_task(passage: Passage) -> bool:
    """Whether a passage reads like the task: most of its sentences ask, or tell the reader what to do.

    So does what stands right below a heading such as "What to hand in".
    """
    if passage.headings and _HANDING_IN.search(passage.headings[-1]):
        return True
    sentences = [piece for piece in _SENTENCES.split(passage.text) if re.search(r"\w", piece)]
    return sum(map(_asks_or_tells, sentences)) >= _MOST * len(sentences)


def _asks_or_tells(sentence: str) -> bool:
    asks = sentence.rstrip(' *_”")').endswith("?")
    return asks or bool(_TO_THE_READER.search(sentence) or _REQUEST.search(sentence))
