"""The same work on many things, by as many processes as there are processors, where that pays."""

from __future__ import annotations

import multiprocessing
import os
import signal
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from grader.errors import GraderError, ProcessError, trace_of

if TYPE_CHECKING:  # not every system that checks a notebook has all of it
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

Item = TypeVar("Item")
Result = TypeVar("Result")

_FEWEST_EACH = 10  # things that are worth a process


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def for_each(work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """`[work(item) for item in items]`, for `work` that changes nothing but files of its item's own.

    Few items are worked on in this process. The others are dealt out to it and to forks of it, which have all
    that `work` knows in memory; only results are sent back. What `work` raises is raised here. Raises
    `ProcessError` when a fork dies. However it ends, no fork is left running.
    """
    shares = min(processors(), len(items) // _FEWEST_EACH)
    if shares < 2 or "fork" not in multiprocessing.get_all_start_methods():
        return [work(item) for item in items]
    results: list[Any] = [None] * len(items)
    with _forks(work, items, shares) as forks:
        results[0::shares] = [work(item) for item in items[0::shares]]
        for number, (fork, answers) in enumerate(forks, 1):
            results[number::shares] = _answer(fork, answers)
    return results


@contextmanager
def _forks(
    work: Callable[[Item], Result], items: Sequence[Item], shares: int
) -> Iterator[list[tuple[BaseProcess, Connection]]]:
    """A fork for every share but the first, with the end of the pipe through which it answers."""
    context = multiprocessing.get_context("fork")
    forks: list[tuple[BaseProcess, Connection]] = []
    try:
        for number in range(1, shares):
            answers, own_end = context.Pipe(duplex=False)
            share = items[number::shares]
            fork: BaseProcess = context.Process(
                target=_work, args=(work, share, own_end, answers), daemon=True
            )
            with warnings.catch_warnings():  # threads are no harm: a fork touches nothing that they hold
                warnings.simplefilter("ignore", DeprecationWarning)
                fork.start()
            own_end.close()
            forks.append((fork, answers))
        yield forks
    finally:
        for fork, answers in forks:
            fork.terminate()
            fork.join()
            answers.close()


def _work(
    work: Callable[[Item], Result], share: Sequence[Item], own_end: Connection, answers: Connection
) -> None:
    """What a fork does: all results at once, or what was raised."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started it is interrupted, too, and ends it
    answers.close()
    try:
        answer: tuple[list[Result] | None, Exception | None] = [work(item) for item in share], None
    except (GraderError, OSError) as error:
        answer = None, error
    except Exception as bug:  # noqa: BLE001 - raised again where the work was asked for
        answer = None, RuntimeError(trace_of(bug))
    own_end.send(answer)


def _answer(fork: BaseProcess, answers: Connection) -> list[Any]:
    try:
        results, error = answers.recv()
    except EOFError:
        fork.join()
        raise ProcessError(
            f"A process that judged hand-ins died (exit code {fork.exitcode}), perhaps for want of memory: "
            "what is finished is kept, type the same command again."
        ) from None
    if error is not None:
        raise error
    return list(results)
