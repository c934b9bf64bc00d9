"""The same work on many things, by as many processes as there are processors, where that pays."""

from __future__ import annotations

import multiprocessing
import os
import signal
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

from grader.errors import GraderError, ProcessError, trace_of

if TYPE_CHECKING:  # not every system that checks a notebook has all of it
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

Item = TypeVar("Item")
Result = TypeVar("Result")

_FEWEST_EACH = 10  # things that are worth a process
_MOST_PIECES = 1_000  # that are dealt out; all of their numbers fit into a pipe
_WORD = 4  # bytes of a number


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def for_each(work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """`[work(item) for item in items]`, for `work` that changes nothing but files of its item's own.

    Few items are worked on in this process. Others are taken one by one, the first ones first, by it and by
    forks of it, which have all that `work` knows in memory; only results are sent back. What `work` raises is
    raised here. Raises `ProcessError` when a fork dies. However it ends, no fork is left running.
    """
    shares = min(processors(), len(items) // _FEWEST_EACH)
    if shares < 2 or "fork" not in multiprocessing.get_all_start_methods():
        return [work(item) for item in items]
    size = -(-len(items) // _MOST_PIECES)
    pieces = [range(len(items))[start : start + size] for start in range(0, len(items), size)]
    results: list[Any] = [None] * len(items)
    with _dealt(len(pieces)) as taken:

        def share() -> list[tuple[int, Result]]:
            return [(number, work(items[number])) for piece in taken() for number in pieces[piece]]

        with _forks(share, shares - 1) as forks:
            for number, result in chain(share(), *(_answer(fork, answers) for fork, answers in forks)):
                results[number] = result
    return results


@contextmanager
def _dealt(count: int) -> Iterator[Callable[[], Iterator[int]]]:
    """The numbers below `count`, each for whoever takes it first, this process or a fork of it."""
    source, fill = os.pipe()
    try:
        os.write(fill, b"".join(number.to_bytes(_WORD, "big") for number in range(count)))
        os.close(fill)  # who has taken the last one is told so
        yield lambda: (int.from_bytes(word, "big") for word in iter(partial(os.read, source, _WORD), b""))
    finally:
        os.close(source)


@contextmanager
def _forks(
    share: Callable[[], list[tuple[int, Result]]], count: int
) -> Iterator[list[tuple[BaseProcess, Connection]]]:
    """So many forks that work on a share, each with the end of the pipe through which it answers."""
    context = multiprocessing.get_context("fork")
    forks: list[tuple[BaseProcess, Connection]] = []
    try:
        for _ in range(count):
            answers, own_end = context.Pipe(duplex=False)
            fork: BaseProcess = context.Process(target=_work, args=(share, own_end, answers), daemon=True)
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


def _work(share: Callable[[], list[tuple[int, Result]]], own_end: Connection, answers: Connection) -> None:
    """What a fork does: all results at once, or what was raised."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started it is interrupted, too, and ends it
    answers.close()
    try:
        answer: tuple[list[tuple[int, Result]] | None, Exception | None] = share(), None
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
