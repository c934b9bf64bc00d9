"""Grades hostile and honest hand-ins together, as a class is graded, once per kind of kernel."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from grader.datasets.finding import dataset_names, find_dataset
from grader.datasets.withheld import course_secret, split_dataset
from grader.execution.interface import Executor
from grader.execution.local import LocalExecutor
from grader.pipeline import grade
from grader.sandbox.sources import ColdRooms, ForkedRooms, RoomSource
from hostile.attacks import MEASURED, read_attacks
from hostile.classroom import (
    AMPLE,
    NOTHING_DONE,
    TIGHT,
    Outcomes,
    a_course,
    a_notebook,
    an_honest_notebook,
    hand_in,
    hand_in_attack,
)
from hostile.measured import WORDS
from hostile.oddities import ODDITIES, hand_in_oddity
from hostile.traces import Traces, left_behind, traces

KINDS = ("cold", "forked")
"""Kinds of kernel. Everything here is tried with each."""

ROOMS = 3
_ATTACKS_PER_HONEST = 5


class HostileClass(NamedTuple):
    """A class that was graded: what came of it, who is who in it, and what it left on the machine."""

    outcomes: Outcomes
    alone: Outcomes  # the honest hand-ins, graded one at a time and without the others
    attacks: dict[str, int]  # the participant of each
    oddities: dict[str, int]
    honest: list[int]
    nothing_done: int
    heard: list[str]  # which of the host's sockets somebody connected to
    left: Traces
    rooms_seconds: float  # of all runs together
    seconds: float


@pytest.fixture(scope="session", params=KINDS)
def kind(request: pytest.FixtureRequest, kernel_parent: ForkedRooms) -> Callable[[int], Executor]:
    """One kind of kernel after the other: what gives an executor of so many rooms at a time."""
    source: RoomSource = ColdRooms()
    if request.param == "forked":
        kernel_parent.start()  # it was there before the class, and is not left behind by it
        source = kernel_parent
    return lambda at_once: LocalExecutor(at_once, source)


@pytest.fixture(scope="session")
def ready_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course's state with its stand-ins and their split, for others to link: making them takes seconds."""
    state = tmp_path_factory.mktemp("state")
    for name in dataset_names():
        files = find_dataset(name, data=None, course_data=None, cache=state / "cache")
        split_dataset(files, course_secret(state), state / "cache")
    return state


@pytest.fixture(scope="session")
def hostile_class(
    kind: Callable[[int], Executor], ready_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> HostileClass:
    """All attacks, and honest hand-ins between them, in one grading with several rooms at a time."""
    root = tmp_path_factory.mktemp("hostile")
    mark, witness = f"left-{secrets.token_hex(6)}", f"witness-{secrets.token_hex(6)}"
    together, apart = (a_course(root / name, TIGHT, ready_data) for name in ("together", "apart"))
    attacks: dict[str, int] = {}
    honest: list[int] = []
    number = 100
    with ExitStack() as stack:
        stack.enter_context(_temporary_folder())
        listeners = stack.enter_context(_listening(f"{mark}-host"))
        words = {
            "MARK": mark,
            "WITNESS": witness,
            "SECRET_OF_THE_LAUNCHER": stack.enter_context(_secret_in_the_environment()),
            "COURSE": str(together.root),
            "PORT": str(listeners[0].getsockname()[1]),
            "ABSTRACT": f"{mark}-host",
        }
        for place, attack in enumerate(read_attacks()):
            if place % _ATTACKS_PER_HONEST == 0:
                number += 1
                honest.append(number)
                notebook = an_honest_notebook(number, witness)
                for course in (together, apart):
                    hand_in(course, number, notebook)
            number += 1
            attacks[attack.name] = number
            hand_in_attack(together, number, attack.with_words(words))
        number += 1
        hand_in(together, number, a_notebook([NOTHING_DONE]))
        oddities = {name: number + place for place, name in enumerate(ODDITIES, start=1)}
        for name, participant in oddities.items():
            hand_in_oddity(together.root / "submissions" / "a1", participant, ODDITIES[name])
        before = traces(mark)
        begin = time.monotonic()
        [graded] = grade(together.root / "submissions", together, kind(ROOMS))
        seconds = time.monotonic() - begin
        left = left_behind(before, mark)
        heard = [name for name, one in zip(("tcp", "abstract"), listeners, strict=True) if _is_called(one)]
    [graded_apart] = grade(apart.root / "submissions", apart, kind(1))
    outcomes = Outcomes(together, graded)
    return HostileClass(
        outcomes=outcomes,
        alone=Outcomes(apart, graded_apart),
        attacks=attacks,
        oddities=oddities,
        honest=honest,
        nothing_done=number,
        heard=heard,
        left=left,
        rooms_seconds=sum(e.run.wall_seconds for e in outcomes.evidence.values() if e.run is not None),
        seconds=seconds,
    )


class MeasuredClass(NamedTuple):
    """Hand-ins that forge what was observed and measured: what came of them, and the participant of each."""

    outcomes: Outcomes
    attacks: dict[str, int]


@pytest.fixture(scope="session")
def measured_class(
    kind: Callable[[int], Executor], ready_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> MeasuredClass:
    """The attacks that need TensorFlow, in one grading."""
    course = a_course(tmp_path_factory.mktemp("measured") / "course", AMPLE, ready_data)
    attacks = {}
    for number, attack in enumerate(read_attacks(MEASURED), start=101):
        attacks[attack.name] = number
        hand_in_attack(course, number, attack.with_words(WORDS))
    [graded] = grade(course.root / "submissions", course, kind(2))
    return MeasuredClass(Outcomes(course, graded), attacks)


@contextmanager
def _temporary_folder() -> Iterator[None]:
    """A temporary folder of our own, that nobody else uses; short enough for sockets below it."""
    before, tempfile.tempdir = tempfile.tempdir, None
    tempfile.tempdir = tempfile.mkdtemp(prefix="hostile-", dir="/tmp")
    try:
        yield
    finally:
        shutil.rmtree(tempfile.tempdir, ignore_errors=True)
        tempfile.tempdir = before


@contextmanager
def _listening(abstract: str) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Sockets of the host, one on loopback and one with an abstract name, that nobody in a room may reach."""
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as named:
        named.bind(f"\0{abstract}")
        named.listen()
        for one in (tcp, named):
            one.setblocking(False)
        yield tcp, named


def _is_called(listener: socket.socket) -> bool:
    try:
        listener.accept()[0].close()
    except BlockingIOError:
        return False
    return True


@contextmanager
def _secret_in_the_environment() -> Iterator[str]:
    """The value of a variable in the launcher's environment, which no room may see."""
    os.environ["A_SECRET_OF_THE_LAUNCHER"] = value = secrets.token_hex(16)
    try:
        yield value
    finally:
        del os.environ["A_SECRET_OF_THE_LAUNCHER"]
