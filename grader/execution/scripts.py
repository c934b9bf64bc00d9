"""Scripts as jobs: run in a room like a hand-in, stored and reused like one."""

from __future__ import annotations

from pathlib import Path

from grader.datasets.interface import DatasetFiles
from grader.execution.jobs import CodeCell, Job
from grader.execution.store import RunStore
from grader.model import CPU, Isolation, Limits
from grader.notebook.reading import read_notebook

SCRIPT_FILE = "script.py"
_LIMITS = Limits(wall_seconds=300, reserve_seconds=30)


def plan_script(
    name: str, source: str, isolation: Isolation = Isolation.BUBBLEWRAP, device: str = CPU
) -> Job:
    """The job that runs `source` as one cell, with no data and no attachments.

    Its key is made of the source and of versions, limits and the room, as every job's: it runs once per
    environment.
    """
    cells = (CodeCell(number=1, source=source),)
    return Job(
        submission=name, cells=cells, folder=Path(), limits=_LIMITS, isolation=isolation, device=device
    )


def plan_training_script(
    name: str,
    source: str,
    limits: Limits,
    datasets: tuple[DatasetFiles, ...],
    probe_inputs: tuple[tuple[str, Path], ...],
    isolation: Isolation = Isolation.BUBBLEWRAP,
) -> Job:
    """The job that runs the script `name` (`fail1.py`, say) as a file would run, and watches its trainings.

    Scripts with equal source share a run, whoever wrote them.
    """
    where = CodeCell(number=1, source=f"__file__ = {SCRIPT_FILE!r}")
    return Job(
        submission=name,
        cells=(where, CodeCell(number=2, source=source)),
        folder=Path(),
        datasets=datasets,
        limits=limits,
        probe_inputs=probe_inputs,
        isolation=isolation,
        watches=True,
    )


def printed_by(job: Job, runs: RunStore) -> str:
    """What a script's run printed; nothing when there is no run of it, as when it was lost."""
    executed = runs.load_executed(job.key)
    if executed is None:
        return ""
    outputs = [output for cell in read_notebook(executed).cells for output in cell.outputs]
    return "".join(output.text for output in outputs if not output.is_stderr)
