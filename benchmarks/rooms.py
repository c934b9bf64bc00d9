"""How long notebooks take here beyond their own cells, and elsewhere: `make bench` writes docs/benchmarks.md.

The same notebooks go through rooms that are forked and rooms that start cold, plain nbclient, nbgrader and
otter-grader, the last two in environments that are made here (see `peers`) and see this one's TensorFlow.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import NamedTuple

import nbformat
import psutil
from nbclient import NotebookClient

sys.path.insert(0, str(Path(__file__).resolve().parent))

from peers.graders import Nbgrader, Otter, Peer, installed, version

from grader.course import Course
from grader.datasets.finding import dataset_names
from grader.execution.jobs import CodeCell, Job, installed_versions
from grader.execution.local import LocalExecutor
from grader.execution.room_run import room_spec, run_in_room
from grader.intake.submissions import read_submissions
from grader.model import Limits, Run, RunStatus, Submission
from grader.notebook.reading import read_notebook
from grader.provisions import Provisions
from grader.rubric import read_rubric
from grader.sandbox.parent import KernelParent
from grader.sandbox.rooms import OpenRooms, Room, rooms_folder
from grader.sandbox.sources import ColdRooms, ForkedRooms, KeptAhead, RoomSource

REPOSITORY = Path(__file__).resolve().parents[1]
MIB = 1024**2
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
NOTEBOOKS = {"only imports TensorFlow": IMPORTS, "a small training": TRAINING}


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


def one_after_another(source: RoomSource, sources: Sequence[str], repeats: int) -> list[Taken]:
    """Runs in rooms from `source`, a first one aside."""
    jobs = [a_job(sources, number) for number in range(repeats + 1)]
    return [taken(asyncio.run(run_in_room(job, source, OpenRooms())).run) for job in jobs][1:]


def the_reference(repeats: int) -> list[Taken]:
    """Runs of assignment 1's reference solution, our measurement included, each with other seeds."""
    rubric = read_rubric(REPOSITORY / "rubrics" / "a1.yaml", datasets=dataset_names())
    notebook = REPOSITORY / "reference_solutions" / "a1" / "solution.ipynb"
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, closing(KeptAhead(ForkedRooms())) as source:
        provisions = Provisions(rubric, Course(root=Path(folder)), None)
        [submission] = read_submissions(notebook, assignment="a1", workspace=Path(folder))
        assert isinstance(submission, Submission)
        written = read_notebook(notebook.read_bytes())
        jobs = [provisions.job(submission, written, repeat) for repeat in range(repeats + 1)]
        return [taken(asyncio.run(run_in_room(job, source, OpenRooms())).run) for job in jobs][1:]


def a_class(size: int) -> float:
    """Seconds of a class of small trainings, with all that starts before the first."""
    with closing(LocalExecutor()) as executor:
        begin = time.perf_counter()
        for done in executor.execute(a_job(TRAINING, number) for number in range(size)):
            taken(done.run)
        return time.perf_counter() - begin


