"""Whether something was left behind: compares the machine before and after."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

SECONDS = 5.0
_PLACES = ("/tmp", "/dev/shm", "/var/tmp", "/run", "/", str(Path.home()))
_CGROUPS = Path("/sys/fs/cgroup")

Traces = dict[str, set[str]]


def traces(mark: str) -> Traces:
    """What there is of ours on this machine, by kind.

    That is: processes below this one or with `mark` in their command, files (also sockets, pipes, links) in
    the temporary folder or with `mark` in their name elsewhere, sockets, mounts and control groups with
    `mark`, the temporary folder or this process in their name, and open files of this process.
    """
    temporary = tempfile.gettempdir()
    names = (mark, temporary, f"grader-{os.getpid()}")
    return {
        "processes": set(_processes(mark)),
        "files": {str(path) for path in Path(temporary).iterdir()} | set(_marked_files(mark)),
        "sockets": _lines("/proc/net/unix", names),
        "mounts": _lines("/proc/self/mountinfo", names),
        "control groups": set(_control_groups(names)),
        "open files": {f"more than {count * 8}" for count in range(psutil.Process().num_fds() // 8)},
    }


def left_behind(before: Traces, mark: str) -> Traces:
    """What there is more than `before`, by kind, `SECONDS` later at most; empty when nothing was left."""
    deadline = time.monotonic() + SECONDS
    while (left := _more(before, traces(mark))) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


@contextmanager
def nothing_left_behind(mark: str) -> Iterator[None]:
    """Fails when the block left something behind."""
    before = traces(mark)
    yield
    left = left_behind(before, mark)
    assert not left, left


def _more(before: Traces, after: Traces) -> Traces:
    found = {kind: after[kind] - before[kind] for kind in before}
    return {kind: more for kind, more in found.items() if more}


def _processes(mark: str) -> Iterator[str]:
    children = {child.pid for child in psutil.Process().children(recursive=True)}
    for process in psutil.process_iter(["pid", "cmdline"]):
        if process.pid in children or any(mark in word for word in process.info["cmdline"] or ()):
            yield f"{process.pid} {process.info['cmdline']}"


def _marked_files(mark: str) -> Iterator[str]:
    for place in _PLACES:
        yield from (str(path) for path in Path(place).iterdir() if mark in path.name)


def _lines(file: str, names: tuple[str, ...]) -> set[str]:
    lines = Path(file).read_text("utf-8", "replace").splitlines()
    return {line for line in lines if any(name in line for name in names)}


def _control_groups(names: tuple[str, ...]) -> Iterator[str]:
    for path in _CGROUPS.rglob("*") if _CGROUPS.is_dir() else ():
        if path.is_dir() and any(name in path.name for name in names):
            yield str(path)
