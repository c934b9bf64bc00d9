"""A scope of systemd's, delegated to the grader: how an ordinary user gets control groups of version 2."""

from __future__ import annotations

import os
import subprocess
import time

from grader.model import Limits
from grader.sandbox.limits import groups
from grader.sandbox.limits.cgroup2 import ControlGroups2, GroupBounds2
from grader.sandbox.limits.interface import MechanismError

_SECONDS = 10.0


class SystemdScope:
    """Needs a systemd that answers: the user's own, or the machine's for root."""

    name = "systemd scope"
    keeps = "memory and processes: kept by the system (a systemd scope with control groups v2)"

    def open(self, limits: Limits) -> GroupBounds2:
        """A new group in a scope, which the grader moves into the first time. Raises `MechanismError`."""
        own = groups.own_groups().get("")
        if own is None:
            raise MechanismError("no control groups v2 are mounted")
        if not groups.is_for_ourselves(own):
            _move_into_a_scope()
        return ControlGroups2().open(limits)

    def sweep(self) -> None:
        """Remove the groups of graders that are gone; systemd removes a scope when its last process ends."""
        ControlGroups2().sweep()


def _move_into_a_scope() -> None:
    """Ask systemd for a scope of our own and wait until we are in it."""
    unit = f"grader-{os.getpid()}.scope"
    properties = ["3", "Description", "s", "grader", "Delegate", "b", "true"]
    properties += ["PIDs", "au", "1", str(os.getpid())]
    manager = ["org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"]
    command = ["busctl", "--quiet", *(() if os.geteuid() == 0 else ("--user",)), "call", *manager]
    command += ["StartTransientUnit", "ssa(sv)a(sa(sv))", unit, "fail", *properties, "0"]
    try:
        asked = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MechanismError(f"systemd cannot be asked for a scope ({error})") from error
    if asked.returncode != 0:
        raise MechanismError(f"systemd gives no scope ({asked.stderr.strip()})")
    deadline = time.monotonic() + _SECONDS
    while (own := groups.own_groups().get("")) is None or own.name != unit:
        if time.monotonic() > deadline:
            raise MechanismError("systemd made a scope and did not move the grader into it")
        time.sleep(0.01)
