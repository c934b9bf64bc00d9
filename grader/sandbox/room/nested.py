"""The walls of one forked kernel: namespaces within those of the kernel parent, and mounts of its own."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import linux

ROOMS = "/run/rooms"
SETTINGS = "/run/settings"
KERAS_HOME = "/keras"
WRITABLE = ("/dev/shm", "/tmp", "/content", "/home/student", KERAS_HOME)
UID = 1000
_SOCKETS_BYTES = 1024**2

_NAMESPACES = (
    linux.CLONE_NEWUSER
    | linux.CLONE_NEWNS
    | linux.CLONE_NEWPID
    | linux.CLONE_NEWIPC
    | linux.CLONE_NEWNET
    | linux.CLONE_NEWUTS
)


def enter_namespaces() -> None:
    """Leave the parent's namespaces; the next process that is forked is pid 1 of the new ones.

    The caller must have one thread only. It has every capability in the new namespaces, and none outside.
    """
    linux.unshare(_NAMESPACES)
    linux.map_own_identity(UID, UID)


def build_walls(folder: str, data_files: Mapping[str, str], disk_bytes: int, kept: Sequence[str]) -> None:
    """Mount what this room has of its own, and cover what is the parent's or a sibling's.

    `folder` is the room's own one and `data_files` maps a path below the Keras home to a file, both below
    `ROOMS`. `kept` are folders below the places that are covered, which stay. To be called by pid 1;
    afterwards the rights to mount can be given up.
    """
    linux.unshare(linux.CLONE_NEWCGROUP)
    linux.mount("none", "/", flags=linux.MS_REC | linux.MS_PRIVATE)
    before = {path: os.open(path, os.O_PATH) for path in kept}
    for place in WRITABLE:
        linux.mount_tmpfs(place, disk_bytes)
    linux.mount_tmpfs("/run/kernel", _SOCKETS_BYTES)
    for path, descriptor in before.items():
        os.makedirs(path)
        linux.bind(f"/proc/self/fd/{descriptor}", path)
        os.close(descriptor)
    linux.bind(f"{ROOMS}/{folder}/settings", SETTINGS)
    linux.bind(f"{ROOMS}/{folder}/attachments", "/run/attachments")
    for name, source in data_files.items():
        target = f"{KERAS_HOME}/{name}"
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY))
        linux.bind(f"{ROOMS}/{source}", target)
    linux.mount_tmpfs(ROOMS, 4096, linux.MS_RDONLY)
    flags = linux.MS_NOSUID | linux.MS_NOEXEC
    linux.mount("devpts", "/dev/pts", "devpts", flags, "newinstance,ptmxmode=0666,mode=620")
    linux.mount("proc", "/proc", "proc", flags | linux.MS_NODEV)
    with open("/proc/sys/user/max_user_namespaces", "w", encoding="ascii") as file:
        file.write("0")
    linux.bring_up_loopback()
    os.chdir("/content")
