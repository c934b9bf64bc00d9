"""The limits that the system keeps for each process by itself, whatever else bounds a room."""

from __future__ import annotations

import json
import math
import platform
import re
import sys
from collections.abc import Sequence
from importlib.util import find_spec

from grader.model import Limits
from grader.sandbox.limits.interface import THREADS

# Above what the watchdog ends a room for: these are for what it cannot see or is too slow for.
_CPU_RESERVE_SECONDS = 60
_TASKS_RESERVE = 64
HAS_LIMITS = find_spec("resource") is not None  # not on Windows
OPEN_FILES_KEPT = f"open files: {'resource limit of each process' if HAS_LIMITS else 'not limited'}"
_COUNTS_BY_NAMESPACE = (5, 14)  # before this release of Linux, RLIMIT_NPROC counts all processes of a user


def process_limits(limits: Limits, *, has_own_users: bool) -> dict[str, int]:
    """Resource limits by the names that Python's `resource` has for them.

    `has_own_users`: the processes are in a user namespace of their own, so that they alone are counted.
    """
    found = {
        "RLIMIT_CORE": 0,
        "RLIMIT_CPU": math.ceil(limits.cpu_seconds) + _CPU_RESERVE_SECONDS,
        "RLIMIT_FSIZE": limits.disk_bytes,
        "RLIMIT_NOFILE": limits.open_files,
    }
    if has_own_users and _kernel_release() >= _COUNTS_BY_NAMESPACE:
        found["RLIMIT_NPROC"] = limits.processes + THREADS + _TASKS_RESERVE
    return found


def bounded_command(limits: dict[str, int], room: str, inside: Sequence[str]) -> list[str]:
    """The command that runs `inside` under resource `limits`, where the system has such limits.

    `room` is where the room's code lies there.
    """
    if not HAS_LIMITS:
        return list(inside)
    return [sys.executable, "-I", "-S", f"{room}/rlimits.py", json.dumps(limits), *inside]


def _kernel_release() -> tuple[int, int]:
    found = re.match(r"(\d+)\.(\d+)", platform.release())
    return (int(found[1]), int(found[2])) if found else (0, 0)
