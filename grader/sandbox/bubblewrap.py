"""The wall: the bubblewrap command line that builds one room.

Inside, everything is read-only but five tmpfs of bounded size (`/content`, `/tmp`, `/dev/shm`, the home
folder and Keras's home), there is no network, no capability, and no environment but `room_environment`.
"""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import Field

from grader.errors import SandboxError
from grader.model import KerasFlavour, Limits, Record
from grader.sandbox.staging import ROOM, Sources, give_to_room

PROBES = Path(__file__).parents[1] / "probes"
CONTENT = "/content"
KERAS_HOME = "/keras"
HOME = "/home/student"
SOCKETS = "/run/kernel"
SETTINGS = "/run/settings"
ATTACHMENTS = "/run/attachments"
ROOMS = "/run/rooms"  # in the kernel parent only
WRITABLE = ("/dev/shm", "/tmp", CONTENT, HOME, KERAS_HOME)

_PARENT_DISK_BYTES = 64 * 1024**2

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
    nothing has been imported before.
    """

    data_files: Mapping[str, Path] = Field(default_factory=dict)
    limits: Limits
    keras: KerasFlavour = KerasFlavour.KERAS_3
    is_fresh: bool = False


class RoomFolder:
    """A room's own folder on the host, `path`, and the places in it.

    `sockets` is for the kernel's Unix sockets; `settings` holds files that the room may read,
    `attachments` those that are copied into its working folder; `stage` stays empty.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sockets = path / "sockets"
        self.settings = path / "settings"
        self.attachments = path / "attachments"
        self.stage = path / "stage"

    def make(self) -> None:
        """Make the folder with its places, for the rooms' user."""
        self.path.mkdir(mode=0o700, exist_ok=True, parents=True)
        for place in (self.sockets, self.settings, self.attachments, self.stage):
            place.mkdir()
        give_to_room(self.path)


def find_bubblewrap() -> str:
    """Return the path of `bwrap`; raise `SandboxError` with the command that installs it."""
    found = shutil.which("bwrap")
    if found is None:
        raise SandboxError(
            "bubblewrap, which locks student code in, is not installed: "
            "run `sudo apt-get install bubblewrap`."
        )
    return found


def room_environment(keras: KerasFlavour = KerasFlavour.KERAS_3) -> dict[str, str]:
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
    }


def room_command(spec: RoomSpec, folder: RoomFolder, inside: Sequence[str]) -> list[str]:
    """The command that runs `inside` within a room of its own; to be started with `room_environment`.

    Killing the started process kills everything in the room: it is the parent of the room's pid 1,
    which dies with it. Raises `SandboxError` when bubblewrap is not installed.
    """
    source = Sources(folder.stage)
    command = _walls(source, spec.limits.disk_bytes)
    command += ["--ro-bind", source(folder.settings), SETTINGS]
    command += ["--ro-bind", source(folder.attachments), ATTACHMENTS]
    for name, file in sorted(spec.data_files.items()):
        command += ["--ro-bind", source(file), f"{KERAS_HOME}/{name}"]
    command += ["--bind", source(folder.sockets), SOCKETS]
    return source.command([*command, "--remount-ro", "/", "--chdir", CONTENT, "--", *inside])


def parent_command(rooms: Path, stage: Path, inside: Sequence[str]) -> list[str]:
    """The command that runs the kernel parent: a room that can make rooms within itself.

    `rooms` is the host folder with the folders of its rooms, `stage` an empty one.
    """
    source = Sources(stage)
    command = _walls(source, _PARENT_DISK_BYTES)
    for place in (SETTINGS, ATTACHMENTS, SOCKETS):
        command += ["--dir", place]
    command += ["--bind", source(rooms), ROOMS]
    return source.command([*command, "--remount-ro", "/", "--chdir", "/", "--", *inside])


def _walls(source: Sources, disk_bytes: int) -> list[str]:
    """What all rooms have in common: namespaces, no capability, system and Python, writable places."""
    size = ["--size", str(disk_bytes)]
    command = [find_bubblewrap(), "--unshare-all", "--unshare-user", "--die-with-parent", "--new-session"]
    command += ["--cap-drop", "ALL", "--uid", "1000", "--gid", "1000", "--hostname", "room"]
    command += ["--proc", "/proc", "--dev", "/dev", *_system()]
    for folder in WRITABLE:
        command += [*size, "--tmpfs", folder]
    command += ["--remount-ro", "/dev"]
    for prefix in _python_prefixes():
        command += ["--ro-bind", source(Path(prefix)), prefix]
    command += [*_without_grader(), "--ro-bind", source(ROOM), "/room"]
    return [*command, "--ro-bind", source(PROBES), "/harness/probes"]


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
