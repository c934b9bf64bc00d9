"""The order in which hand-ins are listed: by id, numbers as numbers."""

from __future__ import annotations

import re


def natural(submission: str) -> list[tuple[int, int, str]]:
    """A key that sorts `Participant_9` before `Participant_10`."""
    pieces = re.split(r"([0-9]{1,18})", submission)
    return [
        (0, int(piece), "") if place % 2 else (1, 0, piece.casefold()) for place, piece in enumerate(pieces)
    ]
