"""The Jupyter kernel provisioner that starts a kernel inside a room.

jupyter_client and nbclient stay what talks to the kernel; this class only decides where it runs. Messages
travel over Unix sockets in a folder that is bound into the room (`transport: ipc`), or over loopback where
there are no walls.
"""

from __future__ import annotations

import asyncio
import signal
import time
from typing import Any

import zmq.asyncio
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase

from grader.sandbox.rooms import Room

PROVISIONER = "grader-room"
START_SECONDS = 90.0
_SEND_MILLISECONDS = 2_000
_RECONNECTION_MILLISECONDS = 2**30  # twelve days; libzmq adds up to as much again, in an int
_MESSAGES_HELD = 16  # each may be as large as all output together; a kernel holds a thousand more itself


class RoomProvisioner(KernelProvisionerBase):
    """Starts, signals and kills the one kernel of a room. Made by a `RoomKernelManager`."""

    @property
    def manager(self) -> Any:
        """The kernel manager of the room."""
        return self.parent

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.room: Room = self.manager.room

    @property
    def has_process(self) -> bool:
        """Whether the room is there."""
        return self.room.process is not None

    async def poll(self) -> int | None:
        """Exit status of the room, None while it runs."""
        return self.room.poll()

    async def wait(self) -> int | None:
        """Wait until the room is gone."""
        return await self.room.wait()

    async def send_signal(self, signum: int) -> None:
        """Kill or interrupt; in a locked room an interrupt goes as a message (`interrupt_mode`)."""
        if signum in (9, 15):
            self.room.kill()
        elif signum == signal.SIGINT:
            self.room.interrupt()

    async def kill(self, restart: bool = False) -> None:
        """Kill the whole room."""
        self.room.kill()

    async def terminate(self, restart: bool = False) -> None:
        """Kill the whole room: nothing inside needs to be asked."""
        self.room.kill()

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Nothing is prepared: the room knows its own kernel."""
        return await super().pre_launch(cmd=[], **kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start the room with the kernel inside, if it was not started ahead, and wait until it listens.

        That is before any code of the hand-in runs: later, what has the names of its sockets may be anything,
        and is never connected to. Raises `RuntimeError` when the room ends before it listens, `TimeoutError`
        when it does not come to that.
        """
        if self.room.process is None:
            self.room.start()
        assert self.room.standing is not None
        deadline = time.monotonic() + START_SECONDS
        while (found := self.room.standing.connection(self.room.connection)) is None:
            if self.room.poll() is not None:
                raise RuntimeError("the kernel ended before it could be reached")
            if time.monotonic() > deadline:
                raise TimeoutError("the kernel did not open its sockets in time")
            await asyncio.sleep(0.02)
        connection: Any = {**found, "key": found["key"].encode()}
        return connection  # type: ignore[no-any-return]

    async def cleanup(self, restart: bool = False) -> None:
        """Nothing is left to clean: the room's folder belongs to whoever made it."""

    def get_shutdown_wait_time(self, recommended: float = 5.0) -> float:
        """Student code is not waited for: the room is killed."""
        return 0.1


class _RoomKernelSpecs(KernelSpecManager):
    """Knows one kernel: that of `room`."""

    def __init__(self, room: Room) -> None:
        super().__init__()
        self._room = room

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        return KernelSpec(
            argv=[],
            display_name="Python in a room",
            language="python",
            interrupt_mode="message" if self._room.is_locked else "signal",
            metadata={"kernel_provisioner": {"provisioner_name": PROVISIONER}},
        )


def _bounded_context(message_bytes: int) -> zmq.asyncio.Context:
    """A ZeroMQ context whose sockets drop a peer that sends a larger message, hold few messages, wait for
    nobody for ever, and do not connect a second time: a name in the room may lead elsewhere by then. That is
    asked for by a very long wait, since to forbid it makes libzmq drop a lost peer's messages with one of
    them half read, and abort our process for it (`reconnect` in its session_base.cpp, fq.cpp, 4.3.5).
    """
    context = zmq.asyncio.Context()
    context.setsockopt(zmq.MAXMSGSIZE, message_bytes)
    context.setsockopt(zmq.RCVHWM, _MESSAGES_HELD)
    context.setsockopt(zmq.RECONNECT_IVL, _RECONNECTION_MILLISECONDS)
    context.setsockopt(zmq.SNDTIMEO, _SEND_MILLISECONDS)  # student code can break the kernel's end
    return context


class RoomKernelManager(AsyncKernelManager):
    """jupyter_client's manager for the kernel of one `Room`."""

    def __init__(self, room: Room) -> None:
        super().__init__(
            kernel_spec_manager=_RoomKernelSpecs(room),
            transport=room.connection["transport"],
            connection_file=str(room.folder.path / "connection.json"),
            transport_encryption="disabled",
            context=_bounded_context(2 * room.spec.limits.output_bytes),
        )
        self.room = room

    def bounded_client(self) -> AsyncKernelClient:
        """A client whose sockets are of the bounded context; that of `client` would have one of its own."""
        client: AsyncKernelClient = self.client(context=self.context)
        return client

    def close(self) -> None:
        """Close every socket to the kernel; nothing more is sent or awaited."""
        self.context.destroy(linger=0)
