"""What every executor does. Executors are found through the entry points `grader.executors`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import entry_points
from typing import Any, NamedTuple, Protocol

import nbformat

from grader.errors import UsageError
from grader.execution.jobs import Job
from grader.model import Run


class Finished(NamedTuple):
    """What came of a job: its run, the executed notebook, and the facts that the room sent (wire schema)."""

    job: Job
    run: Run
    notebook: nbformat.NotebookNode
    facts: tuple[dict[str, Any], ...] = ()


class Executor(Protocol):
    """Turns jobs into runs, `at_once` at a time, all on one kind of device."""

    @property
    def at_once(self) -> int:
        """How many jobs run at a time. Raises `GpuError` where no GPU has room for one."""
        ...

    @property
    def device(self) -> str:
        """The kind of device, `CPU` or the model of a GPU, for which jobs have to be planned."""
        ...

    def execute(self, jobs: Iterable[Job]) -> Iterator[Finished]:
        """Yield what came of each job, in any order, each once."""
        ...

    def remaining_seconds(self) -> float | None:
        """How long the running `execute` may still take, None while nobody knows."""
        ...

    def close(self) -> None:
        """End what is kept for further jobs."""
        ...


def find_executor(name: str) -> Callable[..., Executor]:
    """The installed executor called `name`, to be called with how many rooms there may be at a time, and,
    as `devices`, with the `Devices` that they share.

    Raises `UsageError` naming those that are installed.
    """
    installed = {entry.name: entry for entry in entry_points(group="grader.executors")}
    if name not in installed:
        raise UsageError(f"There is no executor {name!r}: installed are {', '.join(sorted(installed))}.")
    executor: Callable[..., Executor] = installed[name].load()
    return executor
