"""Places for rooms: each is taken by one room at a time."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from grader.errors import SandboxError
from grader.sandbox.gpus import Gpu

log = logging.getLogger(__name__)


class Slot(NamedTuple):
    """A place for one room: on the processors, or a share of `gpu` with `share_bytes` of its memory."""

    number: int
    gpu: Gpu | None = None
    share_bytes: int = 0
    is_shared: bool = False


class Slots:
    """Hands out slots, the one that has been free for longest first. `why` collects what was given up."""

    def __init__(self, slots: Sequence[Slot]) -> None:
        self._free = deque(slots)
        self._usable = set(slots)
        self._why: list[str] = []
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return len(self._usable)

    @contextmanager
    def taken(self) -> Iterator[Slot]:
        """A slot that nobody else has until the end; waits for one.

        Raises `SandboxError` with what happened when none is left to wait for.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._free or not self._usable)
            if not self._usable:
                raise SandboxError(
                    f"{' '.join(self._why)} No GPU is left: what is finished is kept, type the same command "
                    "again, or grade on the processors with `--gpus none`."
                )
            slot = self._free.popleft()
        try:
            yield slot
        finally:
            with self._changed:
                if slot in self._usable:
                    self._free.append(slot)
                self._changed.notify_all()

    def give_up(self, slot: Slot, why: str) -> None:
        """Do not hand out `slot` any more; `why` is a sentence for the person at the terminal."""
        self._give_up({slot}, why)

    def give_up_gpu(self, gpu: Gpu, why: str) -> None:
        """Do not hand out any share of `gpu` any more; `why` as in `give_up`."""
        self._give_up({slot for slot in self._usable if slot.gpu == gpu}, why)

    def _give_up(self, slots: set[Slot], why: str) -> None:
        with self._changed:
            if not slots & self._usable:
                return
            self._usable = self._usable - slots
            self._free = deque(slot for slot in self._free if slot in self._usable)
            self._why.append(why)
            self._changed.notify_all()
        log.warning("%s", why)


def cpu_slots(count: int) -> Slots:
    """`count` slots on the processors."""
    return Slots([Slot(number) for number in range(count)])
