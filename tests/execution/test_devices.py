"""Which devices a grading gets; with a stand-in for NVIDIA's library."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack

import pytest
from stand_in_nvml import GIB, MISMATCH, NO_LIBRARY, StandInGpu, StandInLibrary, stand_in

from grader.errors import GpuError, UsageError
from grader.execution.devices import NO_GPUS, Devices, GpuChoice, choose_devices, parse_choice
from grader.model import CPU
from grader.sandbox import gpus as gpus_module
from grader.sandbox.gpus import Nvml

Choose = Callable[..., Devices]


@pytest.fixture
def choose(tmp_path) -> Choose:
    def build(
        *gpus: StandInGpu, indices: tuple[int, ...] | None = None, jobs_each: int | None = None
    ) -> Devices:
        return choose_devices(
            GpuChoice(indices=indices, jobs_each=jobs_each),
            open_library=lambda: stand_in(tmp_path, *gpus),
            has_driver=lambda: True,
            has_cuda=lambda: True,
        )

    return build


def shares(devices: Devices, at_once: int | None = None, by_default: int = 16) -> list[tuple[int, int]]:
    """Which GPU each slot is a share of, and with how many GiB, in the order in which they are handed out."""
    slots = devices.slots(at_once, lambda: by_default)
    with ExitStack() as taken:
        found = [taken.enter_context(slots.taken()) for _ in range(len(slots))]
    return [(slot.gpu.index, slot.share_bytes // GIB) for slot in found if slot.gpu is not None]


@pytest.mark.parametrize(
    ("gpus", "jobs_each", "choice"),
    [
        (None, None, GpuChoice()),
        (None, 3, GpuChoice(jobs_each=3)),
        ("none", None, NO_GPUS),
        ("0", None, GpuChoice(indices=(0,))),
        ("1, 0,1", 2, GpuChoice(indices=(1, 0), jobs_each=2)),
    ],
)
def test_the_options_say_which_gpus_and_how_many_jobs(gpus, jobs_each, choice):
    assert parse_choice(gpus, jobs_each) == choice


@pytest.mark.parametrize("gpus", ["", "all", "-1", "0,", "0;1", "1.5", "²"])
def test_other_names_of_gpus_are_refused_with_what_may_stand_there(gpus):
    with pytest.raises(UsageError, match=r"give numbers as `grade doctor` lists them"):
        parse_choice(gpus, None)


def test_jobs_on_no_gpu_are_refused():
    with pytest.raises(UsageError, match="leave one of them out"):
        parse_choice("none", 2)


# Which GPUs -------------------------------------------------------------------------------------------


def test_without_a_gpu_the_same_path_runs_on_the_processors():
    def never() -> Nvml:
        raise AssertionError("there is no driver to ask")

    devices = choose_devices(GpuChoice(), open_library=never, has_driver=lambda: False)
    assert (devices.kind, devices.gpus) == (CPU, ())
    assert (len(devices.slots(None, lambda: 3)), len(devices.slots(5, lambda: 3))) == (3, 5)
    assert choose_devices(NO_GPUS, open_library=never, has_driver=lambda: True).kind == CPU
    devices.close()


def test_all_gpus_of_one_model_are_the_default(choose, caplog):
    two, other = (StandInGpu(minor=0), StandInGpu(minor=1)), StandInGpu(minor=2, model="Stand-in 80")
    with caplog.at_level(logging.WARNING):
        devices = choose(*two, other)
    assert devices.kind == "Stand-in 24"
    assert [gpu.index for gpu in devices.gpus] == [0, 1]
    assert caplog.messages == ["Some GPUs are not used. GPU 2 is a Stand-in 80, not a Stand-in 24."]


def test_a_class_is_not_graded_on_two_models(choose):
    with pytest.raises(UsageError, match="0 is a Stand-in 24, 1 is a Stand-in 80"):
        choose(StandInGpu(minor=0), StandInGpu(minor=1, model="Stand-in 80"), indices=(0, 1))


def test_a_gpu_that_is_not_there_is_told_with_those_that_are(choose):
    with pytest.raises(UsageError, match=r"--gpus names 2, 5; the GPUs of this machine are: 0, 1\."):
        choose(StandInGpu(minor=0), StandInGpu(minor=1), indices=(0, 2, 5))


def test_a_divided_gpu_is_left_out_by_default_and_refused_by_name(choose, caplog):
    gpus = StandInGpu(minor=0, has_mig=True), StandInGpu(minor=1)
    with caplog.at_level(logging.WARNING):
        assert [gpu.index for gpu in choose(*gpus).gpus] == [1]
    assert "-mig 0" in caplog.text
    with pytest.raises(GpuError, match="-mig 0"):
        choose(*gpus, indices=(0,))


@pytest.mark.parametrize("number", [NO_LIBRARY, MISMATCH])
def test_a_broken_library_leaves_the_processors_by_default_and_is_an_error_by_name(number, caplog):
    def broken() -> Nvml:
        return Nvml(StandInLibrary(StandInGpu(), starts_with=number))

    said = {"open_library": broken, "has_driver": lambda: True, "has_cuda": lambda: True}
    with caplog.at_level(logging.WARNING):
        assert choose_devices(GpuChoice(), **said).kind == CPU
    [sentence] = caplog.messages
    assert sentence.startswith(
        "Notebooks run on the processors only. The GPUs of this machine cannot be asked"
    )
    with pytest.raises(GpuError):
        choose_devices(GpuChoice(indices=(0,)), **said)


def test_a_tensorflow_without_cuda_leaves_the_processors(caplog):
    said = {
        "open_library": lambda: pytest.fail("not needed"),
        "has_driver": lambda: True,
        "has_cuda": lambda: False,
    }
    with caplog.at_level(logging.WARNING):
        assert choose_devices(GpuChoice(), **said).kind == CPU
    assert r"pip install 'tensorflow[and-cuda]'" in caplog.text


def test_cuda_is_found_by_the_package_that_brings_it(monkeypatch):
    monkeypatch.setattr(gpus_module.ctypes.util, "find_library", lambda name: None)
    monkeypatch.setattr(gpus_module.metadata, "version", lambda name: {"nvidia-cudnn-cu12": "9"}[name])
    assert gpus_module.tensorflow_has_cuda()

    def not_installed(name: str) -> str:
        raise gpus_module.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(gpus_module.metadata, "version", not_installed)
    assert not gpus_module.tensorflow_has_cuda()


# How many jobs ----------------------------------------------------------------------------------------


def test_each_gpu_has_as_many_jobs_as_its_free_memory_holds_and_they_take_turns(choose):
    devices = choose(StandInGpu(minor=0, used=15 * GIB), StandInGpu(minor=1, used=4 * GIB))
    assert shares(devices) == [(0, 4), (1, 4), (0, 4), (1, 4), (1, 4), (1, 4), (1, 4)]
    assert shares(devices, by_default=3) == [(0, 4), (1, 6), (0, 4)], (
        "no more than processors and memory allow"
    )


def test_what_a_person_asks_for_is_what_they_get(choose):
    gpus = StandInGpu(minor=0), StandInGpu(minor=1)
    assert shares(choose(*gpus, indices=(0, 1), jobs_each=2), by_default=1) == [
        (0, 11),
        (1, 11),
        (0, 11),
        (1, 11),
    ]
    assert shares(choose(*gpus, indices=(1,), jobs_each=3), at_once=2) == [(1, 7), (1, 7)]


def test_a_gpu_that_others_fill_is_left_out_by_default_and_refused_by_name(choose):
    full, fine = StandInGpu(minor=0, used=23 * GIB, processes={77: 22 * GIB}), StandInGpu(minor=1)
    assert {index for index, _ in shares(choose(full, fine))} == {1}
    with pytest.raises(
        GpuError, match=r"GPU 0 has 1.0 GiB of 24.0 GiB free, and a job would need 2.0 GiB: end"
    ):
        choose(full, fine, indices=(0, 1)).slots(None, lambda: 4)


def test_the_kind_of_device_does_not_depend_on_who_uses_it_now(choose):
    """Else a class that is graded again would silently be run again, on another kind of device."""
    full = StandInGpu(minor=0, used=23 * GIB)
    assert choose(full).kind == choose(StandInGpu(minor=0)).kind
    with pytest.raises(GpuError, match="--gpus none"):
        choose(full).slots(None, lambda: 4)


def test_more_jobs_than_a_gpu_can_hold_are_refused(choose):
    with pytest.raises(GpuError, match=r"20 jobs would need 40.0 GiB: .* ask for fewer with --jobs-per-gpu"):
        choose(StandInGpu(), indices=(0,), jobs_each=20).slots(None, lambda: 4)
