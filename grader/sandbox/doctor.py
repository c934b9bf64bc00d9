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
    room_environment,
)
from grader.sandbox.launching import launch
from grader.sandbox.limits.choosing import MECHANISMS, choose_mechanism, why_not
from grader.sandbox.limits.interface import Mechanism
from grader.sandbox.parent import FORKED, KernelParent
from grader.sandbox.trials import TRIALS, Trial, try_out

_SECONDS = 60.0

# What is tried in a room: each line prints a name and what came of it.
_PROBE = r"""
import ctypes, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def tries(function):
    try:
        function()
    except OSError:
        return "refused"
    return "POSSIBLE"
def calls(function, *arguments):
    return "POSSIBLE" if function(*arguments) >= 0 else "refused"
print("write:" + tries(lambda: open("/usr/grader-probe", "w")))
print("network:" + tries(lambda: socket.create_connection(("192.0.2.1", 9), 0.5)))
print("environment:" + ("clean" if set(os.environ) <= set(%r) else "LEAKS"))
print("capabilities:" + next(l.split()[1] for l in open("/proc/self/status") if l.startswith("CapEff")))
print("processes:%%d" %% sum(name.isdigit() for name in os.listdir("/proc")))
print("new user namespaces:" + calls(libc.unshare, 0x10000000))
print("debugging of other processes:" + calls(libc.ptrace, 0, 0, 0, 0))
print("sockets of other kinds:" + tries(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 9)))
print("memory without an owner:" + tries(lambda: os.memfd_create("x")))
print("device of the machine:" + tries(lambda: open("/dev/kvm")))
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
    if all(finding.is_fine for finding in findings):
        mechanism = choose_mechanism()
        findings += [_kernel_parent(), _mechanism(mechanism), *(_limit(trial, mechanism) for trial in TRIALS)]
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
    refused = "refused".__eq__
    expected: dict[str, Callable[[str], bool]] = {
        "write": refused,
        "network": refused,
        "environment": "clean".__eq__,
        "capabilities": lambda value: int(value, 16) == 0,
        "processes": lambda value: int(value) <= 4,
        "new user namespaces": refused,
        "debugging of other processes": refused,
        "sockets of other kinds": refused,
        "memory without an owner": refused,
        "device of the machine": refused,
    }
    try:
        printed = _printed_in_a_room()
    except (SandboxError, RuntimeError, TimeoutError) as error:
        return [Finding(name="room", is_fine=False, text=str(error))]
    seen = dict(line.split(":", 1) for line in printed.splitlines() if ":" in line)
    return [_finding(name, seen.get(name), is_fine) for name, is_fine in expected.items()]


def _finding(name: str, seen: str | None, is_fine: Callable[[str], bool]) -> Finding:
    if seen is not None and is_fine(seen):
        return Finding(name=f"room: {name}", is_fine=True, text=seen)
    text = f"{seen or 'not tried'}: the room does not lock this; do not grade here."
    return Finding(name=f"room: {name}", is_fine=False, text=text)


def _printed_in_a_room() -> str:
    """What the probe prints in a room. Raises `RuntimeError`, with the mend, when there is no room."""
    with tempfile.TemporaryDirectory(prefix="grader-doctor-") as name:
        spec, folder = RoomSpec(limits=Limits()), RoomFolder(Path(name))
        folder.make()
        program = _PROBE % (sorted([*room_environment(), "PWD", "LC_CTYPE"]),)
        with tempfile.TemporaryFile() as complaints:
            bounds = choose_mechanism().open(spec.limits)
            try:
                process, standing = launch(
                    spec,
                    folder,
                    [sys.executable, "-c", program],
                    bounds,
                    stdout=subprocess.PIPE,
                    stderr=complaints,
                )
                standing.close()
                printed, _ = process.communicate(timeout=_SECONDS)
            except subprocess.TimeoutExpired as error:
                text = "a room did not stand within a minute: the machine is overloaded, try again."
                raise TimeoutError(text) from error
            except RuntimeError as error:
                complaints.seek(0)
                raise RuntimeError(_why_no_room(complaints.read().decode("utf-8", "replace"))) from error
            finally:
                bounds.close()
    return printed.decode("utf-8", "replace")


def _kernel_parent() -> Finding:
    """Whether rooms can be made within a room; where they cannot, grading only takes longer."""
    try:
        KernelParent(is_bare=True).close()
    except SandboxError as refused:
        text = f"each is started by itself, a few of them ahead. {refused}"
        return Finding(name="kernels", is_fine=True, text=text)
    return Finding(name="kernels", is_fine=True, text=FORKED)


def _mechanism(chosen: Mechanism) -> Finding:
    """Which mechanism bounds memory and processes here, and why not a stronger one."""
    stronger = MECHANISMS[: MECHANISMS.index(chosen)]
    reasons = "; ".join(f"not {mechanism.name}: {why_not(mechanism)}" for mechanism in stronger)
    return Finding(name="limits", is_fine=True, text=chosen.keeps + (f" ({reasons})" if reasons else ""))


def _limit(trial: Trial, mechanism: Mechanism) -> Finding:
    """Whether one limit is kept, by passing it in a room."""
    name = f"limit: {trial.name}"
    try:
        tried = try_out(trial, mechanism)
    except (SandboxError, RuntimeError) as error:
        return Finding(name=name, is_fine=False, text=f"not tried ({error})")
    if tried.is_kept:
        how = "refused" if trial.ends is None else "room ended"
        return Finding(name=name, is_fine=True, text=f"kept: {how} after {tried.seconds:.1f} s")
    ended = tried.ended.value if tried.ended else "by itself"
    text = f"NOT KEPT: the room ended {ended}; do not grade notebooks of people who may mean harm here."
    return Finding(name=name, is_fine=False, text=text)


def _why_no_room(complaint: str) -> str:
    last = complaint.strip().splitlines()[-1] if complaint.strip() else "no message"
    if "namespace" in last or "uid map" in last or "ermission" in last:
        return (
            f"bubblewrap cannot make a user namespace ({last}): allow them with `sudo sysctl -w "
            "kernel.unprivileged_userns_clone=1 kernel.apparmor_restrict_unprivileged_userns=0`."
        )
    return f"a room cannot be built ({last}); see docs/install.md."
