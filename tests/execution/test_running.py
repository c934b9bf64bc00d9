from __future__ import annotations

from nbformat import v4

from grader.execution.interface import Finished
from grader.execution.running import run_jobs
from grader.execution.store import RunStore
from grader.model import CellRun, CellStatus, KerasFlavour, Run, RunStatus

DRIFT = "ValueError: A KerasTensor cannot be used as input to a TensorFlow function."


class Scripted:
    """An executor that gives each flavour of Keras its scripted cells, and remembers what it ran."""

    def __init__(self, keras_3: list[str | None], legacy: list[str | None], status=RunStatus.CELL_FAILED):
        self.errors = {KerasFlavour.KERAS_3: keras_3, KerasFlavour.LEGACY: legacy}
        self.status = status
        self.ran: list[KerasFlavour] = []

    def execute(self, jobs):
        for job in jobs:
            self.ran.append(job.keras)
            cells = tuple(
                CellRun(cell=number, status=CellStatus.FAILED if error else CellStatus.OK, error=error)
                for number, error in enumerate(self.errors[job.keras], start=1)
            )
            is_legacy = job.keras is KerasFlavour.LEGACY
            status = self.status if is_legacy else RunStatus.CELL_FAILED
            run = Run(key=job.key, status=status, cells=cells, seed=1, keras=job.keras, limits=job.limits)
            yield Finished(job, run, v4.new_notebook())


def quiet(doing: str, done: int, total: int) -> None:
    pass


def test_drifted_code_is_run_again_with_legacy_keras_and_the_better_run_is_judged(a_job, tmp_path):
    job, runs = a_job("x = 1", "y = 2"), RunStore(tmp_path / "runs")
    executor = Scripted([None, DRIFT], [None, None])
    finished = run_jobs([job], runs, executor, quiet)
    assert executor.ran == [KerasFlavour.KERAS_3, KerasFlavour.LEGACY]
    assert finished.best(job).keras is KerasFlavour.LEGACY
    again = Scripted([], [])
    assert run_jobs([job], runs, again, quiet).best(job).keras is KerasFlavour.LEGACY
    assert again.ran == []


def test_where_legacy_keras_gets_no_further_the_first_run_is_judged(a_job, tmp_path):
    job = a_job("x = 1", "y = 2")
    executor = Scripted([None, DRIFT], ["NameError: x", "NameError: y"])
    finished = run_jobs([job], RunStore(tmp_path / "runs"), executor, quiet)
    assert finished.best(job).keras is KerasFlavour.KERAS_3


def test_a_students_own_error_is_not_run_twice(a_job, tmp_path):
    executor = Scripted(["NameError: name 'h_1' is not defined"], [None])
    run_jobs([a_job("h_1")], RunStore(tmp_path / "runs"), executor, quiet)
    assert executor.ran == [KerasFlavour.KERAS_3]


def test_a_lost_second_run_is_tried_again_next_time(a_job, tmp_path):
    job, runs = a_job("x = 1"), RunStore(tmp_path / "runs")
    finished = run_jobs([job], runs, Scripted([DRIFT], [], RunStatus.LOST), quiet)
    assert finished.is_lost(job)
    assert finished.best(job).keras is KerasFlavour.KERAS_3
    again = Scripted([], [None])
    assert not run_jobs([job], runs, again, quiet).is_lost(job)
    assert again.ran == [KerasFlavour.LEGACY]
