"""The GPUs of this machine, as NVIDIA's management library (NVML) tells of them.

The library is imported when it is first needed, speaks to the driver without CUDA, and is handed in where a
test has one of its own. Nothing here starts anything on a GPU.
"""

from __future__ import annotations

import ctypes.util
import importlib
import importlib.util
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple, Protocol, cast

from grader.errors import GpuError
from grader.model import Record

DEVICES = Path("/dev")
CONTROL = "nvidiactl"
_SHARED_DEVICES = (CONTROL, "nvidia-uvm", "nvidia-uvm-tools")
_OPTIONAL_DEVICES = ("nvidia-uvm-tools",)
_LIBRARIES = ("libcuda.so*", "libcudadebugger.so*", "libnvidia-*.so*", "libnvcuvid.so*")
_MAPPED = re.compile(r"\s(/\S*)/libnvidia-ml\.so[.\d]*$", re.MULTILINE)

NO_CUDA = (
    "TensorFlow has no CUDA libraries here: run `pip install 'tensorflow[and-cuda]'`, or grade with "
    "`--gpus none`."
)

_NOT_SUPPORTED, _NO_PERMISSION, _NOT_FOUND, _NO_DRIVER, _NO_LIBRARY = 3, 4, 6, 9, 12
_LOST, _RESET_REQUIRED, _MISMATCH = 15, 16, 18
_MENDS = {
    _NO_PERMISSION: "this user may not ask the driver: add it to the group that owns /dev/nvidiactl",
    _NO_DRIVER: "NVIDIA's driver is not loaded: run `sudo modprobe nvidia`, or restart the machine",
    _NO_LIBRARY: "the driver's library libnvidia-ml.so.1 is not installed: install the whole driver",
    _LOST: "the GPU has fallen off the bus: restart the machine",
    _RESET_REQUIRED: "the GPU has to be reset: restart the machine",
    _MISMATCH: "the driver's library and its kernel module are of different versions: restart the machine",
}


class NvmlLibrary(Protocol):
    """What is used of the module `pynvml` (package `nvidia-ml-py`), with its names."""

    NVMLError: type[Exception]

    def nvmlInit(self) -> None: ...
    def nvmlShutdown(self) -> None: ...
    def nvmlSystemGetDriverVersion(self) -> str: ...
    def nvmlDeviceGetCount(self) -> int: ...
    def nvmlDeviceGetHandleByIndex(self, index: int) -> Any: ...
    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> Any: ...
    def nvmlDeviceGetUUID(self, handle: Any) -> str: ...
    def nvmlDeviceGetName(self, handle: Any) -> str: ...
    def nvmlDeviceGetMinorNumber(self, handle: Any) -> int: ...
    def nvmlDeviceGetMigMode(self, handle: Any) -> Sequence[int]: ...
    def nvmlDeviceGetMemoryInfo(self, handle: Any) -> Any: ...
    def nvmlDeviceGetUtilizationRates(self, handle: Any) -> Any: ...
    def nvmlDeviceGetComputeRunningProcesses(self, handle: Any) -> Sequence[Any]: ...
    def nvmlDeviceGetProcessUtilization(self, handle: Any, since: int) -> Sequence[Any]: ...


class Gpu(Record):
    """One GPU that rooms can use. `index` is NVML's number of it now, `uuid` its own for ever.

    `devices` are the host's files of it and of the driver, which a room finds in `/dev` under the same names;
    `libraries` are the driver's, where the room would not have them anyway.
    """

    index: int
    uuid: str
    model: str
    memory_bytes: int
    devices: tuple[Path, ...]
    libraries: tuple[Path, ...] = ()


class UnusableGpu(Record):
    """A GPU that rooms cannot use, and the sentence that says why."""

    index: int
    why: str


class GpuLoad(NamedTuple):
    """What a GPU does now. `utilisation` is the fraction of the last moments in which it was busy.

    `processes` are the bytes that each process holds (None where the driver does not say), by process id;
    None where the driver lists no processes. `busy` is the utilisation by process id, None likewise, up to
    the driver's time `until`.
    """

    used_bytes: int
    free_bytes: int
    utilisation: float | None
    processes: dict[int, int | None] | None
    busy: dict[int, float] | None
    until: int


