"""The kernel parent: imports what notebooks import, once, and forks a kernel whenever the grader asks.

`parent.py CONTROL`, a socket that is inherited and closed in every fork. No TensorFlow operation runs here,
and no code or name of a hand-in ever comes here.
"""

from __future__ import annotations

import array
import gc
import json
import os
import socket
import sys
import traceback
import warnings
from typing import Any, NamedTuple, NoReturn

ROOM = "/room"
HARNESS = "/harness"

sys.path.remove(ROOM)
sys.path[:0] = [ROOM, HARNESS]

import after_import  # noqa: E402
import kernel  # noqa: E402
import linux  # noqa: E402
import nested  # noqa: E402
import shelf  # noqa: E402

_REQUEST_BYTES = 65_536
_ANSWER_BYTES = 16


class Order(NamedTuple):
    """A kernel to fork: its room, and the three ends that it inherits."""

    room: dict[str, Any]
    job: int
    wire: int
    complaints: int


def import_everything() -> None:
    """Import what kernels and most notebooks need."""
    import ipykernel.debugger
    import ipykernel.kernelapp  # noqa: F401

    shelf.fill()
    gc.collect()
    gc.freeze()  # the collector would write to, and so copy, every page of what all kernels share


def main() -> None:
    """Import, say so, and fork a kernel for each order until the grader is gone."""
    control = socket.socket(fileno=int(sys.argv[1]))
    after_import.install()
    if "bare" not in sys.argv:
        import_everything()
    sys.path[:2] = []
    sys.path.append(f"{ROOM}/lib")
    control.send(b"ready")
    while (order := _received(control)) is not None:
        with warnings.catch_warnings():  # Python 3.12 warns of threads; those of the libraries do not mind
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            control.close()
            kernel.become_kernel(_enter_room(order), order.wire)
        for end in order[1:]:
            os.close(end)
        os.waitpid(child, 0)


def _received(control: socket.socket) -> Order | None:
    """The next order, None when the grader is gone."""
    ends = array.array("i")
    message, control_messages, _, _ = control.recvmsg(_REQUEST_BYTES, socket.CMSG_SPACE(3 * ends.itemsize))
    if not message:
        return None
    for _, _, data in control_messages:
        ends.frombytes(data)
    return Order(json.loads(message), *ends)


def _enter_room(order: Order) -> socket.socket:
    """Go into a room; only the process that is to be its kernel returns, with the socket for its job.

    Two processes go before it: one enters the namespaces and ends; the next one is pid 1 there. Pid 1
    tells the grader that it is there, so that the grader learns its process id, and waits for the answer.
    """
    try:
        os.dup2(order.complaints, 2)
        os.close(order.complaints)
        nested.enter_namespaces()
        if os.fork():
            os._exit(0)
        job = socket.socket(fileno=order.job)
        job.send(b"here")
        if not job.recv(_ANSWER_BYTES):
            os._exit(1)
        nested.build_walls(**order.room)
        linux.give_up_all_rights()
        os.setsid()
        job.send(b"walls stand")
        child = os.fork()
        if child:
            _reap(child, job, order.wire)
        linux.let_own_user_look(True)
        return job
    except BaseException:  # noqa: BLE001 - whatever it is, this process must not be the parent again
        traceback.print_exc()
        os._exit(1)


def _reap(child: int, job: socket.socket, wire_end: int) -> NoReturn:
    """Be pid 1: bury orphans until the kernel ends, then end too, which ends everything in the room."""
    job.close()
    os.close(wire_end)
    while True:
        ended, status = os.wait()
        if ended == child:
            os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


main()
