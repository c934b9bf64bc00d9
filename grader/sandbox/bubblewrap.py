"""The wall: the bubblewrap command line that builds one room.

Inside, everything is read-only but six tmpfs of bounded size (`WRITABLE` and the kernel's sockets), there is
no network, no capability, and no environment but `room_environment`. Nothing on the host can be written to.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from pydantic import Field

from grader.errors import SandboxError
from grader.model import Isolation, KerasFlavour, Limits, Record
from grader.sandbox.gpus import Gpu, gpu_environment
from grader.sandbox.staging import ROOM, Sources

PROBES = Path(__file__).parents[1] / "probes"
CONTENT = "/content"
KERAS_HOME = "/keras"
HOME = "/home/student"
SOCKETS = "/run/kernel"
SETTINGS = "/run/settings"
ATTACHMENTS = "/run/attachments"
WRITABLE = ("/dev/shm", "/tmp", CONTENT, HOME, KERAS_HOME)
SOCKETS_BYTES = 1024**2
ROOMS = "/run/rooms"  # in the kernel parent only
_PARENT_DISK_BYTES = 64 * 1024**2

# What of /proc speaks to the whole machine. Where the grader is root, so is this room's user to the host, and
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
    """What has to be known of a run before its room is made.

    `data_files` maps a path below the Keras home to a host file. `is_fresh` asks for a process in which
    nothing has been imported before. Of all GPUs, the room has `gpu` only; None: it has none.
    """

    data_files: Mapping[str, Path] = Field(default_factory=dict)
    limits: Limits
    keras: KerasFlavour = KerasFlavour.KERAS_3
    isolation: Isolation = Isolation.BUBBLEWRAP
    is_fresh: bool = False
    gpu: Gpu | None = None


class RoomFolder:
    """A room's own folder on the host, `path`, and the places in it.

    `settings` holds files that the room may read, `attachments` those that are copied into its working
    folder. `owner` is the user to whom all of it is given, None for the grader's own.
    """

    def __init__(self, path: Path, owner: int | None = None) -> None:
        self.path = path
        self.settings = path / "settings"
        self.attachments = path / "attachments"
        self._owner = owner

    def make(self) -> None:
        """Make the folder with its places."""
        for place in (self.settings, self.attachments):
            place.mkdir(parents=True)
        self.give(self.path)

    def give(self, place: Path) -> None:
        """Give `place` and all in it, which we made, to the owner."""
        if self._owner is not None:
            for path in (place, *place.rglob("*")):
                os.chown(path, self._owner, self._owner, follow_symlinks=False)


def find_bubblewrap() -> str:
    """Return the path of `bwrap`; raise `SandboxError` with the command that installs it."""
    found = shutil.which("bwrap")
    if found is None:
        raise SandboxError(
            "bubblewrap, which locks student code in, is not installed: run `sudo apt-get install "
            "bubblewrap` (`--isolation none` does without, for notebooks that you trust like your own)."
        )
    return found


def room_environment(keras: KerasFlavour = KerasFlavour.KERAS_3, gpu: Gpu | None = None) -> dict[str, str]:
    """The whole environment of a room, and of bubblewrap itself: nothing of the launcher's."""
    legacy = {"TF_USE_LEGACY_KERAS": "1"} if keras is KerasFlavour.LEGACY else {}
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
        "PYTHONHASHSEED": "0",  # the same in every room: a forked kernel cannot have one of its own
        "SHELL": "/bin/bash",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "USER": "student",
        **legacy,
        **gpu_environment(gpu),
    }


class Ends(NamedTuple):
    """The file descriptors that bubblewrap inherits and the room does not.

    The filter of system calls is read from `seccomp`; the host's id of the room's first process is written to
    `info`; `inside` starts once `gate` can be read.
    """

    seccomp: int
    info: int
    gate: int


