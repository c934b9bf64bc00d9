"""Text of the task itself, pasted into a notebook: it speaks to whoever solves it, and answers nothing."""

from __future__ import annotations

import re

from grader.notebook.prose import Passage

_MOST = 2 / 3  # of the sentences
_SENTENCES = re.compile(r"(?<=[.?!:])[\s)]+|\n+")
_YOU = re.compile(r"\byou(?:r|rself|['’](?:re|ll|ve|d))?\b", re.IGNORECASE)
_REQUEST = re.compile(
    r"^\W*(?:(?:also|next|then|now|first|second|finally|again|please|and|so|hint|note|task|bonus)\b\W*){0,3}"
    r"(?:note(?!\s+to\b)|think(?!\s+of\b)|see|consider|make|try|describe|explain|discuss|compare|document"
    r"|experiment|look|check|implement|train|build|hand\s+in|include|answer|remember|read|follow|go|play|reflect"
    r"|explore|replace|apply|evaluate|visuali[sz]e|plot|get)\b",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r"(?:^|[,;:–—-]\s)\W*(?:and\s+|so\s+)?(?:why|what|which|how|where|when|who|do|does|did|is|are|can|could|would|should"
    r"|any|warum|wieso|weshalb|was|welche[rsnm]?|wie)\b[^?]*\?[\s*_”\")]*$"
    r"|\b(?:which|what|why|how)\b.*\byou\s+(?:think|feel|find)\b",
    re.IGNORECASE | re.DOTALL,
)
_CALL = re.compile(r"^\W*(?=.*\byou\b)\w+(?:\s+\w+){0,3}!", re.IGNORECASE)  # as "There you are!"
_ASKING = (_REQUEST, _QUESTION, _CALL)
_HANDING_IN = re.compile(r"\bhand(?:ing)?[\s-]+in\b|\bto\s+submit\b", re.IGNORECASE)


def is_of_the_task(passage: Passage) -> bool:
    """Whether a passage reads like the task: most of its sentences ask, request or speak to the reader.

    Speaking to "you" alone is none: people explain that way what happens to anybody. What stands right below
    a heading such as "What to hand in" is of the task, too, and so is a passage without a word.
    """
    if passage.headings and _HANDING_IN.search(passage.headings[-1]):
        return True
    sentences = [piece for piece in _SENTENCES.split(passage.text) if re.search(r"\w", piece)]
    asking = [piece for piece in sentences if any(pattern.search(piece) for pattern in _ASKING)]
    speaking = [piece for piece in sentences if piece not in asking and _YOU.search(piece)]
    if sentences and not asking:
        return False
    return len(asking) + len(speaking) >= _MOST * len(sentences)
