"""The first thing that runs beside a hand-in that is not run in a fork: `startup.py SETTINGS [JOB WIRE]`.

A folder and, in a locked room, two inherited descriptors: of the socket through which the job comes, and of
the wire.
"""

from __future__ import annotations

import json
import socket
import sys
from functools import partial

SETTINGS, *ENDS = sys.argv[1:]

with open(f"{SETTINGS}/room.json", encoding="utf-8") as _file:
    places = json.load(_file)
sys.path[:1] = [places["room"], places["harness"]]  # instead of this file's own folder

import after_import  # noqa: E402
import colab  # noqa: E402
import kernel  # noqa: E402
import wire  # noqa: E402
import without_walls  # noqa: E402


def main() -> None:
    """Be the kernel until the end."""
    if places["is_locked"]:
        job, end = map(int, ENDS)
        receive = partial(kernel.received, socket.socket(fileno=job))
    else:
        without_walls.bind_to_grader()
        sys.meta_path.insert(0, colab.OursFirst(f"{places['room']}/lib"))
        stream, end = without_walls.take_streams()
        receive = partial(without_walls.received, stream)
    wire.open_wire(end)
    if not wire.has_reader():
        sys.exit("the grader is gone")
    sys.path[:2] = []
    sys.path.append(f"{places['room']}/lib")
    after_import.install()
    kernel.become_kernel(receive, places)


main()
