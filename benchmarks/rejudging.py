"""How long a TA waits when nothing has to be run: the help, the same command again, a class judged again.

`python benchmarks/rejudging.py` prints a Markdown table. It grades the sample hand-ins once (which runs
them), makes 100 hand-ins of them (`--hand-ins`) that differ in their text only, and times whole processes,
five times each (`--repeats`).
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
ANEW = "everything anew, as by another version"


def main() -> None:
    """Measure in a course of its own below the temporary folder, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hand-ins", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    count, repeats = options.hand_ins, options.repeats
    with tempfile.TemporaryDirectory(prefix="grader-bench-") as name:
        course = a_course(Path(name), count)
        rows = {
            "`grade --help`": median(lambda: grade(course, "--help"), repeats),
            **judging_again(course, count, repeats),
            "the 12 samples again": median(lambda: grade(course, "samples"), repeats),
        }
    print(f"Python {sys.version.split()[0]}, median of {repeats} whole processes, in seconds\n")
    print("| what | median | slowest |\n|---|---|---|")
    for what, (middle, slowest) in rows.items():
        print(f"| {what} | {middle:.2f} | {slowest:.2f} |")


def a_course(course: Path, count: int) -> Path:
    """The folder `course`, with the samples and a class of `count`, all of them graded once."""
    shutil.copytree(REPOSITORY / "rubrics", course / "rubrics")
    shutil.copytree(REPOSITORY / "submissions" / "a1", course / "samples" / "a1")
    grade(course, "samples")
    make_class(course, count)
    grade(course, "submissions")
    return course


def judging_again(course: Path, count: int, repeats: int) -> dict[str, tuple[float, float]]:
    """Median and slowest seconds of grading the class again, by what has changed since."""
    points, asked = ("points: 1.5", "points: 1.25"), ("at_least: 3 ", "at_least: 2 ")
    calls: dict[str, Callable[[], None]] = {
        "nothing changed": lambda: None,
        "other points, every page changes": lambda: change_rubric(course, *points),
        "a check asked something else": lambda: change_rubric(course, *asked),
        ANEW: lambda: forget(course),
    }
    return {
        f"{count:,} hand-ins again, {what}": median(
            lambda: grade(course, "submissions"), repeats, before=change
        )
        for what, change in calls.items()
    }


def grade(course: Path, *words: str) -> None:
    """Run `grade` in `course`; what it prints is not shown."""
    command = [sys.executable, "-m", "grader", *words]
    ended = subprocess.run(command, cwd=course, capture_output=True, text=True, check=False)
    if ended.returncode not in (0, 1):
        raise SystemExit(ended.stderr)


def make_class(course: Path, count: int) -> None:
    """`count` hand-ins with the samples' code, so that their runs are stored, each with a text of its own."""
    samples = sorted((course / "samples" / "a1").glob("*/*.ipynb"))
    for number in range(count):
        notebook = json.loads(samples[number % len(samples)].read_text("utf-8"))
        text = {"cell_type": "markdown", "metadata": {}, "source": f"A text of hand-in {number}."}
        notebook["cells"].append(text)
        folder = course / "submissions" / "a1" / f"Participant_{1000 + number}_assignsubmission_file"
        folder.mkdir(parents=True)
        (folder / "work.ipynb").write_text(json.dumps(notebook), "utf-8")


def change_rubric(course: Path, one: str, other: str) -> None:
    """In the rubric, put one text for another, or back."""
    rubric = course / "rubrics" / "a1.yaml"
    text = rubric.read_text("utf-8")
    old, new = (one, other) if one in text else (other, one)
    rubric.write_text(text.replace(old, new), "utf-8")


def forget(course: Path) -> None:
    """Leave nothing of earlier gradings but runs, evidence and the gradebook."""
    shutil.rmtree(course / ".grader" / "judged")
    shutil.rmtree(course / "reports")


def median(
    call: Callable[[], None], repeats: int, *, before: Callable[[], None] = lambda: None
) -> tuple[float, float]:
    """Median and maximum of the wall seconds of `repeats` calls, without what is done `before` each."""
    seconds = []
    for _ in range(repeats):
        before()
        begin = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds), max(seconds)


if __name__ == "__main__":
    main()