def room_command(spec: RoomSpec, folder: RoomFolder, inside: Sequence[str], ends: Ends) -> list[str]:
    """The command that runs `inside` within a room of its own; to be started with `room_environment`.

    Killing the started process kills everything in the room: it is the parent of the room's pid 1,
    which dies with it. Raises `SandboxError` when bubblewrap is not installed.
    """
    command = _walls(str, spec.limits.disk_bytes, spec.gpu)
    if "--disable-userns" in _options(command[0]):
        command.append("--disable-userns")
    command += ["--seccomp", str(ends.seccomp), "--info-fd", str(ends.info), "--block-fd", str(ends.gate)]
    for name in _PROC_READ_ONLY:
        command += ["--ro-bind-try", f"/proc/{name}", f"/proc/{name}"]
    command += ["--size", str(SOCKETS_BYTES), "--tmpfs", SOCKETS]
    command += ["--ro-bind", str(folder.settings), SETTINGS]
    command += ["--ro-bind", str(folder.attachments), ATTACHMENTS]
    for name, file in sorted(spec.data_files.items()):
        command += ["--ro-bind", str(file), f"{KERAS_HOME}/{name}"]
    return [*command, "--remount-ro", "/", "--chdir", CONTENT, "--", *inside]


def parent_command(rooms: Path, stage: Path, inside: Sequence[str], gpu: Gpu | None = None) -> list[str]:
    """The command that runs the kernel parent: a room that can make rooms within itself.

    `rooms` is the host folder with the folders of its rooms, `stage` an empty one (see `staging`). Its
    walls are those of any room, but no call is filtered and further user namespaces can be made. All its
    rooms have its `gpu`, and no other.
    """
    source = Sources(stage)
    command = _walls(source, _PARENT_DISK_BYTES, gpu)
    for place in (SETTINGS, ATTACHMENTS, SOCKETS):
        command += ["--dir", place]
    command += ["--ro-bind", source(rooms), ROOMS]
    return source.command([*command, "--remount-ro", "/", "--chdir", CONTENT, "--", *inside])


def _walls(source: Callable[[Path], str], disk_bytes: int, gpu: Gpu | None) -> list[str]:
    """What all rooms have in common: namespaces, no capability, system and Python, writable places, a GPU.

    `source` gives the name by which bubblewrap reaches a host path.
    """
    command = [find_bubblewrap(), "--unshare-all", "--unshare-user", "--die-with-parent", "--new-session"]
    command += ["--cap-drop", "ALL", "--uid", "1000", "--gid", "1000", "--hostname", "room"]
    command += ["--proc", "/proc", "--dev", "/dev", *_system()]
    for folder in WRITABLE:
        command += ["--size", str(disk_bytes), "--tmpfs", folder]
    for device in () if gpu is None else gpu.devices:
        command += ["--dev-bind", source(device), f"/dev/{device.name}"]
    command += ["--remount-ro", "/dev"]
    for library in () if gpu is None else gpu.libraries:
        command += ["--ro-bind", source(library), str(library)]
    for prefix in _python_prefixes():
        command += ["--ro-bind", source(Path(prefix)), prefix]
    command += [*_without_grader(), "--ro-bind", source(ROOM), "/room"]
    return [*command, "--ro-bind", source(PROBES), "/harness/probes"]


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


def covered_prefixes() -> list[str]:
    """The folders of Python below a place that each room covers with one of its own, as `/tmp`."""
    return [prefix for prefix in _python_prefixes() if any(map(Path(prefix).is_relative_to, WRITABLE))]


def _without_grader() -> list[str]:
    """Arguments that cover this very package where it is installed inside a bound prefix: no check, rubric
    or answer key can be read in the room.
    """
    package = Path(__file__).resolve().parents[1]
    bound = ["/usr", *_python_prefixes()]
    if any(package.is_relative_to(prefix) for prefix in bound):
        return ["--tmpfs", str(package), "--remount-ro", str(package)]
    return []


def host_description() -> str:
    """The machine's kernel and architecture, for reports."""
    return f"{platform.system()} {platform.release()} ({platform.machine()})"
