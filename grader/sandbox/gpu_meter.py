"""What a room uses of its GPU, sampled while it stands, and whether the GPU is free of it afterwards."""

from __future__ import annotations

import logging
import statistics
import threading
import time
from typing import Self

import psutil

from grader.errors import GpuError, trace_of
from grader.model import GpuUse
from grader.sandbox.gpus import Gpu, GpuLoad, Nvml
from grader.sandbox.rooms import Room

SAMPLE_SECONDS = 0.5
FREE_SECONDS = 10.0  # in which a driver lets go of what a killed process held
_SLACK_BYTES = 64 * 1024**2  # what a driver may take for itself meanwhile
_FULL_BYTES = 256 * 1024**2  # with less than this free, an allocation of a notebook can fail

log = logging.getLogger(__name__)


class GpuMeter:
    """Samples the share of `gpu`, `share_bytes` of its memory, that one room has; used as a context.

    `is_shared` says whether other rooms may be on the GPU. `fault` is why the GPU was lost, None if it was
    not; `is_over_share` whether the room was ended because it held more than its share, which is only done
    where the GPU is shared and the driver tells of processes; `was_crowded_out` whether the GPU was full
    while the room held no more than its share.

    Raises `GpuError` on entering when the GPU cannot be read.
    """

    def __init__(self, nvml: Nvml, gpu: Gpu, share_bytes: int, *, is_shared: bool) -> None:
        self.gpu = gpu
        self.share_bytes = share_bytes
        self.fault: str | None = None
        self.is_over_share = False
        self.was_crowded_out = False
        self._nvml = nvml
        self._is_shared = is_shared
        self._room: Room | None = None
        self._pids: set[int] = set()
        self._used_before = 0
        self._until = 0
        self._own_bytes: list[int | None] = []
        self._used_bytes: list[int] = []
        self._own_busy: list[float | None] = []
        self._busy: list[float] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="gpu-meter", daemon=True)

    def __enter__(self) -> Self:
        before = self._nvml.load(self.gpu)
        self._used_before, self._until = before.used_bytes, before.until
        return self

    def watch(self, room: Room) -> None:
        """Begin to sample; `room` may not have been started yet."""
        self._room = room
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._room is not None:
            self._thread.join()

    @property
    def use(self) -> GpuUse:
        """What was seen, once sampling is over."""
        own = [amount for amount in self._own_bytes if amount is not None]
        own_busy = [fraction for fraction in self._own_busy if fraction is not None]
        is_own = len(own) == len(self._own_bytes) > 0
        is_own_busy = len(own_busy) == len(self._own_busy) > 0
        busy = own_busy if is_own_busy else self._busy
        return GpuUse(
            index=self.gpu.index,
            driver=self._nvml.driver,
            peak_memory_bytes=max(own if is_own else self._used_bytes, default=None),
            is_own_memory=is_own,
            utilisation=round(min(1.0, statistics.fmean(busy)), 3) if busy else None,
            is_own_utilisation=is_own_busy,
        )

    def why_not_free(self) -> str | None:
        """Wait until the GPU is free of the room, which is gone; after `FREE_SECONDS` the sentence why not.

        Where the GPU is shared and the driver does not tell of processes, nobody can say: None.
        """
        deadline = time.monotonic() + FREE_SECONDS
        try:
            while (held := self._still_held(self._nvml.load(self.gpu))) and time.monotonic() < deadline:
                time.sleep(SAMPLE_SECONDS / 5)
        except GpuError as lost:
            return str(lost)
        return held and (
            f"GPU {self.gpu.index} is not free {FREE_SECONDS:.0f} s after a run on it ended, {held}: this "
            "share of it is not used any more; restart the machine, or grade with other GPUs."
        )

    def _still_held(self, load: GpuLoad) -> str | None:
        left = sorted(self._pids & set(load.processes or ()))
        if left:
            return f"processes {', '.join(map(str, left))} are still there"
        nobody_else = not load.processes if load.processes is not None else not self._is_shared
        over = load.used_bytes - self._used_before
        if nobody_else and over > _SLACK_BYTES:
            return f"{over / 1024**2:,.0f} MiB of memory are still taken"
        return None

    def _sample(self) -> None:
        try:
            while not self._stop.wait(SAMPLE_SECONDS) and self.fault is None:
                self._note(self._nvml.load(self.gpu, self._until))
        except GpuError as lost:
            self.fault = str(lost)
            self._end_room()
        except Exception as bug:  # noqa: BLE001 - whatever it is, a room must not go unwatched
            log.warning("the meter of a GPU failed: the room is closed: %s", trace_of(bug))
            self.fault = f"GPU {self.gpu.index} could not be watched."
            self._end_room()

    def _note(self, load: GpuLoad) -> None:
        self._until = load.until
        standing = None if self._room is None else self._room.standing
        pids = set() if standing is None else _tree(standing.pid)
        self._pids |= pids
        own = self._own_part(load, pids)
        self._own_bytes.append(own)
        self._used_bytes.append(load.used_bytes)
        busy = None if own is None else load.busy
        self._own_busy.append(None if busy is None else sum(busy.get(pid, 0.0) for pid in pids))
        if load.utilisation is not None:
            self._busy.append(load.utilisation)
        held = load.used_bytes - self._used_before if own is None and not self._is_shared else own
        if self._is_shared and own is not None and own > self.share_bytes:
            self.is_over_share = True
            self._end_room()
        elif load.free_bytes < _FULL_BYTES and (held is None or held <= self.share_bytes):
            self.was_crowded_out = True

    def _own_part(self, load: GpuLoad, pids: set[int]) -> int | None:
        """Bytes that the room holds, None where the driver does not tell.

        A driver that names only processes which are not there speaks of another process namespace.
        """
        if load.processes is None or (load.processes and not any(map(psutil.pid_exists, load.processes))):
            return None
        if not load.processes and load.used_bytes > self._used_before + _SLACK_BYTES:
            return None
        amounts = [load.processes[pid] for pid in pids & set(load.processes)]
        told = [amount for amount in amounts if amount is not None]
        return sum(told) if len(told) == len(amounts) else None

    def _end_room(self) -> None:
        if self._room is not None:
            self._room.kill()


def _tree(pid: int) -> set[int]:
    """The process `pid` and all below it."""
    try:
        root = psutil.Process(pid)
        return {pid, *(child.pid for child in root.children(recursive=True))}
    except psutil.NoSuchProcess:
        return set()
