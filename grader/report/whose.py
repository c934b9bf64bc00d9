"""What to call whoever handed in: the one place from which pages take a name."""

from __future__ import annotations

from grader.model import Participant


def own_name(participant: Participant) -> str:
    """The name that a page may show, "" under blind marking or where none is known."""
    return "" if participant.is_blind else participant.name or ""


def display_name(participant: Participant, submission: str) -> str:
    """The name, else Moodle's number, else the hand-in's id."""
    if name := own_name(participant):
        return name
    if participant.id:
        return f"{'Group' if participant.is_group else 'Participant'} {participant.id}"
    return submission
