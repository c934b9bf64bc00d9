"""A room while it stands: its process, its watchdog, its wire; and the set of all that stand."""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
import threading
from pathlib import Path

from grader.model import Isolation, RunStatus
from grader.sandbox.bubblewrap import RoomSpec
from grader.sandbox.launching import Standing, launch
from grader.sandbox.layout import LOCKED
from grader.sandbox.limits.choosing import choose_mechanism
from grader.sandbox.limits.interface import Bounds, Mechanism
from grader.sandbox.unlocked import Unlocked, launch_unlocked, unlocked_layout
from grader.sandbox.watchdog import Watchdog
from grader.sandbox.wire import Wire

_STDERR_BYTES = 16_384
_LONGEST = 50  # characters of a folder, so that a Unix socket's path below it stays under 108

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


def rooms_folder() -> Path:
    """Where the rooms' folders lie: the temporary folder, `/tmp` where its path is too long for sockets."""
    folder = Path(tempfile.gettempdir())
    return folder if len(str(folder)) <= _LONGEST else Path("/tmp")


class Room:
    """One room: its process, its bounds, its watchdog, its wire. Made and ended by whoever runs a notebook.

    `mechanism` bounds its memory and processes; None: the best that this machine has. `is_killed` is True
    from the moment on that it is to end.
    """

    def __init__(
        self,
        spec: RoomSpec,
        wire: Wire,
        mechanism: Mechanism | None = None,
        isolation: Isolation = Isolation.BUBBLEWRAP,
    ) -> None:
        self.spec = spec
        self.wire = wire
        self.mechanism = mechanism or choose_mechanism()
        self.isolation = isolation
        self.layout = LOCKED if isolation is Isolation.BUBBLEWRAP else unlocked_layout(spec)
        self.process: subprocess.Popen[bytes] | None = None
        self.standing: Standing | Unlocked | None = None
        self.watchdog: Watchdog | None = None
        self._bounds: Bounds | None = None
        self._stderr = bytearray()
        self.is_killed = False
        self._starting = threading.Lock()

    @property
    def limits_in_force(self) -> tuple[str, ...]:
        """How each limit is kept in this room, for the report."""
        everywhere = (
            "time: the grader's own clock",
            self.mechanism.keeps,
            "processor time: added up five times a second",
            "open files: resource limit of each process",
            "output: counted message by message",
        )
        return (*everywhere, *_KEPT_BY_WALLS[self.isolation])

    def start(self, inside: list[str]) -> None:
        """Start `inside` in the room.

        Raises `SandboxError` when bubblewrap cannot be started, `RuntimeError` when no room came of it or
        the room was killed before it was there.
        """
        with self._starting:
            if self.is_killed:
                raise RuntimeError("the room was closed before it was open")
            self._bounds = self.mechanism.open(self.spec.limits)
            complaints, inside_complaints = os.pipe()
            threading.Thread(
                target=self._read_stderr, args=(complaints,), name="room-stderr", daemon=True
            ).start()
            try:
                start = launch if self.isolation is Isolation.BUBBLEWRAP else launch_unlocked
                self.process, self.standing = start(
                    self.spec, inside, self._bounds, stdout=subprocess.DEVNULL, stderr=inside_complaints
                )
            finally:
                os.close(inside_complaints)
        self.wire.start()
        self.watchdog = Watchdog(self._bounds, self.spec.limits, self.standing.files_bytes, self.kill)
        self.watchdog.start()

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
        if self.process is not None:
            self.process.wait()
        if self.watchdog is not None:
            self.watchdog.stop()
        if self.standing is not None:
            self.standing.close()
        if self._bounds is not None:
            self._bounds.close()
        return None if self.watchdog is None else self.watchdog.verdict

    @property
    def complaint(self) -> str:
        """What bubblewrap or the kernel's start wrote to standard error, the first few kilobytes."""
        return self._stderr.decode("utf-8", "replace").strip()

    def _read_stderr(self, complaints: int) -> None:
        with os.fdopen(complaints, "rb", buffering=0) as pipe:
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
