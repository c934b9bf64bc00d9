"""Work dealt out to processes ends as if one had done it, and however it ends, nothing is left running."""

from __future__ import annotations

import os
import signal
import time

import psutil
import pytest

from grader import processes
from grader.errors import ProcessError, StoreError
from grader.processes import for_each


@pytest.fixture(autouse=True)
def three_processors(monkeypatch):
    monkeypatch.setattr(processes, "processors", lambda: 3)


EARLIER: list[psutil.Process] = []


def children() -> list[psutil.Process]:
    """Those that were started here; tests before may have left rooms that are kept ahead."""
    return [child for child in psutil.Process().children() if child not in EARLIER]


@pytest.fixture(autouse=True)
def earlier():
    EARLIER[:] = psutil.Process().children()


def test_results_come_in_order_from_several_processes():
    def work(number: int) -> tuple[int, int]:
        time.sleep(0.02)  # so that everybody comes to take some
        return number * number, os.getpid()

    found = for_each(work, list(range(100)))
    assert [square for square, _ in found] == [number * number for number in range(100)]
    assert len({process for _, process in found}) == 3
    assert not children()


def test_who_has_a_long_one_takes_fewer_of_them():
    def work(number: int) -> int:
        time.sleep(0.01 if number else 2)
        return os.getpid()

    long, *others = for_each(work, list(range(60)))
    assert others.count(long) < 20


def test_more_things_than_pieces_are_done_each_once():
    count = 3 * processes._MOST_PIECES + 1
    assert for_each(lambda number: -number, list(range(count))) == [-number for number in range(count)]


def test_a_few_things_start_no_process():
    assert set(for_each(lambda number: os.getpid(), list(range(19)))) == {os.getpid()}
    assert for_each(str, []) == []


@pytest.mark.parametrize("at", [0, 1, 2])
def test_what_is_to_be_mended_is_raised_as_it_is_whichever_process_meets_it(at):
    def work(number: int) -> None:
        if number == 30 + at:
            raise StoreError("make room")

    with pytest.raises(StoreError, match="make room"):
        for_each(work, list(range(60)))
    assert not children()


def test_a_bug_in_a_fork_tells_where_it_is_and_quotes_nothing():
    here = os.getpid()

    def work(number: int) -> None:
        if os.getpid() != here:
            raise KeyError("a student's words")
        time.sleep(0.02)

    with pytest.raises(RuntimeError, match="KeyError") as raised:
        for_each(work, list(range(60)))
    assert "in work" in str(raised.value)
    assert "words" not in str(raised.value)


def test_a_fork_that_dies_is_told_of_in_one_sentence():
    here = os.getpid()

    def work(number: int) -> int:
        if os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.02)
        return number

    with pytest.raises(ProcessError, match=r"died \(exit code -9\).* type the same command again"):
        for_each(work, list(range(60)))
    assert not children()


def test_an_interrupt_ends_the_forks_too():
    here = os.getpid()

    def work(number: int) -> None:
        if os.getpid() == here:
            time.sleep(1)
            raise KeyboardInterrupt
        time.sleep(60)

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        for_each(work, list(range(60)))
    assert time.monotonic() - began < 30
    assert not children()
