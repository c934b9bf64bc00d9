"""One job in one room: starts the kernel, runs the cells, asks the recorder, tells how the run went."""

from __future__ import annotations

import errno
import os
import shutil
import time
from typing import Any

import nbformat
import psutil
from nbformat import v4

from grader.execution.asking import WRITTEN, Question, as_written
from grader.execution.cell_client import CellClient
from grader.execution.interface import Finished
from grader.execution.jobs import MEASURE_SECONDS, TIMING_SECONDS, Job, installed_versions
from grader.execution.mends import is_known_mend
from grader.execution.messages import error_told
from grader.execution.modules import missing_module, shadowed_modules, wants_fresh_process
from grader.model import CellRun, CellStatus, Mend, Run, RunStatus
from grader.notebook.images import redraw_figures
from grader.notebook.rebuilding import cell_id
from grader.sandbox.bubblewrap import PROBES, RoomSpec
from grader.sandbox.gpu_meter import GpuMeter
from grader.sandbox.gpus import Gpu
from grader.sandbox.limits.choosing import sweep as sweep_bounds
from grader.sandbox.provisioner import RoomKernelManager
from grader.sandbox.rooms import FOLDER_PREFIX, OpenRooms, Room, rooms_folder
from grader.sandbox.sources import RoomSource

_NO_FILES = os.strerror(errno.EMFILE)
_TOO_LARGE = "What was handed in beside the notebook is larger than the room: it was not run."


async def run_in_room(
    job: Job, source: RoomSource, open_rooms: OpenRooms, meter: GpuMeter | None = None
) -> Finished:
    """Run `job` in a room from `source`; the executed notebook has code cells only, with ids `cell-<number>`.

    While the room is open it stands in `open_rooms`, so that the caller can kill it from outside. With a
    `meter` it has that GPU, and what it uses of it is sampled.
    Whatever the student's code does is told by the run's status. Failures of ours give `RunStatus.LOST`
    with a remark, except a missing bubblewrap, which raises `SandboxError`.
    """
    notebook = v4.new_notebook(
        cells=[v4.new_code_cell(cell.source, id=cell_id(cell.number)) for cell in job.cells]
    )
    started = time.monotonic()
    room = source.room(room_spec(job, None if meter is None else meter.gpu))
    question = Question()
    open_rooms.add(room)
    if meter is not None:
        meter.watch(room)
    try:
        cells, status, remarks = await _run_cells(job, notebook, room, question)
    finally:
        open_rooms.discard(room)
        passed_limit = room.close()
    redraw_figures(notebook)
    is_gone = status is RunStatus.KERNEL_DIED and passed_limit is None
    facts = question.believed(room.wire.facts(), is_gone=is_gone)
    watchdog = room.watchdog
    run = Run(
        key=job.key,
        status=passed_limit or _with_files(status, cells, room),
        cells=tuple(cells),
        wall_seconds=round(time.monotonic() - started, 3),
        peak_rss_bytes=watchdog.peak_memory_bytes if watchdog else None,
        cpu_seconds=round(watchdog.cpu_seconds, 3) if watchdog else None,
        device=job.device,
        seed=job.seed,
        keras=job.keras,
        datasets=tuple(data.use for data in job.datasets),
        limits=job.limits,
        limits_in_force=room.limits_in_force,
        isolation=room.isolation,
        versions=installed_versions(),
        mends=_mends(facts, job),
        missing_modules=_missing_modules(cells, is_third_party=True),
        remarks=(*remarks, *_remarks(cells, job)),
    )
    return Finished(job, run, notebook, tuple(facts))


def sweep_rooms() -> None:
    """Remove what rooms leave whose grader was killed, folders and bounds; they themselves died with it."""
    sweep_bounds()
    for folder in rooms_folder().glob(f"{FOLDER_PREFIX}*"):
        owner = folder.name.removeprefix(FOLDER_PREFIX).partition("-")[0]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)


def room_spec(job: Job, gpu: Gpu | None = None) -> RoomSpec:
    """What has to be known of `job` before its room, with `gpu`, is made."""
    files = {name: path for data in job.datasets for name, path in data.files}
    return RoomSpec(
        data_files=files,
        limits=job.limits,
        keras=job.keras,
        isolation=job.isolation,
        is_fresh=wants_fresh_process(
            (cell.source for cell in job.cells), (file.name for file in job.attachments)
        ),
        gpu=gpu,
    )


def _begin(job: Job, room: Room) -> None:
    """Put what was handed in beside the notebook into the room and tell the kernel its job."""
    for attachment in job.attachments:
        target = room.folder.attachments / attachment.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(job.folder / attachment.name, target, follow_symlinks=False)
    room.begin(
        {
            "seed": job.seed,
            "working_folder": job.working_folder,
            "watches": job.watches,
            "times": job.times,
            "known_files": sorted({digest for data in job.datasets for digest in data.file_sha256}),
            "environment": {},
        }
    )


async def _run_cells(
    job: Job, notebook: nbformat.NotebookNode, room: Room, question: Question
) -> tuple[list[CellRun], RunStatus, tuple[str, ...]]:
    """Start the kernel and run all cells within the job's time."""
    if sum(attachment.size_bytes for attachment in job.attachments) > job.limits.disk_bytes:
        return [], RunStatus.TOO_MUCH_DISK, (_TOO_LARGE,)
    manager = RoomKernelManager(room)
    client = CellClient(notebook, manager, allow_errors=True, record_timing=False)
    try:
        try:
            await manager.start_kernel()
            _begin(job, room)
            client.kc = manager.bounded_client()
            client.kc.start_channels(hb=False)  # the room says whether it lives; a heartbeat can hang
            client.watch_for_drops()
            await client.wait_until_heard()
        except (RuntimeError, TimeoutError) as error:
            return [], RunStatus.LOST, (_not_started(room, error),)
        ended = await _run_until(job, notebook, client, room)
        await _measure(job, notebook, client, room, question)
        return ended
    finally:
        if client.kc is not None:
            client.kc.stop_channels()
        manager.close()


