"""The local executor: a few rooms at a time on this machine."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed

import psutil
from nbformat import v4

from grader.errors import SandboxError
from grader.execution.interface import Finished
from grader.execution.jobs import Job
from grader.execution.room_run import run_in_room, sweep_rooms
from grader.model import Isolation, Run, RunStatus
from grader.sandbox.doctor import check_room
from grader.sandbox.limits.choosing import choose_mechanism
from grader.sandbox.rooms import OpenRooms

log = logging.getLogger(__name__)


class LocalExecutor:
    """Runs jobs in rooms of their own, `at_once` at a time, each with a kernel of its own."""

    def __init__(self, at_once: int | None = None) -> None:
        self.at_once = at_once or default_at_once()

    def execute(self, jobs: Iterable[Job]) -> Iterator[Finished]:
        """Yield what came of each job as it ends.

        Raises `SandboxError` before the first one when no room can be built here. When the iterator is
        closed early, or one job raises, the rooms in use are killed and no more start.
        """
        jobs = tuple(jobs)
        if any(job.isolation is Isolation.BUBBLEWRAP for job in jobs):
            check_room()
        sweep_rooms()
        choose_mechanism()  # once, before several threads ask for it
        rooms = OpenRooms()
        pool = ThreadPoolExecutor(self.at_once, thread_name_prefix="room")
        waiting = [pool.submit(_run, job, rooms) for job in jobs]
        try:
            for ended in as_completed(waiting):
                yield ended.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            rooms.close()
            pool.shutdown(wait=True)


def default_at_once() -> int:
    """As many rooms as there are cores, and no more than memory holds at 2 GiB each; at least one."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, psutil.virtual_memory().available // (2 * 1024**3)))


def _run(job: Job, rooms: OpenRooms) -> Finished:
    try:
        return asyncio.run(run_in_room(job, rooms))
    except SandboxError:  # no room can be built here at all: everybody's concern
        raise
    except Exception as bug:  # a bug at one job must not stop the others
        log.error("a fault of the grader at %s", job.submission, exc_info=bug)
        remark = f"The run was lost through a fault in the grader ({type(bug).__name__})."
        run = Run(
            key=job.key,
            status=RunStatus.LOST,
            seed=job.seed,
            limits=job.limits,
            isolation=job.isolation,
            remarks=(remark,),
        )
        return Finished(job, run, v4.new_notebook())
