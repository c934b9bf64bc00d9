"""Where things are for the code that runs beside a student's: fixed places in a room, a folder without."""

from __future__ import annotations

from pathlib import Path

from grader.model import Record
from grader.sandbox.bubblewrap import ATTACHMENTS, CONTENT, SETTINGS, SOCKETS


class Layout(Record):
    """Paths as the student's process sees them.

    `room` and `harness` hold our code, `content` is the working folder, `settings` and `attachments` are
    what the grader gives; `sockets` is where the kernel opens its own, None where they are not files.
    """

    room: str
    harness: str
    content: str
    settings: str
    attachments: str
    sockets: str | None


LOCKED = Layout(
    room="/room",
    harness="/harness",
    content=CONTENT,
    settings=SETTINGS,
    attachments=ATTACHMENTS,
    sockets=SOCKETS,
)


def unlocked(folder: Path, room: Path) -> Layout:
    """The layout without isolation: everything below the room's own `folder`, our code at `room`."""
    return Layout(
        room=str(room),
        harness=str(folder / "harness"),
        content=str(folder / "content"),
        settings=str(folder / "settings"),
        attachments=str(folder / "attachments"),
        sockets=None,
    )
