"""The walls of one forked kernel: namespaces within those of the kernel parent, and mounts of its own."""

from __future__ import annotations

import os
from collections.abc import Mapping

import linux

ROOMS = "/run/rooms"
KERAS_HOME = "/keras"
WRITABLE = ("/dev/shm", "/tmp", "/content", "/home/student", KERAS_HOME)
UID = 1000

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


def build_walls(folder: str, data_files: Mapping[str, str], disk_bytes: int) -> None:
    """Mount what this room has of its own, and cover what is the parent's or a sibling's.

    `folder` is the room's own one and `data_files` maps a path below the Keras home to a file, both below
    `ROOMS`. To be called by pid 1. Afterwards the rights to mount can be given up.
    """
    linux.unshare(linux.CLONE_NEWCGROUP)
    linux.mount("none", "/", flags=linux.MS_REC | linux.MS_PRIVATE)
    for place in WRITABLE:
        linux.mount_tmpfs(place, disk_bytes)
    linux.bind(f"{ROOMS}/{folder}/settings", "/run/settings")
    linux.bind(f"{ROOMS}/{folder}/attachments", "/run/attachments")
    linux.bind(f"{ROOMS}/{folder}/sockets", "/run/kernel", is_writable=True)
    for name, source in data_files.items():
        target = f"{KERAS_HOME}/{name}"
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY))
        linux.bind(f"{ROOMS}/{source}", target)
    linux.mount_tmpfs(ROOMS, 4096, linux.MS_RDONLY)
    flags = linux.MS_NOSUID | linux.MS_NOEXEC
    linux.mount("devpts", "/dev/pts", "devpts", flags, "newinstance,ptmxmode=0666,mode=620")
    linux.mount("proc", "/proc", "proc", flags | linux.MS_NODEV)
    linux.bring_up_loopback()
    os.chdir("/content")
