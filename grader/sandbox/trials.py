"""Tries out, in rooms with small limits, whether each limit is really kept on this machine.

Every program here is bounded: where a limit were not kept it would stop by itself, a little later.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

from grader.model import Isolation, Limits, RunStatus
from grader.sandbox.bubblewrap import WRITABLE, RoomFolder, RoomSpec
from grader.sandbox.launching import Standing, launch
from grader.sandbox.leads import Leads
from grader.sandbox.limits.interface import THREADS, Bounds, Mechanism
from grader.sandbox.rooms import Room, RoomKind, RoomProcess

_SECONDS = 60.0
_MIB = 1024**2
_WIDE = {"cpu_seconds": 20, "memory_bytes": 512 * _MIB, "disk_bytes": 64 * _MIB, "processes": 64}


class Trial(NamedTuple):
    """A program that passes one limit: what is limited, the limit, and how the room must end.

    `ends`: None when the program is only refused something; it then exits with status 0.
    """

    name: str
    limit: dict[str, int]
    program: str
    ends: RunStatus | None


TRIALS = (
    Trial(
        "memory",
        {"memory_bytes": 100 * _MIB},
        "import time\nkept = []\n"
        f"for _ in range(40):\n    kept.append(b'x' * (5 * {_MIB}))\n    time.sleep(0.01)\ntime.sleep(8)",
        RunStatus.OUT_OF_MEMORY,
    ),
    Trial(
        "memory of several processes",
        {"memory_bytes": 100 * _MIB},
        "import os, time\n"
        f"for _ in range(4):\n    if not os.fork():\n        kept = b'x' * (40 * {_MIB})\n"
        "        time.sleep(8)\n        os._exit(0)\ntime.sleep(8)",
        RunStatus.OUT_OF_MEMORY,
    ),
    Trial(
        "memory in files",
        {"memory_bytes": 100 * _MIB, "disk_bytes": 400 * _MIB},
        f"import time\nwith open('/dev/shm/x', 'wb') as file:\n    for _ in range(40):\n"
        f"        file.write(b'x' * (5 * {_MIB}))\n        file.flush()\n    time.sleep(8)",
        RunStatus.OUT_OF_MEMORY,
    ),
    Trial(
        "processes",
        {"processes": 16},
        "import os, time\nfor _ in range(40):\n    if not os.fork():\n        time.sleep(8)\n"
        "        os._exit(0)\ntime.sleep(8)",
        RunStatus.TOO_MANY_PROCESSES,
    ),
    Trial(
        "threads",
        {"processes": 16, "cpu_seconds": 100},
        f"import threading, time\nthreading.stack_size(65536)\nfor _ in range({THREADS + 200}):\n    try:\n"
        "        threading.Thread(target=time.sleep, args=(8,), daemon=True).start()\n"
        "    except RuntimeError:\n        break\ntime.sleep(8)",
        RunStatus.TOO_MANY_PROCESSES,
    ),
    Trial(
        "processor time",
        {"cpu_seconds": 1},
        "import os, time\nend = time.monotonic() + 10\nos.fork()\nwhile time.monotonic() < end: pass",
        RunStatus.TOO_MUCH_CPU,
    ),
    Trial(
        "disk",
        {"disk_bytes": 4 * _MIB},
        f"import time\nfor place in {WRITABLE}:\n    with open(place + '/x', 'wb') as file:\n"
        f"        file.write(b'x' * {_MIB})\ntime.sleep(8)",
        RunStatus.TOO_MUCH_DISK,
    ),
    Trial(
        "open files",
        {"open_files": 256},
        "kept = []\ntry:\n    for _ in range(400):\n        kept.append(open('/dev/null'))\n"
        "except OSError as error:\n    raise SystemExit(0 if error.errno == 24 else 1)\nraise SystemExit(1)",
        None,
    ),
)


class Tried(NamedTuple):
    """What came of a trial: whether the limit held, how the room ended, and after how long."""

    is_kept: bool
    ended: RunStatus | None
    seconds: float


def try_out(trial: Trial, mechanism: Mechanism | None = None) -> Tried:
    """Run `trial` in a room bounded by `mechanism` (the machine's best if None).

    Raises `SandboxError` or `RuntimeError` when there is no room.
    """
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="grader-trial-") as name:
        spec = RoomSpec(limits=Limits(**(_WIDE | trial.limit)))
        kind = RoomKind(partial(_launch_program, trial.program), Isolation.BUBBLEWRAP, "")
        room = Room(spec, RoomFolder(Path(name)), kind, mechanism)
        try:
            room.start()
            while room.poll() is None and time.monotonic() < begin + _SECONDS:
                time.sleep(0.02)
            status = room.poll()
        finally:
            ended = room.close()
            room.wire.facts()
    is_kept = ended is trial.ends and (trial.ends is not None or status == 0)
    return Tried(is_kept, ended, time.monotonic() - begin)


def _launch_program(
    program: str, spec: RoomSpec, folder: RoomFolder, bounds: Bounds, leads: Leads
) -> tuple[RoomProcess, Standing]:
    inside = [sys.executable, "-I", "-S", "-c", program]
    return launch(spec, folder, inside, bounds, stdout=subprocess.DEVNULL, stderr=leads.complaints)
