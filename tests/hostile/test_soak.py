"""200 hand-ins, one in ten hostile; the grader is killed at random moments, until it is done.

Not part of the test run (`make soak`): it takes a quarter of an hour on two cores.
"""

from __future__ import annotations

import os
import random
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grader.course import Course
from grader.execution.local import LocalExecutor
from grader.pipeline import grade
from hostile.attacks import Attack, read_attacks
from hostile.classroom import Outcomes, a_course, a_notebook, hand_in, hand_in_attack
from hostile.traces import left_behind, traces

HAND_INS, ONE_IN, ROOMS = 200, 10, 3
MOST_SECONDS = 20.0  # between two kills
LIMITS = "{wall_seconds: 8, reserve_seconds: 4, memory_mib: 700, disk_mib: 64, output_mib: 2, processes: 100}"
FINISHED = (0, 1)  # all was graded, or all but what cannot be

_CODE = """
import random, time
values = sorted(random.gauss({number}, 1) for _ in range(1000))
time.sleep({pause})
print("validation accuracy:", round(abs(values[500]) % 1, 6))
{more}
"""
_MORE = ("", "print('test accuracy: 0.91')", "1 / 0", "import my_own_module", "raise SystemExit", "x = 1 +")


def honest(number: int) -> dict[str, Any]:
    """One of many honest hand-ins: some fail, some show results, no two are alike."""
    code = _CODE.format(number=number, pause=number % 3 / 10, more=_MORE[number % len(_MORE)])
    saved = ["validation accuracy: 0.5\n"] * (number % 2)
    return a_notebook(
        [code, f"print({number})"], saved=saved, text="Zeros keep all units alike. " * (number % 4)
    )


def hostile() -> Iterator[Attack]:
    """The attacks, one after the other and again, without those that only wait for the clock."""
    attacks = [
        attack for attack in read_attacks() if attack.subject != "ending" or "died" in str(attack.status)
    ]
    while True:
        yield from attacks


def filled(course: Course, alone: Course, mark: str) -> tuple[list[int], int]:
    """Hand-ins in both courses, the hostile ones in the first; numbers of the honest, count of the others."""
    attacks = hostile()
    words = dict.fromkeys(("MARK", "ABSTRACT", "WITNESS", "SECRET_OF_THE_LAUNCHER"), mark)
    words |= {"COURSE": str(course.root), "PORT": "9"}
    numbers = []
    for number in range(1, HAND_INS + 1):
        if number % ONE_IN == 0:
            hand_in_attack(course, number, next(attacks).with_words(words))
            continue
        numbers.append(number)
        notebook = honest(number)
        for where in (course, alone):
            hand_in(where, number, notebook)
    return numbers, HAND_INS - len(numbers)


def graded_in_spite_of_kills(course: Course, dice: random.Random) -> int:
    """Start the grader again and again until it comes to its end; how often it was killed."""
    program = [sys.executable, "-m", "grader", str(course.root / "submissions"), "--course", str(course.root)]
    kills = 0
    while True:
        grader = subprocess.Popen([*program, "--jobs", str(ROOMS)], stdout=subprocess.DEVNULL)
        try:
            assert grader.wait(dice.uniform(0.5, MOST_SECONDS)) in FINISHED
            return kills
        except subprocess.TimeoutExpired:
            os.kill(grader.pid, signal.SIGKILL)
            grader.wait()
            kills += 1


@pytest.mark.soak
def test_every_honest_one_has_the_grade_that_it_has_alone(ready_data: Path, tmp_path: Path):
    seed = int(os.environ.get("SOAK_SEED", secrets.randbelow(10**6)))
    mark = f"left-{secrets.token_hex(6)}"
    together, apart = (a_course(tmp_path / name, LIMITS, ready_data) for name in ("together", "apart"))
    numbers, attacks = filled(together, apart, mark)
    before = traces(mark)
    begin = time.monotonic()
    kills = graded_in_spite_of_kills(together, random.Random(seed))
    seconds = time.monotonic() - begin
    left = left_behind(before, mark)
    [with_others] = grade(together.root / "submissions", together, LocalExecutor(ROOMS))
    [by_itself] = grade(apart.root / "submissions", apart, LocalExecutor(1))
    print(
        f"seed {seed}: {len(numbers)} honest, {attacks} hostile, {kills} kills, {seconds:.0f} s, left: {left}"
    )
    ours, alone = Outcomes(together, with_others), Outcomes(apart, by_itself)
    assert with_others.executed == 0, "a finished run was lost"
    assert with_others.lost == ()
    assert [number for number in numbers if ours.comparable(number) != alone.comparable(number)] == []
    assert left == {}
