"""A room for plain Python, without a kernel: quick."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.model import Limits
from grader.sandbox import launching
from grader.sandbox.bubblewrap import Ends, RoomFolder, RoomSpec, room_command
from grader.sandbox.limits.choosing import choose_mechanism

InRoom = Callable[..., str]


def without_filter(spec: RoomSpec, folder: RoomFolder, inside: list[str], ends: Ends) -> list[str]:
    command = room_command(spec, folder, inside, ends)
    at = command.index("--seccomp")
    return [*command[:at], *command[at + 2 :]]


@pytest.fixture
def in_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InRoom:
    """Runs a program in a room and returns what it printed: `in_room("print(1)")`."""

    def run(program: str, *, is_filtered: bool = True, limits: Limits | None = None) -> str:
        if not is_filtered:
            monkeypatch.setattr(launching, "room_command", without_filter)
        spec, folder = RoomSpec(limits=limits or Limits()), RoomFolder(tmp_path / uuid.uuid4().hex)
        folder.make()
        bounds = choose_mechanism().open(spec.limits)
        try:
            process, standing = launching.launch(
                spec,
                folder,
                [sys.executable, "-c", program],
                bounds,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            printed, complaint = process.communicate(timeout=60)
            standing.close()
        finally:
            bounds.close()
        assert process.returncode == 0, complaint
        return printed

    return run
