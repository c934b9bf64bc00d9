"""What every mechanism does that bounds the processes of one room.

A `Mechanism` is found by trying (`choosing.py`); it makes one `Bounds` per room. The watchdog asks the
bounds what is used and what was passed; `tests/sandbox/limits/test_contract.py` holds every mechanism to it.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from grader.errors import SandboxError
from grader.model import Limits, RunStatus

THREADS = 4096  # what processes may have in threads, together, on top of their number


class Usage(NamedTuple):
    """What the processes of a room use now; `cpu_seconds` is all that they used so far."""

    memory_bytes: int
    processes: int
    threads: int  # of all processes, each at least one
    cpu_seconds: float


class Bounds(Protocol):
    """The bounds of one room."""

    def adopt(self, pid: int) -> None:
        """Bound the process `pid` and all that it starts from now on; it has started nothing yet."""
        ...

    def usage(self, files_bytes: int = 0) -> Usage | None:
        """What is used; None when nothing runs any more.

        `files_bytes` lie in the room's file systems in memory, for mechanisms that cannot see them.
        """
        ...

    def passed(self) -> RunStatus | None:
        """The limit that the system itself has kept, None if none or if it keeps none."""
        ...

    def kill(self) -> None:
        """Kill every bounded process."""
        ...

    def close(self) -> None:
        """Kill what is left and leave nothing behind; harmless when repeated."""
        ...


class Mechanism(Protocol):
    """Makes bounds. `name` is what reports call it; `keeps` tells how memory and processes are bounded."""

    name: str
    keeps: str

    def open(self, limits: Limits) -> Bounds:
        """New bounds. Raises `MechanismError` with the reason where this machine has no such thing."""
        ...

    def sweep(self) -> None:
        """Remove what graders that are gone have left behind."""
        ...


class MechanismError(SandboxError):
    """The mechanism cannot be used on this machine or by this user; the message says why."""


def over(limits: Limits, usage: Usage) -> RunStatus | None:
    """The limit that `usage` is over, None if none."""
    if usage.memory_bytes > limits.memory_bytes:
        return RunStatus.OUT_OF_MEMORY
    if usage.processes > limits.processes or usage.threads > limits.processes + THREADS:
        return RunStatus.TOO_MANY_PROCESSES
    return RunStatus.TOO_MUCH_CPU if usage.cpu_seconds > limits.cpu_seconds else None
