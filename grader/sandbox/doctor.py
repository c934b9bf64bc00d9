"""`grade doctor`: tries out what grading needs on this machine, instead of asking for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from grader.errors import SandboxError
from grader.model import Limits, Record
from grader.sandbox.bubblewrap import (
    RoomFolder,
    RoomSpec,
    find_bubblewrap,
    host_description,
    room_command,
    room_environment,
)
from grader.sandbox.rooms import rooms_folder

_PROBE = r"""
import os, socket
def tries(function):
    try:
        function()
    except OSError:
        return "refused"
    return "POSSIBLE"
print("write:" + tries(lambda: open("/usr/grader-probe", "w")))
print("network:" + tries(lambda: socket.create_connection(("192.0.2.1", 9), 0.5)))
print("environment:" + ("clean" if set(os.environ) <= set(%r) else "LEAKS"))
print("capabilities:" + next(l.split()[1] for l in open("/proc/self/status") if l.startswith("CapEff")))
print("processes:%%d" %% sum(name.isdigit() for name in os.listdir("/proc")))
"""


class Finding(Record):
    """One thing that was tried: whether it is as it must be, and a sentence with the mend where it isn't."""

    name: str
    is_fine: bool
    text: str


def examine() -> list[Finding]:
    """Try everything and tell what was found, in the order in which a person would mend it."""
    findings = [_machine(), _python_packages(), _bubblewrap()]
    if findings[-1].is_fine:
        findings += _room()
    return findings


def check_room() -> None:
    """Raise `SandboxError`, with the mend, unless a room can be built and locks what it must lock."""
    for finding in (_bubblewrap(), *_room()):
        if not finding.is_fine:
            raise SandboxError(finding.text)


def _machine() -> Finding:
    cores = os.cpu_count() or 1
    free_gib = shutil.disk_usage(tempfile.gettempdir()).free / 1024**3
    text = f"{host_description()}, {cores} cores, {free_gib:.0f} GiB free in {tempfile.gettempdir()}"
    if free_gib < 1:
        return Finding(name="machine", is_fine=False, text=f"{text}: free at least 1 GiB there.")
    return Finding(name="machine", is_fine=True, text=text)


def _python_packages() -> Finding:
    missing = []
    found = []
    for package in ("tensorflow", "keras", "tf-keras", "ipykernel", "matplotlib"):
        try:
            found.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            missing.append(package)
    if missing:
        text = f"the room lacks {', '.join(missing)}: run `pip install 'grader[run]'` in this environment."
        return Finding(name="python", is_fine=False, text=text)
    return Finding(name="python", is_fine=True, text=", ".join(found))


def _bubblewrap() -> Finding:
    try:
        path = find_bubblewrap()
    except SandboxError as error:
        return Finding(name="bubblewrap", is_fine=False, text=str(error))
    version = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    return Finding(name="bubblewrap", is_fine=True, text=f"{version} at {path}")


def _room() -> list[Finding]:
    """Build a room and try to break out of it in the plainest ways."""
    with tempfile.TemporaryDirectory(prefix="grader-doctor-", dir=rooms_folder()) as name:
        folder = RoomFolder(Path(name))
        folder.make()
        spec = RoomSpec(limits=Limits())
        environment = room_environment()
        probe = _PROBE % (sorted([*environment, "PWD", "LC_CTYPE"]),)
        try:
            ended = subprocess.run(
                room_command(spec, folder, [sys.executable, "-c", probe]),
                env=environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
                stdin=subprocess.DEVNULL,
            )
        except subprocess.TimeoutExpired:
            text = "a room did not stand within a minute: the machine is overloaded, try again."
            return [Finding(name="room", is_fine=False, text=text)]
    if ended.returncode != 0:
        return [Finding(name="room", is_fine=False, text=_why_no_room(ended.stderr))]
    seen = dict(line.split(":", 1) for line in ended.stdout.splitlines() if ":" in line)
    expected: dict[str, Callable[[str], bool]] = {
        "write": lambda value: value == "refused",
        "network": lambda value: value == "refused",
        "environment": lambda value: value == "clean",
        "capabilities": lambda value: int(value, 16) == 0,
        "processes": lambda value: int(value) <= 4,
    }
    return [
        Finding(
            name=f"room: {name}",
            is_fine=name in seen and is_fine(seen[name]),
            text=f"{seen.get(name, 'not tried')}"
            + (
                ""
                if name in seen and is_fine(seen[name])
                else ": the room does not lock this; do not grade here."
            ),
        )
        for name, is_fine in expected.items()
    ]


def _why_no_room(complaint: str) -> str:
    last = complaint.strip().splitlines()[-1] if complaint.strip() else "no message"
    if "namespace" in last or "uid map" in last or "ermission" in last:
        return (
            f"bubblewrap cannot make a user namespace ({last}): allow them with `sudo sysctl -w "
            "kernel.unprivileged_userns_clone=1 kernel.apparmor_restrict_unprivileged_userns=0`."
        )
    return f"a room cannot be built ({last}); see docs/install.md."
