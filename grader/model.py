"""The records that flow through the program, and their enums. Imports nothing of ours.

All records are frozen, validated when they are built, and serialise to JSON with
`model_dump_json()` and back with `model_validate_json()`. Points are `Decimal`; totals are derived.
Cells are counted from 1 over all cells of the notebook, as a reader counts them.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

CPU = "cpu"  # the kind of device of a run without a GPU


class Record(BaseModel):
    """Base of all records: frozen, keyword-only, closed to unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def plain_amount(amount: Decimal) -> str:
    """An amount of points without needless zeros: `7.5`, `10`, `0`."""
    return f"{amount.normalize():f}"


class Source(StrEnum):
    """Where a fact is from, weakest first."""

    SOURCE = "source"  # read in the code or the text
    SAVED = "saved"  # in the outputs as handed in
    REPLAYED = "replayed"  # in the outputs as handed in, of a training that our run saw begin in the same way
    RERUN = "rerun"  # in the outputs of our run
    OBSERVED = "observed"  # seen by the recorder inside the kernel; a student can forge it
    MEASURED = "measured"  # computed by us, outside, on inputs the student's code had not seen


class Outcome(StrEnum):
    """What a check found. The last two carry no points until a person decides."""

    MET = "met"
    PARTLY_MET = "partly_met"
    NOT_MET = "not_met"
    NEEDS_REVIEW = "needs_review"
    NOT_CHECKED = "not_checked"


class RunStatus(StrEnum):
    """How the run of a notebook ended."""

    COMPLETED = "completed"
    CELL_FAILED = "cell_failed"
    CUT_SHORT = "cut_short"
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"
    TOO_MUCH_CPU = "too_much_cpu"
    TOO_MUCH_DISK = "too_much_disk"
    TOO_MUCH_OUTPUT = "too_much_output"
    TOO_MANY_PROCESSES = "too_many_processes"
    TOO_MANY_FILES = "too_many_files"  # open at a time, in one process
    KERNEL_DIED = "kernel_died"
    LOST = "lost"  # our machinery failed; never reused, never held against a student


class CellStatus(StrEnum):
    """How one code cell of a run ended."""

    OK = "ok"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    NOT_RUN = "not_run"


class KerasFlavour(StrEnum):
    """Which Keras a run used: the one TensorFlow ships with, or `tf-keras` (Keras 2)."""

    KERAS_3 = "keras_3"
    LEGACY = "legacy"


class DatasetOrigin(StrEnum):
    """Where the data in the room came from."""

    REAL = "real"
    STAND_IN = "stand_in"


class Visibility(StrEnum):
    """Who may see a criterion before grading."""

    PUBLIC = "public"
    STAFF = "staff"


class OnRerunFailure(StrEnum):
    """What counts for a criterion where our run fails though the saved outputs show success."""

    REVIEW = "review"  # a person decides, with both sides laid out
    SAVED = "saved"  # the saved outputs may meet it
    PARTLY = "partly"  # the same, for half of the points


class Scale(StrEnum):
    """How a grade is told: in points, or only as passed and not passed."""

    POINTS = "points"
    PASS_FAIL = "pass_fail"


class Participant(Record):
    """Whom Moodle (or a file name) says a hand-in belongs to; not necessarily a person.

    `id` is Moodle's number of the participant or group *in this assignment*, None where there is none.
    `name` is None under blind marking.
    """

    id: str | None = None
    name: str | None = None
    is_group: bool = False
    is_blind: bool = False


class Attachment(Record):
    """A file handed in beside the notebook. `name` is its path below the hand-in's folder."""

    name: str
    size_bytes: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

    @field_validator("name")
    @classmethod
    def _is_relative_and_inside(cls, name: str) -> str:
        path = PurePosixPath(name)
        if not name or path.is_absolute() or ".." in path.parts:
            raise ValueError(f"an attachment must lie inside the hand-in's folder, not at {name!r}")
        return name


