"""A room while it stands: its process, its watchdog, its wire; and the set of all that stand."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import sys
import tempfile
import threading
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from grader.model import Isolation, RunStatus
from grader.sandbox.bubblewrap import RoomFolder, RoomSpec
from grader.sandbox.launching import Standing
from grader.sandbox.layout import LOCKED, unlocked
from grader.sandbox.leads import JobPipe, JobSockets, Leads
from grader.sandbox.limits.choosing import choose_mechanism
from grader.sandbox.limits.interface import Bounds, Mechanism
from grader.sandbox.limits.rlimits import OPEN_FILES_KEPT
from grader.sandbox.staging import ROOM, can_enter
from grader.sandbox.unlocked import Unlocked
from grader.sandbox.watchdog import Watchdog
from grader.sandbox.wire import Wire

FOLDER_PREFIX = "grader-room-"
_STDERR_BYTES = 16_384
_LONGEST = 50  # characters of a folder, so that a Unix socket's path below it stays under 108
_PORTS = ("shell_port", "iopub_port", "stdin_port", "control_port", "hb_port")
_KEPT_BY_WALLS = {
    Isolation.BUBBLEWRAP: (
        "disk: file systems in memory of bounded size, added up five times a second",
        "network: none",
        "system calls: filtered",
    ),
    Isolation.NONE: (
        "disk: files in the run's own folder only, added up once a second",
        "network: not limited",
        "files of the user and system calls: not limited",
    ),
}

_GPU_KEPT = {
    Isolation.BUBBLEWRAP: "GPU: the device files of one",
    Isolation.NONE: "GPU: one, by an environment variable that the notebook can change",
}


def rooms_folder() -> Path:
    """Where the rooms' folders lie: the temporary folder, `/tmp` where its path is too long for sockets or
    the kernel parent's user may not go there.
    """
    folder = Path(tempfile.gettempdir()).resolve()
    if sys.platform == "win32":  # where neither is of concern
        return folder
    return folder if len(str(folder)) <= _LONGEST and can_enter(folder) else Path("/tmp")


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


Launch = Callable[[RoomSpec, RoomFolder, Bounds, Leads], tuple[RoomProcess, Standing | Unlocked]]


class RoomKind(NamedTuple):
    """How the rooms of one kind are started, and what reports say of them."""

    launch: Launch
    isolation: Isolation
    kernel: str


class Room:
    """One room: its folder, its process, its bounds, its watchdog, its wire.

    Its kernel is started by `start` and waits for its job, which `begin` tells. Whoever asked for the room
    closes it. `mechanism` bounds its memory and processes; None: the best that this machine has. `is_killed`
    is True from the moment on that it is to end.
    """

    def __init__(
        self, spec: RoomSpec, folder: RoomFolder, kind: RoomKind, mechanism: Mechanism | None = None
    ) -> None:
        self.spec = spec
        self.folder = folder
        self.kind = kind
        self.mechanism = mechanism or choose_mechanism()
        self.layout = LOCKED if self.is_locked else unlocked(folder.path, ROOM)
        self.wire = Wire()
        self.connection = _connection(self.layout.sockets)
        self.process: RoomProcess | None = None
        self.standing: Standing | Unlocked | None = None
        self.watchdog: Watchdog | None = None
        self._bounds: Bounds | None = None
        self._job = JobSockets() if self.is_locked else JobPipe()
        self._stderr = bytearray()
        self.is_killed = False
        self._starting = threading.Lock()

    @property
    def isolation(self) -> Isolation:
        """What it is kept apart by."""
        return self.kind.isolation

    @property
    def is_locked(self) -> bool:
        """Whether there are walls at all."""
        return self.isolation is Isolation.BUBBLEWRAP

    @property
    def limits_in_force(self) -> tuple[str, ...]:
        """How each limit is kept in this room, and how its kernel came to be, for the report."""
        everywhere = (
            "time: the grader's own clock",
            self.mechanism.keeps,
            "processor time: added up five times a second",
            OPEN_FILES_KEPT,
            "output: counted message by message",
        )
        gpu = () if self.spec.gpu is None else (_GPU_KEPT[self.isolation],)
        return (*everywhere, *_KEPT_BY_WALLS[self.isolation], *gpu, f"kernel: {self.kind.kernel}")

    def start(self) -> None:
        """Start the kernel in the room; it waits for its job.

        Raises `SandboxError` when no room can be started, `RuntimeError` when none came of it or this one
        was killed before it was there.
        """
        self.folder.make()
        for name, content in (("connection", self.connection), ("room", self._places())):
            (self.folder.settings / f"{name}.json").write_text(json.dumps(content), "utf-8")
        self.folder.give(self.folder.settings)
        with self._starting, self._job.inside:
            if self.is_killed:
                raise RuntimeError("the room was closed before it was open")
            self._bounds = self.mechanism.open(self.spec.limits)
            complaints, inside_complaints = os.pipe()
            threading.Thread(
                target=self._read_stderr, args=(complaints,), name="room-stderr", daemon=True
            ).start()
            leads = Leads(self._job, self.wire.write_end, inside_complaints)
            try:
                self.process, self.standing = self.kind.launch(self.spec, self.folder, self._bounds, leads)
            finally:
                os.close(inside_complaints)
        self.wire.start()
        self.watchdog = Watchdog(
            self._bounds,
            self.spec.limits,
            self.standing.files_bytes,
            self.kill,
            files_are_memory=self.is_locked,
        )
        self.watchdog.start()

    def begin(self, settings: Mapping[str, Any]) -> None:
        """Tell the waiting kernel its job: `seed`, `working_folder`, `watches`, `times`, `known_files`,
        `environment`.

        What is to be copied into the working folder must lie in the folder for attachments by now.
        """
        self.folder.give(self.folder.attachments)
        try:
            self._job.send(json.dumps(settings).encode())
        except OSError as gone:
            raise RuntimeError("the room ended before it had its job") from gone

    def interrupt(self) -> None:
        """Interrupt what runs in a kernel without walls; in a locked room a message asks for that."""
        with contextlib.suppress(OSError):  # it is gone, which whoever waits for it will see
            self._job.send(b"interrupt")

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
            self.is_killed = True
        if self.process is not None and self.process.poll() is None:
            self.process.kill()

    def close(self) -> RunStatus | None:
        """Kill what is left, wait for it, leave nothing behind; the limit that was passed, None if none."""
        self.kill()
        self._job.close()
        if self.process is not None:
            self.process.wait()
        if self.watchdog is not None:
            self.watchdog.stop()
        if self.standing is not None:
            self.standing.close()
        if self._bounds is not None:
            self._bounds.close()
        shutil.rmtree(self.folder.path, ignore_errors=True)
        return None if self.watchdog is None else self.watchdog.verdict

    @property
    def complaint(self) -> str:
        """What bubblewrap or the kernel's start wrote to standard error, the first few kilobytes."""
        return self._stderr.decode("utf-8", "replace").strip()

    def _places(self) -> dict[str, Any]:
        """What the room's code has to know before it has a job."""
        return {"is_locked": self.is_locked, **self.layout.model_dump()}

    def _read_stderr(self, complaints: int) -> None:
        with os.fdopen(complaints, "rb", buffering=0) as pipe:
            while block := pipe.read(4096):
                self._stderr += block[: max(0, _STDERR_BYTES - len(self._stderr))]


def _connection(sockets: str | None) -> dict[str, Any]:
    """What the kernel is told of its sockets: in a folder, or without one at ports that it chooses."""
    if sockets is None:
        address: dict[str, Any] = {"transport": "tcp", "ip": "127.0.0.1", **dict.fromkeys(_PORTS, 0)}
    else:
        numbered = {port: number for number, port in enumerate(_PORTS, start=1)}
        address = {"transport": "ipc", "ip": f"{sockets}/s", **numbered}
    return {**address, "signature_scheme": "hmac-sha256", "key": uuid.uuid4().hex}


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
