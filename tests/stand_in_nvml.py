"""A stand-in for `pynvml` (the package nvidia-ml-py), so that GPUs can be tried where there are none."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from grader.sandbox.gpus import CONTROL, Nvml

GIB = 1024**3
NOT_SUPPORTED, NO_PERMISSION, NOT_FOUND, NO_DRIVER, NO_LIBRARY, LOST, MISMATCH = 3, 4, 6, 9, 12, 15, 18


class NvmlError(Exception):
    """As `pynvml.NVMLError`: it carries NVML's number."""

    def __init__(self, value: int) -> None:
        super().__init__(f"error {value}")
        self.value = value


@dataclass
class StandInGpu:
    """A GPU whose state a test can change while it is looked at.

    `refuses` maps the name of a function to the number of the error that it raises. `processes` is None
    where the driver lists none.
    """

    minor: int = 0
    model: str = "Stand-in 24"
    total: int = 24 * GIB
    used: int = GIB // 2
    utilisation: int = 0
    processes: dict[int, int | None] | None = field(default_factory=dict)
    busy: dict[int, int] = field(default_factory=dict)
    has_mig: bool = False
    refuses: dict[str, int] = field(default_factory=dict)
    is_lost: bool = False

    @property
    def uuid(self) -> str:
        return f"GPU-{self.minor}"


class StandInLibrary:
    """What is used of `pynvml`."""

    NVMLError = NvmlError

    def __init__(self, *gpus: StandInGpu, starts_with: int = 0) -> None:
        self.gpus = gpus
        self.is_open = False
        self._starts_with = starts_with

    def nvmlInit(self) -> None:
        if self._starts_with:
            raise NvmlError(self._starts_with)
        self.is_open = True

    def nvmlShutdown(self) -> None:
        self.is_open = False

    def nvmlSystemGetDriverVersion(self) -> str:
        return "550.54"

    def nvmlDeviceGetCount(self) -> int:
        return len(self.gpus)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> StandInGpu:
        return self._asked(self.gpus[index], "handle")

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> StandInGpu:
        [gpu] = [gpu for gpu in self.gpus if gpu.uuid == uuid]
        return self._asked(gpu, "handle")

    def nvmlDeviceGetUUID(self, gpu: StandInGpu) -> str:
        return self._asked(gpu, "uuid").uuid

    def nvmlDeviceGetName(self, gpu: StandInGpu) -> str:
        return self._asked(gpu, "name").model

    def nvmlDeviceGetMinorNumber(self, gpu: StandInGpu) -> int:
        return self._asked(gpu, "minor").minor

    def nvmlDeviceGetMigMode(self, gpu: StandInGpu) -> list[int]:
        return [int(self._asked(gpu, "mig").has_mig)] * 2

    def nvmlDeviceGetMemoryInfo(self, gpu: StandInGpu) -> Any:
        self._asked(gpu, "memory")
        return SimpleNamespace(total=gpu.total, used=gpu.used, free=gpu.total - gpu.used)

    def nvmlDeviceGetUtilizationRates(self, gpu: StandInGpu) -> Any:
        return SimpleNamespace(gpu=self._asked(gpu, "utilisation").utilisation)

    def nvmlDeviceGetComputeRunningProcesses(self, gpu: StandInGpu) -> list[Any]:
        processes = self._asked(gpu, "processes").processes
        if processes is None:
            raise NvmlError(NO_PERMISSION)
        return [SimpleNamespace(pid=pid, usedGpuMemory=held) for pid, held in processes.items()]

    def nvmlDeviceGetProcessUtilization(self, gpu: StandInGpu, since: int) -> list[Any]:
        busy = self._asked(gpu, "busy").busy
        if not busy:
            raise NvmlError(NOT_FOUND)
        return [SimpleNamespace(pid=pid, smUtil=part, timeStamp=since + 1) for pid, part in busy.items()]

    def _asked(self, gpu: StandInGpu, what: str) -> StandInGpu:
        if gpu.is_lost:
            raise NvmlError(LOST)
        if what in gpu.refuses:
            raise NvmlError(gpu.refuses[what])
        return gpu


def device_files(folder: Path, *gpus: StandInGpu) -> Path:
    """A folder with stand-ins of the device files that a driver makes: each holds its own name."""
    folder.mkdir(exist_ok=True)
    for name in (CONTROL, "nvidia-uvm", "nvidia-uvm-tools", *(f"nvidia{gpu.minor}" for gpu in gpus)):
        (folder / name).write_text(name)
    return folder


def stand_in(folder: Path, *gpus: StandInGpu) -> Nvml:
    """NVML that tells of `gpus`, whose device files lie in `folder`."""
    return Nvml(StandInLibrary(*gpus), device_files(folder, *gpus))
