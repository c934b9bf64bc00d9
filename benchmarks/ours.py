"""What `grade` takes for the notebooks of the benchmark: seconds, memory, and what is left behind."""

from __future__ import annotations

import asyncio
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

from grader.course import Course
from grader.datasets.finding import dataset_names, find_dataset
from grader.execution.jobs import CodeCell, Job
from grader.execution.local import LocalExecutor
from grader.execution.room_run import room_spec, run_in_room
from grader.intake.submissions import read_submissions
from grader.model import Limits, Run, RunStatus, Submission
from grader.notebook.reading import read_notebook
from grader.provisions import Provisions
from grader.rubric import read_rubric
from grader.sandbox.parent import KernelParent
from grader.sandbox.rooms import OpenRooms, Room, rooms_folder
from grader.sandbox.sources import RoomSource

REPOSITORY = Path(__file__).resolve().parents[1]
LIMITS = Limits(wall_seconds=240, reserve_seconds=10)
IMPORTS = ("import tensorflow as tf",)
TRAINING = (
    "import numpy as np\nimport tensorflow as tf\n"
    "x = np.random.rand(4000, 64).astype('float32')\ny = (x.sum(1) > 32).astype('int64')",
    "w = tf.Variable(tf.random.normal([64, 2]) * 0.1)\nb = tf.Variable(tf.zeros([2]))\n"
    "@tf.function\ndef step(images, labels):\n    with tf.GradientTape() as tape:\n"
    "        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, images @ w + b))\n"
    "    for weight, slope in zip((w, b), tape.gradient(loss, (w, b))):\n"
    "        weight.assign_sub(0.5 * slope)\n"
    "    return loss",
    "for images, labels in tf.data.Dataset.from_tensor_slices((x, y)).shuffle(4000).batch(100).repeat(5):\n"
    "    loss = step(images, labels)\nprint(float(loss))",
)
_SAMPLED_EVERY = 0.1  # seconds


class Taken(NamedTuple):
    """Seconds of one notebook: from the wish to run it until nothing of it is left, and in its cells."""

    wall: float
    cells: float

    @property
    def beyond(self) -> float:
        """What was not the notebook's own."""
        return self.wall - self.cells


def a_job(sources: Sequence[str], number: int) -> Job:
    """The job of one hand-in; `number` makes its code different from all others."""
    cells = [CodeCell(number=n, source=source) for n, source in enumerate((*sources, f"# {number}"), start=1)]
    return Job(submission=f"s{number}", cells=tuple(cells), folder=Path(), limits=LIMITS)


def taken(run: Run) -> Taken:
    """What a run took; stops the benchmark where it did not complete."""
    if run.status is not RunStatus.COMPLETED:
        raise SystemExit(f"a run ended {run.status.value}: {run.remarks} {run.failed_cells}")
    return Taken(run.wall_seconds, sum(cell.seconds for cell in run.cells))


def one_after_another(source: RoomSource, jobs: Sequence[Job]) -> list[Taken]:
    """What runs in rooms from `source` take, the first one aside."""
    return [taken(asyncio.run(run_in_room(job, source, OpenRooms())).run) for job in jobs][1:]


class Reference:
    """Assignment 1's reference solution, with the real data sets of the folder `data`, or stand-ins for them.

    `keras_home` is a folder in which Keras finds the real ones, for graders that know of none.
    """

    def __init__(self, folder: Path, data: Path | None) -> None:
        rubric = read_rubric(REPOSITORY / "rubrics" / "a1.yaml", datasets=dataset_names())
        path = REPOSITORY / "reference_solutions" / "a1" / "solution.ipynb"
        self._provisions = Provisions(rubric, Course(root=folder), data)
        [submission] = read_submissions(path, assignment="a1", workspace=folder)
        assert isinstance(submission, Submission)
        self._submission, self._notebook = submission, read_notebook(path.read_bytes())
        self.sources = [cell.source for cell in self._notebook.code_cells]
        self.keras_home = folder / "keras"
        for name in rubric.datasets if data is not None else ():
            for path, file in find_dataset(name, data=data, course_data=None, cache=folder).files:
                (self.keras_home / path).parent.mkdir(parents=True, exist_ok=True)
                (self.keras_home / path).symlink_to(file)

    def jobs(self, count: int) -> list[Job]:
        """Jobs that run it and measure all its models, each with other seeds."""
        return [self._provisions.job(self._submission, self._notebook, repeat) for repeat in range(count)]


@contextmanager
def reference(data: Path | None) -> Iterator[Reference]:
    """The reference in a course of its own, which is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        yield Reference(Path(folder), data)


def a_class(size: int, at_once: int | None = None) -> float:
    """Seconds of a class of small trainings, with all that starts before the first."""
    with closing(LocalExecutor(at_once)) as executor:
        begin = time.perf_counter()
        for done in executor.execute(a_job(TRAINING, number) for number in range(size)):
            taken(done.run)
        return time.perf_counter() - begin


def peak_memory(work: Callable[[], object]) -> int:
    """The most bytes that the processes which `work` starts had at one moment, shared pages shared out."""
    most, is_over = 0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not is_over.wait(_SAMPLED_EVERY):
            most = max(most, sum(map(_proportional, psutil.Process().children(recursive=True))))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        work()
    finally:
        is_over.set()
        watching.join()
    return most


def _proportional(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:  # it has just ended
        return 0


def idle_kernels(count: int) -> list[int]:
    """Bytes of its own that each of some idle kernels has, all open at the same time."""
    parent = KernelParent()
    rooms = [parent.room(room_spec(a_job((), number))) for number in range(count)]
    try:
        for room in rooms:
            room.start()
        time.sleep(2)
        return [_own_memory(room) for room in rooms]
    finally:
        for room in rooms:
            room.close()
        parent.close()


def _own_memory(room: Room) -> int:
    """Bytes that no other process has a part in, of all processes of a forked room."""
    assert room.process is not None
    first = psutil.Process(room.process.pid)
    return sum(process.memory_full_info().uss for process in (first, *first.children(recursive=True)))


def left_behind() -> list[str]:
    """Processes and folders of ours that are still there."""
    processes = [child.name() for child in psutil.Process().children(recursive=True)]
    return processes + [path.name for path in rooms_folder().glob(f"grader-room-{os.getpid()}-*")]
