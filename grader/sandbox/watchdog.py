"""The watchdog: weighs and counts everything that runs in a room, and kills the room over a limit.

It needs no rights and works on every machine; it samples, so a short peak can pass unseen.
"""

from __future__ import annotations

import logging
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import psutil

from grader.model import Limits, RunStatus

SAMPLE_SECONDS = 0.2

log = logging.getLogger(__name__)


class Watchdog:
    """Samples the process tree below `pid` until stopped; calls `kill` once when a limit is passed.

    `peak_rss_bytes` is the largest sum of resident memory seen; `verdict` the limit that was passed,
    None if none. `sockets` is the one host folder that the room can write to: nothing but the kernel's
    sockets may grow there.
    """

    def __init__(self, pid: int, limits: Limits, sockets: Path, kill: Callable[[], None]) -> None:
        self.peak_rss_bytes = 0
        self.verdict: RunStatus | None = None
        self._pid = pid
        self._limits = limits
        self._sockets = sockets
        self._kill = kill
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="room-watchdog", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Stop watching and wait for the last sample."""
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        try:
            self._sample()
        except Exception as fault:  # noqa: BLE001 - whatever it is, a room must not go unwatched
            log.warning("the watchdog failed (%r): the room is closed", fault)
            self.verdict = RunStatus.TOO_MUCH_DISK if isinstance(fault, OSError) else RunStatus.LOST
            self._kill()

    def _sample(self) -> None:
        while not self._stop.wait(SAMPLE_SECONDS):
            try:
                room = psutil.Process(self._pid)
                processes = [room, *room.children(recursive=True)]
            except psutil.NoSuchProcess:
                return
            memory = sum(_resident_bytes(process) for process in processes)
            self.peak_rss_bytes = max(self.peak_rss_bytes, memory)
            self.verdict = self._over_limit(memory, len(processes))
            if self.verdict is not None:
                self._kill()
                return

    def _over_limit(self, memory: int, processes: int) -> RunStatus | None:
        if memory > self._limits.memory_bytes:
            return RunStatus.OUT_OF_MEMORY
        if processes > self._limits.processes:
            return RunStatus.TOO_MANY_PROCESSES
        with os.scandir(self._sockets) as entries:
            if not all(stat.S_ISSOCK(entry.stat(follow_symlinks=False).st_mode) for entry in entries):
                return RunStatus.TOO_MUCH_DISK
        return None


def _resident_bytes(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:  # gone between the listing and the look
        return 0
