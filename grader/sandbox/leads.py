"""What leads into a room: how its kernel is told its job, and where it writes to.

A locked room has a pair of sockets for its job, by which a forked kernel answers, too. Without walls it is a
pipe that becomes the kernel's standard input, which every system has.
"""

from __future__ import annotations

import os
import socket
from typing import NamedTuple


class JobSockets:
    """A pair of sockets that keeps messages apart. Whoever launches may close `inside` on our side."""

    def __init__(self) -> None:
        self.outside, self.inside = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    def send(self, message: bytes) -> None:
        """Send one message; raises `OSError` when nobody is there any more."""
        self.outside.send(message)

    def close(self) -> None:
        """Close both ends; harmless when repeated."""
        self.outside.close()
        self.inside.close()


class JobPipe:
    """A pipe with a line for each message. The first is the job; each further one interrupts the cell.

    Its end tells the kernel that the grader is gone.
    """

    def __init__(self) -> None:
        inside, outside = os.pipe()
        self.inside = os.fdopen(inside, "rb", buffering=0)
        self._outside = os.fdopen(outside, "wb", buffering=0)

    def send(self, message: bytes) -> None:
        """Send one message without line breaks; raises `OSError` when nobody is there any more."""
        self._outside.write(message + b"\n")

    def close(self) -> None:
        """Close both ends; harmless when repeated."""
        self._outside.close()
        self.inside.close()


class Leads(NamedTuple):
    """What leads into a room: the way of its job, and two descriptors that its process inherits, of the wire
    and of standard error.
    """

    job: JobSockets | JobPipe
    wire: int
    complaints: int