def plain_nbclient(sources: Sequence[str]) -> float:
    """Seconds of one notebook with nbclient and nothing else."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    begin = time.perf_counter()
    NotebookClient(nbformat.v4.new_notebook(cells=cells), timeout=600, kernel_name="python3").execute()
    return time.perf_counter() - begin


def with_peer(peer: Peer, sources: Sequence[str], size: int) -> float:
    """Seconds that each further hand-in takes: `size` of them less one of them, so that no start counts."""

    def seconds(count: int) -> float:
        hand_ins = {
            f"s{n}": f"square = lambda x: x * x\n{chr(10).join(sources)}  # {n}" for n in range(count)
        }
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            begin = time.perf_counter()
            points = peer.grade(Path(folder), hand_ins, {})
            ended = time.perf_counter() - begin
        if any(not given for given in points.values()) or any(isinstance(p, str) for p in points.values()):
            raise SystemExit(f"{peer.package} could not grade the notebooks: {points}")
        return ended

    return (seconds(size) - seconds(1)) / (size - 1)


def let_it_see_tensorflow(peer: Peer, cache: Path) -> None:
    """Put this environment's packages behind the peer's own."""
    site = next((installed(peer, cache).parent / "lib").glob("python*/site-packages"))
    ours = next(Path(place) for place in sys.path if place.endswith("site-packages"))
    (site / "behind-its-own.pth").write_text(f"{ours}\n")


def own_memory(room: Room) -> int:
    """Bytes that no other process has a part in, of all processes of a forked room."""
    assert room.process is not None
    first = psutil.Process(room.process.pid)
    return sum(process.memory_full_info().uss for process in (first, *first.children(recursive=True)))


def idle_kernels(count: int) -> list[int]:
    """Bytes of its own that each of some idle kernels has, all open at the same time."""
    parent = KernelParent()
    rooms = [parent.room(room_spec(a_job((), number))) for number in range(count)]
    try:
        for room in rooms:
            room.start()
        time.sleep(2)
        return [own_memory(room) for room in rooms]
    finally:
        for room in rooms:
            room.close()
        parent.close()


def left_behind() -> list[str]:
    """Processes and folders of ours that are still there."""
    processes = [child.name() for child in psutil.Process().children(recursive=True)]
    return processes + [path.name for path in rooms_folder().glob(f"grader-room-{os.getpid()}-*")]


def median(values: Iterable[float]) -> float:
    """The median, to print."""
    return statistics.median(values)


def measured(options: argparse.Namespace) -> Iterable[str]:
    """The lines of the page."""
    sources: dict[str, Callable[[], RoomSource]] = {
        "forked": lambda: KeptAhead(ForkedRooms()),
        "cold": ColdRooms,
    }
    yield "| notebook | kernel | whole (s) | in its cells (s) | beyond them (s) |\n|---|---|---|---|---|"
    for kind, make in sources.items():
        with closing(make()) as source:
            for name, cells in NOTEBOOKS.items():
                found = one_after_another(source, cells, options.repeats)
                wall, own, beyond = (
                    median(getattr(one, part) for one in found) for part in ("wall", "cells", "beyond")
                )
                yield f"| {name} | {kind} | {wall:.2f} | {own:.2f} | {beyond:.2f} |"
    found = the_reference(options.repeats)
    wall, own, beyond = (median(getattr(one, part) for one in found) for part in ("wall", "cells", "beyond"))
    share = f"{100 * beyond / own:.0f} %"
    yield f"| the reference of assignment 1 | forked | {wall:.2f} | {own:.2f} | {beyond:.2f} ({share}) |"
    peers: list[Peer] = [] if options.only_ours else [Nbgrader(options.cache), Otter(options.cache)]
    for peer in peers:
        let_it_see_tensorflow(peer, options.cache)
    ways: dict[str, Callable[[], float]] = {
        "nbclient, one after another": lambda: plain_nbclient(TRAINING),
        **{
            f"{peer.package} {version(peer, options.cache)}": lambda peer=peer: with_peer(  # type: ignore[misc]
                peer, TRAINING, options.peer_size
            )
            for peer in peers
        },
    }
    size = options.class_size
    ours = median(a_class(size) for _ in range(options.repeats))
    yield f"\n| a class of {size} small trainings | per notebook (s) | all (s) | times ours |"
    yield "|---|---|---|---|"
    yield f"| `grade`, kernels forked, as many at once as it chooses | {ours / size:.2f} | {ours:.1f} | 1 |"
    for name, way in ways.items():
        each = median(way() for _ in range(options.repeats))
        yield f"| {name} | {each:.2f} | {each * size:.0f} | {each * size / ours:.1f} |"
    idle = idle_kernels(6)
    most = max(idle) / MIB
    yield f"\nAn idle forked kernel has {median(idle) / MIB:.0f} MiB of its own (largest of 6: {most:.0f})."
    left = left_behind()
    yield f"Left behind afterwards: {', '.join(left) or 'nothing'}."


def main(arguments: Sequence[str]) -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "grader-peers"
    parser.add_argument("--cache", type=Path, default=cache, help="where the other graders are installed")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--class-size", type=int, default=40)
    parser.add_argument(
        "--peer-size", type=int, default=4, help="hand-ins that the other graders get at a time"
    )
    parser.add_argument("--only-ours", action="store_true", help="without the other graders")
    parser.add_argument("--to", type=Path, default=REPOSITORY / "docs" / "benchmarks.md")
    options = parser.parse_args(arguments)
    options.cache.mkdir(parents=True, exist_ok=True)
    load = os.getloadavg()[0]
    lines = [HEAD, *measured(options), "", _conditions(options, load)]
    options.to.write_text("\n".join(lines) + "\n", "utf-8")
    print(options.to.read_text("utf-8"))


HEAD = """# What a room costs

Written by `make bench` (`benchmarks/rooms.py`). A notebook's *whole* time goes from the wish to run it until
nothing of it is left. In the first table a kernel parent is there already; in the second a class begins with
nothing. The reference's time beyond its cells holds our measurement: predictions of all its models for 5,000
withheld images, which no other grader makes. The other graders are timed per further hand-in, without their
start; a class takes them that times its size, as they run notebooks one after another.
"""


def _conditions(options: argparse.Namespace, load: float) -> str:
    versions = installed_versions()
    named = ", ".join(f"{name} {versions[name]}" for name in ("python", "tensorflow", "ipykernel"))
    memory = psutil.virtual_memory().total / 1024**3
    return (
        f"Medians of {options.repeats} on {date.today().isoformat()}: {len(os.sched_getaffinity(0))} cores, "
        f"{memory:.0f} GiB, {named}; load average before: {load:.1f}."
    )


if __name__ == "__main__":
    main(sys.argv[1:])
