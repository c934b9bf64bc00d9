"""The watchdog: looks at what a room uses, several times a second, and ends the room over a limit.

What the system itself keeps (`grader.sandbox.limits`) it only reports; the rest, and everything where
the system keeps nothing, it samples, so that a short peak can pass unseen.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from grader.errors import trace_of
from grader.model import Limits, RunStatus
from grader.sandbox.limits.interface import Bounds, Usage, over

SAMPLE_SECONDS = 0.2

log = logging.getLogger(__name__)


class Watchdog:
    """Samples what is used within `bounds` until stopped; calls `kill` once when a limit is passed.

    `files_bytes` tells what the room's files take, which is memory where `files_are_memory`.
    `peak_memory_bytes` is the most memory seen at a time, `cpu_seconds` the processor time seen last;
    `verdict` the limit that was passed, None if none.
    """

    def __init__(
        self,
        bounds: Bounds,
        limits: Limits,
        files_bytes: Callable[[], int],
        kill: Callable[[], None],
        *,
        files_are_memory: bool = True,
    ) -> None:
        self.peak_memory_bytes = 0
        self.cpu_seconds = 0.0
        self.verdict: RunStatus | None = None
        self._bounds = bounds
        self._limits = limits
        self._files_bytes = files_bytes
        self._kill = kill
        self._files_are_memory = files_are_memory
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="room-watchdog", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Stop watching and wait for the last sample; what the system kept meanwhile counts too."""
        self._stop.set()
        self._thread.join()
        self.verdict = self.verdict or self._bounds.passed()

    def _watch(self) -> None:
        try:
            self._sample()
        except Exception as fault:  # noqa: BLE001 - whatever it is, a room must not go unwatched
            log.warning("the watchdog failed: the room is closed: %s", trace_of(fault))
            self.verdict = RunStatus.LOST
            self._kill()

    def _sample(self) -> None:
        while not self._stop.wait(SAMPLE_SECONDS):
            files = self._files_bytes()
            usage = self._bounds.usage(files if self._files_are_memory else 0)
            if usage is None:
                return
            self.peak_memory_bytes = max(self.peak_memory_bytes, usage.memory_bytes)
            self.cpu_seconds = max(self.cpu_seconds, usage.cpu_seconds)
            self.verdict = self._over_limit(usage, files)
            if self.verdict is not None:
                self._kill()
                return

    def _over_limit(self, usage: Usage, files: int) -> RunStatus | None:
        passed = self._bounds.passed() or over(self._limits, usage)
        if passed is None and files >= self._limits.disk_bytes:
            return RunStatus.TOO_MUCH_DISK
        return passed
