"""The course root: where rubrics, references, submissions, reports and the state in `.grader/` are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rapidfuzz import process

from grader.errors import StoreError, UsageError
from grader.model import Record


class Course(Record):
    """A course on disk. `root` is the folder that holds `rubrics/`; everything else lies below it."""

    root: Path

    @property
    def rubrics(self) -> Path:
        """`<assignment>.yaml`, and a folder for each assignment that needs more than that."""
        return self.root / "rubrics"

    @property
    def references(self) -> Path:
        """A folder for each assignment, with its solution, variants and mutants."""
        return self.root / "reference_solutions"

    @property
    def reports(self) -> Path:
        """What is generated for people; deletable at any time."""
        return self.root / "reports"

    def for_moodle(self, assignment: str) -> Path:
        """Where the filled worksheet and the zip of feedback files of `assignment` go."""
        return self.reports / assignment / "moodle"

    @property
    def state(self) -> Path:
        """What must not be lost: runs and the gradebook."""
        return self.root / ".grader"

    @property
    def data(self) -> Path:
        """Data sets that `grade datasets pull` fetched."""
        return self.root / "data"

    def rubric_path(self, assignment: str) -> Path:
        """The rubric of `assignment`; raises `UsageError` naming the ones there are."""
        path = self.rubrics / f"{assignment}.yaml"
        if path.is_file():
            return path
        known = sorted(file.stem for file in self.rubrics.glob("*.yaml") if file.is_file())
        near = process.extractOne(assignment, known, score_cutoff=50)
        mend = (
            f"did you mean `{near[0]}`?"
            if near
            else f"there are rubrics for {', '.join(known) or 'nothing yet'}."
        )
        raise UsageError(f"There is no rubric for assignment `{assignment}` ({path}); {mend}")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the course's state for one grading; raises `StoreError` when another one holds it."""
        import fcntl  # not on Windows, where a student's check has no lock to hold

        try:
            self.state.mkdir(parents=True, exist_ok=True)
            handle = (self.state / "lock").open("w")
        except OSError as error:
            raise StoreError(
                f"The course's state {self.state} cannot be written ({error.strerror}): make it writable, or "
                "name another course root with --course."
            ) from error
        with handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StoreError(
                    f"Another grading is at work in {self.root}: wait until it is done, "
                    "then type the command again."
                ) from None
            yield


def find_course(explicit: Path | None, near: Path | None = None) -> Course:
    """The course at `explicit`, or the first folder with `rubrics/` upwards from here, then from `near`.

    Raises `UsageError` when there is none.
    """
    if explicit is not None:
        if (explicit / "rubrics").is_dir():
            return Course(root=explicit.resolve())
        raise UsageError(f"{explicit} is no course root: it has no folder `rubrics/`.")
    try:
        here = Path.cwd()
    except FileNotFoundError:
        raise UsageError(
            "The folder you are in no longer exists: go into another one, then try again."
        ) from None
    for start in (here, near):
        if start is None:
            continue
        start = start.resolve()
        for folder in (start, *start.parents):
            if (folder / "rubrics").is_dir():
                return Course(root=folder)
    raise UsageError(
        "No course root found: go into the folder that holds `rubrics/`, or name it with --course."
    )
