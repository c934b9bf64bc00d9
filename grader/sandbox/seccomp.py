"""The seccomp filter of a room: a small classic BPF program, assembled here from tables.

Everything is allowed but what the tables name. Refused calls fail with an error that programs expect; a
call through another architecture's table, where the numbers mean other things, kills the process.
"""

from __future__ import annotations

import errno
import os
import platform
import struct
from collections.abc import Iterator
from contextlib import contextmanager

from grader.errors import SandboxError

# name: (number on x86_64, number on aarch64); None where the architecture has no such call.
_NOT_PERMITTED: dict[str, tuple[int, int | None]] = {
    # Keys of the host's user, which no namespace separates.
    "add_key": (248, 217),
    "keyctl": (250, 219),
    "request_key": (249, 218),
    # Work that the kernel does on behalf of a process, past this filter.
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    # Other processes' memory and descriptors.
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    # Namespaces (see also `clone`) and mounts.
    "chroot": (161, 51),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "open_tree": (428, 428),
    "open_tree_attr": (467, 467),
    "pivot_root": (155, 41),
    "setns": (308, 268),
    "umount2": (166, 39),
    "unshare": (272, 97),
    # Large parts of the kernel that a notebook has no use for.
    "bpf": (321, 280),
    "fanotify_init": (300, 262),
    "lookup_dcookie": (212, 18),
    "modify_ldt": (154, None),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "uselib": (134, None),
    # Files by handle, past every path.
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    # What changes the machine. A room lacks the rights anyway; the filter is the second wall.
    "acct": (163, 89),
    "adjtimex": (159, 171),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "create_module": (174, None),
    "delete_module": (176, 106),
    "finit_module": (313, 273),
    "init_module": (175, 105),
    "ioperm": (173, None),
    "iopl": (172, None),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "nfsservctl": (180, 42),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "reboot": (169, 142),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "settimeofday": (164, 170),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "vhangup": (153, 58),
}
_NOT_THERE: dict[str, tuple[int, int | None]] = {
    "clone3": (435, 435),  # its flags lie in memory, where no filter sees them; libraries fall back to clone
    "io_setup": (206, 0),  # a pool that all users of the machine share, and any of them can empty
    # Memory that belongs to no mapping, file system or process and so can only be weighed by a cgroup.
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "mq_open": (240, 180),
    "msgget": (68, 186),
    "semget": (64, 190),
    "shmget": (29, 194),
}
_CLONE = (56, 220)
_PERSONALITY = (135, 92)
_SOCKET_CALLS = ((41, 198), (53, 199))  # socket, socketpair
_IOCTL = (16, 29)

_NEW_NAMESPACES = 0x7E020000  # CLONE_NEWNS | NEWCGROUP | NEWUTS | NEWIPC | NEWUSER | NEWPID | NEWNET
_PERSONALITIES = (0x0, 0xFFFFFFFF)  # plain Linux, and the question which one it is
_FAMILIES = (1, 2, 10)  # AF_UNIX, AF_INET, AF_INET6
_NETLINK, _ROUTE = 16, 0  # ZeroMQ lists the network interfaces through it
_TERMINAL_TRICKS = (0x5412, 0x541C)  # TIOCSTI and TIOCLINUX type into a terminal

# The machine's name: its column in the tables, and its AUDIT_ARCH.
_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_X32 = 0x40000000

_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets in `struct seccomp_data`
_ALLOW, _KILL, _FAIL = 0x7FFF0000, 0x80000000, 0x00050000


def filter_program(machine: str | None = None) -> bytes:
    """The filter for `machine` (this one if None) as an array of `struct sock_filter`.

    Raises `SandboxError` for a machine whose system calls the tables do not know.
    """
    machine = machine or platform.machine()
    if machine not in _ARCHITECTURES:
        raise SandboxError(
            f"There is no system-call filter for {machine} machines: grade on x86_64 or aarch64."
        )
    column, architecture = _ARCHITECTURES[machine]
    program = [
        _step(_LOAD, _ARCHITECTURE),
        _step(_JUMP_EQUAL, architecture, 1, 0),
        _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER),
        _step(_JUMP_AT_LEAST, _X32, 0, 1),
        _step(_RETURN, _KILL),
    ]
    for calls, error in ((_NOT_PERMITTED, errno.EPERM), (_NOT_THERE, errno.ENOSYS)):
        for numbers in calls.values():
            number = numbers[column]
            if number is not None:
                program += [_step(_JUMP_EQUAL, number, 0, 1), _step(_RETURN, _FAIL | error)]
    program += _with_argument(_CLONE[column], 0, _refuse_bits(_NEW_NAMESPACES))
    program += _with_argument(_PERSONALITY[column], 0, _allow_only(_PERSONALITIES, errno.EPERM))
    for numbers in _SOCKET_CALLS:
        program += _with_argument(numbers[column], 0, _allow_sockets())
    program += _with_argument(_IOCTL[column], 1, _refuse(_TERMINAL_TRICKS))
    return b"".join([*program, _step(_RETURN, _ALLOW)])


@contextmanager
def readable_filter() -> Iterator[int]:
    """A file descriptor that the filter can be read from once; closed on this side at the end."""
    reading, writing = os.pipe()
    try:
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(filter_program())  # a few kilobytes: less than any pipe holds
        yield reading
    finally:
        os.close(reading)


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    """One `struct sock_filter`; the jumps count the steps to leave out."""
    return struct.pack("=HBBI", code, if_true, if_false, value)


def _with_argument(call: int, position: int, verdict: list[bytes]) -> list[bytes]:
    """Apply `verdict`, which must return in every case, to the low half of an argument of `call`.

    The low half (both architectures are little-endian) is all that the kernel looks at: these arguments are
    `int`s, or flags below bit 32.
    """
    return [_step(_JUMP_EQUAL, call, 0, 1 + len(verdict)), _load_argument(position), *verdict]


def _load_argument(position: int) -> bytes:
    return _step(_LOAD, _ARGUMENTS + 8 * position)


def _refuse_bits(bits: int) -> list[bytes]:
    refuse = _step(_RETURN, _FAIL | errno.EPERM)
    return [_step(_JUMP_ANY_BIT, bits, 0, 1), refuse, _step(_RETURN, _ALLOW)]


def _allow_only(values: tuple[int, ...], error: int) -> list[bytes]:
    return [*_when_equal(values, _ALLOW), _step(_RETURN, _FAIL | error)]


def _refuse(values: tuple[int, ...]) -> list[bytes]:
    return [*_when_equal(values, _FAIL | errno.EPERM), _step(_RETURN, _ALLOW)]


def _allow_sockets() -> list[bytes]:
    """Allow the local and internet families, and of netlink the protocol that lists the interfaces."""
    protocol = [_load_argument(2), *_allow_only((_ROUTE,), errno.EAFNOSUPPORT)]
    others = [_step(_JUMP_EQUAL, _NETLINK, 0, len(protocol)), *protocol]
    return [*_when_equal(_FAMILIES, _ALLOW), *others, _step(_RETURN, _FAIL | errno.EAFNOSUPPORT)]


def _when_equal(values: tuple[int, ...], answer: int) -> list[bytes]:
    return [step for value in values for step in (_step(_JUMP_EQUAL, value, 0, 1), _step(_RETURN, answer))]
