"""Python's syntax trees, as threads make them side by side."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from grader.notebook.syntax import syntax_tree

MANY_NODES = "\n".join(f"x{i} = f({i}, [a + {i} for a in b])" for i in range(400))


class InACycle:
    """Only the garbage collector ends it, in Python code: another thread may go on meanwhile."""

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        for _ in range(300):
            pass


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_threads_that_parse_at_the_same_time_all_get_their_trees(hasty_threads):
    def parsed(_: int) -> int:
        InACycle()
        return len(syntax_tree(MANY_NODES).body)

    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(parsed, range(400))) == {400}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_fork_parses_though_another_thread_was_parsing():
    is_over = threading.Event()

    def parse_on() -> None:
        while not is_over.is_set():
            syntax_tree(MANY_NODES)

    with ThreadPoolExecutor(1) as threads:
        threads.submit(parse_on)
        try:
            for _ in range(20):
                child = os.fork()
                if not child:
                    signal.alarm(20)  # which ends a child that waits
                    syntax_tree("1")
                    os._exit(0)
                assert os.waitpid(child, 0)[1] == 0
        finally:
            is_over.set()
