"""The local executor: a few rooms at a time on this machine."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from typing import TYPE_CHECKING

import psutil
from nbformat import v4

from grader.errors import SandboxError, trace_of
from grader.execution.devices import Devices
from grader.execution.forecast import Running as RunningJob
from grader.execution.forecast import most_seconds, remaining
from grader.execution.interface import Finished
from grader.execution.jobs import Job
from grader.execution.slots import Slots
from grader.model import Isolation, KerasFlavour, Run, RunStatus
from grader.processes import processors
from grader.sandbox.doctor import check_room
from grader.sandbox.gpus import Gpu
from grader.sandbox.limits.choosing import choose_mechanism
from grader.sandbox.parent import KernelParent
from grader.sandbox.rooms import OpenRooms
from grader.sandbox.sources import ColdRooms, ForkedRooms, KeptAhead, RoomsByGpu, RoomSource

if TYPE_CHECKING:
    from grader.execution.slot_run import Running

log = logging.getLogger(__name__)

_PARENT_PAYS = 2  # notebooks that import TensorFlow: a parent imports it once for all of them


class LocalExecutor:
    """Runs jobs in rooms of their own, `at_once` at a time, each with a kernel of its own.

    `rooms` is where the rooms come from; whoever gives it closes it. Without it the executor looks after
    its own: as soon as it pays, kernels are forked from one parent. `devices` are what the rooms share; the
    executor closes them.
    """

    def __init__(
        self,
        at_once: int | None = None,
        rooms: RoomSource | None = None,
        devices: Devices | None = None,
    ) -> None:
        self._asked_at_once = at_once
        self._devices = devices or Devices()
        self._rooms = 1  # of the running `execute`
        self._given = rooms
        self._own: RoomSource | None = None
        self._not_ended: dict[str, Job] = {}
        self._begun: dict[str, float] = {}  # when, by the monotonic clock
        self._ended: list[tuple[float, float | None]] = []  # seconds taken, seconds expected

    @property
    def device(self) -> str:
        """The kind of its devices."""
        return self._devices.kind

    @property
    def at_once(self) -> int:
        """How many rooms there may be at a time, as far as cores, memory and GPUs allow now."""
        return len(self._slots())

    def _slots(self) -> Slots:
        return self._devices.slots(self._asked_at_once, default_at_once)

    def execute(self, jobs: Iterable[Job]) -> Iterator[Finished]:
        """Yield what came of each job as it ends.

        Raises `SandboxError` before the first one when no room can be built here, later when no GPU is left
        that can be used, and `ValueError` for a job that was planned for another kind of device. When the
        iterator is closed early, or one job raises, the rooms in use are killed and no more start.
        """
        from grader.execution.room_run import sweep_rooms  # with Jupyter's client
        from grader.execution.slot_run import Running

        jobs = tuple(jobs)
        if any(job.device != self.device for job in jobs):
            raise ValueError(f"a job was planned for another device than {self.device}")
        if any(job.isolation is Isolation.BUBBLEWRAP for job in jobs):
            check_room()
            self._devices.check()
        sweep_rooms()
        choose_mechanism()  # once, before several threads ask for it
        slots = self._slots()
        self._rooms = len(slots)
        source = self._source(jobs)
        rooms = OpenRooms()
        running = Running(source, rooms, slots, self._devices)
        pool = ThreadPoolExecutor(self._rooms, thread_name_prefix="room")
        self._not_ended, self._begun, self._ended = {job.key: job for job in jobs}, {}, []
        waiting = [pool.submit(self._begin, job, running) for job in jobs]
        try:
            for ended in as_completed(waiting):
                finished = ended.result()
                del self._not_ended[finished.job.key]
                self._ended.append((finished.run.wall_seconds, finished.job.expected_seconds))
                yield finished
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            rooms.close()
            pool.shutdown(wait=True)

    def remaining_seconds(self) -> float | None:
        """How long the running `execute` will still take, as `forecast.remaining` tells; None if unknown."""
        if not self._not_ended and not self._ended:
            return None
        now = time.monotonic()
        begun = {key: job for key, job in self._not_ended.items() if key in self._begun}
        running = [
            RunningJob(
                now - self._begun[key], job.expected_seconds, most_seconds(job.limits, times=job.times)
            )
            for key, job in begun.items()
        ]
        waiting = [job.expected_seconds for key, job in self._not_ended.items() if key not in begun]
        return remaining(self._ended, running, waiting, rooms=self._rooms)

    def close(self) -> None:
        """End the kernel parent, if there is one, and let go of the GPUs."""
        self._devices.close()
        if self._own is not None:
            self._own.close()
        self._own = None

    def _begin(self, job: Job, running: Running) -> Finished:
        self._begun[job.key] = time.monotonic()
        return _run(job, running)

    def _source(self, jobs: Sequence[Job]) -> RoomSource:
        if self._given is not None:
            return self._given
        if self._own is None and sum(map(_imports_tensorflow, jobs)) < _PARENT_PAYS:
            return ColdRooms()
        if self._own is None and self._devices.gpus:
            self._own = RoomsByGpu(_forked_with)
        if self._own is None:
            forked = ForkedRooms()
            self._own = KeptAhead(forked)
            forked.start()
        return self._own


def _imports_tensorflow(job: Job) -> bool:
    is_named = any("tensorflow" in cell.source or "keras" in cell.source for cell in job.cells)
    return is_named and job.keras is KerasFlavour.KERAS_3 and job.isolation is Isolation.BUBBLEWRAP


def default_at_once() -> int:
    """As many rooms as there are cores, and no more than memory holds at 2 GiB each; at least one."""
    return max(1, min(processors(), psutil.virtual_memory().available // (2 * 1024**3)))


def _forked_with(gpu: Gpu | None) -> RoomSource:
    return KeptAhead(ForkedRooms(partial(KernelParent, gpu=gpu)))


def _run(job: Job, running: Running) -> Finished:
    try:
        return running.run(job)
    except SandboxError:  # no room can be built here at all: everybody's concern
        raise
    except Exception as bug:  # noqa: BLE001 - a bug at one job must not stop the others
        log.error("a fault of the grader at the job %s: %s", job.key[:12], trace_of(bug))
        remark = f"The run was lost through a fault in the grader ({type(bug).__name__})."
        run = Run(
            key=job.key,
            status=RunStatus.LOST,
            seed=job.seed,
            limits=job.limits,
            isolation=job.isolation,
            device=job.device,
            remarks=(remark,),
        )
        return Finished(job, run, v4.new_notebook())
