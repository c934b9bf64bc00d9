"""The kernel parent, seen from outside: TensorFlow is imported once, and each room is forked from it."""

from __future__ import annotations

import array
import contextlib
import json
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path

from grader.errors import SandboxError
from grader.sandbox.bubblewrap import RoomFolder, RoomSpec, parent_command, room_environment
from grader.sandbox.rooms import Ends, Room, RoomProcess, new_folder
from grader.sandbox.staging import give_to_room

ISOLATION = "bubblewrap, forked from a kernel parent into namespaces of its own"

_START_SECONDS = 120.0
_FORK_SECONDS = 20.0
_END_SECONDS = 5.0
_MESSAGE_BYTES = 16
_STDERR_BYTES = 16_384
_CREDENTIALS = struct.Struct("3i")  # process, user and group id


class ForkedProcess:
    """Pid 1 of a forked room, held by a descriptor: another process that gets its number is never meant."""

    def __init__(self, pid: int) -> None:
        """Take hold of `pid`; raises `OSError` when there is no such process."""
        self.pid = pid
        self._descriptor = os.pidfd_open(pid)
        self._is_gone = False
        self._holding = threading.Lock()

    def poll(self) -> int | None:
        """0 when it is gone, None while it runs; its exit status is not known out here."""
        with self._holding:
            if not self._is_gone and select.select([self._descriptor], [], [], 0)[0]:
                self._is_gone = True
                os.close(self._descriptor)
            return 0 if self._is_gone else None

    def kill(self) -> None:
        """Kill it, and everything in its process namespace with it; harmless when it is gone."""
        with self._holding, contextlib.suppress(ProcessLookupError):
            if not self._is_gone:
                signal.pidfd_send_signal(self._descriptor, signal.SIGKILL)

    def wait(self) -> int:
        """Wait until it is gone, which it is when nothing in its namespace is left."""
        while self.poll() is None:
            select.select([], [], [], 0.002)
        return 0


class KernelParent:
    """A process that has everything imported, in a room of its own, and forks the kernels of other rooms.

    Everything forked from it dies with it; it dies with this process, and with `close`.
    """

    def __init__(self, *, is_bare: bool = False) -> None:
        """Start it, which takes some seconds; one that `is_bare` imports nothing and is there at once.

        Raises `SandboxError` when it does not come up.
        """
        self._folder = new_folder()
        self._count = 0
        self._data: dict[tuple[str, int, int], str] = {}
        self._asking = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._stderr = bytearray()
        self._control, inside = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.settimeout(_START_SECONDS)
        command = self._command(inside, is_bare=is_bare)
        # Bubblewrap dies with the thread that started it, so this one stays until it is gone.
        self._thread = threading.Thread(
            target=self._stay, args=(command, inside), name="kernel-parent", daemon=True
        )
        self._thread.start()
        try:
            is_ready = self._control.recv(_MESSAGE_BYTES) == b"ready"
        except OSError:
            is_ready = False
        if not is_ready:
            self.close()
            raise SandboxError(f"The kernel parent did not start ({self.complaint or 'no message'}).")

    @property
    def is_alive(self) -> bool:
        """Whether kernels can be forked from it."""
        return self._process is not None and self._process.poll() is None

    @property
    def complaint(self) -> str:
        """The last line that it wrote to standard error."""
        lines = self._stderr.decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else ""

    def room(self, spec: RoomSpec) -> Room:
        """A room to be started."""
        with self._asking:
            self._count += 1
            folder = RoomFolder(self._folder / "rooms" / str(self._count))
        return Room(spec, folder, self._fork, ISOLATION)

    def close(self) -> None:
        """End it and all its rooms."""
        self._control.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            if self._process is not None:
                self._process.wait(_END_SECONDS)
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
        self._thread.join()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _command(self, inside: socket.socket, *, is_bare: bool) -> list[str]:
        stage = self._folder / "stage"
        for place in ("rooms", "data", "stage"):
            (self._folder / place).mkdir()
        give_to_room(self._folder)
        program = [sys.executable, "-s", "/room/parent.py", str(inside.fileno())]
        return parent_command(self._folder, stage, [*program, "bare"] if is_bare else program)

    def _stay(self, command: list[str], inside: socket.socket) -> None:
        with inside, contextlib.suppress(OSError):
            self._process = subprocess.Popen(
                command,
                env=room_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=(inside.fileno(),),
                cwd="/",
            )
        if self._process is None or self._process.stderr is None:
            return
        with self._process.stderr as pipe:
            while block := pipe.read1(4096):  # type: ignore[attr-defined]
                self._stderr = (self._stderr + block)[-_STDERR_BYTES:]
        self._process.wait()

    def _fork(self, spec: RoomSpec, folder: RoomFolder, ends: Ends) -> RoomProcess:
        """Have a kernel forked; returns when its walls stand. Raises `RuntimeError` when they do not."""
        order = {
            "folder": str(folder.path.relative_to(self._folder)),
            "data_files": {name: self._shown(file) for name, file in sorted(spec.data_files.items())},
            "disk_bytes": spec.limits.disk_bytes,
        }
        inherited = array.array("i", [ends.job, ends.wire, ends.complaints])
        ends.outside.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        ends.outside.settimeout(_FORK_SECONDS)
        try:
            with self._asking:
                message = [json.dumps(order).encode()]
                self._control.sendmsg(message, [(socket.SOL_SOCKET, socket.SCM_RIGHTS, inherited)])
            process = ForkedProcess(_sender(ends.outside))
            ends.outside.send(b"go on")
            if ends.outside.recv(_MESSAGE_BYTES) != b"walls stand":
                raise RuntimeError("a forked room did not stand")
        except OSError as error:
            raise RuntimeError(f"no room could be forked ({error})") from error
        return process

    def _shown(self, file: Path) -> str:
        """Where the parent finds the data file `file`: linked or copied into its folder once."""
        status = file.stat()
        known = (str(file), status.st_mtime_ns, status.st_size)
        with self._asking:
            if known not in self._data:
                name = f"data/{len(self._data)}"
                _link_or_copy(file, self._folder / name)
                self._data[known] = name
            return self._data[known]


def _sender(outside: socket.socket) -> int:
    """The process id, as we see it, of whoever sends the next message; the kernel vouches for it.

    The sender waits for an answer before it goes on.
    """
    message, told, _, _ = outside.recvmsg(_MESSAGE_BYTES, socket.CMSG_SPACE(_CREDENTIALS.size))
    for level, kind, data in told:
        if message and level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS:
            pid: int = _CREDENTIALS.unpack(data)[0]
            return pid
    raise RuntimeError("a forked room ended before it stood")


def _link_or_copy(file: Path, target: Path) -> None:
    try:
        if os.geteuid() == 0 and not file.stat().st_mode & 0o004:
            raise PermissionError("the rooms' user may not read it")
        target.hardlink_to(file.resolve())
    except OSError:  # another file system, or not ours
        shutil.copyfile(file, target)
        target.chmod(0o444)
