"""What NVML tells of GPUs, and what of them is in a room; with a stand-in for the library."""

from __future__ import annotations

import errno
import json
import sys
from pathlib import Path

import pytest
from stand_in_nvml import (
    GIB,
    LOST,
    MISMATCH,
    NO_DRIVER,
    NO_LIBRARY,
    NO_PERMISSION,
    NOT_SUPPORTED,
    StandInGpu,
    StandInLibrary,
    device_files,
    stand_in,
)

from grader.errors import GpuError
from grader.model import Limits
from grader.sandbox import gpus as gpus_module
from grader.sandbox.bubblewrap import (
    Ends,
    RoomFolder,
    RoomSpec,
    parent_command,
    room_command,
    room_environment,
)
from grader.sandbox.gpus import Gpu, Nvml, UnusableGpu, has_driver, open_nvml
from grader.sandbox.limits.rlimits import process_limits

TWO = (StandInGpu(minor=0), StandInGpu(minor=3, model="Stand-in 80", total=80 * GIB))


def the_gpu(nvml: Nvml, index: int = 0) -> Gpu:
    found = nvml.look()[index]
    assert isinstance(found, Gpu)
    return found


def binds(command: list[str]) -> dict[str, str]:
    """What a command binds, with the right to use it as a device: the place inside, and the host's file."""
    return {
        command[at + 2]: command[at + 1]
        for at, word in enumerate(command)
        if word in ("--dev-bind", "--dev-bind-try")
    }


def room_of(gpu: Gpu | None, folder: Path) -> list[str]:
    return room_command(RoomSpec(limits=Limits(), gpu=gpu), RoomFolder(folder), ["true"], Ends(9, 10, 11))


# What NVML tells --------------------------------------------------------------------------------------


@pytest.mark.parametrize("gpus", [(), TWO[:1], TWO])
def test_every_gpu_is_found_with_its_own_device_file(tmp_path, gpus):
    found = stand_in(tmp_path, *gpus).look()
    assert [(gpu.index, gpu.uuid, gpu.model, gpu.memory_bytes) for gpu in found] == [
        (index, gpu.uuid, gpu.model, gpu.total) for index, gpu in enumerate(gpus)
    ]
    for told, gpu in zip(found, gpus, strict=True):
        assert [file.name for file in told.devices] == [
            *(f"nvidia{gpu.minor}", "nvidiactl", "nvidia-uvm", "nvidia-uvm-tools"),
        ]


@pytest.mark.parametrize(
    ("number", "mend"),
    [
        (NO_LIBRARY, "install the whole driver"),
        (NO_DRIVER, "modprobe nvidia"),
        (MISMATCH, "different versions: restart"),
        (NO_PERMISSION, "the group that owns"),
        (999, "NVML says: error 999"),
    ],
)
def test_a_library_that_does_not_start_says_why_in_one_sentence(number, mend):
    with pytest.raises(GpuError, match=mend) as raised:
        Nvml(StandInLibrary(starts_with=number))
    assert str(raised.value).count(". ") == 0


def test_without_the_package_the_command_that_installs_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    with pytest.raises(GpuError, match=r"pip install 'grader\[gpu\]'"):
        open_nvml()


def test_the_real_package_has_what_the_stand_in_has():
    library = pytest.importorskip("pynvml")
    wanted = [name for name in dir(gpus_module.NvmlLibrary) if name.startswith("nvml")]
    assert [name for name in wanted if not callable(getattr(library, name, None))] == []
    assert [name for name in wanted if not callable(getattr(StandInLibrary, name, None))] == []
    numbers = {
        NOT_SUPPORTED: "NOT_SUPPORTED",
        NO_PERMISSION: "NO_PERMISSION",
        NO_DRIVER: "DRIVER_NOT_LOADED",
        NO_LIBRARY: "LIBRARY_NOT_FOUND",
        LOST: "GPU_IS_LOST",
        MISMATCH: "LIB_RM_VERSION_MISMATCH",
    }
    for number, name in numbers.items():
        assert getattr(library, f"NVML_ERROR_{name}") == number
        assert library.NVMLError(number).value == number


