from __future__ import annotations

import time

import psutil

from grader.execution.local import LocalExecutor
from grader.model import RunStatus


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
