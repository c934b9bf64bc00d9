"""Trees of processes that are only looked at: nothing keeps them, so each process is killed by itself."""

from __future__ import annotations

import contextlib
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol

import psutil

from grader.model import RunStatus

_KILL_SECONDS = 5.0


class Killable(Protocol):
    """A process."""

    def kill(self) -> None:
        """Kill it. Raises `ProcessLookupError` or `psutil.Error` where that cannot be."""
        ...


class Watched(ABC):
    """A tree of processes, of which `_living` are those that still run."""

    @abstractmethod
    def _living(self) -> Sequence[Killable]: ...

    def passed(self) -> RunStatus | None:
        """None: nothing is kept by the system."""
        return None

    def kill(self) -> None:
        """Kill the tree, and whatever it starts while it dies."""
        deadline = time.monotonic() + _KILL_SECONDS
        while (living := self._living()) and time.monotonic() < deadline:
            for process in living:
                with contextlib.suppress(ProcessLookupError, psutil.Error):
                    process.kill()
            time.sleep(0.01)

    def close(self) -> None:
        """Kill what is left of the tree."""
        self.kill()
