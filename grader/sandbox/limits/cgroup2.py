"""Control groups, version 2, where ours is delegated to us, by systemd or by whoever made it."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

from grader.model import Limits, RunStatus
from grader.sandbox.limits import groups
from grader.sandbox.limits.interface import THREADS, MechanismError, Usage

_CONTROLLERS = ("memory", "pids")
_SHARING = "+cpu"  # where it is there, rooms share the processors evenly, however many processes each has


class ControlGroups2:
    """Needs a group that we may divide: our own where it is delegated to us, the root group for root."""

    name = "cgroup v2"
    keeps = "memory and processes: kept by the system (control groups v2)"

    def open(self, limits: Limits) -> GroupBounds2:
        """A new group with the limits set; raises `MechanismError` where that is refused."""
        folder = _parent() / groups.new_name()
        bounds = GroupBounds2(folder)
        try:
            bounds.make(limits)
        except OSError as error:
            bounds.close()
            raise MechanismError(f"control groups v2 cannot be made here ({error.strerror})") from error
        return bounds

    def sweep(self) -> None:
        """Remove the groups of graders that are gone."""
        own = groups.own_groups().get("")
        for parent in () if own is None else (own, own.parent):
            for folder in groups.left_behind(parent):
                groups.remove(folder)


def _parent() -> Path:
    """The group below which rooms get theirs: it passes its controllers on. Raises `MechanismError`."""
    own = groups.own_groups().get("")
    if own is None:
        raise MechanismError("no control groups v2 are mounted")
    if groups.is_for_ourselves(own):
        return own.parent
    available = (own / "cgroup.controllers").read_text("ascii").split()
    if missing := [name for name in _CONTROLLERS if name not in available]:
        raise MechanismError(f"control groups v2 have no controller for {' and '.join(missing)} here")
    try:
        _divide(own)
    except OSError as error:
        raise MechanismError(f"our control group v2 is not ours to divide ({error.strerror})") from error
    with contextlib.suppress(OSError):
        (own / "cgroup.subtree_control").write_text(_SHARING)
    return own


def _divide(own: Path) -> None:
    """Pass the controllers of our group on to its parts. Raises `OSError`.

    The kernel allows that only where no process is in the group itself (the root aside): then we move into a
    part of it.
    """
    switch = own / "cgroup.subtree_control"
    wanted = " ".join(f"+{name}" for name in _CONTROLLERS)
    try:
        switch.write_text(wanted)
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        ourselves = own / groups.name_for_ourselves()
        ourselves.mkdir()
        (ourselves / "cgroup.procs").write_text(str(os.getpid()))
        try:
            switch.write_text(wanted)
        except OSError:  # others are in our group: all stays as it was
            (own / "cgroup.procs").write_text(str(os.getpid()))
            ourselves.rmdir()
            raise


class GroupBounds2:
    """One room's group."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def make(self, limits: Limits) -> None:
        """Make the group and set its limits; raises `OSError`."""
        self._folder.mkdir()
        (self._folder / "memory.max").write_text(str(limits.memory_bytes))
        with contextlib.suppress(FileNotFoundError):  # a kernel without swap, or an old one
            (self._folder / "memory.swap.max").write_text("0")
            (self._folder / "memory.oom.group").write_text("1")
        (self._folder / "pids.max").write_text(str(limits.processes + THREADS))

    def adopt(self, pid: int) -> None:
        """Move `pid` into the group."""
        (self._folder / "cgroup.procs").write_text(str(pid))

    def usage(self, files_bytes: int = 0) -> Usage | None:
        """What the group counts; files in memory are in it."""
        pids = groups.processes(self._folder)
        if not pids:
            return None
        statistics = self._folder / "memory.stat"
        memory = sum(groups.read_number(statistics, key) for key in ("anon", "shmem"))
        cpu = groups.read_number(self._folder / "cpu.stat", "usage_usec") / 1e6
        threads = groups.read_number(self._folder / "pids.current")
        return Usage(memory, len(pids), threads, cpu)

    def passed(self) -> RunStatus | None:
        """Whether a process was killed for memory, or could not be started for their number."""
        if groups.read_number(self._folder / "memory.events", "oom_kill"):
            return RunStatus.OUT_OF_MEMORY
        if groups.read_number(self._folder / "pids.events", "max"):
            return RunStatus.TOO_MANY_PROCESSES
        return None

    def kill(self) -> None:
        """Kill every process in the group."""
        groups.kill_all(self._folder)

    def close(self) -> None:
        """Kill what is left and remove the group."""
        groups.remove(self._folder)
