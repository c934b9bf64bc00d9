from __future__ import annotations

import time

import psutil
import pytest
from nbformat import v4

from grader.execution import slot_run
from grader.execution.interface import Finished
from grader.execution.local import LocalExecutor
from grader.model import Run, RunStatus
from grader.sandbox.sources import ForkedRooms


def test_jobs_run_side_by_side_and_each_comes_once(a_job, rooms):
    jobs = [a_job(f"import time\ntime.sleep(1.5)\nprint({n})", submission=f"s{n}") for n in range(4)]
    begin = time.monotonic()
    ended = {done.job.submission: done.notebook for done in LocalExecutor(4, rooms).execute(jobs)}
    assert time.monotonic() - begin < 10
    assert {name: executed.cells[0].outputs[0].text for name, executed in ended.items()} == {
        f"s{n}": f"{n}\n" for n in range(4)
    }


def test_stopping_early_kills_the_rooms_in_use_and_starts_no_more(a_job, rooms, run_cells):
    run_cells("1")
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    jobs = [a_job("print(1)"), *(a_job(f"import time\ntime.sleep(300)  # {n}") for n in range(3))]
    running = LocalExecutor(2, rooms).execute(jobs)
    assert next(running).run.status is RunStatus.COMPLETED
    begin = time.monotonic()
    running.close()
    assert time.monotonic() - begin < 10
    assert {process.pid for process in psutil.Process().children(recursive=True)} <= before


def test_what_remains_goes_by_the_median_so_far_where_nothing_else_is_known(a_job, monkeypatch):
    seconds = iter([1.0, 100.0, 3.0, 2.0, 2.0])

    async def pretended(job, source, rooms, meter=None):
        run = Run(
            key=job.key,
            status=RunStatus.COMPLETED,
            seed=1,
            limits=job.limits,
            wall_seconds=next(seconds),
        )
        return Finished(job, run, v4.new_notebook())

    monkeypatch.setattr(slot_run, "run_in_room", pretended)
    executor = LocalExecutor(1)
    assert executor.remaining_seconds() is None
    running = executor.execute([a_job(f"{n}") for n in range(5)])
    estimates = [executor.remaining_seconds() for _ in running]
    assert estimates == pytest.approx([1.0 * 4, 50.5 * 3, 3.0 * 2, 2.5 * 1, 0.0], abs=0.5)


@pytest.mark.parametrize(
    ("codes", "pays"),
    [
        (["print(1)"] * 9, False),
        (["import tensorflow as tf", "print(1)"], False),
        (["import tensorflow as tf", "from keras import layers"], True),
    ],
)
def test_a_kernel_parent_is_started_where_it_pays_and_ended_with_the_executor(
    a_job, monkeypatch, codes, pays
):
    events = []
    monkeypatch.setattr(ForkedRooms, "start", lambda self: events.append("started"))
    monkeypatch.setattr(ForkedRooms, "close", lambda self: events.append("ended"))
    executor = LocalExecutor(1)
    jobs = [a_job(code) for code in codes]
    first, second = executor._source(jobs), executor._source(jobs)
    executor.close()
    assert events == (["started", "ended"] if pays else [])
    assert (first is second) is pays
