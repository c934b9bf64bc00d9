"""Jobs on shares of GPUs: real rooms with stand-ins of the device files, and all that can go wrong."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from nbformat import v4
from stand_in_nvml import GIB, StandInGpu, stand_in

from grader.errors import SandboxError
from grader.execution import slot_run
from grader.execution.devices import Devices, GpuChoice, choose_devices
from grader.execution.interface import Finished
from grader.execution.jobs import Job
from grader.execution.local import LocalExecutor
from grader.model import Isolation, Run, RunStatus
from grader.sandbox import gpu_meter
from grader.sandbox.parent import KernelParent
from grader.sandbox.sources import ColdRooms, ForkedRooms, RoomsByGpu, RoomSource

MODEL = "Stand-in 24"

# What a notebook can see of GPUs. The device files are ordinary ones here, which hold their names.
LOOK = """
import json, os, time
def content(name):
    try:
        return open(f"/dev/{name}").read()
    except OSError as error:
        return type(error).__name__
time.sleep(1)
print(json.dumps({
    "devices": {name: content(name) for name in sorted(os.listdir("/dev")) if "nvidia" in name},
    "others": [content("nvidia0"), content("nvidia1")],
    "environment": {n: v for n, v in os.environ.items() if "CUDA" in n or "GPU" in n},
    "status of mknod": os.system("mknod /dev/nvidia9 c 195 9 2>/dev/null") and "refused",
    "number": NUMBER,
}))
"""


@pytest.fixture
def gpus() -> tuple[StandInGpu, StandInGpu]:
    return StandInGpu(minor=0), StandInGpu(minor=1)


@pytest.fixture
def devices(tmp_path, gpus) -> Callable[..., Devices]:
    def build(**choice: Any) -> Devices:
        return choose_devices(
            GpuChoice(**choice),
            open_library=lambda: stand_in(tmp_path, *gpus),
            has_driver=lambda: True,
            has_cuda=lambda: True,
            check=lambda gpu: None,
        )

    return build


# Real rooms -------------------------------------------------------------------------------------------


@pytest.fixture(params=["cold", "forked"])
def source(request: pytest.FixtureRequest) -> Iterator[RoomSource]:
    if request.param == "cold":
        yield ColdRooms()
        return
    source = RoomsByGpu(lambda gpu: ForkedRooms(partial(KernelParent, is_bare=True, gpu=gpu)))
    yield source
    source.close()


def test_each_room_sees_the_gpu_that_it_was_given_and_no_other(a_job, devices, source):
    jobs = [a_job(LOOK.replace("NUMBER", str(number)), device=MODEL) for number in range(3)]
    with closing(LocalExecutor(None, source, devices(jobs_each=1))) as executor:
        assert executor.device == MODEL
        ended = list(executor.execute(jobs))
    used = set()
    for finished in ended:
        assert finished.run.status is RunStatus.COMPLETED, (finished.run, finished.notebook)
        assert (finished.run.device, finished.run.key) == (MODEL, finished.job.key)
        assert finished.run.gpu is not None
        own = f"nvidia{finished.run.gpu.index}"
        used.add(own)
        seen = json.loads(finished.notebook.cells[0].outputs[0].text)
        names = sorted([own, "nvidia-uvm", "nvidia-uvm-tools", "nvidiactl"])
        assert seen["devices"] == {name: name for name in names}
        others = [name if name == own else "FileNotFoundError" for name in ("nvidia0", "nvidia1")]
        assert seen["others"] == others
        assert seen["status of mknod"] == "refused"
        assert seen["environment"] == {
            "CUDA_VISIBLE_DEVICES": f"GPU-{finished.run.gpu.index}",
            "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        }
        assert any(line.startswith("GPU: the device files of one") for line in finished.run.limits_in_force)
        assert finished.run.cpu_seconds is not None
    assert used == {"nvidia0", "nvidia1"}, "both GPUs have work"


def test_without_walls_the_environment_names_the_gpu(a_job, devices):
    job = a_job(LOOK.replace("NUMBER", "0"), device=MODEL, isolation=Isolation.NONE)
    with closing(LocalExecutor(1, None, devices(indices=(1,)))) as executor:
        [finished] = executor.execute([job])
    seen = json.loads(finished.notebook.cells[0].outputs[0].text)
    assert seen["environment"]["CUDA_VISIBLE_DEVICES"] == "GPU-1"
    assert any("that the notebook can change" in line for line in finished.run.limits_in_force)


# What can go wrong ------------------------------------------------------------------------------------


class Pretended:
    """In the place of rooms: what happens to the GPUs while the run number `n` is on one of them."""

    def __init__(self, *happenings: Callable[[int], RunStatus | None]) -> None:
        self.happenings = list(happenings)
        self.on: list[int] = []

    async def __call__(self, job: Job, source: Any, rooms: Any, meter: Any) -> Finished:
        meter.watch(SimpleNamespace(standing=SimpleNamespace(pid=4_000_000), kill=lambda: None))
        self.on.append(meter.gpu.index)
        happens = self.happenings.pop(0) if self.happenings else lambda index: None
        status = happens(meter.gpu.index) or RunStatus.COMPLETED
        await asyncio.sleep(0.1)
        run = Run(key=job.key, status=status, seed=1, limits=job.limits, device=job.device)
        return Finished(job, run, v4.new_notebook())


@pytest.fixture
def pretend(monkeypatch) -> Callable[..., Pretended]:
    monkeypatch.setattr(gpu_meter, "SAMPLE_SECONDS", 0.01)
    monkeypatch.setattr(gpu_meter, "FREE_SECONDS", 0.1)
    monkeypatch.setattr(gpu_meter, "_tree", lambda pid: {pid})
    monkeypatch.setattr(gpu_meter.psutil, "pid_exists", lambda pid: True)

    def build(*happenings: Callable[[int], RunStatus | None]) -> Pretended:
        pretended = Pretended(*happenings)
        monkeypatch.setattr(slot_run, "run_in_room", pretended)
        return pretended

    return build


def jobs_on_a_gpu(a_job, count: int) -> list[Job]:
    return [a_job(f"print({n})", device=MODEL, submission=f"s{n}") for n in range(count)]


def test_a_run_whose_gpu_is_lost_under_it_is_run_on_another_one(a_job, devices, gpus, pretend, caplog):
    pretended = pretend(lambda index: vars(gpus[index]).update(is_lost=True) or RunStatus.CELL_FAILED)
    executor = LocalExecutor(None, ColdRooms(), devices(jobs_each=1))
    with caplog.at_level(logging.WARNING):
        ended = [finished.run for finished in executor.execute(jobs_on_a_gpu(a_job, 3))]
    assert [run.status for run in ended] == [RunStatus.COMPLETED] * 3, "the loss is no failure of a notebook"
    lost = pretended.on[0]
    assert len(pretended.on) == 4
    assert lost not in pretended.on[2:], "a lost GPU gets no more work"
    assert f"GPU {lost} cannot be read: the GPU has fallen off the bus" in caplog.text


def test_when_the_last_gpu_is_lost_one_sentence_says_how_to_go_on(a_job, devices, gpus, pretend):
    pretend(lambda index: None, lambda index: vars(gpus[index]).update(is_lost=True))
    running = LocalExecutor(1, ColdRooms(), devices(indices=(0,))).execute(jobs_on_a_gpu(a_job, 3))
    assert next(running).run.status is RunStatus.COMPLETED
    with pytest.raises(SandboxError, match=r"fallen off the bus.* No GPU is left: what is finished is kept"):
        list(running)


def test_memory_that_a_run_leaves_behind_costs_its_share_and_nothing_else(
    a_job, devices, gpus, pretend, caplog
):
    pretended = pretend(lambda index: vars(gpus[index]).update(used=3 * GIB, processes={4_000_000: 2 * GIB}))
    with caplog.at_level(logging.WARNING):
        [(_, run, *_)] = LocalExecutor(1, ColdRooms(), devices(jobs_each=1)).execute(jobs_on_a_gpu(a_job, 1))
    assert run.status is RunStatus.COMPLETED
    assert run.gpu is not None
    assert (run.gpu.peak_memory_bytes, run.gpu.is_own_memory) == (2 * GIB, True)
    assert f"GPU {pretended.on[0]} is not free" in caplog.text
    assert "processes 4000000 are still there" in caplog.text


def test_a_failure_on_a_gpu_that_others_filled_is_ours_and_not_the_notebooks(a_job, devices, gpus, pretend):
    def filled(index: int) -> RunStatus:
        vars(gpus[index]).update(used=gpus[index].total, processes={77: 22 * GIB, 4_000_000: GIB})
        return RunStatus.CELL_FAILED

    pretend(filled)
    [finished] = LocalExecutor(1, ColdRooms(), devices(indices=(0,))).execute(jobs_on_a_gpu(a_job, 1))
    assert finished.run.status is RunStatus.LOST
    assert "--jobs-per-gpu 1" in finished.run.remarks[0]


def test_a_run_over_its_share_is_out_of_memory_and_says_so(a_job, devices, gpus, pretend):
    def greedy(index: int) -> RunStatus:
        vars(gpus[index]).update(used=20 * GIB, processes={4_000_000: 19 * GIB})
        return RunStatus.KERNEL_DIED

    pretend(greedy)
    both = devices(indices=(0,), jobs_each=2)
    [finished] = LocalExecutor(None, ColdRooms(), both).execute(jobs_on_a_gpu(a_job, 1))
    assert finished.run.status is RunStatus.OUT_OF_MEMORY
    assert "more than its share of the GPU's memory (11.8 GiB)" in finished.run.remarks[0]


def test_how_many_run_at_a_time_is_known_before_the_first_one_runs(devices):
    executor = LocalExecutor(None, ColdRooms(), devices(jobs_each=3))
    assert executor.at_once == 6, "three on each of two GPUs, whatever there is of cores"


def test_a_job_that_was_planned_for_another_device_is_refused(a_job, devices):
    with pytest.raises(ValueError, match="planned for another device"):
        next(LocalExecutor(1, ColdRooms(), devices()).execute([a_job("1")]))
