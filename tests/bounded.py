"""A guard against input that takes for ever. How fast something is, `benchmarks/` tell: no test does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

CPU_SECONDS = 30.0
"""Several times what anything guarded takes on an idle machine; what grows wrongly takes far longer."""


@contextmanager
def bounded() -> Iterator[None]:
    """Fails when what is inside computes longer than `CPU_SECONDS`, on this thread alone."""
    start = time.thread_time()
    yield
    taken = time.thread_time() - start
    assert taken < CPU_SECONDS, f"it computed for {taken:.1f} s"
