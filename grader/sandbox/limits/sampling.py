"""Without control groups: the process tree is counted and weighed, which needs no rights and misses peaks.

Read from Linux's `/proc`; `portable.py` does it elsewhere, less exactly.
"""

from __future__ import annotations

import os
import re
import signal
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from grader.model import Limits
from grader.sandbox.limits.interface import MechanismError, Usage
from grader.sandbox.limits.watched import Watched

_OF_LINUX = Path("/proc/self/statm")
_SHARE = re.compile(r"^(Pss|Pss_Anon|Pss_Shmem):\s+(\d+) kB$", re.MULTILINE)


class Sampling:
    """On every Linux. Between two samples a room can use more than it may."""

    name = "sampling"
    keeps = "memory and processes: weighed and counted five times a second, no control groups"

    def open(self, limits: Limits) -> TreeBounds:
        """New bounds. Raises `MechanismError` where processes cannot be read in `/proc`."""
        if not _OF_LINUX.exists():
            raise MechanismError("there is no /proc with processes, which Linux has")
        return TreeBounds(limits)

    def sweep(self) -> None:
        """Nothing is ever left behind."""


class _Process(NamedTuple):
    """A living process. `started` (clock ticks since boot) tells it from a later one with its id."""

    pid: int
    parent: int
    started: int
    threads: int
    cpu_seconds: float  # its own, and that of the children it waited for

    def kill(self) -> None:
        """Kill it; `ProcessLookupError` where it is gone."""
        os.kill(self.pid, signal.SIGKILL)


class TreeBounds(Watched):
    """Looks at the tree below one process, and at those that left it after they were seen in it."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._seen: dict[int, int] = {}  # when each process of the tree was started, by its id
        self._cpu_seconds = 0.0

    def adopt(self, pid: int) -> None:
        """Look at the tree below `pid`."""
        root = _process(pid)
        if root is not None:
            self._seen = {pid: root.started}

    def usage(self, files_bytes: int = 0) -> Usage | None:
        """What the tree uses. Memory is an upper bound unless that is over the limit: then it is exact."""
        living = self._living()
        if not living:
            return None
        memory = files_bytes + sum(_resident_bytes(process.pid) for process in living)
        if memory > self._limits.memory_bytes:
            memory = _weigh([process.pid for process in living], files_bytes)
        self._cpu_seconds = max(self._cpu_seconds, sum(process.cpu_seconds for process in living))
        threads = sum(process.threads for process in living)
        return Usage(memory, len(living), threads, self._cpu_seconds)

    def _living(self) -> list[_Process]:
        pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
        every = {pid: _process(pid) for pid in pids}
        children: defaultdict[int, list[_Process]] = defaultdict(list)
        for process in every.values():
            if process is not None:
                children[process.parent].append(process)
        seen = (every.get(pid) for pid in self._seen)
        found = [one for one in seen if one is not None and self._seen[one.pid] == one.started]
        known = {process.pid for process in found}
        for process in found:  # which grows meanwhile
            new = [child for child in children[process.pid] if child.pid not in known]
            known.update(child.pid for child in new)
            found += new
        self._seen = {process.pid: process.started for process in found}
        return found


def _process(pid: int) -> _Process | None:
    """The process `pid`, None when it is gone or dead."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
    except OSError:
        return None
    if fields[0] in "ZX":
        return None
    cpu_seconds = sum(int(ticks) for ticks in fields[11:15]) / os.sysconf("SC_CLK_TCK")
    return _Process(pid, int(fields[1]), int(fields[19]), int(fields[17]), cpu_seconds)


def _resident_bytes(pid: int) -> int:
    """What a process holds besides programs and files: pages shared after a fork count in each."""
    try:
        _, resident, shared, *_ = Path(f"/proc/{pid}/statm").read_text("ascii").split()
    except (OSError, ValueError):  # gone between the listing and the look
        return 0
    return (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE")


def _weigh(pids: list[int], files_bytes: int) -> int:
    """Bytes of memory of all processes, each shared page once.

    Pages shared in memory may be mapped files of the room, which `files_bytes` counts already: the larger
    of the two is taken.
    """
    private = shared = 0
    for pid in pids:
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii")
        except OSError:
            private += _resident_bytes(pid)
            continue
        found = {name: int(size) * 1024 for name, size in _SHARE.findall(rollup)}
        private += found.get("Pss_Anon", found.get("Pss", 0))
        shared += found.get("Pss_Shmem", 0)
    return private + max(shared, files_bytes)
