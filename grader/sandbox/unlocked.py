"""Without a wall: the kernel as an ordinary program of this user, for whoever asks for it by name.

Limits are kept as far as they can be. Nothing keeps the notebook from the network, or from reading and
changing what this user can.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from grader.errors import SandboxError
from grader.sandbox.bubblewrap import PROBES, RoomFolder, RoomSpec, room_environment
from grader.sandbox.limits.interface import Bounds
from grader.sandbox.limits.rlimits import bounded_command, process_limits
from grader.sandbox.staging import ROOM

_WRITABLE = ("content", "home", "keras", "sockets", "tmp")
_SAMPLE_SECONDS = 1.0
_FILE_BYTES = 4096


class Unlocked:
    """A room without walls: a folder. `pid` is the kernel's process."""

    def __init__(self, folder: Path, pid: int) -> None:
        self.pid = pid
        self.sockets = str(folder / "sockets")
        self._folder = folder
        self._seen = 0
        self._next_look = 0.0

    def files_bytes(self) -> int:
        """What the files in the folder take; looked at once a second, and blind to files elsewhere."""
        if time.monotonic() >= self._next_look:
            self._seen = sum(_size(self._folder / name) for name in _WRITABLE)
            self._next_look = time.monotonic() + _SAMPLE_SECONDS
        return self._seen

    def close(self) -> None:
        """Nothing is held."""


def launch_unlocked(
    spec: RoomSpec,
    room: RoomFolder,
    inside: Sequence[str],
    bounds: Bounds,
    *,
    pass_fds: Sequence[int] = (),
    **streams: Any,
) -> tuple[subprocess.Popen[bytes], Unlocked]:
    """Start `inside` within `bounds` and nothing else; `pass_fds` and `streams` as `Popen` has them."""
    folder = room.path
    for name in (*_WRITABLE, "harness"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "harness" / "probes").symlink_to(PROBES)
    for name, file in spec.data_files.items():
        target = folder / "keras" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)  # a copy: the notebook may change it
    limits = process_limits(spec.limits, has_own_users=False)
    try:
        process = subprocess.Popen(
            bounded_command(limits, str(ROOM), inside),
            env=_environment(spec, folder),
            stdin=subprocess.DEVNULL,
            pass_fds=pass_fds,
            cwd=folder / "content",
            start_new_session=True,
            **streams,
        )
    except OSError as error:
        raise SandboxError(f"the kernel cannot be started ({error}): run `grade doctor`.") from error
    try:
        bounds.adopt(process.pid)  # it is still reading its own program: no code of the hand-in runs yet
    except BaseException:
        process.kill()
        process.wait()
        raise
    return process, Unlocked(folder, process.pid)


def _environment(spec: RoomSpec, folder: Path) -> dict[str, str]:
    return room_environment(spec.keras, spec.gpu) | {
        "GRADER_CONTENT": str(folder / "content"),
        "GRADER_ATTACHMENTS": str(folder / "attachments"),
        "HOME": str(folder / "home"),
        "KERAS_HOME": str(folder / "keras"),
        "MPLCONFIGDIR": str(folder / "home" / ".config" / "matplotlib"),
        "TMPDIR": str(folder / "tmp"),
    }


def _size(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += _FILE_BYTES + Path(place, name).lstat().st_blocks * 512
    return total
