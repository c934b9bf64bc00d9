"""Times `grade check` as a student waits for it: whole processes, nothing run.

python benchmarks/student_check.py [--times 5]
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Print the table of `docs/performance.md`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    times = parser.parse_args().times
    with tempfile.TemporaryDirectory() as folder:
        _print_table(Path(folder), times)


def _print_table(folder: Path, times: int) -> None:
    samples = sorted((ROOT / "submissions" / "a1").glob("*/*.ipynb"))
    references = sorted((ROOT / "reference_solutions").glob("a*/solution.ipynb"))
    print("| what | median (s) | slowest (s) | median CPU (s) |")
    print("|---|---|---|---|")
    for what, notebooks in (("a sample hand-in", samples), ("a reference solution", references)):
        taken = [_seconds(notebook, folder) for notebook in notebooks for _ in range(times)]
        walls, cpus = zip(*taken, strict=True)
        print(
            f"| `grade check` of {what} ({len(notebooks)} notebooks) | {statistics.median(walls):.2f} "
            f"| {max(walls):.2f} | {statistics.median(cpus):.2f} |"
        )


def _seconds(notebook: Path, folder: Path) -> tuple[float, float]:
    """Wall and CPU seconds of one call, by the student edition alone."""
    grade = str(Path(sys.executable).parent / "grade")
    assignment = notebook.relative_to(ROOT).parts[1]
    edition = folder / f"{assignment}.student.yaml"
    if not edition.exists():
        made = [grade, "student-edition", assignment, "--to", str(edition), "--course", str(ROOT)]
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    command = [grade, "check", str(notebook), "--edition", str(edition)]
    compiled_once = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    ended = subprocess.run(command, stdout=subprocess.DEVNULL, check=False, env=compiled_once)
    if ended.returncode not in (0, 1):
        sys.exit(f"{notebook}: grade check ended with {ended.returncode}")
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
