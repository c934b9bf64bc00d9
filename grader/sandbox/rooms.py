"""A room while it stands: its process, its watchdog, its wire; and the set of all that stand."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import tempfile
import threading
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from grader.model import RunStatus
from grader.sandbox.bubblewrap import SOCKETS, RoomFolder, RoomSpec
from grader.sandbox.staging import can_room_enter, give_to_room
from grader.sandbox.watchdog import Watchdog
from grader.sandbox.wire import Wire

FOLDER_PREFIX = "grader-room-"
_STDERR_BYTES = 16_384
_LONGEST = 50  # characters of a folder, so that a Unix socket's path below it stays under 108
_CONNECTION = {
    "transport": "ipc",
    "signature_scheme": "hmac-sha256",
    "shell_port": 1,
    "iopub_port": 2,
    "stdin_port": 3,
    "control_port": 4,
    "hb_port": 5,
}


def rooms_folder() -> Path:
    """Where the rooms' folders lie: the temporary folder, `/tmp` where its path is too long for sockets or
    the rooms' user may not go there.
    """
    folder = Path(tempfile.gettempdir())
    return folder if len(str(folder)) <= _LONGEST and can_room_enter(folder) else Path("/tmp")


def new_folder() -> Path:
    """A new folder for a room or for several; its name tells which process it belongs to."""
    return Path(tempfile.mkdtemp(prefix=f"{FOLDER_PREFIX}{os.getpid()}-", dir=rooms_folder()))


class RoomProcess(Protocol):
    """The process that a room stands and falls with, as `subprocess.Popen` has it."""

    pid: int

    def poll(self) -> int | None:
        """Its exit status, None while it runs."""
        ...

    def kill(self) -> None:
        """Kill it, and everything in the room with it."""
        ...

    def wait(self) -> int:
        """Wait until it is gone; its exit status."""
        ...


class Ends(NamedTuple):
    """What leads into a room: our end of the socket that its job goes through, and the descriptors that its
    process inherits, of that socket, of the wire and of standard error.
    """

    outside: socket.socket
    job: int
    wire: int
    complaints: int


Launch = Callable[[RoomSpec, RoomFolder, Ends], RoomProcess]


class Room:
    """One room: its folder, its process, its watchdog, its wire.

    Its kernel is started by `start` and waits for its job, which `begin` tells. `isolation` says for
    reports what kind of room it is.
    """

    def __init__(self, spec: RoomSpec, folder: RoomFolder, launch: Launch, isolation: str) -> None:
        self.spec = spec
        self.folder = folder
        self.isolation = isolation
        self.wire = Wire()
        self.process: RoomProcess | None = None
        self.watchdog: Watchdog | None = None
        self.connection: dict[str, Any] = {
            **_CONNECTION,
            "ip": str(folder.sockets / "s"),
            "key": uuid.uuid4().hex,
        }
        self._launch = launch
        self._job, self._job_inside = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._stderr = bytearray()
        self._is_killed = False
        self._starting = threading.Lock()

    def start(self) -> None:
        """Start the kernel in the room; it waits for its job.

        Raises `SandboxError` when no room can be started, `RuntimeError` when this one was killed before
        it was there.
        """
        self.folder.make()
        inside = {**self.connection, "ip": f"{SOCKETS}/s"}
        (self.folder.settings / "connection.json").write_text(json.dumps(inside), "utf-8")
        give_to_room(self.folder.settings)
        reader, writer = os.pipe()
        threading.Thread(target=self._read_stderr, args=(reader,), name="room-stderr", daemon=True).start()
        with self._starting, self._job_inside:
            try:
                if self._is_killed:
                    raise RuntimeError("the room was closed before it was open")
                ends = Ends(self._job, self._job_inside.fileno(), self.wire.write_end, writer)
                self.process = self._launch(self.spec, self.folder, ends)
            finally:
                os.close(writer)
        self.wire.start()
        self.watchdog = Watchdog(self.process.pid, self.spec.limits, self.folder.sockets, self.kill)
        self.watchdog.start()

    def begin(self, settings: Mapping[str, Any]) -> None:
        """Tell the waiting kernel its job: `seed`, `working_folder`, `known_files`, `environment`.

        What is to be copied into the working folder must lie in the folder for attachments by now.
        """
        give_to_room(self.folder.attachments)
        try:
            self._job.send(json.dumps(settings).encode())
        except OSError as gone:
            raise RuntimeError("the room ended before it had its job") from gone

    def poll(self) -> int | None:
        """Exit status of the room, None while it runs, 0 when it was never started."""
        return 0 if self.process is None else self.process.poll()

    async def wait(self) -> int:
        """Wait until the room is gone; its exit status, 0 when it was never started."""
        while (status := self.poll()) is None:
            await asyncio.sleep(0.02)
        return status

    def kill(self) -> None:
        """Kill everything in the room at once, and for good; harmless when it is gone."""
        with self._starting:
            self._is_killed = True
        if self.process is not None and self.process.poll() is None:
            self.process.kill()

    def close(self) -> RunStatus | None:
        """Kill what is left, wait for it, and say which limit was passed, None if none."""
        self._job.close()
        if self.process is None:
            shutil.rmtree(self.folder.path, ignore_errors=True)
            return None
        self.kill()
        self.process.wait()
        if self.watchdog is not None:
            self.watchdog.stop()
        shutil.rmtree(self.folder.path, ignore_errors=True)
        return None if self.watchdog is None else self.watchdog.verdict

    @property
    def complaint(self) -> str:
        """What bubblewrap or the kernel's start wrote to standard error, the first few kilobytes."""
        return self._stderr.decode("utf-8", "replace").strip()

    def _read_stderr(self, reader: int) -> None:
        with os.fdopen(reader, "rb", buffering=0) as pipe:
            while block := pipe.read(4096):
                self._stderr += block[: max(0, _STDERR_BYTES - len(self._stderr))]


class OpenRooms:
    """The rooms in use, so that they can all be closed from another thread."""

    def __init__(self) -> None:
        self._rooms: set[Room] = set()
        self._is_closed = False
        self._changing = threading.Lock()

    def add(self, room: Room) -> None:
        """Count `room` as in use; once `close` was called it is killed at once."""
        with self._changing:
            self._rooms.add(room)
            is_closed = self._is_closed
        if is_closed:
            room.kill()

    def discard(self, room: Room) -> None:
        """Count `room` as gone."""
        with self._changing:
            self._rooms.discard(room)

    def close(self) -> None:
        """Kill every room in use, and every one added from now on."""
        with self._changing:
            self._is_closed = True
            rooms = tuple(self._rooms)
        for room in rooms:
            room.kill()
