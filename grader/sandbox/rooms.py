"""A room while it stands: its process, its watchdog, its wire; and the set of all that stand."""

from __future__ import annotations

import asyncio
import subprocess
import tempfile
import threading
from pathlib import Path

from grader.errors import SandboxError
from grader.model import RunStatus
from grader.sandbox.bubblewrap import RoomSpec, room_command, room_environment
from grader.sandbox.seccomp import readable_filter
from grader.sandbox.watchdog import Watchdog
from grader.sandbox.wire import Wire

_STDERR_BYTES = 16_384
_LONGEST = 50  # characters of a folder, so that a Unix socket's path below it stays under 108


def rooms_folder() -> Path:
    """Where the rooms' folders lie: the temporary folder, `/tmp` where its path is too long for sockets."""
    folder = Path(tempfile.gettempdir())
    return folder if len(str(folder)) <= _LONGEST else Path("/tmp")


class Room:
    """One room: its process, its watchdog, its wire. Made and ended by whoever runs a notebook."""

    def __init__(self, spec: RoomSpec, wire: Wire) -> None:
        self.spec = spec
        self.wire = wire
        self.process: subprocess.Popen[bytes] | None = None
        self.watchdog: Watchdog | None = None
        self._stderr = bytearray()
        self._is_killed = False
        self._starting = threading.Lock()

    def start(self, inside: list[str]) -> None:
        """Start `inside` in the room.

        Raises `SandboxError` when bubblewrap cannot be started, `RuntimeError` when the room was killed
        before it was there.
        """
        with self._starting:
            if self._is_killed:
                raise RuntimeError("the room was closed before it was open")
            try:
                with readable_filter() as seccomp:
                    self.process = subprocess.Popen(
                        room_command(self.spec, inside, seccomp=seccomp),
                        env=room_environment(self.spec),
                        stdin=subprocess.DEVNULL,
                        stdout=subprocess.DEVNULL,
                        stderr=subprocess.PIPE,
                        pass_fds=(self.spec.wire, seccomp),
                        cwd="/",
                    )
            except OSError as error:
                raise SandboxError(f"bubblewrap cannot be started ({error}): run `grade doctor`.") from error
        self.wire.start()
        threading.Thread(target=self._read_stderr, name="room-stderr", daemon=True).start()
        self.watchdog = Watchdog(self.process.pid, self.spec.limits, self.spec.sockets, self.kill)
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
            self._is_killed = True
        if self.process is not None and self.process.poll() is None:
            self.process.kill()

    def close(self) -> RunStatus | None:
        """Kill what is left, wait for it, and say which limit was passed, None if none."""
        if self.process is None:
            return None
        self.kill()
        self.process.wait()
        if self.watchdog is None:
            return None
        self.watchdog.stop()
        return self.watchdog.verdict

    @property
    def complaint(self) -> str:
        """What bubblewrap or the kernel's start wrote to standard error, the first few kilobytes."""
        return self._stderr.decode("utf-8", "replace").strip()

    def _read_stderr(self) -> None:
        if self.process is None or self.process.stderr is None:
            return
        with self.process.stderr as pipe:
            while block := pipe.read1(4096):  # type: ignore[attr-defined]
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
