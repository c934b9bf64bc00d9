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
from functools import partial
from typing import Any, NamedTuple, NoReturn

ROOM = "/room"
HARNESS = "/harness"

sys.path[:1] = [ROOM, HARNESS]  # instead of this file's own folder, which is the same

import linux  # noqa: E402
import nested  # noqa: E402
import rlimits  # noqa: E402

_REQUEST_BYTES = 65_536
_ANSWER_BYTES = 16
_TRIAL_BYTES = 65_536


class Order(NamedTuple):
    """A kernel to fork: its room, and the three ends that it inherits."""

    room: dict[str, Any]
    job: int
    wire: int
    complaints: int


def import_everything() -> None:
    """Import what kernels and most notebooks need."""
    import after_import
    import ipykernel.debugger
    import ipykernel.kernelapp  # noqa: F401
    import kernel  # noqa: F401
    import shelf

    after_import.install()
    shelf.fill()
    gc.collect()
    gc.freeze()  # the collector would write to, and so copy, every page of what all kernels share


def try_nesting() -> None:
    """Build the walls of a room once, in processes that end; where that is refused, end with the reason."""
    child = os.fork()
    if child == 0:
        try:
            nested.enter_namespaces()
            first = os.fork()
            if first == 0:
                nested.build_walls("rooms/0", {}, _TRIAL_BYTES, [])
                os._exit(0)
            os._exit(os.waitstatus_to_exitcode(os.waitpid(first, 0)[1]) & 0xFF)
        except BaseException as refused:  # noqa: BLE001 - these processes must not go on as the parent
            os.write(2, f"{refused}\n".encode())
            os._exit(1)
    if os.waitpid(child, 0)[1] != 0:
        sys.exit(1)


def main() -> None:
    """Import, say so, and fork a kernel for each order until the grader is gone."""
    control = socket.socket(fileno=int(sys.argv[1]))
    with open(f"{nested.ROOMS}/filter.bpf", "rb") as file:
        call_filter = file.read()
    try_nesting()
    if "bare" not in sys.argv:
        import_everything()
    control.send(b"ready")
    while (order := _received(control)) is not None:
        child = _fork()
        if child == 0:
            control.close()
            _be_kernel(_enter_room(order, call_filter), order.wire)
        for end in order[1:]:
            os.close(end)
        if child is not None:
            os.waitpid(child, 0)
    os._exit(0)  # nothing of TensorFlow has to be tidied up


def _fork() -> int | None:
    """As `os.fork`; None where the machine allows no further process: the grader hears no answer then."""
    with warnings.catch_warnings():  # Python 3.12 warns of threads; those of the libraries do not mind
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            return os.fork()
        except OSError:
            traceback.print_exc()
            return None


def _be_kernel(job: socket.socket, wire_end: int) -> NoReturn:
    import after_import
    import kernel
    import wire

    sys.path[:2] = []
    sys.path.append(f"{ROOM}/lib")
    after_import.install()
    wire.open_wire(wire_end)
    with open(f"{nested.SETTINGS}/room.json", encoding="utf-8") as file:
        places = json.load(file)
    kernel.become_kernel(partial(kernel.received, job), places)
    sys.exit()


def _received(control: socket.socket) -> Order | None:
    """The next order, None when the grader is gone."""
    ends = array.array("i")
    message, control_messages, _, _ = control.recvmsg(_REQUEST_BYTES, socket.CMSG_SPACE(3 * ends.itemsize))
    if not message:
        return None
    for _, _, data in control_messages:
        ends.frombytes(data)
    return Order(json.loads(message), *ends)


def _enter_room(order: Order, call_filter: bytes) -> socket.socket:
    """Go into a room; only the process that is to be its kernel returns, with the socket for its job.

    Two processes go before it: one enters the namespaces and ends; the next one is pid 1 there. Pid 1
    tells the grader that it is there, so that the grader can bound it, and that its walls stand, so that the
    grader can take hold of the room's places; it waits for an answer each time.
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
        nested.build_walls(**order.room["walls"])
        job.send(b"walls stand")
        if not job.recv(_ANSWER_BYTES):
            os._exit(1)
        linux.give_up_all_rights()
        linux.install_filter(call_filter)
        rlimits.keep(order.room["limits"])
        linux.let_own_user_look(False)
        os.setsid()
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
