"""What the runs of one assignment are given: limits, data split by the course's secret, and their seeds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from grader.course import Course
from grader.datasets.finding import find_dataset
from grader.datasets.interface import DatasetFiles
from grader.datasets.withheld import course_secret, read_inputs, read_key, split_dataset
from grader.evidence.measuring import Key
from grader.execution.jobs import Job, plan_job, run_settings
from grader.execution.scripts import plan_training_script
from grader.model import CPU, Attachment, Isolation, Limits, Submission
from grader.notebook.records import Notebook

MORE_SEEDS = (1, 2)  # the repeats that are run where an accuracy is close to a line


class Provided(Protocol):
    """What a rubric, or a student edition, says of the runs."""

    @property
    def datasets(self) -> tuple[str, ...]:
        """The data sets that a notebook finds."""
        ...

    @property
    def limits(self) -> Limits:
        """What one run may use."""
        ...

    @property
    def times_functions(self) -> bool:
        """Whether functions that train are timed at the end of each run."""
        ...


class Provisions:
    """The data sets of one assignment as its runs get them, and what their predictions are measured with.

    `data` names a folder with real data sets. `repeat` other than 0 gives all runs other seeds; `device` is
    the kind of device that the executor runs them on; `secret` stands in for the course's, which then is not
    looked at. Raises `DatasetError` when a data set is damaged or its split cannot be made.
    """

    def __init__(
        self,
        rubric: Provided,
        course: Course,
        data: Path | None,
        isolation: Isolation = Isolation.BUBBLEWRAP,
        repeat: int = 0,
        device: str = CPU,
        secret: bytes | None = None,
    ) -> None:
        cache = course.state / "cache"
        secret = course_secret(course.state) if secret is None else secret
        found = [
            find_dataset(name, data=data, course_data=course.data, cache=cache) for name in rubric.datasets
        ]
        splits = [split_dataset(files, secret, cache) for files in found]
        self.inside: tuple[DatasetFiles, ...] = tuple(split.inside for split in splits)
        self.keys: Mapping[str, Key] = {
            split.inside.name: Key(*read_key(split.key), read_inputs(split.inputs), secret)
            for split in splits
        }
        self._inputs = tuple((split.inside.name, split.inputs) for split in splits)
        self._limits = rubric.limits
        self._times_functions = rubric.times_functions
        self._isolation = isolation
        self._device = device
        self._first = repeat * (1 + len(MORE_SEEDS))

    @property
    def run_settings(self) -> str:
        """All that the runs depend on besides the hand-in: the part of evidence's key that is not its own."""
        settings = run_settings(self._limits, self.inside, self._isolation, self._device)
        timed = " timed" if self._times_functions else ""
        return f"{settings} repeat {self._first}{timed}" if self._first else f"{settings}{timed}"

    def job(self, submission: Submission, notebook: Notebook, repeat: int = 0) -> Job:
        """The job that runs a hand-in on this data; `repeat` other than 0 gives it another seed."""
        given = (self._limits, self.inside, self._inputs, self._isolation, self._device)
        job = plan_job(submission, notebook, *given)
        return job.model_copy(update={"repeat": self._first + repeat, "times": self._times_functions})

    def script_job(
        self, name: str, source: str, folder: Path, beside: tuple[Attachment, ...], repeat: int = 0
    ) -> Job:
        """The job that runs a training script on this data and watches it; `repeat` is another seed each.

        `beside` are the modules of `folder` that it can import.
        """
        job = plan_training_script(name, source, self._limits, self.inside, self._inputs, self._isolation)
        repeated = {"repeat": self._first + repeat, "device": self._device}
        return job.model_copy(update={**repeated, "folder": folder, "attachments": beside})