@pytest.mark.skipif(has_driver(), reason="NVIDIA's driver is here")
def test_the_real_package_says_that_there_is_no_driver():
    with pytest.raises(GpuError, match="install the whole driver"):
        open_nvml()


def test_a_divided_or_lost_gpu_is_told_and_the_others_are_still_there(tmp_path):
    divided, lost, fine = (
        StandInGpu(minor=0, has_mig=True),
        StandInGpu(minor=1, is_lost=True),
        StandInGpu(minor=2),
    )
    first, second, third = stand_in(tmp_path, divided, lost, fine).look()
    assert isinstance(first, UnusableGpu)
    assert "nvidia-smi -i 0 -mig 0" in first.why
    assert isinstance(second, UnusableGpu)
    assert "fallen off the bus" in second.why
    assert isinstance(third, Gpu)


def test_a_gpu_that_knows_no_instances_is_undivided(tmp_path):
    assert isinstance(stand_in(tmp_path, StandInGpu(refuses={"mig": NOT_SUPPORTED})).look()[0], Gpu)


def test_a_missing_device_file_says_which_command_makes_it(tmp_path):
    nvml = stand_in(tmp_path, StandInGpu(minor=3))
    (tmp_path / "nvidia-uvm").unlink()
    [found] = nvml.look()
    assert isinstance(found, UnusableGpu)
    assert "nvidia-modprobe -u -c 3" in found.why
    device_files(tmp_path, StandInGpu(minor=3))
    (tmp_path / "nvidia-uvm-tools").unlink()
    assert [file.name for file in the_gpu(nvml).devices] == ["nvidia3", "nvidiactl", "nvidia-uvm"]


def test_what_a_gpu_does_is_told_as_far_as_the_driver_tells(tmp_path):
    gpu = StandInGpu(used=2 * GIB, utilisation=40, processes={7: GIB, 8: None}, busy={7: 35})
    nvml = stand_in(tmp_path, gpu)
    load = nvml.load(the_gpu(nvml))
    assert (load.used_bytes, load.free_bytes, load.utilisation) == (2 * GIB, 22 * GIB, 0.4)
    assert (load.processes, load.busy, load.until) == ({7: GIB, 8: None}, {7: 0.35}, 1)
    gpu.busy = {}
    assert nvml.load(the_gpu(nvml), load.until).busy == {}, "nobody used it since then"
    gpu.refuses = dict.fromkeys(("processes", "busy", "utilisation"), NO_PERMISSION)
    load = nvml.load(the_gpu(nvml))
    assert (load.processes, load.busy, load.utilisation) == (None, None, None)


def test_a_gpu_that_is_lost_later_raises(tmp_path):
    gpu = StandInGpu()
    nvml = stand_in(tmp_path, gpu)
    known = the_gpu(nvml)
    gpu.is_lost = True
    with pytest.raises(GpuError, match="GPU 0 cannot be read: the GPU has fallen off the bus"):
        nvml.load(known)


# What is in a room ------------------------------------------------------------------------------------


@pytest.mark.parametrize("index", [0, 1])
def test_exactly_the_devices_of_the_assigned_gpu_are_bound(tmp_path, index):
    gpu = the_gpu(stand_in(tmp_path, *TWO), index)
    shared = {
        f"/dev/{name}": str(tmp_path / name) for name in ("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools")
    }
    own = f"nvidia{TWO[index].minor}"
    for command in (room_of(gpu, tmp_path), parent_command(tmp_path, tmp_path, ["true"], gpu)):
        places = binds(command)
        assert set(places) == {*shared, f"/dev/{own}"}
        if command[0].endswith("bwrap"):
            assert places == {**shared, f"/dev/{own}": str(tmp_path / own)}
        last = max(at for at, word in enumerate(command) if word == "--dev-bind")
        assert command.index("--remount-ro", last) == last + 3, "nothing can be added afterwards"


