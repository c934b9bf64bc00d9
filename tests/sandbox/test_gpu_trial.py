"""What `grade doctor` says of GPUs, and what is tried before the first run on one."""

from __future__ import annotations

import ctypes.util

import pytest
from stand_in_nvml import GIB, MISMATCH, StandInGpu, StandInLibrary, stand_in

from grader.errors import GpuError
from grader.sandbox import gpu_trial
from grader.sandbox.doctor import gpu_findings
from grader.sandbox.gpu_trial import View, check_gpu, look_from_a_room, what_is_wrong
from grader.sandbox.gpus import Gpu, Nvml

FINE = View(
    devices=("nvidia-uvm", "nvidia-uvm-tools", "nvidia0", "nvidiactl"),
    status=0,
    gpus=("GPU-0",),
    computed_on="/job:localhost/replica:0/task:0/device:GPU:0",
)
WRONG = [
    (
        {"devices": ("nvidia0", "nvidia1", "nvidiactl")},
        "sees other device files (nvidia0, nvidia1, nvidiactl)",
    ),
    ({"missing": "no such file"}, "install the driver's libraries below /usr"),
    ({"status": 100}, "CUDA does not start in a room (error 100): run `nvidia-smi`"),
    ({"gpus": ("GPU-0", "GPU-1")}, "a room with GPU 0 (GPU-0) sees GPU-0, GPU-1"),
    ({"gpus": ()}, "sees no GPU"),
    ({"computed_on": "/job:localhost/replica:0/task:0/device:CPU:0"}, "TensorFlow does not compute on GPU 0"),
    ({"computed_on": "ImportError: no such module"}, "(ImportError: no such module)"),
    ({"computed_on": None}, "pip install 'tensorflow[and-cuda]'"),
]


@pytest.fixture
def gpu(tmp_path) -> Gpu:
    [found] = stand_in(tmp_path, StandInGpu()).look()
    assert isinstance(found, Gpu)
    return found


def test_a_room_that_sees_its_gpu_and_no_other_is_fine(gpu, monkeypatch):
    assert what_is_wrong(gpu, FINE) is None
    monkeypatch.setattr(gpu_trial, "look_from_a_room", lambda gpu: FINE)
    check_gpu(gpu)


@pytest.mark.parametrize(("change", "told"), WRONG)
def test_whatever_a_room_sees_instead_stops_the_grading_with_one_sentence(gpu, monkeypatch, change, told):
    monkeypatch.setattr(gpu_trial, "look_from_a_room", lambda gpu: FINE.model_copy(update=change))
    with pytest.raises(GpuError) as raised:
        check_gpu(gpu)
    assert told.lower() in str(raised.value).lower()
    assert str(raised.value).endswith("grade with `--gpus none`.")


def test_a_room_that_answers_nothing_stops_the_grading(gpu, monkeypatch):
    monkeypatch.setattr(gpu_trial, "printed_in_a_room", lambda program, spec: "")
    with pytest.raises(GpuError, match="No room with GPU 0 can be tried out"):
        check_gpu(gpu)


def test_a_real_room_is_asked(gpu):
    view = look_from_a_room(gpu)
    assert view.devices == FINE.devices
    if ctypes.util.find_library("cuda") is None:
        assert "libcuda.so.1" in (view.missing or "")


# What doctor says -------------------------------------------------------------------------------------


def examined(tmp_path, *gpus: StandInGpu, **changes):
    found = gpu_findings(
        **{
            "open_library": lambda: stand_in(tmp_path, *gpus),
            "has_driver": lambda: True,
            "has_cuda": lambda: True,
            "look": lambda gpu: FINE.model_copy(update={"gpus": (gpu.uuid,)}),
        }
        | changes
    )
    return [(finding.name, finding.is_fine, finding.text) for finding in found]


def test_without_a_driver_one_line_says_that_the_processors_are_used(tmp_path):
    [(name, is_fine, text)] = examined(tmp_path, has_driver=lambda: False)
    assert (name, is_fine) == ("gpus", True)
    assert text.endswith("notebooks run on the processors")


def test_each_gpu_has_a_line_with_what_there_is_and_what_a_room_sees(tmp_path):
    divided = StandInGpu(minor=1, has_mig=True)
    (first, is_fine, text), (second, _, why) = examined(tmp_path, StandInGpu(used=4 * GIB), divided)
    assert (first, second, is_fine) == ("gpu 0", "gpu 1", True)
    assert text.startswith("Stand-in 24, 20.0 of 24.0 GiB free, driver 550.54; a room sees it and no other")
    assert why.startswith("left out: GPU 1 is divided")


@pytest.mark.parametrize(
    "changes",
    [
        {"open_library": lambda: Nvml(StandInLibrary(starts_with=MISMATCH))},
        {"has_cuda": lambda: False},
    ],
)
def test_what_is_missing_for_gpus_is_said_and_does_not_stop_the_grading_on_processors(tmp_path, changes):
    [(name, is_fine, text)] = examined(tmp_path, StandInGpu(), **changes)
    assert (name, is_fine) == ("gpus", True)
    assert text.startswith("not used: ")


def test_a_gpu_that_a_room_does_not_see_is_a_failure(tmp_path):
    [(_, is_fine, text)] = examined(tmp_path, StandInGpu(), look=lambda gpu: View(devices=(), status=0))
    assert not is_fine
    assert "--gpus none" in text
