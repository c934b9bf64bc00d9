"""The first thing that runs in a room of its own: `startup.py JOB_SOCKET WIRE`, two inherited descriptors."""

from __future__ import annotations

import socket
import sys

ROOM = "/room"
HARNESS = "/harness"

sys.path.remove(ROOM)
sys.path[:0] = [ROOM, HARNESS]

import after_import  # noqa: E402
import kernel  # noqa: E402

after_import.install()
sys.path[:2] = []
sys.path.append(f"{ROOM}/lib")
kernel.become_kernel(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]))
