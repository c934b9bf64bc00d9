"""What is sampled of a GPU while a room has it, and what is said when it is not free afterwards."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from stand_in_nvml import GIB, NO_PERMISSION, StandInGpu, stand_in

from grader.errors import GpuError
from grader.sandbox import gpu_meter
from grader.sandbox.gpu_meter import GpuMeter

OURS, CHILD, NEIGHBOUR = 1001, 1002, 2001


class PretendedRoom:
    def __init__(self) -> None:
        self.standing = SimpleNamespace(pid=OURS)
        self.is_killed = False

    def kill(self) -> None:
        self.is_killed = True


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_meter, "SAMPLE_SECONDS", 0.01)
    monkeypatch.setattr(gpu_meter, "FREE_SECONDS", 0.2)


@pytest.fixture
def gpu() -> StandInGpu:
    return StandInGpu()


@pytest.fixture
def room() -> PretendedRoom:
    return PretendedRoom()


@pytest.fixture
def a_meter(tmp_path, gpu, monkeypatch) -> Callable[..., GpuMeter]:
    monkeypatch.setattr(gpu_meter, "_tree", lambda pid: {pid, CHILD})
    monkeypatch.setattr(gpu_meter.psutil, "pid_exists", (OURS, CHILD, NEIGHBOUR).__contains__)

    def build(*, is_shared: bool = False) -> GpuMeter:
        nvml = stand_in(tmp_path, gpu)
        [found] = nvml.look()
        return GpuMeter(nvml, found, 4 * GIB, is_shared=is_shared)

    return build


def watched(meter: GpuMeter, room: Any, *changes: Callable[[], None]) -> None:
    """Let `room` be watched while each of `changes` is the state for some samples."""
    first, *others = changes
    with meter:
        first()
        meter.watch(room)
        time.sleep(0.1)
        for change in others:
            change()
            time.sleep(0.1)


def holds(gpu: StandInGpu, **state: Any) -> Callable[[], None]:
    return lambda: vars(gpu).update(state)


def test_the_peak_is_that_of_the_rooms_own_processes_where_the_driver_tells(a_meter, gpu, room):
    meter = a_meter(is_shared=True)
    with_neighbour = {OURS: GIB, CHILD: GIB, NEIGHBOUR: 9 * GIB}
    watched(
        meter,
        room,
        holds(gpu, used=12 * GIB, processes=with_neighbour, busy={OURS: 30, NEIGHBOUR: 60}, utilisation=90),
        holds(gpu, used=10 * GIB, processes={NEIGHBOUR: 9 * GIB}),
    )
    use = meter.use
    assert (use.peak_memory_bytes, use.is_own_memory, use.is_own_utilisation) == (2 * GIB, True, True)
    assert use.utilisation == pytest.approx(0.3)
    assert (use.index, use.driver) == (0, "550.54")
    assert not room.is_killed


@pytest.mark.parametrize(
    "processes",
    [None, {OURS: None}, {77: GIB}, {}],
    ids=["not listed", "not told", "another namespace's", "a list that is empty though memory is taken"],
)
def test_where_the_driver_does_not_tell_the_whole_device_is_named_and_said_so(a_meter, gpu, room, processes):
    meter = a_meter(is_shared=True)
    watched(meter, room, holds(gpu, used=3 * GIB, processes=processes, utilisation=80))
    use = meter.use
    assert (use.peak_memory_bytes, use.is_own_memory, use.is_own_utilisation) == (3 * GIB, False, False)
    assert use.utilisation == pytest.approx(0.8)


def test_a_driver_that_tells_nothing_gives_no_figure(a_meter, gpu, room):
    gpu.refuses = {"processes": NO_PERMISSION, "busy": NO_PERMISSION, "utilisation": NO_PERMISSION}
    meter = a_meter()
    watched(meter, room, holds(gpu, used=GIB))
    assert (meter.use.utilisation, meter.use.is_own_utilisation) == (None, False)
    assert (meter.use.peak_memory_bytes, meter.use.is_own_memory) == (GIB, False)


def test_a_run_that_does_not_touch_the_gpu_used_nothing_of_it(a_meter, gpu, room):
    meter = a_meter()
    watched(meter, room, lambda: None)
    assert (meter.use.peak_memory_bytes, meter.use.is_own_memory, meter.use.utilisation) == (0, True, 0.0)


def test_a_room_that_holds_more_than_its_share_is_ended_where_others_have_theirs(a_meter, gpu, room):
    meter = a_meter(is_shared=True)
    watched(meter, room, holds(gpu, used=6 * GIB, processes={OURS: 5 * GIB}))
    assert room.is_killed
    assert meter.is_over_share


def test_a_room_that_has_the_gpu_for_itself_may_use_all_of_it(a_meter, gpu, room):
    meter = a_meter(is_shared=False)
    watched(meter, room, holds(gpu, used=23 * GIB, processes={OURS: 22 * GIB}))
    assert not room.is_killed
    assert not meter.was_crowded_out


@pytest.mark.parametrize(("own", "crowded"), [(GIB, True), (5 * GIB, False)])
def test_a_full_gpu_is_the_fault_of_others_only_while_the_room_holds_no_more_than_its_share(
    a_meter, gpu, room, own, crowded
):
    meter = a_meter(is_shared=False)
    full = gpu.total - GIB // 8
    watched(meter, room, holds(gpu, used=full, processes={OURS: own, NEIGHBOUR: full - own}))
    assert meter.was_crowded_out is crowded


def test_a_gpu_that_is_lost_in_the_middle_ends_the_room_and_says_why(a_meter, gpu, room):
    meter = a_meter()
    watched(meter, room, holds(gpu, used=GIB, processes={OURS: GIB}), holds(gpu, is_lost=True))
    assert room.is_killed
    assert meter.fault is not None
    assert "fallen off the bus" in meter.fault


def test_a_gpu_that_is_lost_before_is_told_at_once(a_meter, gpu):
    meter = a_meter()
    gpu.is_lost = True
    with pytest.raises(GpuError, match="fallen off the bus"), meter:
        pytest.fail("nothing may run on it")


def test_a_gpu_that_is_free_again_is_fine(a_meter, gpu, room):
    meter = a_meter()
    watched(meter, room, holds(gpu, used=2 * GIB, processes={OURS: GIB}))
    gpu.used, gpu.processes = GIB // 2, {}
    assert meter.why_not_free() is None


def test_neighbours_that_go_on_do_not_matter(a_meter, gpu, room):
    meter = a_meter(is_shared=True)
    watched(meter, room, holds(gpu, used=2 * GIB, processes={OURS: GIB, NEIGHBOUR: GIB}))
    gpu.used, gpu.processes = 9 * GIB, {NEIGHBOUR: 8 * GIB}
    assert meter.why_not_free() is None


@pytest.mark.parametrize(
    ("processes", "used", "told"),
    [({OURS: GIB}, 2 * GIB, f"processes {OURS} are still there"), ({}, 2 * GIB, "1,536 MiB of memory")],
)
def test_what_is_left_of_a_run_is_waited_for_and_then_told_in_one_sentence(
    a_meter, gpu, room, processes, used, told
):
    meter = a_meter()
    watched(meter, room, holds(gpu, used=2 * GIB, processes={OURS: GIB}))
    gpu.used, gpu.processes = used, processes
    begin = time.monotonic()
    why = meter.why_not_free()
    assert time.monotonic() - begin >= 0.2
    assert why is not None
    assert told in why
    assert "this share of it is not used any more" in why


def test_the_tree_of_a_process_holds_its_children():
    with subprocess.Popen(["sleep", "30"]) as child:
        assert {os.getpid(), child.pid} <= gpu_meter._tree(os.getpid())
        child.kill()
    assert gpu_meter._tree(child.pid) == set()
