"""When the recorder listens, and the boundary that keeps its failures away from student code."""

from __future__ import annotations

import contextlib
import functools
import traceback
from collections.abc import Callable, Iterator
from typing import Any


class Hearing:
    """Whether the recorder listens: not before it begins, and not while it computes something itself."""

    def __init__(self) -> None:
        self.is_deaf = True
        self.failures = 0
        self.first_failure = ""

    def failed(self) -> None:
        """Note an exception of ours, which is being handled."""
        self.failures += 1
        self.first_failure = self.first_failure or traceback.format_exc()[-2000:]

    @contextlib.contextmanager
    def closed(self) -> Iterator[None]:
        """A stretch in which what TensorFlow does is our own doing."""
        was_deaf, self.is_deaf = self.is_deaf, True
        try:
            yield
        finally:
            self.is_deaf = was_deaf


def heard(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method of an object with `hearing`, called by a hook: it never raises, and hears nothing of itself.

    While the recorder is deaf it is not called at all, and None comes back.
    """

    @functools.wraps(method)
    def bounded(self: Any, *values: Any, **named: Any) -> Any:
        hearing: Hearing = self.hearing
        if hearing.is_deaf:
            return None
        hearing.is_deaf = True
        try:
            return method(self, *values, **named)
        except Exception:  # noqa: BLE001 - the hooks' boundary: student code never sees our failures
            hearing.failed()
            return None
        finally:
            hearing.is_deaf = False

    return bounded
