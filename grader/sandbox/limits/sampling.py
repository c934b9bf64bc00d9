"""Without control groups: the process tree is counted and weighed, which needs no rights and misses peaks."""

from __future__ import annotations

import contextlib
import logging
import re
import time
from pathlib import Path

import psutil

from grader.model import Limits, RunStatus
from grader.sandbox.limits.interface import Usage

log = logging.getLogger(__name__)

_KILL_SECONDS = 5.0
_SHARE = re.compile(r"^(Pss|Pss_Anon|Pss_Shmem):\s+(\d+) kB$", re.MULTILINE)


class Sampling:
    """Always there. Between two samples a room can use more than it may."""

    name = "sampling"
    keeps = "memory and processes: weighed and counted five times a second, no control groups"

    def open(self, limits: Limits) -> TreeBounds:
        """New bounds; never refuses."""
        return TreeBounds(limits)

    def sweep(self) -> None:
        """Nothing is ever left behind."""


class TreeBounds:
    """Looks at the tree below one process, and at those that left it after they were seen in it."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._root: psutil.Process | None = None
        self._seen: set[psutil.Process] = set()
        self._cpu_seconds = 0.0

    def adopt(self, pid: int) -> None:
        """Look at the tree below `pid`."""
        with contextlib.suppress(psutil.NoSuchProcess):
            self._root = psutil.Process(pid)
            self._seen = {self._root}

    def usage(self, files_bytes: int = 0) -> Usage | None:
        """What the tree uses. Memory is an upper bound unless that is over the limit: then it is exact."""
        living = self._living()
        if not living:
            return None
        memory = files_bytes + sum(_resident_bytes(process) for process in living)
        if memory > self._limits.memory_bytes:
            memory = _weigh(living, files_bytes)
        self._cpu_seconds = max(self._cpu_seconds, sum(_cpu_seconds(process) for process in living))
        return Usage(memory, len(living), self._cpu_seconds)

    def passed(self) -> RunStatus | None:
        """None: nothing is kept by the system."""
        return None

    def kill(self) -> None:
        """Kill the tree, and whatever it starts while it dies."""
        deadline = time.monotonic() + _KILL_SECONDS
        while (living := self._living()) and time.monotonic() < deadline:
            for process in living:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            time.sleep(0.01)

    def close(self) -> None:
        """Kill what is left of the tree."""
        self.kill()

    def _living(self) -> list[psutil.Process]:
        for process in tuple(self._seen):
            with contextlib.suppress(psutil.NoSuchProcess):
                self._seen.update(process.children(recursive=True))
        self._seen = {process for process in self._seen if _is_alive(process)}
        return list(self._seen)


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _resident_bytes(process: psutil.Process) -> int:
    """What a process holds besides programs and files: pages shared after a fork count in each."""
    try:
        memory = process.memory_info()
        return int(memory.rss - memory.shared)
    except psutil.Error:  # gone between the listing and the look
        return 0


def _cpu_seconds(process: psutil.Process) -> float:
    """Processor time of a process and of the children that it waited for."""
    try:
        times = process.cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)
    except psutil.Error:
        return 0.0


def _weigh(processes: list[psutil.Process], files_bytes: int) -> int:
    """Bytes of memory of all `processes`, each shared page once.

    Pages shared in memory may be mapped files of the room, which `files_bytes` counts already: the larger
    of the two is taken.
    """
    private = shared = 0
    for process in processes:
        try:
            rollup = Path(f"/proc/{process.pid}/smaps_rollup").read_text("ascii")
        except OSError:
            private += _resident_bytes(process)
            continue
        found = {name: int(size) * 1024 for name, size in _SHARE.findall(rollup)}
        private += found.get("Pss_Anon", found.get("Pss", 0))
        shared += found.get("Pss_Shmem", 0)
    return private + max(shared, files_bytes)