async def _run_until(
    job: Job, notebook: nbformat.NotebookNode, client: CellClient, room: Room
) -> tuple[list[CellRun], RunStatus, tuple[str, ...]]:
    """Run the cells in order, until the last one, the job's time or the kernel has come to its end."""
    soft = time.monotonic() + job.limits.wall_seconds
    hard = soft + job.limits.reserve_seconds
    cells: list[CellRun] = []
    status = RunStatus.COMPLETED
    for index, (cell, node) in enumerate(zip(job.cells, notebook.cells, strict=True)):
        now = time.monotonic()
        begin = now
        client.reply_error = None
        deadline = soft if now < soft else now + (hard - now) / 2
        ended = await client.run_cell(node, index, deadline, hard)
        seconds = round(time.monotonic() - begin, 3)
        if client.is_dropped:
            ended = CellStatus.NOT_RUN
        error = _error_of(node) or client.reply_error
        if ended is CellStatus.OK and error is not None:
            ended = CellStatus.FAILED
        cells.append(CellRun(cell=cell.number, status=ended, seconds=seconds, error=error))
        if ended is CellStatus.INTERRUPTED:
            status = RunStatus.CUT_SHORT
        elif ended is CellStatus.FAILED and status is RunStatus.COMPLETED:
            status = RunStatus.CELL_FAILED
        if ended is CellStatus.NOT_RUN or room.process is None or room.process.poll() is not None:
            status = _why_it_ended(client, time.monotonic() >= hard - 0.05)
            cells[-1] = CellRun(cell=cell.number, status=CellStatus.FAILED, seconds=seconds, error=error)
            rest = job.cells[index + 1 :]
            cells += [CellRun(cell=cell.number, status=CellStatus.NOT_RUN) for cell in rest]
            break
    return cells, status, ()


async def _measure(
    job: Job, notebook: nbformat.NotebookNode, client: CellClient, room: Room, question: Question
) -> None:
    """Give the room the images to predict, and let the recorder tell what it saw, if the kernel still lives.

    What it says comes through the wire; whether it said anything is for the reader of the facts to judge.
    """
    if room.is_killed or room.poll() is not None:
        return
    inputs = room.folder.settings / "inputs"
    inputs.mkdir()
    for name, file in job.probe_inputs:
        shutil.copyfile(file, inputs / f"{name}.npy")
    (inputs / WRITTEN).write_bytes(as_written(PROBES))
    room.folder.give(inputs)
    node = v4.new_code_cell(
        question.cell(room.layout.harness, f"{room.layout.settings}/inputs", MEASURE_SECONDS)
    )
    notebook.cells.append(node)  # nbclient looks it up there
    begin = time.monotonic()
    try:
        soft = begin + 1.5 * MEASURE_SECONDS + (TIMING_SECONDS if job.times else 0)
        await client.run_cell(node, len(notebook.cells) - 1, soft, soft + MEASURE_SECONDS / 2)
    finally:
        notebook.cells.remove(node)


def _why_it_ended(client: CellClient, is_over_time: bool) -> RunStatus:
    if client.is_flooded:
        return RunStatus.TOO_MUCH_OUTPUT
    return RunStatus.TIMED_OUT if is_over_time else RunStatus.KERNEL_DIED


def _with_files(status: RunStatus, cells: list[CellRun], room: Room) -> RunStatus:
    """`status`, or that too many files were open where a failed cell or a dying kernel says so."""
    told = " ".join([room.complaint, *(cell.error or "" for cell in cells)])
    if status in (RunStatus.CELL_FAILED, RunStatus.KERNEL_DIED) and _NO_FILES in told:
        return RunStatus.TOO_MANY_FILES
    return status


def _error_of(node: nbformat.NotebookNode) -> str | None:
    for output in node.get("outputs", ()):
        if output.get("output_type") == "error":
            return error_told(output)
    return None


def _not_started(room: Room, error: Exception) -> str:
    complaint = room.complaint.splitlines()
    return (
        f"The kernel did not start in the room ({complaint[-1][:300] if complaint else error}): "
        "run `grade doctor`."
    )


def _mends(facts: list[dict[str, Any]], job: Job) -> tuple[Mend, ...]:
    """The mends that the room told of, each once and with the cell that was running.

    Only sentences that stand in the room's own code are believed: anybody in the room can write to the wire.
    """
    mends: dict[str, Mend] = {}
    for fact in facts:
        name, text = fact.get("name"), fact.get("text")
        if fact["kind"] == "mend" and is_known_mend(name, text):
            run = fact.get("run")
            cell = job.cells[run - 1].number if type(run) is int and 1 <= run <= len(job.cells) else None
            mends.setdefault(str(name), Mend(name=str(name), text=str(text), cell=cell))
    return tuple(mends.values())


def _missing_modules(cells: list[CellRun], *, is_third_party: bool) -> tuple[str, ...]:
    missing = [missing_module(cell.error) for cell in cells if cell.error is not None]
    return tuple(sorted({m.name for m in missing if m is not None and m.is_third_party is is_third_party}))


def _remarks(cells: list[CellRun], job: Job) -> list[str]:
    remarks = [
        f"The notebook imports `{name}`, a file that was not handed in."
        for name in _missing_modules(cells, is_third_party=False)
    ]
    remarks += [
        f"The file `{name}` of the hand-in has the name of a library and may have been imported in its place."
        for name in shadowed_modules((file.name for file in job.attachments), job.working_folder)
    ]
    return remarks
