"""What only a real GPU can show: walls, memory as it is needed, idle afterwards. `make gpu` runs it.

Without a GPU everything here is skipped with the reason.
"""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from grader.errors import GraderError
from grader.execution.devices import Devices, GpuChoice, choose_devices
from grader.execution.interface import Finished
from grader.execution.local import LocalExecutor
from grader.model import CPU, Limits, RunStatus
from grader.sandbox.gpu_trial import look_from_a_room, what_is_wrong
from grader.sandbox.gpus import Gpu, has_driver
from grader.sandbox.parent import KernelParent
from grader.sandbox.sources import ColdRooms, ForkedRooms, RoomsByGpu, RoomSource

pytestmark = pytest.mark.gpu

MIB = 1024**2
IDLE_SECONDS = 15.0
LIMITS = Limits(wall_seconds=300, reserve_seconds=30, memory_bytes=16 * 1024**3)

# Trains on the GPU, and tells what it sees. Without memory growth TensorFlow would take nearly all memory.
TRAINING = """
import json, os
import tensorflow as tf
mine = tf.config.list_physical_devices("GPU")
x = tf.random.normal([4096, 256]); y = tf.cast(tf.reduce_sum(x, 1) > 0, tf.int32)
w = tf.Variable(tf.random.normal([256, 2]) * 0.01)
@tf.function
def step():
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, x @ w))
    w.assign_sub(0.5 * tape.gradient(loss, w))
    return loss
losses = [float(step()) for _ in range(300)]
import time; time.sleep(3)
print(json.dumps({
    "gpus": len(mine),
    "placed": (x @ w).device,
    "falling": losses[-1] < losses[0] / 2,
    "devices": sorted(name for name in os.listdir("/dev") if "nvidia" in name),
    "named": os.environ["CUDA_VISIBLE_DEVICES"],
}))
"""

# Where there is a GPU, Keras compiles this with XLA, which needs more of CUDA than TensorFlow's kernels do.
CONVOLUTIONS = """
import keras, numpy as np
model = keras.Sequential([keras.layers.Conv2D(8, 3), keras.layers.MaxPool2D(), keras.layers.Flatten(),
                          keras.layers.Dense(2)])
model.compile(optimizer="adam", loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
images, labels = np.ones([256, 28, 28, 1], "float32"), np.arange(256) % 2
losses = model.fit(images, labels, epochs=2, verbose=0).history["loss"]
print(model.jit_compile, all(np.isfinite(losses)))
"""

# Takes a GiB after the other until there is none, and holds it.
GREED = """
import time
import tensorflow as tf
held = []
try:
    while True:
        held.append(tf.ones([256, 1024, 1024]))
        time.sleep(0.05)
except tf.errors.ResourceExhaustedError:
    time.sleep(120)
"""


@pytest.fixture
def devices() -> Iterator[Callable[..., Devices]]:
    """The devices of this machine; the test is skipped where none of them is a GPU that can be used."""
    opened: list[Devices] = []

    def build(**choice: Any) -> Devices:
        if not has_driver():
            pytest.skip("there is no NVIDIA driver on this machine (no /dev/nvidiactl)")
        try:
            found = choose_devices(GpuChoice(**choice))
        except GraderError as error:
            pytest.skip(str(error))
        opened.append(found)
        if found.kind == CPU:
            pytest.skip("no GPU of this machine can be used: `grade doctor` says why")
        return found

    yield build
    for one in opened:
        one.close()


@pytest.fixture(params=["cold", "forked"])
def source(request: pytest.FixtureRequest) -> Iterator[RoomSource]:
    chosen: RoomSource = ColdRooms()
    if request.param == "forked":
        chosen = RoomsByGpu(lambda gpu: ForkedRooms(partial(KernelParent, gpu=gpu)))
    yield chosen
    chosen.close()


def used_bytes(devices: Devices) -> list[int]:
    return [devices.nvml.load(gpu).used_bytes for gpu in devices.gpus]


def is_in_use(devices: Devices, before: list[int]) -> bool:
    return any(now > then + 64 * MIB for now, then in zip(used_bytes(devices), before, strict=True))


def wait_until_idle(devices: Devices, before: list[int]) -> None:
    deadline = time.monotonic() + IDLE_SECONDS
    while is_in_use(devices, before):
        assert time.monotonic() < deadline, (before, used_bytes(devices))
        time.sleep(0.2)


def trained(a_job, devices: Devices, source: RoomSource, count: int) -> list[tuple[Finished, dict[str, Any]]]:
    jobs = [a_job(TRAINING, f"# {n}", device=devices.kind, limits=LIMITS) for n in range(count)]
    ended = list(LocalExecutor(None, source, devices).execute(jobs))
    for finished in ended:
        assert finished.run.status is RunStatus.COMPLETED, (finished.run, finished.notebook)
    return [(one, json.loads(one.notebook.cells[0].outputs[-1].text)) for one in ended]


