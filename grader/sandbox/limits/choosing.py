"""Which mechanism this machine has: found by trying, the strongest first."""

from __future__ import annotations

import subprocess
import sys
from functools import cache

from grader.model import Limits
from grader.sandbox.limits.cgroup1 import ControlGroups1
from grader.sandbox.limits.cgroup2 import ControlGroups2
from grader.sandbox.limits.interface import Mechanism, MechanismError
from grader.sandbox.limits.portable import PortableSampling
from grader.sandbox.limits.sampling import Sampling
from grader.sandbox.limits.systemd import SystemdScope

MECHANISMS: tuple[Mechanism, ...] = (
    ControlGroups2(),
    SystemdScope(),
    ControlGroups1(),
    Sampling(),
    PortableSampling(),
)

_WAITING = [sys.executable, "-I", "-S", "-c", "import time; time.sleep(60)"]


@cache
def choose_mechanism() -> Mechanism:
    """The first mechanism that works here; the last one always does."""
    *stronger, last = MECHANISMS
    return next((mechanism for mechanism in stronger if why_not(mechanism) is None), last)


def why_not(mechanism: Mechanism) -> str | None:
    """Why `mechanism` does not work here, None when it does: a process was put into bounds and killed."""
    try:
        bounds = mechanism.open(Limits())
    except MechanismError as missing:
        return str(missing)
    try:
        with subprocess.Popen(_WAITING, stdin=subprocess.DEVNULL) as process:
            try:
                bounds.adopt(process.pid)
                usage = bounds.usage()
            finally:
                process.kill()
    except OSError as error:
        return f"{mechanism.name} takes no process ({error.strerror})"
    finally:
        bounds.close()
    return None if usage is not None and usage.processes == 1 else f"{mechanism.name} counts no process"


def sweep() -> None:
    """Remove what graders that were killed have left behind, whichever mechanism they used."""
    for mechanism in MECHANISMS:
        mechanism.sweep()
