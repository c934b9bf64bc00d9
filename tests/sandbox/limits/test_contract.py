"""What every mechanism promises, held against each one that this machine has."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from grader.model import Limits
from grader.sandbox.limits import groups
from grader.sandbox.limits.choosing import MECHANISMS, choose_mechanism, why_not
from grader.sandbox.limits.interface import Bounds, Mechanism, over
from grader.sandbox.trials import TRIALS, Trial, try_out


@pytest.fixture(params=MECHANISMS, ids=lambda mechanism: mechanism.name)
def mechanism(request: pytest.FixtureRequest) -> Mechanism:
    reason = why_not(request.param)
    if reason is not None:
        pytest.skip(reason)
    return request.param


@contextmanager
def bounded(
    mechanism: Mechanism, program: str, limits: Limits | None = None
) -> Iterator[tuple[Bounds, subprocess.Popen[str]]]:
    """A Python that runs `program` within bounds."""
    bounds = mechanism.open(limits or Limits())
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", "import sys; sys.stdin.readline()\n" + program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        bounds.adopt(process.pid)
        process.stdin.write("go\n")
        process.stdin.flush()
        yield bounds, process
    finally:
        bounds.close()
        process.communicate()


def rooms_of(pid: int) -> list[Path]:
    """The groups of rooms that the process `pid` has made."""
    return [
        path
        for own in groups.own_groups().values()
        for parent in (own, own.parent)
        for path in parent.glob(f"grader-{pid}-*")
        if not groups.is_for_ourselves(path)
    ]


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.name)
def test_each_limit_ends_the_room_with_its_own_status(mechanism, trial: Trial):
    tried = try_out(trial, mechanism)
    assert tried.is_kept, tried
    assert tried.seconds < 60


def test_what_stays_within_the_limits_is_left_alone(mechanism):
    within = "kept = b'x' * 40_000_000\nimport os\nfor _ in range(5):\n    os.fork() or os._exit(0)"
    tried = try_out(Trial("nothing", {}, within, None), mechanism)
    assert tried.is_kept, tried


def test_usage_is_over_all_processes_and_ends_with_them(mechanism):
    child = "kept = b'x' * 30_000_000\nwhile time.process_time() < 0.3: pass"
    child += "\nprint(1, flush=True)\ntime.sleep(60)"
    program = f"import os, time\nfor _ in range(2):\n    os.fork() or exec({child!r})\ntime.sleep(60)"
    with bounded(mechanism, program) as (bounds, process):
        assert [process.stdout.readline() for _ in range(2)] == ["1\n", "1\n"]
        usage = bounds.usage()
        assert usage.processes == usage.threads == 3
        assert 60_000_000 < usage.memory_bytes < 200_000_000
        assert usage.cpu_seconds > 0.4
        assert bounds.passed() is None
        assert over(Limits(), usage) is None
        bounds.kill()
        process.wait(10)
        assert bounds.usage() is None


def test_pages_shared_after_a_fork_count_once(mechanism):
    program = "import os, time\nkept = bytearray(100_000_000)\nfor _ in range(4):\n"
    program += "    os.fork() or time.sleep(60)\nprint(1, flush=True)\ntime.sleep(60)"
    with bounded(mechanism, program, Limits(memory_bytes=200_000_000)) as (bounds, process):
        process.stdout.readline()
        usage = bounds.usage()
        assert usage.processes == 5
        assert 100_000_000 < usage.memory_bytes < 200_000_000
        assert bounds.passed() is None


def shares_processors() -> bool:
    """Whether this machine can share processors among groups: it has that controller, for us."""
    own = groups.own_groups()
    second = own[""] / "cgroup.controllers" if "" in own else Path("/nowhere")
    return "cpu" in own or (second.exists() and "cpu" in second.read_text("ascii").split())


def test_a_room_with_many_processes_and_sessions_takes_no_processor_from_another(mechanism):
    """Both are kept on one core. Linux itself may share among sessions, so that the greedy one opens some."""
    if mechanism.name.endswith("sampling") or not shares_processors():
        pytest.skip("nothing here shares processors among groups")
    core = min(os.sched_getaffinity(0))
    begin = f"import os, time\nos.sched_setaffinity(0, [{core}])\n"
    greedy = "for _ in range(4):\n    os.fork() or os.setsid()\nprint(1, flush=True)\nwhile True: pass"
    modest = "print(1, flush=True)\nwhile True: pass"
    with (
        bounded(mechanism, begin + greedy) as (many, greedy_process),
        bounded(mechanism, begin + modest) as (one, modest_process),
    ):
        for process in (greedy_process, modest_process):
            process.stdout.readline()
        before = one.usage().cpu_seconds, many.usage().cpu_seconds
        time.sleep(3)
        own, others = one.usage().cpu_seconds - before[0], many.usage().cpu_seconds - before[1]
    assert own > others / 3, "sixteen processes against one: without groups it would be a sixteenth"


def test_nothing_is_left_behind(mechanism):
    program = "import os, time\nif not os.fork():\n    os.setsid()\nprint(1, flush=True)\ntime.sleep(60)"
    with bounded(mechanism, program) as (bounds, process):
        process.stdout.readline()
        bounds.close()
        assert process.wait(10) == -9
        assert process.stdout.read() in ("", "1\n"), "the daemon held the other end of the pipe"
        assert rooms_of(os.getpid()) == []
        bounds.close()  # harmless when repeated


def test_what_a_killed_grader_left_is_swept(mechanism):
    leave = (
        "import os\nfrom grader.model import Limits\nfrom grader.sandbox.limits.choosing import MECHANISMS\n"
        f"mechanism = next(m for m in MECHANISMS if m.name == {mechanism.name!r})\n"
        "mechanism.open(Limits())\nos.kill(os.getpid(), 9)"
    )
    grader = subprocess.Popen([sys.executable, "-c", leave])
    assert grader.wait() == -9
    assert rooms_of(grader.pid) or not mechanism.name.startswith("cgroup")
    mechanism.sweep()
    assert rooms_of(grader.pid) == []


def test_the_best_mechanism_that_works_is_chosen():
    working = [mechanism for mechanism in MECHANISMS if why_not(mechanism) is None]
    assert choose_mechanism() is working[0]
    assert working[-1].name == "portable sampling", "which needs nothing"
