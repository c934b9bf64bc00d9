"""The wall: the bubblewrap command line that builds one room.

Inside, everything is read-only but six tmpfs of bounded size (`WRITABLE` and the kernel's sockets), there is
no network, no capability, and no environment but `room_environment`. Nothing on the host can be written to.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from pydantic import Field

from grader.errors import SandboxError
from grader.model import KerasFlavour, Limits, Record

ROOM = Path(__file__).parent / "room"
PROBES = Path(__file__).parents[1] / "probes"
CONTENT = "/content"
KERAS_HOME = "/keras"
HOME = "/home/student"
SOCKETS = "/run/kernel"
SETTINGS = "/run/settings"
ATTACHMENTS = "/run/attachments"
WRITABLE = ("/dev/shm", "/tmp", CONTENT, HOME, KERAS_HOME)
_SOCKETS_BYTES = 1024**2

# What of /proc speaks to the whole machine. Where the grader is root, so is the room's user to the host, and
# nothing but a read-only mount keeps it from `/proc/sys/kernel/core_pattern`.
_PROC_READ_ONLY = ("acpi", "asound", "bus", "driver", "fs", "irq", "mtrr", "scsi", "sys", "sysrq-trigger")

_SYSTEM_FILES = (
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
)


class RoomSpec(Record):
    """What one room is made of.

    `settings` is a host folder whose files the room may read, `attachments` one whose files are copied into
    the working folder when the room starts. `data_files` maps a path below the Keras home to a host file.
    `wire` is the file descriptor that the room's own code writes facts to; both processes inherit it.
    """

    settings: Path
    attachments: Path | None = None
    data_files: Mapping[str, Path] = Field(default_factory=dict)
    limits: Limits
    seed: int
    keras: KerasFlavour = KerasFlavour.KERAS_3
    wire: int


def find_bubblewrap() -> str:
    """Return the path of `bwrap`; raise `SandboxError` with the command that installs it."""
    found = shutil.which("bwrap")
    if found is None:
        raise SandboxError(
            "bubblewrap, which locks student code in, is not installed: run `sudo apt-get install "
            "bubblewrap` (`--isolation none` does without, for notebooks that you trust like your own)."
        )
    return found


def room_environment(spec: RoomSpec) -> dict[str, str]:
    """The whole environment of the room, and of bubblewrap itself: nothing of the launcher's."""
    legacy = {"TF_USE_LEGACY_KERAS": "1"} if spec.keras is KerasFlavour.LEGACY else {}
    return {
        "HOME": HOME,
        "KERAS_HOME": KERAS_HOME,
        "LANG": "C.UTF-8",
        "MPLCONFIGDIR": f"{HOME}/.config/matplotlib",
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INDEX": "1",  # `pip install` of what is there succeeds, of anything else fails at once
        "PIP_ROOT_USER_ACTION": "ignore",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": str(spec.seed % 2**32),
        "SHELL": "/bin/bash",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "USER": "student",
        **legacy,
    }


class Ends(NamedTuple):
    """The file descriptors that bubblewrap inherits and the room does not.

    The filter of system calls is read from `seccomp`; the host's id of the room's first process is written to
    `info`; `inside` starts once `gate` can be read.
    """

    seccomp: int
    info: int
    gate: int


def room_command(spec: RoomSpec, inside: Sequence[str], ends: Ends) -> list[str]:
    """The command that runs `inside` within a room made from `spec`; to be started with `room_environment`.

    Killing the started process kills everything in the room: it is the parent of the room's pid 1,
    which dies with it. Raises `SandboxError` when bubblewrap is not installed.
    """
    size = ["--size", str(spec.limits.disk_bytes)]
    bubblewrap = find_bubblewrap()
    command = [bubblewrap, "--unshare-all", "--unshare-user", "--die-with-parent", "--new-session"]
    if "--disable-userns" in _options(bubblewrap):
        command.append("--disable-userns")
    command += ["--seccomp", str(ends.seccomp), "--info-fd", str(ends.info), "--block-fd", str(ends.gate)]
    command += ["--cap-drop", "ALL", "--uid", "1000", "--gid", "1000", "--hostname", "room"]
    command += ["--proc", "/proc", "--dev", "/dev", *_system()]
    for name in _PROC_READ_ONLY:
        command += ["--ro-bind-try", f"/proc/{name}", f"/proc/{name}"]
    for folder in WRITABLE:
        command += [*size, "--tmpfs", folder]
    command += ["--size", str(_SOCKETS_BYTES), "--tmpfs", SOCKETS, "--remount-ro", "/dev"]
    for prefix in _python_prefixes():
        command += ["--ro-bind", prefix, prefix]
    command += [
        *_without_grader(),
        "--ro-bind",
        str(ROOM),
        "/room",
        "--ro-bind",
        str(PROBES),
        "/harness/probes",
        "--ro-bind",
        str(spec.settings),
        SETTINGS,
    ]
    if spec.attachments is not None:
        command += ["--ro-bind", str(spec.attachments), ATTACHMENTS]
    for name, file in sorted(spec.data_files.items()):
        command += ["--ro-bind", str(file), f"{KERAS_HOME}/{name}"]
    return [*command, "--remount-ro", "/", "--chdir", CONTENT, "--", *inside]


@cache
def _options(bubblewrap: str) -> frozenset[str]:
    """The options that this release of bubblewrap knows."""
    help_page = subprocess.run([bubblewrap, "--help"], capture_output=True, text=True, check=False)
    return frozenset(help_page.stdout.split())


def _system() -> list[str]:
    """Arguments that bind the system's programs and libraries, whether or not `/lib` is part of `/usr`."""
    arguments = ["--ro-bind", "/usr", "/usr"]
    for name in ("bin", "sbin", "lib", "lib32", "lib64"):
        path = Path("/") / name
        if path.is_symlink():
            arguments += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            arguments += ["--ro-bind", str(path), str(path)]
    for file in _SYSTEM_FILES:
        arguments += ["--ro-bind-try", file, file]
    return arguments


def _python_prefixes() -> list[str]:
    """The folders of the running Python and of its virtual environment that `/usr` does not hold.

    As they are named and as they are: on the way from `sys.executable` to the program there may be links.
    """
    named = {Path(sys.prefix), Path(sys.base_prefix)}
    program = Path(sys.executable)
    while program.is_symlink():
        named.add(program.parent.parent)
        program = program.parent / program.readlink()
    prefixes = named | {prefix.resolve() for prefix in named}
    return [str(prefix) for prefix in sorted(prefixes) if not prefix.is_relative_to("/usr")]


def _without_grader() -> list[str]:
    """Arguments that cover this very package where it is installed inside a bound prefix: no check, rubric
    or answer key can be read in the room.
    """
    package = Path(__file__).resolve().parents[1]
    bound = ["/usr", *_python_prefixes()]
    if any(package.is_relative_to(prefix) for prefix in bound):
        return ["--tmpfs", str(package)]
    return []


def host_description() -> str:
    """The machine's kernel and architecture, for reports."""
    return f"{platform.system()} {platform.release()} ({platform.machine()})"
