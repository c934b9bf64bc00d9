"""What is tried: the solution, variants and mutants of an assignment over seeds, generated mutations once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from grader.execution.interface import Executor
from grader.execution.running import Progress
from grader.model import Record
from grader.reference_grading import Seen, course_of_references, grade_references
from grader.references import Expected, Reference, load_notebook, read_reference
from grader.rewriting.mutations import mutations_of
from grader.rubric import Rubric


class Kind(StrEnum):
    """What is tried."""

    HONEST = "honest"  # the solution or a variant
    MUTANT = "mutant"  # one of `mutants/`, written by hand
    GENERATED = "generated"  # a mutation made by program


class Trial(Record):
    """One notebook to try. `breaks` are the criteria that a generated mutation must not meet any more.

    `operator` is the name of that mutation, "" for others.
    """

    kind: Kind
    reference: Reference
    operator: str = ""
    breaks: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """Its short name: `solution`, `class`, `no-names`, `class + one-step`."""
        name = self.reference.notebook.stem if self.operator else self.reference.origin.stem
        return f"{name} + {self.operator}" if self.operator else name


class Tried(NamedTuple):
    """A trial with what was seen, an entry for each repeat."""

    trial: Trial
    seen: tuple[Seen, ...]


def trials_of(folder: Path, rubric: Rubric) -> list[Trial]:
    """Everything to try in `reference_solutions/<assignment>`, honest work first."""
    criteria = [criterion.id for criterion in rubric.criteria]
    honest = [folder / "solution.ipynb", *sorted((folder / "variants").glob("*.ipynb"))]
    mutants = sorted((folder / "mutants").glob("*.yaml"))
    read = [read_reference(path, criteria) for path in honest]
    return [
        *(Trial(kind=Kind.HONEST, reference=reference) for reference in read),
        *(Trial(kind=Kind.MUTANT, reference=read_reference(path, criteria)) for path in mutants),
        *(trial for reference in read for trial in _generated(reference, rubric)),
    ]


def _generated(reference: Reference, rubric: Rubric) -> Iterator[Trial]:
    """The mutations of a reference that break a criterion which it meets."""
    for mutation in mutations_of(load_notebook(reference.notebook)):
        broken = frozenset(
            criterion.id
            for criterion in rubric.criteria
            if criterion.check.name in mutation.breaks
            and reference.expected(criterion.id, is_real=True) is Expected.MET
        )
        mutated = reference.model_copy(
            update={
                "name": f"{reference.name} + {mutation.name}",
                "title": f"{mutation.title} ({reference.title})",
                "edits": mutation.edits,
            }
        )
        if broken:
            yield Trial(kind=Kind.GENERATED, reference=mutated, operator=mutation.name, breaks=broken)


def run_trials(
    trials: Sequence[Trial],
    repeats: dict[Kind, int],
    *,
    rubrics: Path,
    folder: Path,
    executor: Executor,
    data: Path,
    progress: Progress = lambda doing, done, total: None,
) -> list[Tried]:
    """Grade each trial as often as its kind asks for, with other seeds each time, in a course in `folder`.

    Each is handed in as it was just run, but for mutants that show other outputs on purpose.
    Runs are kept there: what was run before is not run again. Raises `GraderError` as `grade` does.
    """
    seen: dict[int, list[Seen]] = {index: [] for index in range(len(trials))}
    for repeat in range(max(repeats.values())):
        asked = [index for index, trial in enumerate(trials) if repeat < repeats[trial.kind]]
        graded = grade_references(
            [trials[index].reference for index in asked],
            course_of_references(rubrics, folder),
            executor,
            data=data,
            is_quick=False,
            repeat=repeat,
            as_just_run=True,
            progress=progress,
        )
        for index, found in zip(asked, graded, strict=True):
            seen[index].append(found)
    return [Tried(trial, tuple(seen[index])) for index, trial in enumerate(trials)]
