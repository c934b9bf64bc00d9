"""Where there are neither control groups nor Linux's `/proc`: psutil tells what the process tree uses."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

import psutil

from grader.model import Limits
from grader.sandbox.limits.interface import Usage
from grader.sandbox.limits.watched import Watched


class PortableSampling:
    """There on every system. Between two samples a room can use more than it may."""

    name = "portable sampling"
    keeps = "memory and processes: weighed and counted five times a second, as any system can"

    def open(self, limits: Limits) -> WatchedTree:
        """New bounds; never refuses."""
        return WatchedTree(limits)

    def sweep(self) -> None:
        """Nothing is ever left behind."""


class WatchedTree(Watched):
    """Looks at the tree below one process, and at those that left it after they were seen in it."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._seen: list[psutil.Process] = []  # the one that was adopted comes first
        self._cpu_seconds: dict[psutil.Process, float] = {}  # of each process that was ever seen

    def adopt(self, pid: int) -> None:
        """Look at the tree below `pid`."""
        with contextlib.suppress(psutil.NoSuchProcess):
            self._seen = [psutil.Process(pid)]

    def usage(self, files_bytes: int = 0) -> Usage | None:
        """What the tree uses. Memory is an upper bound unless that is over the limit: then pages that
        several processes share count once, as far as the system tells.
        """
        resident: dict[psutil.Process, int] = {}
        threads = 0
        living = self._living()
        for process in living:
            with contextlib.suppress(psutil.Error), process.oneshot():
                resident[process] = process.memory_info().rss
                threads += process.num_threads()
                cpu = process.cpu_times()
                self._cpu_seconds[process] = cpu.user + cpu.system
        memory = files_bytes + sum(resident.values())
        if memory > self._limits.memory_bytes:
            memory = files_bytes + _weigh(resident)
        return Usage(memory, len(living), threads, sum(self._cpu_seconds.values())) if living else None

    def _living(self) -> list[psutil.Process]:
        found: dict[psutil.Process, None] = {}
        for process in self._seen:
            if process not in found:
                found[process] = None
                with contextlib.suppress(psutil.Error):
                    found |= dict.fromkeys(process.children(recursive=True))
        self._seen = [process for process in found if _is_alive(process)]
        return self._seen


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:  # it is there, and tells nothing of itself
        return True


def _weigh(resident: Mapping[psutil.Process, int]) -> int:
    """Bytes of memory of all processes.

    Only Linux tells how many share a page; elsewhere what is shared counts in the largest process only.
    """
    return max((sum(_own_bytes(*one) for one in resident.items()), *resident.values()))


def _own_bytes(process: psutil.Process, resident_bytes: int) -> int:
    try:
        memory = process.memory_full_info()
    except psutil.NoSuchProcess:
        return 0
    except (psutil.Error, OSError):  # the system does not tell
        return resident_bytes
    return int(getattr(memory, "pss", memory.uss))
