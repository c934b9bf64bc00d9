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
from grader.model import Isolation
from grader.sandbox.bubblewrap import (
    RoomFolder,
    RoomSpec,
    covered_prefixes,
    parent_command,
    room_environment,
)
from grader.sandbox.gpus import Gpu
from grader.sandbox.launching import Standing
from grader.sandbox.leads import JobSockets, Leads
from grader.sandbox.limits.interface import Bounds
from grader.sandbox.limits.rlimits import process_limits
from grader.sandbox.rooms import Room, RoomKind, RoomProcess, new_folder
from grader.sandbox.seccomp import filter_program
from grader.sandbox.staging import other_user

FORKED = "forked from a parent that had imported TensorFlow, into namespaces of its own"
FILTER = "filter.bpf"

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

    def __init__(self, *, is_bare: bool = False, gpu: Gpu | None = None) -> None:
        """Start it, which takes some seconds; one that `is_bare` imports nothing and is there at once.

        All its rooms have `gpu`, which it does not touch itself, and no other.
        Raises `SandboxError` when it does not come up.
        """
        self._folder = new_folder()
        self._gpu = gpu
        self._visible = self._folder / "visible"  # in the parent, which sees nothing else of the host
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
            self._wait_until_ready()
        except BaseException:
            self.close()
            raise

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
            folder = RoomFolder(self._visible / "rooms" / str(self._count), other_user())
        return Room(spec, folder, RoomKind(self._fork, Isolation.BUBBLEWRAP, FORKED))

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

    def _wait_until_ready(self) -> None:
        try:
            is_ready = self._control.recv(_MESSAGE_BYTES) == b"ready"
        except OSError:
            is_ready = False
        if not is_ready:
            self._thread.join(_END_SECONDS)  # until all of its complaint is there
            raise SandboxError(f"No kernel parent can be had ({self.complaint or 'it did not start'}).")

    def _command(self, inside: socket.socket, *, is_bare: bool) -> list[str]:
        stage = self._folder / "stage"
        for place in (self._visible / "data", stage):
            place.mkdir(parents=True)
        RoomFolder(self._visible / "rooms" / "0").make()  # the parent tries out with it whether it can nest
        (self._visible / FILTER).write_bytes(filter_program())
        RoomFolder(self._folder, other_user()).give(self._folder)
        program = [sys.executable, "-s", "/room/parent.py", str(inside.fileno())]
        return parent_command(self._visible, stage, [*program, "bare"] if is_bare else program, self._gpu)

    def _stay(self, command: list[str], inside: socket.socket) -> None:
        with inside, contextlib.suppress(OSError):
            self._process = subprocess.Popen(
                command,
                env=room_environment(gpu=self._gpu),
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

    def _fork(
        self, spec: RoomSpec, folder: RoomFolder, bounds: Bounds, leads: Leads
    ) -> tuple[RoomProcess, Standing]:
        """Have a kernel forked; returns when its walls stand. Raises `RuntimeError` when they do not."""
        order = {
            "walls": {
                "folder": str(folder.path.relative_to(self._visible)),
                "data_files": {name: self._shown(file) for name, file in sorted(spec.data_files.items())},
                "disk_bytes": spec.limits.disk_bytes,
                "kept": covered_prefixes(),
            },
            "limits": process_limits(spec.limits, has_own_users=True),
        }
        job = leads.job
        assert isinstance(job, JobSockets)  # every forked room is locked
        inherited = array.array("i", [job.inside.fileno(), leads.wire, leads.complaints])
        job.outside.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        job.outside.settimeout(_FORK_SECONDS)
        try:
            with self._asking:
                message = [json.dumps(order).encode()]
                self._control.sendmsg(message, [(socket.SOL_SOCKET, socket.SCM_RIGHTS, inherited)])
            job.inside.close()  # so that the other side's end is heard
            process = ForkedProcess(_sender(job.outside))
            bounds.adopt(process.pid)
            job.outside.send(b"go on")
            if job.outside.recv(_MESSAGE_BYTES) != b"walls stand":
                raise RuntimeError("a forked room did not stand")
            standing = Standing(process.pid)
            job.outside.send(b"go on")
        except OSError as error:
            raise RuntimeError(f"no room could be forked ({error})") from error
        return process, standing

    def _shown(self, file: Path) -> str:
        """Where the parent finds the data file `file`: linked or copied into its folder once."""
        status = file.stat()
        known = (str(file), status.st_mtime_ns, status.st_size)
        with self._asking:
            if known not in self._data:
                name = f"data/{len(self._data)}"
                _link_or_copy(file, self._visible / name)
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
