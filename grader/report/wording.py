"""The words for what the records say: outcomes, sources, ends of runs, amounts."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from grader.model import (
    CPU,
    CellRun,
    CellStatus,
    CriterionGrade,
    DatasetOrigin,
    DatasetUse,
    Grade,
    KerasFlavour,
    Limits,
    Outcome,
    Run,
    RunStatus,
    Scale,
    Source,
    plain_amount,
)
from grader.notebook.records import Split
from grader.report.comparing import Likeness

OUTCOMES = {
    Outcome.MET: "met",
    Outcome.PARTLY_MET: "partly met",
    Outcome.NOT_MET: "not met",
    Outcome.NEEDS_REVIEW: "a person will look at this",
    Outcome.NOT_CHECKED: "could not be checked: our fault, not yours",
}

OUTCOMES_EXPLAINED = {
    Outcome.MET: "It was found.",
    Outcome.PARTLY_MET: "It was found in part.",
    Outcome.NOT_MET: "There is evidence that it is wrong or missing.",
    Outcome.NEEDS_REVIEW: "It is unclear, or a matter of judgement. It stays open until a person decides.",
    Outcome.NOT_CHECKED: "Something of ours failed. It stays open until a person decides.",
}

GLANCE = {
    Outcome.MET: "met",
    Outcome.PARTLY_MET: "partly met",
    Outcome.NOT_MET: "not met",
    Outcome.NEEDS_REVIEW: "a person decides",
    Outcome.NOT_CHECKED: "could not be checked",
}

SHORT_OUTCOMES = {
    Outcome.MET: "met",
    Outcome.PARTLY_MET: "partly met",
    Outcome.NOT_MET: "not met",
    Outcome.NEEDS_REVIEW: "needs review",
    Outcome.NOT_CHECKED: "could not be checked",
}

points = plain_amount  # as templates and pages call it

SPLITS = {Split.TEST: "test", Split.VALIDATION: "validation", Split.TRAIN: "training", Split.UNKNOWN: ""}

SOURCES = {
    Source.SOURCE: "read in your code or text",
    Source.SAVED: "in the outputs you saved",
    Source.REPLAYED: "in the outputs you saved, of a training whose beginning our run saw too",
    Source.RERUN: "in the outputs of our run",
    Source.OBSERVED: "seen by our recorder while your code ran",
    Source.MEASURED: "measured by us on examples your code had not seen",
}

SHORT_SOURCES = {
    Source.SOURCE: "code or text",
    Source.SAVED: "saved outputs",
    Source.REPLAYED: "replayed outputs",
    Source.RERUN: "outputs of our run",
    Source.OBSERVED: "our recorder",
    Source.MEASURED: "our measurement",
}

SOURCES_EXPLAINED = {
    Source.SOURCE: "in the cells as you handed them in.",
    Source.SAVED: "in what your cells had printed or drawn when you saved the notebook.",
    Source.REPLAYED: "your training takes longer than our run may: as far as it came, it went as in yours.",
    Source.RERUN: "in what your cells printed when we ran them, from top to bottom, in an empty session.",
    Source.OBSERVED: "TensorFlow calls that were noted during that run: models, trainings, their steps.",
    Source.MEASURED: "computed by us, outside of your code, from what your trained model predicts.",
}

RUN_STATUSES = {  # status → (a few words for the class page, a sentence for the student)
    RunStatus.COMPLETED: ("completed", "Your notebook ran from top to bottom without an error."),
    RunStatus.CELL_FAILED: ("cell failed", "Your notebook ran to its end, but not every cell worked."),
    RunStatus.CUT_SHORT: (
        "cut short",
        "The time for the run was used up: we interrupted the running cell and went on with the next.",
    ),
    RunStatus.TIMED_OUT: ("timed out", "The run was stopped because its time was used up."),
    RunStatus.OUT_OF_MEMORY: ("out of memory", "The run was stopped because it needed too much memory."),
    RunStatus.TOO_MUCH_CPU: (
        "too much CPU",
        "The run was stopped because it needed too much processor time.",
    ),
    RunStatus.TOO_MUCH_DISK: ("too much disk", "The run was stopped because it wrote too much to disk."),
    RunStatus.TOO_MUCH_OUTPUT: ("too much output", "The run was stopped because it printed too much."),
    RunStatus.TOO_MANY_PROCESSES: (
        "too many processes",
        "The run was stopped because it started too many processes.",
    ),
    RunStatus.TOO_MANY_FILES: (
        "too many open files",
        "Your notebook had too many files open at a time, so that something in it failed.",
    ),
    RunStatus.KERNEL_DIED: ("kernel died", "The Python process ended in the middle of the run."),
    RunStatus.LOST: ("lost by us", "Our machinery lost the run; that is never held against you."),
}

SUSPICIONS = {  # of a criterion's check or wording, by why
    "nobody": "no hand-in that is decided has any points. Is it asked for clearly, is its check right?",
    "everybody": "all hand-ins that are decided have all points. Does its check let everything pass?",
    "never": "the program decided it for nobody: all of it is left to people.",
}

LIKENESSES = {
    Likeness.NUMBERS: "The same text, with other numbers",
    Likeness.FIGURES: "The same text, with another figure",
    Likeness.OTHER: "Another output",
    Likeness.ONLY_OURS: "No output was saved; our run gave one",
    Likeness.ONLY_SAVED: "An output was saved; our run gave none",
}

KERAS_FLAVOURS = {
    KerasFlavour.KERAS_3: "Keras 3, as TensorFlow ships it",
    KerasFlavour.LEGACY: "legacy Keras 2 (tf-keras)",
}

_DATASETS = {
    "mnist": "MNIST",
    "fashion_mnist": "Fashion-MNIST",
    "cifar10": "CIFAR-10",
    "cifar100": "CIFAR-100",
    "imdb": "IMDB",
}

_COUNTED = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}


def late_sentences(grade: Grade) -> list[str]:
    """When the hand-in came, and what lateness costs; nothing where that is not known."""
    late = grade.late
    if late is None:
        return []
    form = "%d %B %Y, %H:%M"
    due = f"{'the extended' if late.has_extension else 'the'} deadline {late.due.strftime(form)}"
    came = f"Handed in {late.handed_in.strftime(form)}"
    if not late.days:
        return [f"{came}, before {due}."]
    after = f"{came}, after {due} ({late.days} {'day' if late.days == 1 else 'days'} begun)."
    if late.is_refused:
        return [after, "Late hand-ins do not count: the final score is 0 points."]
    if not late.penalty:
        return [after, "That costs nothing."]
    return [
        after,
        f"That costs {of_points(late.penalty)}: the final score is {of_points(grade.final_score)}.",
    ]


def of_points(amount: Decimal) -> str:
    """An amount of points with its word: `1 point`, `0.5 points`."""
    return f"{points(amount)} {'point' if amount == 1 else 'points'}"


def how_many(count: int, one: str, several: str) -> str:
    """`one cell`, `3 hand-ins`: a count with its noun, small counts in words."""
    return f"{_COUNTED.get(count, str(count))} {one if count == 1 else several}"


def seconds(amount: float) -> str:
    """A stretch of time: `0.4 s`, `42 s`, `5 min 12 s`."""
    if amount < 9.95:
        return f"{amount:.1f} s"
    minutes, rest = divmod(round(amount), 60)
    if not minutes:
        return f"{rest} s"
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


def size(amount: int) -> str:
    """A number of bytes: `312 kB`, `1.5 GB` (of 1,000 bytes per kB)."""
    for unit, scale in (("GB", 1000**3), ("MB", 1000**2), ("kB", 1000)):
        if amount >= scale:
            return f"{round(amount / scale, 1 if amount < 100 * scale else 0):,g} {unit}"
    return f"{amount} bytes"


def number(value: float) -> str:
    """A figure read from an output, to four significant digits."""
    return f"{value:.4g}"


def dataset_name(name: str) -> str:
    """The name of a data set as people write it."""
    return _DATASETS.get(name, name)


def in_a_row(names: Sequence[str]) -> str:
    """Names (none, one or more) for a sentence: `A, B and C`."""
    *first, last = names or [""]
    return f"{', '.join(first)} and {last}" if first else last


def data_sentences(uses: Sequence[DatasetUse]) -> list[tuple[DatasetOrigin, str]]:
    """One sentence for each origin on what the room had as data sets, the real ones first."""
    sentences: list[tuple[DatasetOrigin, str]] = []
    for origin in DatasetOrigin:
        names = in_a_row([dataset_name(use.name) for use in uses if use.origin is origin])
        if names and origin is DatasetOrigin.REAL:
            sentences.append((origin, f"{names}: our run used the real data."))
        elif names:
            sentence = (
                f"{names}: our run used stand-ins that we generated, of the same shapes and types, because "
                "the real data was not at hand; accuracies on them cannot be compared with yours and cost "
                "no points."
            )
            sentences.append((origin, sentence))
    return sentences


def limits_sentence(limits: Limits) -> str:
    """What one run may use, in one sentence."""
    return (
        f"A run may take {seconds(limits.wall_seconds)}, and {seconds(limits.reserve_seconds)} more for the "
        f"cells after an interrupted one; {seconds(limits.cpu_seconds)} of processor time, "
        f"{size(limits.memory_bytes)} of memory, {size(limits.disk_bytes)} of disk, "
        f"{size(limits.output_bytes)} of output, {limits.processes} processes "
        f"and {limits.open_files} open files in each."
    )


def cell_end(cell: CellRun) -> str | None:
    """How a cell of our run ended, as a clause; None when it simply worked."""
    if cell.status is CellStatus.FAILED:
        return "failed in our run" + (f": {cell.error}" if cell.error else "")
    if cell.status is CellStatus.INTERRUPTED:
        return "was interrupted in our run because the time was used up"
    return "was not reached in our run" if cell.status is CellStatus.NOT_RUN else None


def data_words(run: Run | None) -> str:
    """A few words on the data sets of a run, for a table."""
    if run is None or not run.datasets:
        return "none"
    words = {DatasetOrigin.REAL: "real", DatasetOrigin.STAND_IN: "stand-in"}
    return ", ".join(f"{dataset_name(use.name)}: {words[use.origin]}" for use in run.datasets)


def device_words(run: Run) -> str:
    """What a run was run on, and what was seen of that: `a GPU (index 0, driver 550.54), at most 1.2 GB`."""
    if run.device == CPU:
        return "the processors, no GPU"
    use = run.gpu
    if use is None:
        return run.device
    words = [f"{run.device} (index {use.index}, driver {use.driver})"]
    if use.peak_memory_bytes is not None:
        words.append(f"at most {size(use.peak_memory_bytes)} of its memory{_whose(use.is_own_memory)}")
    if use.utilisation is not None:
        words.append(f"busy {use.utilisation:.0%} of the time{_whose(use.is_own_utilisation)}")
    return ", ".join(words)


def _whose(is_own: bool) -> str:
    return "" if is_own else " (whoever used it: the driver does not tell the run's part)"


def passed_words(grade: Grade) -> str:
    """For `pass_fail`: whether the hand-in has passed, as far as that is settled."""
    return {True: "passed", False: "not passed", None: "not decided yet"}[grade.is_passed]


def awarded_words(criterion: CriterionGrade, scale: Scale) -> str:
    """The points of a criterion: `2 of 3 points`, `3 points open`; without points for `pass_fail`."""
    if scale is Scale.PASS_FAIL:
        return "open" if criterion.awarded is None else ""
    bonus = "bonus " if criterion.is_bonus else ""
    noun = "point" if criterion.points == 1 else "points"
    if criterion.awarded is None:
        return f"{points(criterion.points)} {bonus}{noun} open"
    return f"{points(criterion.awarded)} of {points(criterion.points)} {bonus}{noun}"


def awarded_briefly(criterion: CriterionGrade, scale: Scale) -> str:
    """The points of a criterion in a list: `2 of 3`, `3 open`; without points for `pass_fail`."""
    if scale is Scale.PASS_FAIL:
        return ""
    if criterion.awarded is None:
        return f"{points(criterion.points)} open"
    return f"{points(criterion.awarded)} of {points(criterion.points)}"
