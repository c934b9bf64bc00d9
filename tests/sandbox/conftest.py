"""A room for plain Python, without a kernel: quick."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.model import Limits
from grader.sandbox.bubblewrap import RoomSpec, room_command, room_environment
from grader.sandbox.seccomp import readable_filter

InRoom = Callable[..., str]


@pytest.fixture
def in_room(tmp_path: Path) -> InRoom:
    """Runs a program in a room and returns what it printed: `in_room("print(1)")`."""

    def run(program: str, *, without_filter: bool = False) -> str:
        spec = RoomSpec(sockets=tmp_path, settings=tmp_path, limits=Limits(), seed=1, wire=0)
        with readable_filter() as seccomp:
            command = room_command(spec, [sys.executable, "-c", program], seccomp=seccomp)
            if without_filter:
                at = command.index("--seccomp")
                del command[at : at + 2]
            ended = subprocess.run(
                command,
                env=room_environment(spec),
                pass_fds=(seccomp,),
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
            )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    return run