def test_the_driver_itself_shows_a_room_its_own_gpu_and_no_other(devices):
    for gpu in devices().gpus:
        view = look_from_a_room(gpu)
        print(f"\nGPU {gpu.index}, {gpu.model}: {view}")
        assert what_is_wrong(gpu, view) is None


def test_a_training_runs_on_the_gpu_takes_memory_as_it_needs_and_leaves_it_idle(
    a_job, devices, source, caplog
):
    machine = devices(jobs_each=1)
    before = used_bytes(machine)
    with caplog.at_level(logging.WARNING):
        ended = trained(a_job, machine, source, len(machine.gpus) + 1)
    assert caplog.messages == [], "no GPU or share of one was given up"
    by_index: dict[int, Gpu] = {gpu.index: gpu for gpu in machine.gpus}
    for finished, seen in ended:
        use = finished.run.gpu
        print(f"\n{finished.run.device}: {use}, {finished.run.wall_seconds} s")
        assert use is not None
        gpu = by_index[use.index]
        assert (seen["gpus"], seen["named"], seen["falling"]) == (1, gpu.uuid, True)
        assert "GPU:0" in seen["placed"]
        assert seen["devices"] == sorted(device.name for device in gpu.devices)
        assert use.peak_memory_bytes is not None
        assert 50 * MIB < use.peak_memory_bytes < gpu.memory_bytes / 2, "memory grows as it is needed"
    assert {seen["named"] for _, seen in ended} == {gpu.uuid for gpu in machine.gpus}
    wait_until_idle(machine, before)


def test_keras_trains_convolutions_compiled_with_xla(a_job, devices):
    machine = devices(jobs_each=1)
    job = a_job(CONVOLUTIONS, device=machine.kind, limits=LIMITS)
    [finished] = LocalExecutor(1, ColdRooms(), machine).execute([job])
    assert finished.run.status is RunStatus.COMPLETED, finished.notebook
    assert finished.notebook.cells[0].outputs[-1].text == "True True\n"


def test_two_rooms_share_a_gpu_and_get_the_same(a_job, devices):
    machine = devices(jobs_each=2)
    before = used_bytes(machine)
    ended = trained(a_job, machine, ColdRooms(), 2)
    assert all(seen["gpus"] == 1 and seen["falling"] for _, seen in ended)
    assert [finished.run.gpu.peak_memory_bytes for finished, _ in ended if finished.run.gpu]
    wait_until_idle(machine, before)


def test_a_room_over_its_share_is_ended_and_its_neighbour_is_not(a_job, devices):
    machine = devices(jobs_each=2)
    before = used_bytes(machine)
    if machine.nvml.load(machine.gpus[0]).processes is None:
        pytest.skip("this driver does not tell of processes, so that shares are not enforced")
    jobs = [
        a_job(code, submission=whose, device=machine.kind, limits=LIMITS)
        for whose, code in (("greedy", GREED), ("neighbour", TRAINING))
    ]
    ended = LocalExecutor(2, ColdRooms(), machine).execute(jobs)
    runs = {finished.job.submission: finished.run for finished in ended}
    print(f"\n{runs}")
    assert runs["greedy"].status is RunStatus.OUT_OF_MEMORY
    assert "more than its share of the GPU's memory" in runs["greedy"].remarks[-1]
    assert runs["neighbour"].status is RunStatus.COMPLETED
    wait_until_idle(machine, before)


def test_a_grader_that_is_killed_leaves_the_gpu_idle(devices):
    machine = devices(jobs_each=1)
    before = used_bytes(machine)
    program = (
        "from pathlib import Path\n"
        "from grader.execution.devices import GpuChoice, choose_devices\n"
        "from grader.execution.jobs import CodeCell, Job\n"
        "from grader.execution.local import LocalExecutor\n"
        "from grader.model import Limits\n"
        "found = choose_devices(GpuChoice(jobs_each=1))\n"
        "code = 'import tensorflow as tf\\nx = tf.ones([4096, 4096])\\nwhile True: x = x @ x'\n"
        "job = Job(submission='s1', cells=(CodeCell(number=1, source=code),), folder=Path('/'),\n"
        "          limits=Limits(), device=found.kind)\n"
        "list(LocalExecutor(1, None, found).execute([job]))\n"
    )
    with subprocess.Popen([sys.executable, "-c", program]) as grader:
        deadline = time.monotonic() + 120
        while not (is_used := is_in_use(machine, before)) and time.monotonic() < deadline:
            time.sleep(0.5)
        assert is_used, "the notebook never used a GPU"
        grader.send_signal(signal.SIGKILL)
    wait_until_idle(machine, before)
