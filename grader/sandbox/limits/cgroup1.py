"""Control groups, version 1: memory, number of tasks and processor time, each in a hierarchy of its own."""

from __future__ import annotations

from pathlib import Path

from grader.model import Limits, RunStatus
from grader.sandbox.limits import groups
from grader.sandbox.limits.interface import THREADS, MechanismError, Usage

_CONTROLLERS = ("memory", "pids", "cpuacct")
_SHARING = "cpu"  # where it is there, rooms share the processors evenly, however many processes each has


class ControlGroups1:
    """Needs the right to make groups below our own: root, mostly."""

    name = "cgroup v1"
    keeps = "memory and processes: kept by the system (control groups v1)"

    def open(self, limits: Limits) -> GroupBounds1:
        """New groups with the limits set; raises `MechanismError` where that is refused."""
        parents = _parents()
        name = groups.new_name()
        bounds = GroupBounds1({controller: folder / name for controller, folder in parents.items()})
        try:
            bounds.make(limits)
        except OSError as error:
            bounds.close()
            raise MechanismError(f"control groups v1 cannot be made here ({error.strerror})") from error
        return bounds

    def sweep(self) -> None:
        """Remove the groups of graders that are gone."""
        try:
            parents = _parents()
        except MechanismError:
            return
        for parent in parents.values():
            for folder in groups.left_behind(parent):
                groups.remove(folder)


def _parents() -> dict[str, Path]:
    own = groups.own_groups()
    missing = [name for name in _CONTROLLERS if name not in own]
    if missing:
        raise MechanismError(f"there are no control groups v1 for {', '.join(missing)}")
    return {name: own[name] for name in (*_CONTROLLERS, _SHARING) if name in own}


class GroupBounds1:
    """One room's groups, by controller."""

    def __init__(self, folders: dict[str, Path]) -> None:
        self._folders = folders

    def make(self, limits: Limits) -> None:
        """Make the groups and set their limits; raises `OSError`."""
        for folder in set(self._folders.values()):  # some machines mount several controllers together
            folder.mkdir()
        memory = self._folders["memory"]
        (memory / "memory.limit_in_bytes").write_text(str(limits.memory_bytes))
        with_swap = memory / "memory.memsw.limit_in_bytes"
        if with_swap.exists():
            with_swap.write_text(str(limits.memory_bytes))
        (self._folders["pids"] / "pids.max").write_text(str(limits.processes + THREADS))

    def adopt(self, pid: int) -> None:
        """Move `pid` into the groups."""
        for folder in self._folders.values():
            (folder / "cgroup.procs").write_text(str(pid))

    def usage(self, files_bytes: int = 0) -> Usage | None:
        """What the groups count; files in memory are in it."""
        pids = groups.processes(self._folders["pids"])
        if not pids:
            return None
        statistics = self._folders["memory"] / "memory.stat"
        memory = sum(groups.read_number(statistics, key) for key in ("total_rss", "total_shmem"))
        cpu = groups.read_number(self._folders["cpuacct"] / "cpuacct.usage") / 1e9
        threads = groups.read_number(self._folders["pids"] / "pids.current")
        return Usage(memory, len(pids), threads, cpu)

    def passed(self) -> RunStatus | None:
        """Whether a process was killed for memory, or could not be started for their number."""
        if groups.read_number(self._folders["memory"] / "memory.oom_control", "oom_kill"):
            return RunStatus.OUT_OF_MEMORY
        if groups.read_number(self._folders["pids"] / "pids.events", "max"):
            return RunStatus.TOO_MANY_PROCESSES
        return None

    def kill(self) -> None:
        """Kill every process in the groups."""
        groups.kill_all(self._folders["pids"])

    def close(self) -> None:
        """Kill what is left and remove the groups."""
        for folder in self._folders.values():
            groups.remove(folder)
