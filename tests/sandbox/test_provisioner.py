from __future__ import annotations

import subprocess
import sys

import zmq

from grader.model import Isolation, Limits
from grader.sandbox.bubblewrap import RoomFolder, RoomSpec
from grader.sandbox.provisioner import RoomKernelManager
from grader.sandbox.rooms import Room, RoomKind


def never_launched(*_: object) -> None:
    raise AssertionError("this room is not started")


def test_a_kernel_is_only_heard_through_bounded_sockets(tmp_path):
    spec = RoomSpec(limits=Limits(output_bytes=1000))
    room = Room(spec, RoomFolder(tmp_path), RoomKind(never_launched, Isolation.BUBBLEWRAP, ""))
    manager = RoomKernelManager(room)
    with manager.bounded_client().connect_shell() as socket:
        assert socket.getsockopt(zmq.MAXMSGSIZE) == 2000
        assert socket.getsockopt(zmq.RCVHWM) == 16
        assert socket.getsockopt(zmq.SNDTIMEO) == 2000
        assert socket.getsockopt(zmq.RECONNECT_IVL) == 2**30
    manager.close()
    room.close()
    room.wire.facts()


FIVE_MESSAGES = """
import sys, time, zmq
with zmq.Context() as context, context.socket(zmq.PUB) as kernel:
    kernel.bind(sys.argv[1])
    sys.stdin.readline()
    for number in range(5):
        kernel.send_multipart([b"stream", b"header", b"content"])
    time.sleep(60)
"""
LISTENING = """
import subprocess, sys, time, zmq
from grader.sandbox.launching import _listens
from grader.sandbox.provisioner import _bounded_context

path, sending = sys.argv[1:]
kernel = subprocess.Popen([sys.executable, "-c", sending, f"ipc://{path}"], stdin=subprocess.PIPE)
while not _listens(path):
    time.sleep(0.05)
socket = zmq.Socket.shadow(_bounded_context(1000).socket(zmq.SUB))
socket.subscribe(b"")
socket.connect(f"ipc://{path}")
time.sleep(0.5)  # until the kernel knows
kernel.stdin.write(b"go\\n")
kernel.stdin.flush()
socket.recv_multipart()
assert socket.poll(5000)  # libzmq has read the first part of the second message for it
time.sleep(0.5)  # until the others are sent
kernel.kill()
kernel.wait()
time.sleep(0.5)  # until libzmq knows
print([len(socket.recv_multipart()) for number in range(4) if socket.poll(5000)])
"""


def test_a_kernel_that_ends_while_it_is_heard_does_not_end_the_grader(tmp_path):
    listening = [sys.executable, "-c", LISTENING, f"{tmp_path}/iopub", FIVE_MESSAGES]
    listener = subprocess.run(listening, capture_output=True, text=True, timeout=30)
    assert (listener.returncode, listener.stdout) == (0, "[3, 3, 3, 3]\n"), listener.stderr
