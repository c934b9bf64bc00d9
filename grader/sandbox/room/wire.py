"""Sends facts out of the room, one JSON object a line (schema 2)."""

from __future__ import annotations

import contextlib
import json
import os
from typing import Any

_LONG_BYTES = 2 * 1024 * 1024

_end = -1
_cell_count = 0


def open_wire(file_descriptor: int) -> None:
    """Use the inherited pipe `file_descriptor`; it is not passed on to programs started later."""
    global _end
    os.set_inheritable(file_descriptor, False)
    _end = file_descriptor


def has_reader() -> bool:
    """Whether somebody reads the other end.

    A grader that was killed before bubblewrap could tie the room to its life has left nobody there: then the
    room has to end by itself.
    """
    try:
        os.write(_end, b"\n")
    except BrokenPipeError:
        return False
    return True


def send(kind: str, **fact: Any) -> None:
    """Send one fact. `run` tells how many cells had been started: the place it belongs to."""
    line = json.dumps({"kind": kind, "run": _cell_count, **fact}, default=str) + "\n"
    with contextlib.suppress(OSError):  # closed by student code: the notebook runs on
        os.write(_end, line.encode("utf-8", "replace")[:4096])


def send_long(kind: str, **fact: Any) -> None:
    """Send one fact of up to `_LONG_BYTES`; a longer one is left out, half of it would be none."""
    line = memoryview(
        (json.dumps({"kind": kind, "run": _cell_count, **fact}) + "\n").encode("utf-8", "replace")
    )
    if len(line) > _LONG_BYTES:
        return
    with contextlib.suppress(OSError):
        while line:
            line = line[os.write(_end, line) :]


def current_cell() -> int:
    """The position of the running cell, counted from 1 over the cells that were started."""
    return _cell_count


def count_cell(*_: Any) -> None:
    """Called before each cell runs."""
    global _cell_count
    _cell_count += 1
