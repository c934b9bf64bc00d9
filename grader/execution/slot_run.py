"""One job in one slot: on the processors as it is, on a GPU with a meter and a look at it afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from grader.errors import GpuError
from grader.execution.devices import Devices
from grader.execution.interface import Finished
from grader.execution.jobs import Job
from grader.execution.room_run import run_in_room
from grader.execution.slots import Slot, Slots
from grader.model import Run, RunStatus
from grader.sandbox.gpu_meter import GpuMeter
from grader.sandbox.gpus import Gpu
from grader.sandbox.rooms import OpenRooms
from grader.sandbox.sources import RoomSource

_FAILED = (RunStatus.CELL_FAILED, RunStatus.KERNEL_DIED)


class Running:
    """What jobs that run side by side have in common: where rooms come from, and the slots that they take."""

    def __init__(self, source: RoomSource, rooms: OpenRooms, slots: Slots, devices: Devices) -> None:
        self._source = source
        self._rooms = rooms
        self._slots = slots
        self._devices = devices

    def run(self, job: Job) -> Finished:
        """Run `job` in the next free slot, and again in another one where the GPU was lost under it.

        Raises `SandboxError` when no room can be built or no slot is left.
        """
        while True:
            with self._slots.taken() as slot:
                if slot.gpu is None:
                    return _run(run_in_room(job, self._source, self._rooms))
                finished = self._run_on(slot.gpu, slot, job)
            if finished is not None:
                return finished

    def _run_on(self, gpu: Gpu, slot: Slot, job: Job) -> Finished | None:
        """What came of `job` on a share of a GPU, None when the GPU was lost."""
        try:
            with GpuMeter(self._devices.nvml, gpu, slot.share_bytes, is_shared=slot.is_shared) as meter:
                finished = _run(run_in_room(job, self._source, self._rooms, meter))
            if meter.fault is not None:
                raise GpuError(meter.fault)
            run = finished.run.model_copy(update={"gpu": meter.use})
        except GpuError as lost:
            self._slots.give_up_gpu(gpu, str(lost))
            return None
        if why := meter.why_not_free():
            self._slots.give_up(slot, why)
        return finished._replace(run=_as_shared(run, meter))


def _run(running: Coroutine[Any, Any, Finished]) -> Finished:
    """Await what `running` gives, in a loop that ZeroMQ can use, which that of Windows is not."""
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        return runner.run(running)


def _as_shared(run: Run, meter: GpuMeter) -> Run:
    """The run, ended or lost where the memory of a GPU that others use, too, decided how it ended."""
    gib = f"{meter.share_bytes / 1024**3:.1f} GiB"
    if meter.is_over_share:
        remark = f"It was ended because it held more than its share of the GPU's memory ({gib})."
        return run.model_copy(update={"status": RunStatus.OUT_OF_MEMORY, "remarks": (*run.remarks, remark)})
    if meter.was_crowded_out and run.status in _FAILED:
        remark = (
            f"The GPU's memory was full though the run held no more than its share ({gib}): it is run again "
            "by the next call, if need be with `--jobs-per-gpu 1`."
        )
        return run.model_copy(update={"status": RunStatus.LOST, "remarks": (*run.remarks, remark)})
    return run
