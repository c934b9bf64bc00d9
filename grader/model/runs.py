"""What one run may use, and what came of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from grader.model.record import Record

CPU = "cpu"  # the kind of device of a run without a GPU


class RunStatus(StrEnum):
    """How the run of a notebook ended."""

    COMPLETED = "completed"
    CELL_FAILED = "cell_failed"
    CUT_SHORT = "cut_short"
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"
    TOO_MUCH_CPU = "too_much_cpu"
    TOO_MUCH_DISK = "too_much_disk"
    TOO_MUCH_OUTPUT = "too_much_output"
    TOO_MANY_PROCESSES = "too_many_processes"
    TOO_MANY_FILES = "too_many_files"  # open at a time, in one process
    KERNEL_DIED = "kernel_died"
    LOST = "lost"  # our machinery failed; never reused, never held against a student


class CellStatus(StrEnum):
    """How one code cell of a run ended."""

    OK = "ok"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    NOT_RUN = "not_run"


class KerasFlavour(StrEnum):
    """Which Keras a run used: the one TensorFlow ships with, or `tf-keras` (Keras 2)."""

    KERAS_3 = "keras_3"
    LEGACY = "legacy"


class DatasetOrigin(StrEnum):
    """Where the data in the room came from."""

    REAL = "real"
    STAND_IN = "stand_in"


class Limits(Record):
    """What one run may use. At `wall_seconds` the running cell is interrupted; the cells after it
    share `reserve_seconds`; then the room is killed.

    `cpu_seconds`, `memory_bytes` (files in the room included), `disk_bytes` and `processes` are over all
    that runs in the room; `open_files` is for each process. TensorFlow uses every core, so `cpu_seconds`
    grows with the machine.
    """

    wall_seconds: Annotated[float, Field(gt=0)] = 300.0
    reserve_seconds: Annotated[float, Field(gt=0)] = 60.0
    cpu_seconds: Annotated[float, Field(gt=0)] = 3600.0
    memory_bytes: Annotated[int, Field(gt=0)] = 4 * 1024**3
    disk_bytes: Annotated[int, Field(gt=0)] = 1024**3
    output_bytes: Annotated[int, Field(gt=0)] = 20 * 1024**2
    processes: Annotated[int, Field(gt=0)] = 512
    open_files: Annotated[int, Field(ge=256)] = 2048


class Isolation(StrEnum):
    """What stands between a student's code and the machine."""

    BUBBLEWRAP = "bubblewrap"
    NONE = "none"  # only where a person asked for it by name


class DatasetUse(Record):
    """One data set as the room had it. `sha256` is over the bytes of its files, in name order."""

    name: str
    origin: DatasetOrigin
    sha256: str


class CellRun(Record):
    """One code cell of a run. `error` is `Name: message`, on one line, cut."""

    cell: Annotated[int, Field(ge=1)]
    status: CellStatus
    seconds: Annotated[float, Field(ge=0)] = 0.0
    error: str | None = None


class Mend(Record):
    """A change that the room made so that code written for older versions still runs.

    `text` is a sentence for the report; `cell` is where it was first needed, None if unknown.
    """

    name: str
    text: str
    cell: int | None = None


class GpuUse(Record):
    """What was seen of the GPU that a run had a share of. `index` is NVML's number of it at that time.

    `utilisation` is the mean over the run, in [0, 1]. What is not `is_own` is of the whole device, whoever
    used it: the driver did not tell the run's own part. None: the driver did not tell that at all.
    """

    index: Annotated[int, Field(ge=0)]
    driver: str
    peak_memory_bytes: Annotated[int, Field(ge=0)] | None = None
    is_own_memory: bool = False
    utilisation: Annotated[float, Field(ge=0, le=1)] | None = None
    is_own_utilisation: bool = False


class Run(Record):
    """What came of running one job. The executed notebook lies beside it in the store.

    `device` is the kind of device that it had, `CPU` or the model of a GPU, and part of the key. The figures
    of what was used are sampled, None where that was not done.
    """

    key: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    status: RunStatus
    cells: tuple[CellRun, ...] = ()
    wall_seconds: Annotated[float, Field(ge=0)] = 0.0
    peak_rss_bytes: int | None = None
    cpu_seconds: Annotated[float, Field(ge=0)] | None = None
    device: str = CPU
    gpu: GpuUse | None = None
    seed: int
    keras: KerasFlavour = KerasFlavour.KERAS_3
    datasets: tuple[DatasetUse, ...] = ()
    limits: Limits
    limits_in_force: tuple[str, ...] = ()
    isolation: Isolation = Isolation.BUBBLEWRAP
    versions: dict[str, str] = Field(default_factory=dict)
    mends: tuple[Mend, ...] = ()
    missing_modules: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def failed_cells(self) -> tuple[CellRun, ...]:
        """The code cells that raised, in order."""
        return tuple(cell for cell in self.cells if cell.status is CellStatus.FAILED)
