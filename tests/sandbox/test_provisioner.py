from __future__ import annotations

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
    with manager.bounded_client().context.socket(zmq.DEALER) as socket:
        assert socket.getsockopt(zmq.MAXMSGSIZE) == 2000
        assert socket.getsockopt(zmq.RCVHWM) == 16
        assert socket.getsockopt(zmq.SNDTIMEO) == 2000
        assert socket.getsockopt(zmq.RECONNECT_IVL) == -1
    manager.close()
    room.close()
    room.wire.facts()