class Nvml:
    """Asks NVML. `devices` is the folder of the host's device files, `maps` what this process has loaded.

    Every method raises `GpuError`, with the mend, where the library fails.
    """

    def __init__(
        self, library: NvmlLibrary, devices: Path = DEVICES, maps: Path = Path("/proc/self/maps")
    ) -> None:
        self._library = library
        self._devices = devices
        self._maps = maps
        with self._told("The GPUs of this machine cannot be asked for"):
            library.nvmlInit()

    def close(self) -> None:
        """Let go of the library."""
        with self._told("NVML cannot be left"):
            self._library.nvmlShutdown()

    @property
    def driver(self) -> str:
        """The version of the driver."""
        with self._told("The driver's version cannot be read"):
            return str(self._library.nvmlSystemGetDriverVersion())

    def look(self) -> list[Gpu | UnusableGpu]:
        """All GPUs there are, in the order of their index."""
        with self._told("The GPUs of this machine cannot be counted"):
            count = self._library.nvmlDeviceGetCount()
        return [self._one(index) for index in range(count)]

    def load(self, gpu: Gpu, since: int = 0) -> GpuLoad:
        """What `gpu` does now; `busy` tells of the time since an earlier load's `until`."""
        nvml = self._library
        with self._told(f"GPU {gpu.index} cannot be read"):
            handle = nvml.nvmlDeviceGetHandleByUUID(gpu.uuid)
            memory = nvml.nvmlDeviceGetMemoryInfo(handle)
            rates = self._if_told(lambda: nvml.nvmlDeviceGetUtilizationRates(handle))
            processes = self._if_told(lambda: nvml.nvmlDeviceGetComputeRunningProcesses(handle))
            samples = self._if_told(lambda: self._busy(handle, since))
        return GpuLoad(
            used_bytes=int(memory.used),
            free_bytes=int(memory.free),
            utilisation=None if rates is None else rates.gpu / 100,
            processes=None if processes is None else {one.pid: one.usedGpuMemory for one in processes},
            busy=None if samples is None else {one.pid: one.smUtil / 100 for one in samples},
            until=max((one.timeStamp for one in samples or ()), default=since),
        )

    def _one(self, index: int) -> Gpu | UnusableGpu:
        nvml = self._library
        try:
            with self._told(f"GPU {index} cannot be used"):
                handle = nvml.nvmlDeviceGetHandleByIndex(index)
                mode = self._if_told(lambda: nvml.nvmlDeviceGetMigMode(handle))
                if mode is not None and mode[0]:
                    raise GpuError(
                        f"GPU {index} is divided into instances (MIG), which rooms cannot be given: turn "
                        f"that off with `sudo nvidia-smi -i {index} -mig 0`, or name other GPUs."
                    )
                return Gpu(
                    index=index,
                    uuid=str(nvml.nvmlDeviceGetUUID(handle)),
                    model=str(nvml.nvmlDeviceGetName(handle)),
                    memory_bytes=int(nvml.nvmlDeviceGetMemoryInfo(handle).total),
                    devices=self._device_files(index, nvml.nvmlDeviceGetMinorNumber(handle)),
                    libraries=self._libraries(),
                )
        except GpuError as error:
            return UnusableGpu(index=index, why=str(error))

    def _device_files(self, index: int, minor: int) -> tuple[Path, ...]:
        files = [self._devices / name for name in (f"nvidia{minor}", *_SHARED_DEVICES)]
        missing = [file for file in files if not file.exists()]
        if needed := [str(file) for file in missing if file.name not in _OPTIONAL_DEVICES]:
            raise GpuError(
                f"GPU {index} has no device file {' and '.join(needed)}: run `nvidia-modprobe -u -c {minor}`."
            )
        return tuple(file for file in files if file not in missing)

    def _libraries(self) -> tuple[Path, ...]:
        """The driver's libraries beside the loaded `libnvidia-ml.so`, where that is not below `/usr`."""
        found = _MAPPED.search(self._maps.read_text("utf-8", "replace"))
        if found is None or Path(found[1]).is_relative_to("/usr"):
            return ()
        return tuple(sorted({file for name in _LIBRARIES for file in Path(found[1]).glob(name)}))

    def _busy(self, handle: Any, since: int) -> Sequence[Any]:
        try:
            return self._library.nvmlDeviceGetProcessUtilization(handle, since)
        except self._library.NVMLError as error:
            if _number(error) != _NOT_FOUND:
                raise
            return ()  # NVML's answer where nobody used it

    def _if_told(self, ask: Callable[[], Any]) -> Any:
        """What `ask` returns, None where this GPU or this user is not told that."""
        try:
            return ask()
        except self._library.NVMLError as error:
            if _number(error) in (_NOT_SUPPORTED, _NO_PERMISSION):
                return None
            raise

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        try:
            yield
        except self._library.NVMLError as error:
            why = _MENDS.get(_number(error), f"NVML says: {error}")
            raise GpuError(f"{what}: {why}.") from error


def open_nvml() -> Nvml:
    """NVML as it is installed here. Raises `GpuError` where it is not, or where no driver answers."""
    try:
        library = importlib.import_module("pynvml")
    except ImportError as error:
        raise GpuError(
            "The GPUs of this machine cannot be asked for: run `pip install 'grader[gpu]'`, or grade with "
            "`--gpus none`."
        ) from error
    return Nvml(cast(NvmlLibrary, library))


def _number(error: Exception) -> int:
    """The number of an error of NVML's."""
    return int(getattr(error, "value", 0))


def has_driver(devices: Path = DEVICES) -> bool:
    """Whether NVIDIA's driver is there at all; cheap, and true where it is broken."""
    return (devices / CONTROL).exists()


def gpu_environment(gpu: Gpu | None) -> dict[str, str]:
    """The environment variables by which a room's programs see `gpu` and no other; None: no GPU."""
    if gpu is None:
        return {"CUDA_VISIBLE_DEVICES": "-1"}
    folders = dict.fromkeys([*(str(file.parent) for file in gpu.libraries), *_cuda_folders()])
    return {
        "CUDA_VISIBLE_DEVICES": gpu.uuid,
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        **({"LD_LIBRARY_PATH": ":".join(folders)} if folders else {}),
    }


def _cuda_folders() -> list[str]:
    """Where NVIDIA's wheels have put CUDA's libraries.

    TensorFlow 2.21 finds most of them by itself, but not cuSOLVER, without which it uses no GPU; and cuDNN 9
    does not find NVRTC. The loader has to be told.
    """
    spec = importlib.util.find_spec("nvidia")
    places = () if spec is None else spec.submodule_search_locations or ()
    return sorted(str(folder) for place in places for folder in Path(place).glob("*/lib"))


def tensorflow_has_cuda() -> bool:
    """Whether cuDNN is there, which TensorFlow needs for GPUs; nothing is imported for that."""
    for package in ("nvidia-cudnn-cu12", "nvidia-cudnn-cu13"):
        try:
            return bool(metadata.version(package))
        except metadata.PackageNotFoundError:
            continue
    return ctypes.util.find_library("cudnn") is not None
