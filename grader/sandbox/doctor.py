"""`grade doctor`: tries out what grading needs on this machine, instead of asking for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from importlib import metadata

from grader.errors import GpuError, SandboxError
from grader.model import Limits, Record
from grader.sandbox.bubblewrap import (
    RoomSpec,
    find_bubblewrap,
    host_description,
    room_environment,
)
from grader.sandbox.gpu_trial import View, look_from_a_room, what_is_wrong
from grader.sandbox.gpus import NO_CUDA, Gpu, Nvml, UnusableGpu, has_driver, open_nvml, tensorflow_has_cuda
from grader.sandbox.limits.choosing import MECHANISMS, choose_mechanism, why_not
from grader.sandbox.limits.interface import Mechanism
from grader.sandbox.parent import FORKED, KernelParent
from grader.sandbox.room_program import printed_in_a_room
from grader.sandbox.trials import TRIALS, Trial, try_out

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
    findings = [_machine(), _python_packages(), *_bubblewrap_and_room()]
    if all(finding.is_fine for finding in findings):
        mechanism = choose_mechanism()
        findings += [_kernel_parent(), _mechanism(mechanism), *(_limit(trial, mechanism) for trial in TRIALS)]
        findings += gpu_findings()
    return findings


def check_room() -> None:
    """Raise `SandboxError`, with the mend, unless a room can be built and locks what it must lock."""
    for finding in _bubblewrap_and_room():
        if not finding.is_fine:
            raise SandboxError(finding.text)


def _bubblewrap_and_room() -> list[Finding]:
    bubblewrap = _bubblewrap()
    return [bubblewrap, *_room()] if bubblewrap.is_fine else [bubblewrap]


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
        program = _PROBE % (sorted([*room_environment(), "PWD", "LC_CTYPE"]),)
        printed = printed_in_a_room(program, RoomSpec(limits=Limits()))
    except (SandboxError, RuntimeError, TimeoutError) as error:
        return [Finding(name="room", is_fine=False, text=str(error))]
    seen = dict(line.split(":", 1) for line in printed.splitlines() if ":" in line)
    return [_finding(name, seen.get(name), is_fine) for name, is_fine in expected.items()]


def _finding(name: str, seen: str | None, is_fine: Callable[[str], bool]) -> Finding:
    if seen is not None and is_fine(seen):
        return Finding(name=f"room: {name}", is_fine=True, text=seen)
    text = f"{seen or 'not tried'}: the room does not lock this; do not grade here."
    return Finding(name=f"room: {name}", is_fine=False, text=text)


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


def gpu_findings(
    *,
    open_library: Callable[[], Nvml] = open_nvml,
    has_driver: Callable[[], bool] = has_driver,
    has_cuda: Callable[[], bool] = tensorflow_has_cuda,
    look: Callable[[Gpu], View] = look_from_a_room,
) -> list[Finding]:
    """Which GPUs there are, and what a room with each of them sees; grading works without them, too."""
    if not has_driver():
        return [_gpu_finding("gpus", "none with a driver of NVIDIA's: notebooks run on the processors")]
    try:
        if not has_cuda():
            raise GpuError(NO_CUDA)
        nvml = open_library()
    except GpuError as error:
        return [_gpu_finding("gpus", f"not used: {error}")]
    try:
        found, driver = nvml.look(), nvml.driver
        return [_one_gpu(gpu, nvml, driver, look) for gpu in found] or [_gpu_finding("gpus", "none")]
    except GpuError as error:
        return [_gpu_finding("gpus", str(error), is_fine=False)]
    finally:
        nvml.close()


def _one_gpu(gpu: Gpu | UnusableGpu, nvml: Nvml, driver: str, look: Callable[[Gpu], View]) -> Finding:
    name = f"gpu {gpu.index}"
    if isinstance(gpu, UnusableGpu):
        return _gpu_finding(name, f"left out: {gpu.why}")
    free = nvml.load(gpu).free_bytes
    text = f"{gpu.model}, {free / 1024**3:.1f} of {gpu.memory_bytes / 1024**3:.1f} GiB free, driver {driver}"
    try:
        wrong = what_is_wrong(gpu, look(gpu))
    except (SandboxError, RuntimeError, TimeoutError, ValueError) as error:
        wrong = str(error)
    if wrong is not None:
        return _gpu_finding(name, f"{text}; {wrong}", is_fine=False)
    devices = ", ".join(device.name for device in gpu.devices)
    return _gpu_finding(name, f"{text}; a room sees it and no other ({devices})")


def _gpu_finding(name: str, text: str, *, is_fine: bool = True) -> Finding:
    return Finding(name=name, is_fine=is_fine, text=text)
