"""What both versions of control groups share: where the grader's own group lies, names, removal."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

_PREFIX = "grader-"
_OURSELVES = "-itself"
_REMOVAL_SECONDS = 5.0


def own_groups() -> dict[str, Path]:
    """The folder of the group that this process is in, by controller; version 2 has the name "".

    Where the group lies outside of what is mounted here (as in some containers), the mounted root.
    """
    mounted: dict[str, tuple[str, Path]] = {}
    for line in _lines(Path("/proc/self/mountinfo")):
        fields, _, tail = line.partition(" - ")
        kind, _, options = tail.split(" ", 2)
        root, place = fields.split(" ")[3:5]
        if kind == "cgroup2":
            mounted[""] = (root, Path(place))
        elif kind == "cgroup":
            mounted |= {name: (root, Path(place)) for name in options.split(",")}
    found: dict[str, Path] = {}
    for line in _lines(Path("/proc/self/cgroup")):
        _, controllers, group = line.split(":", 2)
        for name in controllers.split(","):
            if name in mounted:
                found[name] = _folder(group, *mounted[name])
    return found


def _folder(group: str, root: str, place: Path) -> Path:
    inside = os.path.relpath(group, root)
    folder = place / inside
    return place if inside.startswith("..") or not folder.is_dir() else folder


def new_name() -> str:
    """A name for a room's group, which tells whose it is."""
    return f"{_PREFIX}{os.getpid()}-{secrets.token_hex(4)}"


def name_for_ourselves() -> str:
    """The name of the group that the grader itself moves into, where it has to leave its own."""
    return f"{_PREFIX}{os.getpid()}{_OURSELVES}"


def is_for_ourselves(folder: Path) -> bool:
    """Whether a grader, this one or the one that started it, has moved into this group."""
    return folder.name.startswith(_PREFIX) and folder.name.endswith(_OURSELVES)


def left_behind(parent: Path) -> Iterator[Path]:
    """The groups below `parent` whose grader is gone.

    A group with a process that we cannot see (its id is 0 then) is that of a grader in another container.
    """
    for folder in parent.glob(f"{_PREFIX}*"):
        owner = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if owner.isdigit() and not psutil.pid_exists(int(owner)) and 0 not in processes(folder):
            yield folder


def processes(folder: Path) -> list[int]:
    """The processes in a group, none when it is gone."""
    return [int(line) for line in _lines(folder / "cgroup.procs") if line.isdigit()]


def kill_all(folder: Path) -> None:
    """Kill every process in a group, and whatever they start while they die."""
    deadline = time.monotonic() + _REMOVAL_SECONDS
    while (pids := processes(folder)) and time.monotonic() < deadline:
        for pid in filter(None, pids):  # 0 would mean ourselves
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def remove(folder: Path) -> None:
    """Kill what is in a group and remove it; waits a little for the dying."""
    kill_all(folder)
    deadline = time.monotonic() + _REMOVAL_SECONDS
    while folder.is_dir() and time.monotonic() < deadline:
        try:
            folder.rmdir()
        except OSError:  # a process in it is not quite gone
            time.sleep(0.01)


def read_number(file: Path, key: str | None = None) -> int:
    """The number in `file`, or the one on the line that begins with `key`; 0 when there is none."""
    for line in _lines(file):
        name, _, value = line.rpartition(" ")
        if name == (key or "") and value.isdigit():
            return int(value)
    return 0


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text("ascii").splitlines()
    except OSError:
        return []
