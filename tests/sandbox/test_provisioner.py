from __future__ import annotations

import zmq

from grader.model import Limits
from grader.sandbox.bubblewrap import RoomSpec
from grader.sandbox.provisioner import RoomKernelManager
from grader.sandbox.rooms import Room
from grader.sandbox.wire import Wire


def test_a_kernel_is_only_heard_through_bounded_sockets(tmp_path):
    wire = Wire()
    limits = Limits(output_bytes=1000)
    spec = RoomSpec(settings=tmp_path / "settings", limits=limits, seed=1, wire=wire.write_end)
    manager = RoomKernelManager(Room(spec, wire))
    client = manager.bounded_client()
    with client.context.socket(zmq.DEALER) as socket:
        assert socket.getsockopt(zmq.MAXMSGSIZE) == 2000
        assert socket.getsockopt(zmq.RCVHWM) == 16
        assert socket.getsockopt(zmq.SNDTIMEO) == 2000
        assert socket.getsockopt(zmq.RECONNECT_IVL) == -1
    manager.close()
    wire.facts()
