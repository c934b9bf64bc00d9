"""The kernel parent is never root's: a grader that runs as root starts it as a user without an account.

Each of its rooms mounts a `/proc` of its own, in which root's processes could change the whole machine,
whatever their namespaces. That user cannot reach folders like `/root`, so in a mount namespace of its own
root shows bubblewrap each folder that it has to bind at a place that everybody may enter.

This file is also the program that does so: it runs before bubblewrap, with the standard library only.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path

ROOM = Path(__file__).parent / "room"
PARENT_UID = 60_990  # between the ranges that systemd and distributions give away
_STAGE_BYTES = 1024**2


def other_user() -> int | None:
    """The user whose processes the kernel parent and its rooms are, None where they are our own."""
    return None if os.geteuid() else PARENT_UID


def can_enter(folder: Path) -> bool:
    """Whether the kernel parent's user can reach what lies in `folder`."""
    if os.geteuid() != 0:
        return True
    return all(part.stat().st_mode & stat.S_IXOTH for part in (folder, *folder.parents))


class Sources:
    """What bubblewrap binds, under the names by which the kernel parent's user reaches it.

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
        """The command that runs `bubblewrap` as that user."""
        if os.geteuid() != 0:
            return bubblewrap
        order = json.dumps({"uid": PARENT_UID, "stage": str(self._stage), "binds": self._staged})
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
