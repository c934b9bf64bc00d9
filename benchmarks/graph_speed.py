"""Judges assignment 4's reference again and again on a busy machine, and times its steps by hand as well.

python benchmarks/graph_speed.py [--times 10] [--load 2] [--data DIR]

Prints a table: the two verdicts on `tf.function` of each run (quick, with other
seeds), what was timed in it, and the same ratio of times taken by hand, right after it: in a plain process,
with no room and no recorder. All the while `--load` other processes keep a core busy each.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from grader.course import Course
from grader.datasets.finding import dataset_names
from grader.evidence.record import Evidence
from grader.evidence.timings import Interval, interval_of
from grader.execution.local import LocalExecutor
from grader.model import Outcome
from grader.reference_grading import course_of_references, grade_references
from grader.references import Reference, read_reference
from grader.rubric import read_rubric

ROOT = Path(__file__).resolve().parents[1]
SOLUTION = ROOT / "reference_solutions" / "a4" / "solution.ipynb"
CRITERIA = ("tf-function", "graph-loop")
_BUSY = "while True: pass"
_PAIRS = 15
_BY_HAND = """
import json, time
pairs = {}
for growth in (4, 16):
    net = densenet(growth=growth)
    step = make_step(net, keras.optimizers.Adam())
    graph = tf.function(step)
    batch = tf.random.uniform((64, 32, 32, 3)), tf.zeros((64,), tf.int32)
    for call in (step, graph, step, graph):
        call(*batch)
    times = []
    for _ in range(PAIRS):
        both = []
        for call in (step, graph):
            started = time.perf_counter()
            float(call(*batch))
            both.append(time.perf_counter() - started)
        times.append(both)
    pairs[sum(int(tf.size(weight)) for weight in net.trainable_variables)] = times
print("PAIRS " + json.dumps(pairs))
"""


class Repeat(NamedTuple):
    """One run: its verdicts, and by number of weights the gain as timed in it and by hand."""

    outcomes: tuple[Outcome, ...]
    timed: dict[int, Interval]
    by_hand: dict[int, Interval]


def main() -> None:
    """Run, and print one row after the other."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=int, default=10, help="how often the reference is judged")
    parser.add_argument("--load", type=int, default=2, help="how many processes keep a core busy each")
    parser.add_argument("--data", type=Path, help="the real data sets; else generated stand-ins")
    options = parser.parse_args()
    print("| run | " + " | ".join(CRITERIA) + " | weights | timed | by hand | agree |")
    print("|---|" + "---|" * (len(CRITERIA) + 4))
    repeats = []
    with tempfile.TemporaryDirectory() as folder, closing(LocalExecutor()) as executor, busy(options.load):
        course = course_of_references(ROOT / "rubrics", Path(folder))
        for number in range(options.times):
            repeats.append(repeat(course, executor, number, options.data))
            for row in rows(number + 1, repeats[-1]):
                print(row, flush=True)
    print("\n" + summary(repeats))


@contextmanager
def busy(count: int) -> Iterator[None]:
    """Other work on the machine, for as long as the context lasts."""
    processes = [subprocess.Popen([sys.executable, "-c", _BUSY]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def repeat(course: Course, executor: LocalExecutor, number: int, data: Path | None) -> Repeat:
    """Judge the reference with seeds of their own, then time its steps by hand."""
    for old in (course.state / "evidence").glob("*.json"):
        old.unlink()
    reference = read_reference(SOLUTION, _criteria(course))
    [seen] = grade_references([reference], course, executor, data=data, is_quick=True, repeat=number)
    if seen.why_not:
        raise SystemExit(seen.why_not)
    stored = (course.state / "evidence").glob("*.json")
    evidence = [Evidence.model_validate_json(file.read_bytes()) for file in stored]
    timings = [one for found in evidence if found.observed for one in found.observed.timings]
    by_hand = hand_timed(reference)
    timed = {one.parameters: one.gain for one in timings if one.gain and one.parameters in by_hand}
    return Repeat(tuple(seen.verdicts[name].outcome for name in CRITERIA), timed, by_hand)


def hand_timed(reference: Reference) -> dict[int, Interval]:
    """The gain of each of the notebook's models, timed in a process that runs the cells that define them.

    It has a session of its own, as from another terminal: Linux shares cores out by sessions (autogroup),
    so that in one session with the busy processes it would have more of them than a room has.
    """
    cells = json.loads(reference.notebook.read_text("utf-8"))["cells"]
    imports, _, models, steps, *_ = ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    code = "\n".join([imports, models, steps, _BY_HAND.replace("PAIRS)", f"{_PAIRS})", 1)])
    quiet = {"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | quiet,
        capture_output=True,
        text=True,
        check=True,
        start_new_session=True,
    )
    told = next(line for line in ended.stdout.split("\n") if line.startswith("PAIRS "))
    pairs: dict[str, list[list[float]]] = json.loads(told.removeprefix("PAIRS "))
    gains = {
        int(size): interval_of([eager / graph for eager, graph in times]) for size, times in pairs.items()
    }
    return {size: gain for size, gain in gains.items() if gain is not None}


def rows(number: int, one: Repeat) -> Iterator[str]:
    """One line of the table per model."""
    verdicts = " | ".join(outcome.value.replace("_", " ") for outcome in one.outcomes)
    for size, by_hand in sorted(one.by_hand.items()):
        timed = one.timed.get(size)
        shown = "too few calls" if timed is None else _shown(timed)
        agree = "" if timed is None else "yes" if overlap(timed, by_hand) else "no"
        yield f"| {number} | {verdicts} | {size:,} | {shown} | {_shown(by_hand)} | {agree} |"


def summary(repeats: Sequence[Repeat]) -> str:
    """How often each verdict came, and how often the intervals agree."""
    lines = []
    for place, name in enumerate(CRITERIA):
        outcomes = [one.outcomes[place].value.replace("_", " ") for one in repeats]
        counts = ", ".join(f"{outcomes.count(outcome)} {outcome}" for outcome in dict.fromkeys(outcomes))
        lines.append(f"{name}: {counts}.")
    both = [
        (gain, one.by_hand[size])
        for one in repeats
        for size, gain in one.timed.items()
        if size in one.by_hand
    ]
    agreeing = sum(overlap(timed, by_hand) for timed, by_hand in both)
    apart = max((max(a.middle / b.middle, b.middle / a.middle) for a, b in both), default=1.0)
    lines.append(
        f"Intervals that agree: {agreeing} of {len(both)}; medians apart by a factor of {apart:.2f} at most."
    )
    return "\n".join(lines)


def overlap(one: Interval, other: Interval) -> bool:
    """Whether two intervals have a value in common."""
    return one.low <= other.high and other.low <= one.high


def _shown(gain: Interval) -> str:
    return f"{gain.middle:.2f} ({gain.low:.2f} to {gain.high:.2f})"


def _criteria(course: Course) -> tuple[str, ...]:
    rubric = read_rubric(course.root / "rubrics" / "a4.yaml", datasets=dataset_names())
    return tuple(criterion.id for criterion in rubric.criteria)


if __name__ == "__main__":
    main()