class Submission(Record):
    """One hand-in that can be graded: a notebook, what came with it, and whose it is.

    `id` is unique within the assignment and safe as a folder name. `folder` holds the files;
    `notebook` and the attachments are paths below it. `remarks` are sentences for the report.
    """

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,119}$")]
    assignment: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]
    participant: Participant
    folder: Path
    notebook: str
    notebook_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    attachments: tuple[Attachment, ...] = ()
    online_text: str | None = None
    remarks: tuple[str, ...] = ()


class Rejected(Record):
    """A hand-in that cannot be graded, with one sentence that says why and what to do."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,119}$")]
    assignment: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]
    participant: Participant
    reason: str


class Limits(Record):
    """What one run may use. At `wall_seconds` the running cell is interrupted; the cells after it
    share `reserve_seconds`; then the room is killed.

    `cpu_seconds`, `memory_bytes` (files in the room included), `disk_bytes` and `processes` are over all
    that runs in the room; `open_files` is for each process. TensorFlow uses every core, so `cpu_seconds`
    grows with the machine.
    """

    wall_seconds: Annotated[float, Field(gt=0)] = 300.0
    reserve_seconds: Annotated[float, Field(gt=0)] = 60.0
    cpu_seconds: Annotated[float, Field(gt=0)] = 3600.0
    memory_bytes: Annotated[int, Field(gt=0)] = 4 * 1024**3
    disk_bytes: Annotated[int, Field(gt=0)] = 1024**3
    output_bytes: Annotated[int, Field(gt=0)] = 20 * 1024**2
    processes: Annotated[int, Field(gt=0)] = 512
    open_files: Annotated[int, Field(ge=256)] = 2048


class Isolation(StrEnum):
    """What stands between a student's code and the machine."""

    BUBBLEWRAP = "bubblewrap"
    NONE = "none"  # only where a person asked for it by name


class DatasetUse(Record):
    """One data set as the room had it. `sha256` is over the bytes of its files, in name order."""

    name: str
    origin: DatasetOrigin
    sha256: str


class CellRun(Record):
    """One code cell of a run. `error` is `Name: message`, on one line, cut."""

    cell: Annotated[int, Field(ge=1)]
    status: CellStatus
    seconds: Annotated[float, Field(ge=0)] = 0.0
    error: str | None = None


class Mend(Record):
    """A change that the room made so that code written for older versions still runs.

    `text` is a sentence for the report; `cell` is where it was first needed, None if unknown.
    """

    name: str
    text: str
    cell: int | None = None


class GpuUse(Record):
    """What was seen of the GPU that a run had a share of. `index` is NVML's number of it at that time.

    `utilisation` is the mean over the run, in [0, 1]. What is not `is_own` is of the whole device, whoever
    used it: the driver did not tell the run's own part. None: the driver did not tell that at all.
    """

    index: Annotated[int, Field(ge=0)]
    driver: str
    peak_memory_bytes: Annotated[int, Field(ge=0)] | None = None
    is_own_memory: bool = False
    utilisation: Annotated[float, Field(ge=0, le=1)] | None = None
    is_own_utilisation: bool = False


class Run(Record):
    """What came of running one job. The executed notebook lies beside it in the store.

    `device` is the kind of device that it had, `CPU` or the model of a GPU, and part of the key. The figures
    of what was used are sampled, None where that was not done.
    """

    key: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    status: RunStatus
    cells: tuple[CellRun, ...] = ()
    wall_seconds: Annotated[float, Field(ge=0)] = 0.0
    peak_rss_bytes: int | None = None
    cpu_seconds: Annotated[float, Field(ge=0)] | None = None
    device: str = CPU
    gpu: GpuUse | None = None
    seed: int
    keras: KerasFlavour = KerasFlavour.KERAS_3
    datasets: tuple[DatasetUse, ...] = ()
    limits: Limits
    limits_in_force: tuple[str, ...] = ()
    isolation: Isolation = Isolation.BUBBLEWRAP
    versions: dict[str, str] = Field(default_factory=dict)
    mends: tuple[Mend, ...] = ()
    missing_modules: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def failed_cells(self) -> tuple[CellRun, ...]:
        """The code cells that raised, in order."""
        return tuple(cell for cell in self.cells if cell.status is CellStatus.FAILED)


