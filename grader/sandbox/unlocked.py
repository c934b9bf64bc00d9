"""Without a wall: the kernel as an ordinary program of this user, for whoever asks for it by name.

It runs on Linux, macOS and Windows. Limits are kept as far as the system can. Nothing keeps the notebook from
the network, or from reading and changing what this user can.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import site
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grader.errors import SandboxError
from grader.sandbox.bubblewrap import PROBES, RoomFolder, RoomSpec, room_environment
from grader.sandbox.layout import unlocked
from grader.sandbox.leads import Leads
from grader.sandbox.limits.interface import Bounds
from grader.sandbox.limits.rlimits import bounded_command, process_limits
from grader.sandbox.staging import ROOM

_WRITABLE = ("content", "home", "tmp")
_KERAS = "home/.keras"  # where legacy Keras looks, whatever `KERAS_HOME` says
_SAMPLE_SECONDS = 1.0
_FILE_BYTES = 4096
# What programs on Windows do not start without.
_OF_WINDOWS = ("SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "NUMBER_OF_PROCESSORS")
_GROUP_OF_ITS_OWN = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)  # on Windows; a session elsewhere


class Unlocked:
    """A room without walls: a folder. `pid` is the kernel's process."""

    def __init__(self, folder: RoomFolder, pid: int) -> None:
        self.pid = pid
        self._folder = folder
        self._seen = 0
        self._next_look = 0.0

    def connection(self, told: Mapping[str, Any]) -> dict[str, Any] | None:
        """What the kernel was `told` with the ports that it chose; None until it listens there."""
        try:
            found = json.loads((self._folder.settings / "connection.json").read_bytes())
        except (OSError, ValueError):  # it is being written
            return None
        chosen = {name: found[name] for name in told if name.endswith("_port")}
        return {**told, **chosen} if all(chosen.values()) else None

    def files_bytes(self) -> int:
        """What the files in the folder take; looked at once a second, and blind to files elsewhere."""
        if time.monotonic() >= self._next_look:
            self._seen = sum(_size(self._folder.path / name) for name in _WRITABLE)
            self._next_look = time.monotonic() + _SAMPLE_SECONDS
        return self._seen

    def close(self) -> None:
        """Nothing is held."""


def launch_unlocked(
    spec: RoomSpec, room: RoomFolder, bounds: Bounds, leads: Leads
) -> tuple[subprocess.Popen[bytes], Unlocked]:
    """Start a kernel within `bounds` and nothing else. Raises `SandboxError` when it cannot be started."""
    layout = unlocked(room.path, ROOM)
    for name in _WRITABLE:
        (room.path / name).mkdir()
    shutil.copytree(PROBES, Path(layout.harness) / "probes")
    for name, file in spec.data_files.items():
        target = room.path / _KERAS / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)  # a copy: the notebook may change it
    limits = process_limits(spec.limits, has_own_users=False)
    program = [sys.executable, f"{layout.room}/startup.py", layout.settings]
    try:
        process = subprocess.Popen(
            bounded_command(limits, layout.room, program),
            env=_environment(spec, room.path),
            stdin=leads.job.inside.fileno(),
            stdout=leads.wire,
            stderr=leads.complaints,
            cwd=layout.content,
            start_new_session=True,  # Ctrl-C at the terminal is for the grader
            creationflags=_GROUP_OF_ITS_OWN,
        )
    except OSError as error:
        raise SandboxError(f"the kernel cannot be started ({error}): run `grade doctor`.") from error
    try:
        bounds.adopt(process.pid)  # it is still reading its own program: no code of the hand-in runs yet
    except BaseException:
        process.kill()
        process.wait()
        raise
    return process, Unlocked(room, process.pid)


def _environment(spec: RoomSpec, folder: Path) -> dict[str, str]:
    """As in a room, with the places of `folder`, and with packages that only this user has installed."""
    home, temporary = str(folder / "home"), str(folder / "tmp")
    found = room_environment(spec.keras, spec.gpu) | {
        "GRADER_CONTENT": str(folder / "content"),
        "GRADER_ATTACHMENTS": str(folder / "attachments"),
        "HOME": home,
        "KERAS_HOME": str(folder / _KERAS),
        "MPLCONFIGDIR": str(folder / "home" / ".config" / "matplotlib"),
        "PYTHONUSERBASE": site.getuserbase(),
        "PYTHONUTF8": "1",
        "TMPDIR": temporary,
    }
    if sys.platform != "win32":
        return found
    found |= {name: os.environ[name] for name in _OF_WINDOWS if name in os.environ}
    found |= dict.fromkeys(("USERPROFILE", "APPDATA", "LOCALAPPDATA"), home)
    found |= dict.fromkeys(("TEMP", "TMP"), temporary)
    return found | {"PATH": f"{Path(sys.executable).parent};{os.environ.get('PATH', '')}"}


def _size(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                file = Path(place, name).lstat()
                blocks = getattr(file, "st_blocks", None)  # not on Windows
                total += _FILE_BYTES + (file.st_size if blocks is None else blocks * 512)
    return total
