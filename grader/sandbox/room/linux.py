"""System calls that Python 3.11 does not offer: namespaces, mounts, capabilities, filters."""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_REMOUNT = 0x20
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000

_PR_SET_DUMPABLE = 4
_PR_SET_SECCOMP = 22
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_SECCOMP_MODE_FILTER = 2
_CAPABILITY_VERSION = 0x20080522
_INSTRUCTION_BYTES = 8
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 0x1

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


def unshare(flags: int) -> None:
    """Go into new namespaces (`CLONE_NEW…`)."""
    _checked(_libc.unshare(flags), "unshare")


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """Mount a file system of `kind`, or change a mount: the system call of that name."""
    words = (word.encode() for word in (source, target, kind, options))
    source_, target_, kind_, options_ = (ctypes.c_char_p(word) for word in words)
    _checked(_libc.mount(source_, target_, kind_, ctypes.c_ulong(flags), options_), target)


def bind(source: str, target: str) -> None:
    """Show `source`, with what is mounted in it, at `target`, an existing folder or file, to be read only."""
    mount(source, target, flags=MS_BIND | MS_REC)
    inherited = os.statvfs(target).f_flag & MS_NOEXEC  # may not be taken away here
    mount("none", target, flags=MS_BIND | MS_REMOUNT | MS_NOSUID | MS_NODEV | MS_RDONLY | inherited)


def mount_tmpfs(target: str, size_bytes: int, flags: int = 0) -> None:
    """Cover `target` with an empty folder in memory."""
    options = f"size={size_bytes},mode=755"
    mount("tmpfs", target, "tmpfs", MS_NOSUID | MS_NODEV | flags, options)


def map_own_identity(uid: int, gid: int) -> None:
    """In a new user namespace: be who one was before (`uid`, `gid`), and nobody else."""
    for name, line in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(line)


def bring_up_loopback() -> None:
    """Let programs of one network namespace reach each other through 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH14x", b"lo", 0)
        _, flags = struct.unpack("16sH14x", fcntl.ioctl(any_socket, _SIOCGIFFLAGS, request))
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | _IFF_UP))


def give_up_all_rights() -> None:
    """Drop every capability for good: bounding, ambient and own sets; no program can give them back."""
    with open("/proc/sys/kernel/cap_last_cap", encoding="ascii") as file:
        last = int(file.read())
    for capability in range(last + 1):
        _checked(_libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0), "capability bounding set")
    _checked(_libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), "ambient capabilities")
    header = struct.pack("Ii", _CAPABILITY_VERSION, 0)
    _checked(_libc.capset(header, struct.pack("6I", *[0] * 6)), "capabilities")
    _checked(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges")


def install_filter(program: bytes) -> None:
    """Put this thread, and all that it starts from now on, under a seccomp filter (classic BPF)."""

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))

    filled = Program(len(program) // _INSTRUCTION_BYTES, program)
    result = _libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(filled), 0, 0)
    _checked(result, "seccomp filter")


def let_own_user_look(is_allowed: bool) -> None:
    """Whether processes of the same user may read this one's memory and environment in `/proc`."""
    _checked(_libc.prctl(_PR_SET_DUMPABLE, int(is_allowed), 0, 0, 0), "dumpable")