def test_a_room_without_a_gpu_has_no_device_of_one(tmp_path):
    assert binds(room_of(None, tmp_path)) == {}
    assert binds(parent_command(tmp_path, tmp_path, ["true"])) == {}
    assert room_environment()["CUDA_VISIBLE_DEVICES"] == "-1"


def test_cuda_is_told_the_gpu_by_its_own_name_and_takes_memory_as_it_needs(tmp_path):
    environment = room_environment(gpu=the_gpu(stand_in(tmp_path, *TWO), 1))
    assert environment["CUDA_VISIBLE_DEVICES"] == "GPU-3"
    assert environment["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"


def test_the_loader_is_told_where_nvidias_wheels_have_put_cuda(tmp_path, monkeypatch):
    wheels = tmp_path / "site-packages" / "nvidia"
    for package in ("cusolver", "cuda_nvrtc"):
        (wheels / package / "lib").mkdir(parents=True)
    (wheels / "cusolver" / "include").mkdir()
    monkeypatch.syspath_prepend(str(wheels.parent))
    environment = room_environment(gpu=the_gpu(stand_in(tmp_path, StandInGpu())))
    folders = environment["LD_LIBRARY_PATH"].split(":")
    assert [folder for folder in folders if folder.startswith(str(wheels))] == [
        str(wheels / "cuda_nvrtc" / "lib"),
        str(wheels / "cusolver" / "lib"),
    ]


def test_the_drivers_libraries_are_bound_where_the_system_does_not_have_them(tmp_path):
    libraries = tmp_path / "driver"
    libraries.mkdir()
    for name in ("libnvidia-ml.so.1", "libcuda.so.1", "libcuda.so.550.54", "a-secret", "libother.so"):
        (libraries / name).touch()
    maps = tmp_path / "maps"
    gpu = StandInGpu()
    devices = device_files(tmp_path, gpu)

    def libraries_in(folder: str) -> list[str]:
        maps.write_text(
            f"7f00-7f01 r-xp 0 08:01 42    {folder}/libnvidia-ml.so.550.54\n7f02-7f03 rw-p 0 00:00 0 [heap]\n"
        )
        found = the_gpu(Nvml(StandInLibrary(gpu), devices, maps))
        command = room_of(found, tmp_path)
        bound = [
            command[at + 2]
            for at, word in enumerate(command)
            if word == "--ro-bind" and Path(command[at + 1]).parent == libraries
        ]
        told = room_environment(gpu=found).get("LD_LIBRARY_PATH", "").split(":")
        assert (folder in told) == bool(bound)
        return [Path(file).name for file in bound]

    assert libraries_in("/usr/lib/x86_64-linux-gnu") == []
    assert libraries_in(str(libraries)) == ["libcuda.so.1", "libcuda.so.550.54", "libnvidia-ml.so.1"]


def test_no_limit_is_put_on_addresses_which_cuda_reserves_by_the_terabyte():
    assert {"RLIMIT_AS", "RLIMIT_DATA", "RLIMIT_MEMLOCK"} & set(
        process_limits(Limits(), has_own_users=True)
    ) == set()


def test_the_filter_lets_the_drivers_calls_through(in_room):
    """A device that does not know a call answers so; the filter would answer that it is not permitted."""
    escapes, uvm_initialise, uvm_register = 0xC020462A, 0x30000001, 37
    program = (
        "import fcntl, json\nanswers = []\n"
        f"for call in {[escapes, uvm_initialise, uvm_register, 0x5412]}:\n"
        "    try:\n        fcntl.ioctl(open('/dev/null'), call, bytearray(64))\n"
        "    except OSError as error:\n        answers.append(error.errno)\n"
        "print(json.dumps(answers))"
    )
    assert json.loads(in_room(program)) == [errno.ENOTTY] * 3 + [errno.EPERM]
