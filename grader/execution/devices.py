"""Which devices runs get: the processors, or shares of GPUs of one model, so that a class is run alike."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import zip_longest
from typing import Annotated

from pydantic import Field

from grader.errors import GpuError, UsageError
from grader.execution.slots import Slot, Slots, cpu_slots
from grader.model import CPU, Record
from grader.sandbox.gpu_trial import check_gpu
from grader.sandbox.gpus import NO_CUDA, Gpu, Nvml, UnusableGpu, has_driver, open_nvml, tensorflow_has_cuda

SHARE_BYTES = 4 * 1024**3  # of a GPU's memory for each of its jobs, where nobody says how many
LEAST_SHARE_BYTES = 2 * 1024**3  # CUDA itself takes some 500 MB of it

log = logging.getLogger(__name__)


class GpuChoice(Record):
    """Which GPUs may be used, by index: None for all that can be, () for none; and how many jobs on each.

    `jobs_each` None: as many as have `SHARE_BYTES` of its free memory each.
    """

    indices: tuple[int, ...] | None = None
    jobs_each: Annotated[int, Field(ge=1)] | None = None

    @property
    def is_none(self) -> bool:
        """Whether no GPU may be used."""
        return self.indices == ()


NO_GPUS = GpuChoice(indices=())


def parse_choice(gpus: str | None, jobs_each: int | None) -> GpuChoice:
    """The choice that the options `--gpus` and `--jobs-per-gpu` make. Raises `UsageError`."""
    if gpus is None:
        return GpuChoice(jobs_each=jobs_each)
    if gpus == "none":
        if jobs_each is not None:
            raise UsageError("--jobs-per-gpu says nothing with --gpus none: leave one of them out.")
        return NO_GPUS
    numbers = [number.strip() for number in gpus.split(",")]
    if not all(number.isdecimal() and number.isascii() for number in numbers):
        raise UsageError(f"--gpus names {gpus!r}: give numbers as `grade doctor` lists them (0,1), or none.")
    return GpuChoice(indices=tuple(dict.fromkeys(map(int, numbers))), jobs_each=jobs_each)


class Devices:
    """The devices of one grading. `kind` is `CPU` or the model of its GPUs, and part of every run's key."""

    def __init__(
        self,
        gpus: Sequence[Gpu] = (),
        nvml: Nvml | None = None,
        choice: GpuChoice = NO_GPUS,
        check: Callable[[Gpu], None] = check_gpu,
    ) -> None:
        self.kind = gpus[0].model if gpus else CPU
        self.gpus = tuple(gpus)
        self._nvml = nvml
        self._choice = choice
        self._check = check

    @property
    def nvml(self) -> Nvml:
        """What tells of the GPUs; only where there are some."""
        assert self._nvml is not None
        return self._nvml

    def slots(self, at_once: int | None, by_default: Callable[[], int]) -> Slots:
        """As many slots as `at_once` says; None: as the GPUs and the machine (`by_default`) allow.

        Where GPUs were not named, those with too little free memory are left out. Raises `GpuError` when a
        named one has too little, or no other one has enough.
        """
        if not self.gpus:
            return cpu_slots(at_once or by_default())
        at_most = at_once or (None if self._choice.jobs_each else by_default())
        shares: list[list[Slot]] = []
        refused: list[str] = []
        for gpu in self.gpus:
            try:
                shares.append(self._shares(gpu, at_most))
            except GpuError as error:
                if self._choice.indices is not None:
                    raise
                refused.append(str(error))
        if not shares:
            raise GpuError(" ".join(refused))
        taking_turns = [slot for turn in zip_longest(*shares) for slot in turn if slot is not None]
        return Slots([slot._replace(number=number) for number, slot in enumerate(taking_turns[:at_most])])

    def check(self) -> None:
        """Raise `GpuError`, with the mend, unless a room with each GPU sees it and no other."""
        for gpu in self.gpus:
            self._check(gpu)

    def close(self) -> None:
        """Let go of NVML."""
        if self._nvml is not None:
            self._nvml.close()

    def _shares(self, gpu: Gpu, at_most: int | None) -> list[Slot]:
        free = self.nvml.load(gpu).free_bytes
        wanted = self._choice.jobs_each
        count = wanted or max(1, min(free // SHARE_BYTES, at_most or 1))
        if free // count < LEAST_SHARE_BYTES:
            jobs = f"{count} jobs" if count > 1 else "a job"
            raise GpuError(
                f"GPU {gpu.index} has {_gib(free)} of {_gib(gpu.memory_bytes)} free, and {jobs} would need "
                f"{_gib(count * LEAST_SHARE_BYTES)}: end what uses it, "
                f"{'ask for fewer with --jobs-per-gpu, ' if count > 1 else ''}or grade with --gpus none."
            )
        return [Slot(0, gpu, free // count, is_shared=count > 1)] * count


def choose_devices(
    choice: GpuChoice,
    *,
    open_library: Callable[[], Nvml] = open_nvml,
    has_driver: Callable[[], bool] = has_driver,
    has_cuda: Callable[[], bool] = tensorflow_has_cuda,
    check: Callable[[Gpu], None] = check_gpu,
) -> Devices:
    """The devices that `choice` means on this machine.

    GPUs that were named and cannot be used raise `GpuError` or `UsageError` with the mend. Where none was
    named, what cannot be used is left out with a warning.
    """
    if choice.is_none or (choice.indices is None and not has_driver()):
        return Devices()
    nvml = None
    try:
        if not has_cuda():
            raise GpuError(NO_CUDA)
        nvml = open_library()
        gpus = _chosen(nvml.look(), choice.indices)
    except GpuError as error:
        if nvml is not None:
            nvml.close()
        if choice.indices is not None:
            raise
        log.warning("Notebooks run on the processors only. %s", error)
        return Devices()
    return Devices(gpus, nvml, choice, check)


def _chosen(found: Sequence[Gpu | UnusableGpu], indices: tuple[int, ...] | None) -> list[Gpu]:
    """The GPUs with `indices`, or of all those of the most frequent model (the largest at a tie)."""
    usable = [gpu for gpu in found if isinstance(gpu, Gpu)]
    if indices is None:
        if not usable:
            raise GpuError(" ".join(_whys(found)) or "NVML finds no GPU.")
        count = Counter(gpu.model for gpu in usable)
        model = max(usable, key=lambda gpu: (count[gpu.model], gpu.memory_bytes)).model
        left_out = [*_whys(found)]
        left_out += [
            f"GPU {gpu.index} is a {gpu.model}, not a {model}." for gpu in usable if gpu.model != model
        ]
        if left_out:
            log.warning("Some GPUs are not used. %s", " ".join(left_out))
        return [gpu for gpu in usable if gpu.model == model]
    by_index = {gpu.index: gpu for gpu in found}
    if missing := [str(index) for index in indices if index not in by_index]:
        there = ", ".join(map(str, by_index)) or "none"
        raise UsageError(f"--gpus names {', '.join(missing)}; the GPUs of this machine are: {there}.")
    named = [by_index[index] for index in indices]
    if whys := _whys(named):
        raise GpuError(" ".join(whys))
    chosen = [gpu for gpu in named if isinstance(gpu, Gpu)]
    if len({gpu.model for gpu in chosen}) > 1:
        models = ", ".join(f"{gpu.index} is a {gpu.model}" for gpu in chosen)
        raise UsageError(f"--gpus names GPUs of several models ({models}): grade a class on one model.")
    return chosen


def _whys(found: Iterable[Gpu | UnusableGpu]) -> list[str]:
    return [gpu.why for gpu in found if isinstance(gpu, UnusableGpu)]


def _gib(amount: int) -> str:
    return f"{amount / 1024**3:.1f} GiB"