class Reason(Record):
    """One sentence for the student, with the numbers and the cell it speaks of."""

    text: Annotated[str, Field(min_length=1)]
    cell: int | None = None
    numbers: tuple[float, ...] = ()
    source: Source | None = None


class Verdict(Record):
    """What a check says. `fraction` of the points is 1 when met, 0 when not met, strictly between
    when partly met, and None (unknown is not zero) when a person has to decide.
    """

    outcome: Outcome
    fraction: Decimal | None = None
    reasons: Annotated[tuple[Reason, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _fraction_fits_outcome(self) -> Self:
        fits = {
            Outcome.MET: self.fraction == 1,
            Outcome.PARTLY_MET: self.fraction is not None and 0 < self.fraction < 1,
            Outcome.NOT_MET: self.fraction == 0,
            Outcome.NEEDS_REVIEW: self.fraction is None,
            Outcome.NOT_CHECKED: self.fraction is None,
        }
        if not fits[self.outcome]:
            raise ValueError(f"fraction {self.fraction} does not fit the outcome {self.outcome.value!r}")
        return self

    @property
    def sources(self) -> tuple[Source, ...]:
        """Where the facts behind this verdict are from, each once, weakest first."""
        used = {reason.source for reason in self.reasons}
        return tuple(source for source in Source if source in used)


def met(*reasons: Reason) -> Verdict:
    """A verdict with all points."""
    return Verdict(outcome=Outcome.MET, fraction=Decimal(1), reasons=reasons)


def partly_met(fraction: Decimal, *reasons: Reason) -> Verdict:
    """A verdict with a share of the points, strictly between 0 and 1."""
    return Verdict(outcome=Outcome.PARTLY_MET, fraction=fraction, reasons=reasons)


def not_met(*reasons: Reason) -> Verdict:
    """A verdict without points; only on positive evidence that the thing is wrong or absent."""
    return Verdict(outcome=Outcome.NOT_MET, fraction=Decimal(0), reasons=reasons)


def needs_review(*reasons: Reason) -> Verdict:
    """A verdict that a person has to give; the reasons lay out what was found."""
    return Verdict(outcome=Outcome.NEEDS_REVIEW, reasons=reasons)


def not_checked(*reasons: Reason) -> Verdict:
    """No verdict because of us: a library we lack, a run we lost, a bug in a check."""
    return Verdict(outcome=Outcome.NOT_CHECKED, reasons=reasons)


class Override(Record):
    """A person's decision on one criterion of one submission.

    `judged` is the hash of the evidence the person saw, None when it was not known.
    """

    submission: str
    criterion: str
    points: Annotated[Decimal, Field(ge=0)]
    comment: str = ""
    who: Annotated[str, Field(min_length=1)]
    when: datetime
    judged: str | None = None


class CriterionGrade(Record):
    """One criterion of one grade: the verdict, and the person's decision where there is one.

    `check` is the name of the check that judged, "" in grades of before it was kept.
    """

    id: str
    title: str
    check: str = ""
    points: Annotated[Decimal, Field(ge=0)]
    is_bonus: bool = False
    visibility: Visibility = Visibility.PUBLIC
    verdict: Verdict
    override: Override | None = None

    @property
    def awarded(self) -> Decimal | None:
        """Points given, None while a person has to decide."""
        if self.override is not None:
            return self.override.points
        if self.verdict.fraction is None:
            return None
        return (self.points * self.verdict.fraction).quantize(Decimal("0.01"))


class Lateness(Record):
    """When a hand-in came and when it was due; `days` are the days begun after that, grace aside.

    `penalty` is what that costs in points, `is_refused` that it counts for nothing at all.
    """

    handed_in: datetime
    due: datetime
    has_extension: bool
    days: Annotated[int, Field(ge=0)]
    penalty: Annotated[Decimal, Field(ge=0)]
    is_refused: bool


class GroupDecision(Record):
    """A person's decision on hand-ins whose grouping is in doubt: together, by the copy `head`, or apart."""

    is_together: bool
    head: str  # a `hand_in_mark`
    who: Annotated[str, Field(min_length=1)]
    why: str
    when: datetime


class Group(Record):
    """Hand-ins that the names on them bring together; the first of `hand_ins` is judged for all if shared.

    They stand there as `hand_in_mark`s, not by their ids: whoever is erased is in no other grade.

    `doubts` are sentences for the TA on where the copies disagree; with one, a group is shared only by a
    person's `decision`. `mark` changes with the copies and their contents.
    """

    hand_ins: Annotated[tuple[str, ...], Field(min_length=1)]
    is_shared: bool
    doubts: tuple[str, ...] = ()
    mark: str
    decision: GroupDecision | None = None

    @property
    def waits(self) -> bool:
        """Whether a person has to decide."""
        return bool(self.doubts) and self.decision is None

    def stands_in_for(self, submission: str) -> str | None:
        """The mark of the hand-in that is judged in place of this one, None where it is judged itself."""
        head = self.hand_ins[0]
        return head if self.is_shared and head != hand_in_mark(submission) else None


def hand_in_mark(submission: str) -> str:
    """What stands for a hand-in's id where the id itself must not be kept."""
    return hashlib.sha256(submission.encode()).hexdigest()[:16]


class Grade(Record):
    """The grade of one submission. `flags` are sentences for the TA, never points.

    `late` is None where nobody knows when it was handed in, or no deadline is set.
    """

    submission: str
    assignment: str
    participant: Participant
    run_key: str | None
    rubric_sha256: str
    scale: Scale = Scale.POINTS
    pass_points: Decimal | None = None
    criteria: tuple[CriterionGrade, ...]
    flags: tuple[str, ...] = ()
    late: Lateness | None = None
    group: Group | None = None

    @property
    def is_judged_itself(self) -> bool:
        """Whether this hand-in was judged, rather than its group's copy that counts for all."""
        return self.group is None or self.group.stands_in_for(self.submission) is None

    @property
    def final_score(self) -> Decimal:
        """The score less what lateness costs, never below 0: what students are told in the end."""
        if self.late is None:
            return self.score
        return Decimal(0) if self.late.is_refused else max(Decimal(0), self.score - self.late.penalty)

    @property
    def score(self) -> Decimal:
        """Points that are settled, bonus included; what lateness costs stands in `late`."""
        return sum((c.awarded for c in self.criteria if c.awarded is not None), Decimal(0))

    @property
    def open_points(self) -> Decimal:
        """Points (bonus aside) that still wait for a person."""
        return sum((c.points for c in self.criteria if c.awarded is None and not c.is_bonus), Decimal(0))

    @property
    def max_points(self) -> Decimal:
        """Points that can be had, bonus aside."""
        return sum((c.points for c in self.criteria if not c.is_bonus), Decimal(0))

    @property
    def is_passed(self) -> bool | None:
        """For `pass_fail`: True or False once it cannot change any more, None while it can."""
        if self.pass_points is None:
            return None
        if self.final_score >= self.pass_points:
            return True
        if self.late is not None and self.late.is_refused:
            return False
        penalty = self.late.penalty if self.late is not None else Decimal(0)
        open_bonus = sum((c.points for c in self.criteria if c.awarded is None and c.is_bonus), Decimal(0))
        best = self.score + self.open_points + open_bonus - penalty
        return False if best < self.pass_points else None
