"""Where rooms come from: started cold, forked from a kernel parent, kept ahead of their jobs."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from grader.errors import SandboxError
from grader.model import Isolation, KerasFlavour
from grader.sandbox.bubblewrap import RoomFolder, RoomSpec
from grader.sandbox.gpus import Gpu
from grader.sandbox.launching import Standing, launch
from grader.sandbox.layout import LOCKED
from grader.sandbox.leads import Leads
from grader.sandbox.limits.interface import Bounds
from grader.sandbox.parent import KernelParent
from grader.sandbox.rooms import Room, RoomKind, RoomProcess, new_folder
from grader.sandbox.unlocked import launch_unlocked

log = logging.getLogger(__name__)


class RoomSource(Protocol):
    """Where rooms come from."""

    def room(self, spec: RoomSpec) -> Room:
        """A room, to be started where it is not; whoever asked for it closes it."""
        ...

    def close(self) -> None:
        """End what is kept for further rooms."""
        ...


class ColdRooms:
    """Each room has a kernel that starts from nothing; it has no walls where a run asks for that."""

    def room(self, spec: RoomSpec) -> Room:
        """A room to be started."""
        return Room(spec, RoomFolder(new_folder()), _COLD[spec.isolation])

    def close(self) -> None:
        """Nothing is kept."""


def _launch_locked(
    spec: RoomSpec, folder: RoomFolder, bounds: Bounds, leads: Leads
) -> tuple[RoomProcess, Standing]:
    inherited = (leads.job.inside.fileno(), leads.wire)
    program = [sys.executable, "-s", f"{LOCKED.room}/startup.py", LOCKED.settings, *map(str, inherited)]
    return launch(
        spec,
        folder,
        program,
        bounds,
        pass_fds=inherited,
        stdout=subprocess.DEVNULL,
        stderr=leads.complaints,
    )


_COLD = {
    isolation: RoomKind(start, isolation, "started for this run")
    for isolation, start in ((Isolation.BUBBLEWRAP, _launch_locked), (Isolation.NONE, launch_unlocked))
}


class ForkedRooms:
    """Rooms forked from one kernel parent, which is started with the first of them and again if it died.

    Runs that need a process of their own from the beginning, with legacy Keras or without walls start cold.
    So do all where no kernel parent can be had.
    """

    def __init__(self, start_parent: Callable[[], KernelParent] = KernelParent) -> None:
        self._start_parent = start_parent
        self._parent: KernelParent | None = None
        self._is_refused = False
        self._cold = ColdRooms()
        self._starting = threading.Lock()

    def start(self) -> None:
        """Start the parent now, which takes some seconds, instead of with the first room."""
        self._living_parent()

    def room(self, spec: RoomSpec) -> Room:
        """A room to be started."""
        if spec.is_fresh or spec.keras is KerasFlavour.LEGACY or spec.isolation is Isolation.NONE:
            return self._cold.room(spec)
        return (self._living_parent() or self._cold).room(spec)

    def close(self) -> None:
        """End the parent and all its rooms."""
        with self._starting:
            if self._parent is not None:
                self._parent.close()
            self._parent = None
            self._is_refused = True

    def _living_parent(self) -> KernelParent | None:
        with self._starting:
            if self._parent is not None and not self._parent.is_alive:
                self._parent.close()
                self._parent = None
            if self._parent is None and not self._is_refused:
                try:
                    self._parent = self._start_parent()
                except SandboxError as error:
                    log.warning("%s Every kernel is started by itself, which takes longer.", error)
                    self._is_refused = True
            return self._parent


class RoomsByGpu:
    """Each GPU has a source of its own, made by `source_for` with its first room; no GPU has one, too."""

    def __init__(self, source_for: Callable[[Gpu | None], RoomSource]) -> None:
        self._source_for = source_for
        self._sources: dict[str, RoomSource] = {}
        self._making = threading.Lock()

    def room(self, spec: RoomSpec) -> Room:
        """A room with the GPU that `spec` asks for."""
        with self._making:
            name = "" if spec.gpu is None else spec.gpu.uuid
            if name not in self._sources:
                self._sources[name] = self._source_for(spec.gpu)
        return self._sources[name].room(spec)

    def close(self) -> None:
        """Close the sources of all GPUs."""
        with self._making:
            while self._sources:
                self._sources.popitem()[1].close()


class KeptAhead:
    """Keeps `count` rooms of another source started, for further jobs like the last one."""

    def __init__(self, source: RoomSource, count: int = 1) -> None:
        self._source = source
        self._count = count
        self._waiting: list[Room] = []
        self._wanted: RoomSpec | None = None
        self._changing = threading.Lock()
        # One thread starts them all and stays, for a bubblewrap dies with the thread that started it.
        self._opener = ThreadPoolExecutor(1, thread_name_prefix="rooms-ahead")

    def room(self, spec: RoomSpec) -> Room:
        """A room that was started ahead, or one to be started."""
        if spec.is_fresh:
            return self._source.room(spec)
        with self._changing:
            self._wanted = spec
            fitting = next(
                (room for room in self._waiting if room.spec == spec and room.poll() is None), None
            )
            if fitting is not None:
                self._waiting.remove(fitting)
        self._opener.submit(self._refill)
        return fitting or self._source.room(spec)

    def close(self) -> None:
        """Close the rooms that nobody took, and the source."""
        self._wanted = None
        self._opener.submit(self._refill)
        self._opener.shutdown(wait=True)
        self._source.close()

    def _refill(self) -> None:
        with self._changing:
            wanted = self._wanted
            useless = [room for room in self._waiting if room.spec != wanted or room.poll() is not None]
            self._waiting = [room for room in self._waiting if room not in useless]
            missing = self._count - len(self._waiting)
        for room in useless:
            room.close()
        if wanted is None:
            return
        for _ in range(missing):
            room = self._source.room(wanted)
            try:
                room.start()
            except (SandboxError, RuntimeError) as error:  # the next job will find out, and tell
                log.info("no room could be opened ahead: %s", error)
                room.close()
                return
            with self._changing:
                self._waiting.append(room)
