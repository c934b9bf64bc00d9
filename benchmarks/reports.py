"""How long a page takes, and how large it is: of a hand-in, of a long one, of classes.

`python benchmarks/reports.py` prints a Markdown table. The hand-in is the reference solution of assignment 1
with its saved outputs; what a run of it and measurements would add is made up here, so that nothing has to be
run. Pages are made in one process, as `grade` does, the first one aside (it loads the templates).
"""

from __future__ import annotations

import re
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from grader.assess import assess
from grader.datasets import dataset_names
from grader.evidence.collect import collect
from grader.evidence.measured import Measured, MeasuredTraining
from grader.evidence.observed import Observed, ObservedTraining
from grader.evidence.record import Evidence
from grader.model import CellRun, CellStatus, Grade, Limits, Participant, Run, RunStatus, Submission
from grader.notebook.reading import read_notebook
from grader.notebook.records import Cell, Notebook
from grader.report.pages import render_class, render_submission
from grader.rubric import read_rubric

REPOSITORY = Path(__file__).resolve().parents[1]
REPEATS = 15
TRAININGS = 20
OPEN = 3
IMAGE = re.compile(r'(?<=src=")data:image/[^"]*')


def main() -> None:
    """Make every page `REPEATS` times and print the table."""
    reference = REPOSITORY / "reference_solutions" / "a1" / "solution.ipynb"
    notebook = read_notebook(reference.read_bytes())
    rows: dict[str, Callable[[], str]] = {}
    for name, times in (("a hand-in like the reference solution", 1), ("one that is five times as long", 5)):
        grade, evidence, executed = hand_in(repeated(notebook, times))
        rows[f"{name} ({len(evidence.notebook.cells)} cells)"] = lambda made=(grade, evidence, executed): (
            page(*made)
        )
    grade, evidence, _ = hand_in(notebook)
    for count in (30, 100):
        rows[f"a class of {count}"] = lambda count=count: class_page(grade, evidence, count)
    print(f"Python {sys.version.split()[0]}, medians of {REPEATS} pages\n")
    print("| page | wall (s) | CPU (s) | size without figures (kB) |\n|---|---|---|---|")
    for name, make in rows.items():
        size = len(IMAGE.sub("", make()).encode())
        wall, cpu = (
            statistics.median(timed(make, clock)) for clock in (time.perf_counter, time.process_time)
        )
        print(f"| {name} | {wall:.3f} | {cpu:.3f} | {size / 1000:.0f} |")


def timed(make: Callable[[], str], clock: Callable[[], float]) -> list[float]:
    """The seconds, by `clock`, of `REPEATS` calls."""
    seconds = []
    for _ in range(REPEATS):
        begin = clock()
        make()
        seconds.append(clock() - begin)
    return seconds


def repeated(notebook: Notebook, times: int) -> Notebook:
    """The notebook's cells, so many times one after the other."""
    cells = [cell for _ in range(times) for cell in notebook.cells]
    return Notebook(cells=tuple(cell.model_copy(update={"number": n}) for n, cell in enumerate(cells, 1)))


def hand_in(notebook: Notebook) -> tuple[Grade, Evidence, Notebook]:
    """Grade, evidence and executed notebook: as if it had run, every number coming out a little different."""
    executed = Notebook(cells=tuple(with_other_numbers(cell) for cell in notebook.cells))
    run = Run(
        key="0" * 64,
        status=RunStatus.COMPLETED,
        cells=tuple(CellRun(cell=c.number, status=CellStatus.OK, seconds=1.0) for c in notebook.code_cells),
        wall_seconds=60.0,
        seed=7,
        limits=Limits(),
    )
    submission = Submission(
        id="Participant_101",
        assignment="a1",
        participant=Participant(id="101", is_blind=True),
        folder=Path("Participant_101"),
        notebook="work.ipynb",
        notebook_sha256="0" * 64,
    )
    evidence = collect(submission, notebook, run, executed).model_copy(update=measurements())
    rubric = read_rubric(REPOSITORY / "rubrics" / "a1.yaml", datasets=dataset_names())
    return assess(evidence, rubric), evidence, executed


def with_other_numbers(cell: Cell) -> Cell:
    """The cell with the last digit of every fraction in its printed outputs changed."""
    outputs = [
        output.model_copy(update={"text": re.sub(r"(\.\d*)\d", r"\g<1>7", output.text)})
        for output in cell.outputs
    ]
    return cell.model_copy(update={"outputs": tuple(outputs)})


def measurements() -> dict[str, Observed | Measured]:
    """`TRAININGS` trainings, observed and measured."""
    seen = tuple(ObservedTraining(id=n, updates=800) for n in range(TRAININGS))
    during = ((4, 0.3), (32, 0.6), (256, 0.8))
    measured = tuple(
        MeasuredTraining(training=n, dataset="mnist", examples=5000, accuracy=0.9, before=0.1, during=during)
        for n in range(TRAININGS)
    )
    return {"observed": Observed(is_trusted=True, trainings=seen), "measured": Measured(trainings=measured)}


def page(grade: Grade, evidence: Evidence, executed: Notebook) -> str:
    """The page of the hand-in."""
    return render_submission(grade, evidence, executed, rubric_title="Assignment 1")


def class_page(grade: Grade, evidence: Evidence, count: int) -> str:
    """The page of a class of `count` such hand-ins, `OPEN` criteria of each waiting for a person."""
    left_out = [criterion.id for criterion in grade.criteria if criterion.awarded is None][OPEN:]
    criteria = tuple(criterion for criterion in grade.criteria if criterion.id not in left_out)
    same = grade.model_copy(update={"criteria": criteria})
    grades = [same.model_copy(update={"submission": f"Participant_{n}"}) for n in range(count)]
    assert evidence.run is not None
    return render_class(grades, [], {each.submission: evidence.run for each in grades}, title="Assignment 1")


if __name__ == "__main__":
    main()
