"""Starts rooms, and looks into them from outside.

A room stands before anything runs in it: its processes are bounded and its writable places opened while there
is nobody inside who could change them.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from grader.errors import SandboxError
from grader.sandbox.bubblewrap import (
    SOCKETS,
    WRITABLE,
    Ends,
    RoomFolder,
    RoomSpec,
    room_command,
    room_environment,
)
from grader.sandbox.limits.interface import Bounds
from grader.sandbox.limits.rlimits import bounded_command, process_limits
from grader.sandbox.seccomp import readable_filter

_SECONDS = 60.0
_INFO_BYTES = 4096
_FILE_BYTES = 1024  # about what an empty file costs in memory


class RoomNotBuiltError(RuntimeError):
    """Bubblewrap, or the first program in the room, ended before the room stood."""


class Standing:
    """A room seen from outside, through descriptors of the places that its processes can write to.

    They lead into the room and nowhere else, whatever its processes do to names, and work until `close`.
    """

    def __init__(self, pid: int) -> None:
        """`pid` is the host's id of a process in the room; no code of a hand-in has run there yet."""
        self.pid = pid
        self._places: list[int] = []
        try:
            for place in (SOCKETS, *WRITABLE):
                path = f"/proc/{pid}/root{place}"
                self._places.append(os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW))
        except OSError:
            self.close()
            raise

    def connection(self, told: Mapping[str, Any]) -> dict[str, Any] | None:
        """How this process, and no other, reaches the kernel that was `told` of its sockets.

        None until it listens on all of them.
        """
        ip = f"/proc/self/fd/{self._places[0]}/s"
        ports = [port for name, port in told.items() if name.endswith("_port")]
        return {**told, "ip": ip} if all(_listens(f"{ip}-{port}") for port in ports) else None

    def files_bytes(self) -> int:
        """What the files in the room take, deleted ones that are still open too; each counts a little."""
        total = 0
        for place in self._places:
            there = os.fstatvfs(place)
            total += (there.f_blocks - there.f_bfree) * there.f_frsize
            total += (there.f_files - there.f_ffree) * _FILE_BYTES
        return total

    def close(self) -> None:
        """Let go of the room; harmless when repeated."""
        while self._places:
            os.close(self._places.pop())


def _listens(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        caller.settimeout(1)
        return caller.connect_ex(path) == 0


def launch(
    spec: RoomSpec,
    folder: RoomFolder,
    inside: Sequence[str],
    bounds: Bounds,
    *,
    pass_fds: Sequence[int] = (),
    **streams: Any,
) -> tuple[subprocess.Popen[bytes], Standing]:
    """Start `inside` in a room of its own, within `bounds`; `pass_fds` and `streams` as `Popen` has them.

    Raises `SandboxError` when bubblewrap cannot be started and `RoomNotBuiltError` when it builds no room.
    """
    limits = process_limits(spec.limits, has_own_users=True)
    info, info_inside = os.pipe()
    gate_inside, gate = os.pipe()
    with os.fdopen(info, "rb", buffering=0) as told, os.fdopen(gate, "wb", buffering=0) as opening:
        try:
            with readable_filter() as seccomp:
                ends = Ends(seccomp, info_inside, gate_inside)
                command = room_command(spec, folder, bounded_command(limits, "/room", inside), ends)
                process = _started(command, spec, (*pass_fds, *ends), streams)
        finally:
            os.close(info_inside)
            os.close(gate_inside)
        try:
            standing = _when_it_stands(process, told)
            try:
                bounds.adopt(standing.pid)
                opening.write(b"x")
            except BaseException:
                standing.close()
                raise
        except BaseException as fault:
            process.kill()
            process.wait()
            if isinstance(fault, OSError):  # it ended meanwhile
                raise RoomNotBuiltError(f"bubblewrap built no room ({fault.strerror})") from fault
            raise
    return process, standing


def _started(
    command: list[str], spec: RoomSpec, pass_fds: Sequence[int], streams: dict[str, Any]
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            env=room_environment(spec.keras, spec.gpu),
            stdin=subprocess.DEVNULL,
            pass_fds=pass_fds,
            cwd="/",
            **streams,
        )
    except OSError as error:
        raise SandboxError(f"bubblewrap cannot be started ({error}): run `grade doctor`.") from error


def _when_it_stands(process: subprocess.Popen[bytes], told: IO[bytes]) -> Standing:
    deadline = time.monotonic() + _SECONDS
    readable = select.poll()
    readable.register(told, select.POLLIN)
    text = b""
    while process.poll() is None and time.monotonic() < deadline:
        if readable.poll(100):
            block = told.read(_INFO_BYTES)
            if not block:
                break
            text += block
            with contextlib.suppress(ValueError):
                return _look_into(process, int(json.loads(text)["child-pid"]), deadline)
    raise RoomNotBuiltError("bubblewrap built no room")


def _look_into(process: subprocess.Popen[bytes], pid: int, deadline: float) -> Standing:
    """Wait until bubblewrap has put the room's file systems in place of the host's."""
    root = Path(f"/proc/{pid}/root")
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if not root.samefile("/"):
                return Standing(pid)
        time.sleep(0.002)
    raise RoomNotBuiltError("bubblewrap built no room")
