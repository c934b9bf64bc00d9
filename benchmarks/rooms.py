"""How long notebooks take here beyond their own cells, and elsewhere: `make bench` writes docs/benchmarks.md.

The same notebooks go through rooms that are forked and rooms that start cold, plain nbclient, nbgrader and
otter-grader, the last two in environments that are made here (see `peers`) and see this one's TensorFlow.
At the end stored runs are judged again (see `rejudging`).
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import NamedTuple

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent))

from ours import (
    IMPORTS,
    REPOSITORY,
    TRAINING,
    Taken,
    a_class,
    a_job,
    idle_kernels,
    left_behind,
    one_after_another,
    peak_memory,
    reference,
)
from peers.graders import Nbgrader, Otter, Peer, version
from peers.timing import let_it_see_tensorflow, nbclient_at_once, plain_nbclient, with_peer
from rejudging import ANEW, a_course, judging_again

from grader.execution.jobs import Job, installed_versions
from grader.sandbox.sources import ColdRooms, ForkedRooms, KeptAhead, RoomSource

MIB = 1024**2
AT_ONCE = 6  # kernels whose memory is compared
HEAD = """# What a room costs

Written by `make bench` (`benchmarks/rooms.py`). A notebook's *whole* time goes from the wish to run it until
nothing of it is left. One notebook at a time finds a kernel parent there already; a class begins with
nothing. The reference's time beyond its cells holds our measurement: predictions of all its models for
withheld images, which no other grader makes. nbgrader and otter-grader are timed per further hand-in,
without their start; a class takes them, and nbclient, that times its size, as they run notebooks one after
another.
"""
AGAIN = """Whole processes, from the command to the prompt, by a rubric that has changed or not. What rests
on nothing that has changed is not judged
([0029](decisions/0029-what-has-not-changed-is-not-judged-again.md)). With other points, verdicts
stand and every page is filled in anew ([0032](decisions/0032-amounts-are-filled-in-last.md)). A
check that is asked something else goes through all evidence; where it says something else, pages
are made anew. Another version of this program finds and makes everything anew, but runs nothing
again where that has not changed.
"""


class Subject(NamedTuple):
    """One notebook of the benchmark: its cells, what others need to run it, and jobs that run it here."""

    name: str
    sources: Sequence[str]
    environment: dict[str, str]
    jobs: Callable[[int], Sequence[Job]]


class Target(NamedTuple):
    """What is to be reached, what was measured, and whether that is enough."""

    wanted: str
    found: str
    is_reached: bool


def main(arguments: Sequence[str]) -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "grader-peers"
    parser.add_argument("--cache", type=Path, default=cache, help="where the other graders are installed")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--class-size", type=int, default=40)
    parser.add_argument("--peer-size", type=int, default=3, help="hand-ins that other graders get at a time")
    parser.add_argument("--stored", type=int, default=1000, help="stored runs that are judged again")
    parser.add_argument("--data", type=Path, help="real data sets; others cannot read our stand-ins")
    parser.add_argument("--only-ours", action="store_true", help="without the other graders")
    parser.add_argument("--to", type=Path, default=REPOSITORY / "docs" / "benchmarks.md")
    options = parser.parse_args(arguments)
    options.cache.mkdir(parents=True, exist_ok=True)
    load = os.getloadavg()[0]
    lines = [HEAD, *_measured(options), _conditions(options, load)]
    options.to.write_text("\n".join(lines) + "\n", "utf-8")
    print(options.to.read_text("utf-8"))


def _measured(options: argparse.Namespace) -> Iterator[str]:
    """The lines of the page."""
    targets: list[Target] = []
    peers: list[Peer] = [] if options.only_ours else [Nbgrader(options.cache), Otter(options.cache)]
    for peer in peers:
        let_it_see_tensorflow(peer, options.cache)
    data = options.data if options.data is not None and options.data.is_dir() else None
    with reference(data) as solution:
        home = {"KERAS_HOME": str(solution.keras_home), "MPLBACKEND": "agg"}
        subjects = [
            Subject("only imports TensorFlow", IMPORTS, {}, lambda n: [a_job(IMPORTS, k) for k in range(n)]),
            Subject("a small training", TRAINING, {}, lambda n: [a_job(TRAINING, k) for k in range(n)]),
            Subject("the reference of assignment 1", solution.sources, home, solution.jobs),
        ]
        ours = yield from _one_at_a_time(subjects, options, targets)
        others_can = subjects if data is not None else subjects[:2]
        each = yield from _elsewhere(others_can, ours, peers, options)
    yield from _a_class(each, options, targets)
    yield from _memory(options, targets)
    yield from _again(options, targets)
    yield "\n## What is to be reached on two cores\n\n| to reach | measured | |\n|---|---|---|"
    for target in targets:
        yield f"| {target.wanted} | {target.found} | {'reached' if target.is_reached else '**missed**'} |"


def _one_at_a_time(
    subjects: Sequence[Subject], options: argparse.Namespace, targets: list[Target]
) -> Generator[str, None, dict[str, float]]:
    """Forked and cold rooms; returns the whole seconds in a forked one, by notebook."""
    rooms: dict[str, Callable[[], RoomSource]] = {
        "forked": lambda: KeptAhead(ForkedRooms()),
        "cold": ColdRooms,
    }
    whole: dict[str, float] = {}
    yield "## One notebook at a time\n"
    yield "| notebook | kernel | whole (s) | in its cells (s) | beyond them (s) |\n|---|---|---|---|---|"
    for kind, make in rooms.items():
        for subject in subjects:
            with closing(make()) as source:
                found = one_after_another(source, subject.jobs(options.repeats + 1))
            wall, own, beyond = (_median(found, part) for part in ("wall", "cells", "beyond"))
            yield f"| {subject.name} | {kind} | {wall:.2f} | {own:.2f} | {beyond:.2f} |"
            if kind == "forked":
                whole[subject.name] = wall
                targets += _beyond_targets(subject.name, own, beyond)
    return whole


def _beyond_targets(name: str, own: float, beyond: float) -> Iterator[Target]:
    if name.startswith("the reference"):
        share = beyond / own
        wanted = "beyond the cells of a real training: under 5 % of it"
        yield Target(wanted, f"{100 * share:.1f} % ({name})", share < 0.05)
    else:
        yield Target("beyond the cells, once warm: under 0.5 s", f"{beyond:.2f} s ({name})", beyond < 0.5)


def _elsewhere(
    subjects: Sequence[Subject], ours: dict[str, float], peers: Sequence[Peer], options: argparse.Namespace
) -> Generator[str, None, dict[str, float]]:
    """The same notebooks elsewhere; returns the seconds of a small training, by what ran it."""
    ways: dict[str, Callable[[Subject], float]] = {
        "nbclient": lambda subject: plain_nbclient(subject.sources, subject.environment)
    }
    for peer in peers:
        ways[f"{peer.package} {version(peer, options.cache)}"] = lambda subject, peer=peer: with_peer(  # type: ignore[misc]
            peer, subject.sources, subject.environment, options.peer_size
        )
    yield "\n## The same notebooks elsewhere\n\nSeconds, and how many times those in a forked room.\n"
    yield f"| notebook | `grade` | {' | '.join(ways)} |\n|---|---|{'---|' * len(ways)}"
    trainings: dict[str, float] = {}
    for subject in subjects:
        row = []
        for name, way in ways.items():
            seconds = statistics.median(way(subject) for _ in range(options.repeats))
            row.append(f"{seconds:.2f} ({seconds / ours[subject.name]:.1f} ×)")
            if subject.sources is TRAINING:
                trainings[name] = seconds
        yield f"| {subject.name} | {ours[subject.name]:.2f} | {' | '.join(row)} |"
    return trainings


def _a_class(each: dict[str, float], options: argparse.Namespace, targets: list[Target]) -> Iterator[str]:
    size = options.class_size
    ours = statistics.median(a_class(size) for _ in range(options.repeats))
    yield f"\n## A class of {size} small trainings\n"
    yield "| | per notebook (s) | all (s) | times ours |\n|---|---|---|---|"
    yield f"| `grade`, as many at once as it chooses | {ours / size:.2f} | {ours:.1f} | 1 |"
    for name, seconds in each.items():
        ratio = seconds * size / ours
        yield f"| {name} | {seconds:.2f} | {seconds * size:.0f} | {ratio:.1f} |"
        if not name.startswith("otter"):
            wanted = f"the class of {size}: at least 10 times faster than {name}"
            targets.append(Target(wanted, f"{ratio:.1f} times", ratio >= 10))


def _memory(options: argparse.Namespace, targets: list[Target]) -> Iterator[str]:
    idle = idle_kernels(AT_ONCE)
    most = max(idle) / MIB
    here = peak_memory(lambda: a_class(AT_ONCE, AT_ONCE)) / MIB
    there = peak_memory(lambda: nbclient_at_once(TRAINING, AT_ONCE)) / MIB
    yield f"\n## Memory of {AT_ONCE} kernels at once\n"
    yield "All their processes together at the worst moment of a small training each, what several share"
    yield "counted once, our parent's included.\n"
    yield "| | MiB | per kernel |\n|---|---|---|"
    yield f"| `grade`, forked | {here:.0f} | {here / AT_ONCE:.0f} |"
    yield f"| nbclient | {there:.0f} | {there / AT_ONCE:.0f} |"
    middle = statistics.median(idle) / MIB
    yield f"\nAn idle forked kernel has {middle:.0f} MiB of its own (most: {most:.0f})."
    targets.append(Target("each further idle kernel: under 100 MB of its own", f"{most:.0f} MiB", most < 95))
    left = ", ".join(left_behind()) or "nothing"
    targets.append(Target("left running afterwards: nothing", left, left == "nothing"))


def _again(options: argparse.Namespace, targets: list[Target]) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="grader-bench-") as folder:
        rows = judging_again(a_course(Path(folder), options.stored), options.stored, options.repeats)
    yield f"\n## Judging stored runs again\n\n{AGAIN}"
    yield "| | median (s) | slowest (s) |\n|---|---|---|"
    for what, (middle, slowest) in rows.items():
        yield f"| {what} | {middle:.2f} | {slowest:.2f} |"
        if not what.endswith(ANEW):
            targets.append(Target(f"{what}: under 10 s", f"{middle:.1f} s", middle < 10))


def _median(found: Sequence[Taken], part: str) -> float:
    return statistics.median(getattr(one, part) for one in found)


def _conditions(options: argparse.Namespace, load: float) -> str:
    versions = installed_versions()
    named = ", ".join(f"{name} {versions[name]}" for name in ("python", "tensorflow", "ipykernel"))
    memory = psutil.virtual_memory().total / 1024**3
    return (
        f"\nMedians of {options.repeats} on {date.today().isoformat()}: "
        f"{len(os.sched_getaffinity(0))} cores, {memory:.0f} GiB, {named}; load average before: {load:.1f}."
    )


if __name__ == "__main__":
    main(sys.argv[1:])
