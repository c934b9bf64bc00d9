"""Rooms are never root's: a grader that runs as root starts bubblewrap as a user without an account.

For root's own processes a room's `/proc/sys` would be writable, whatever the namespaces. That user cannot
reach folders like `/root`, so in a mount namespace of its own root shows bubblewrap each folder and file that
it has to bind at a place that everybody may enter.

This file is also the program that does so: it runs before bubblewrap, with the standard library only.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path

ROOM = Path(__file__).parent / "room"
ROOM_UID = 60_990  # between the ranges that systemd and distributions give away
_STAGE_BYTES = 1024**2


def room_uid() -> int:
    """The user whose processes all rooms are: ours, `ROOM_UID` when we are root."""
    return os.geteuid() or ROOM_UID


def give_to_room(folder: Path) -> None:
    """Let the rooms' user own `folder` and all in it, which we made."""
    if os.geteuid() != 0:
        return
    for path in (folder, *folder.rglob("*")):
        os.chown(path, ROOM_UID, ROOM_UID, follow_symlinks=False)


def can_room_enter(folder: Path) -> bool:
    """Whether the rooms' user can reach what lies in `folder`."""
    if os.geteuid() != 0:
        return True
    return all(part.stat().st_mode & stat.S_IXOTH for part in (folder, *folder.parents))


class Sources:
    """What bubblewrap binds, under the names by which the rooms' user reaches it.

    `stage` is an existing, empty folder that this user can enter.
    """

    def __init__(self, stage: Path) -> None:
        self._stage = stage
        self._staged: dict[str, str] = {}

    def __call__(self, path: Path) -> str:
        """The name of `path` for bubblewrap."""
        if os.geteuid() != 0:
            return str(path)
        return self._staged.setdefault(str(path), f"{self._stage}/{len(self._staged)}")

    def command(self, bubblewrap: list[str]) -> list[str]:
        """The command that runs `bubblewrap` as the rooms' user."""
        if os.geteuid() != 0:
            return bubblewrap
        order = json.dumps({"uid": ROOM_UID, "stage": str(self._stage), "binds": self._staged})
        return [sys.executable, "-I", "-S", __file__, order, *bubblewrap]


def _main(order: str, *command: str) -> None:
    sys.path.append(str(ROOM))
    import linux

    told = json.loads(order)
    linux.unshare(linux.CLONE_NEWNS)
    linux.mount("none", "/", flags=linux.MS_REC | linux.MS_PRIVATE)
    linux.mount_tmpfs(told["stage"], _STAGE_BYTES)
    for source, staged in told["binds"].items():
        if Path(source).is_dir():
            Path(staged).mkdir()
        else:
            Path(staged).touch()
        linux.mount(source, staged, flags=linux.MS_BIND | linux.MS_REC)
    os.setgroups([])
    os.setresgid(told["uid"], told["uid"], told["uid"])
    os.setresuid(told["uid"], told["uid"], told["uid"])
    os.execv(command[0], command)


if __name__ == "__main__":
    _main(*sys.argv[1:])
