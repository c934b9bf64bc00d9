"""nbclient's client for a kernel in a room: a cell ends when its time is up, a room when it floods us."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from queue import Empty
from typing import Any

import nbformat
import zmq
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal

from grader.execution.messages import Messages, error_told
from grader.model import CellStatus
from grader.sandbox.provisioner import START_SECONDS, RoomKernelManager

log = logging.getLogger(__name__)

_LOOK_MILLISECONDS = 20
_ENDING_MILLISECONDS = 150  # in which a kernel that ends lets go of its other sockets, too
_LEAVING_SECONDS = 1.0  # between the end of a kernel's sockets and that of its room


class CellClient(NotebookClient):
    """nbclient's client for a kernel that nobody trusts: it counts what that puts out, and keeps the time.

    `reply_error` is the error that the last cell's reply told of; None before there is one.
    """

    def __init__(self, nb: nbformat.NotebookNode, manager: RoomKernelManager, **options: Any) -> None:
        super().__init__(nb, km=manager, on_cell_error=self._note_error, **options)
        self.manager = manager
        self.reply_error: str | None = None
        self.drops: Any = None
        self.ends: Any = None
        self.room = manager.room
        self.messages = Messages()
        self.is_dropped = False

    def watch_for_drops(self) -> None:
        """Watch whether ZeroMQ drops the kernel for a message larger than all output together may be.

        A kernel that ends lets go of all its sockets, one that is dropped only of the one that it wrote to.
        """
        assert self.kc is not None
        self.drops = self.kc.iopub_channel.socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        self.ends = self.kc.shell_channel.socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)

    async def until_gone(self) -> None:
        """Wait until the room is gone; end it when the kernel is there but cannot be heard any more."""
        while self.room.poll() is None:
            if await self.drops.poll(_LOOK_MILLISECONDS):
                self.is_dropped = not await self.ends.poll(_ENDING_MILLISECONDS)
                if not self.is_dropped:
                    await asyncio.wait({asyncio.ensure_future(self.room.wait())}, timeout=_LEAVING_SECONDS)
                self.room.kill()
                await self.room.wait()

    @property
    def is_flooded(self) -> bool:
        """Whether the kernel put out more than it may."""
        return self.is_dropped or self.messages.bytes > self.room.spec.limits.output_bytes

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
        """Count, then handle as nbclient does; a flood ends the room, widgets' messages are left out."""
        plain = self.messages.rebuilt(msg)
        if self.is_flooded:
            self.room.kill()
        if plain is None or self.is_flooded or plain["msg_type"].startswith("comm"):
            return None
        try:
            return super().process_message(plain, cell, cell_index)
        except CellControlSignal:
            raise
        except Exception as fault:  # noqa: BLE001 - a message that no kernel sends was made by student code
            log.info("a malformed message was left out (%s)", type(fault).__name__)
            return None

    async def wait_until_heard(self) -> None:
        """Wait until the kernel answers and its outputs come through: what it puts out before would be lost.

        Raises `RuntimeError` when it ends or takes too long.
        """
        assert self.kc is not None
        deadline = time.monotonic() + START_SECONDS
        while self.room.poll() is None and time.monotonic() < deadline:
            self.kc.kernel_info()
            with contextlib.suppress(Empty):
                await self.kc.shell_channel.get_msg(timeout=1)
                await self.kc.iopub_channel.get_msg(timeout=0.2)
                return
        raise RuntimeError("the kernel did not answer")

    async def run_cell(
        self, node: nbformat.NotebookNode, index: int, deadline: float, hard: float
    ) -> CellStatus:
        """Run a cell; interrupt it at `deadline`, kill the room at `hard`. `NOT_RUN`: the kernel is gone."""
        task = asyncio.ensure_future(self.async_execute_cell(node, index))
        gone = asyncio.ensure_future(self.until_gone())
        ended = CellStatus.OK
        try:
            await _first_of(task, gone, until=deadline)
            if not task.done() and not gone.done():
                ended = CellStatus.INTERRUPTED
                with contextlib.suppress(zmq.ZMQError):  # the kernel's end is broken: the clock ends the room
                    await self.manager.interrupt_kernel()
                await _first_of(task, gone, until=hard)
            if not task.done():
                self.room.kill()
                return CellStatus.NOT_RUN
            task.result()
        except Exception as fault:  # noqa: BLE001 - the kernel is gone, or it sends what nobody can read
            log.info("the kernel cannot be followed any more (%s)", type(fault).__name__)
            self.room.kill()
            return CellStatus.NOT_RUN
        finally:
            gone.cancel()
            task.cancel()
            await asyncio.wait({task}, timeout=5)
            if task.done() and not task.cancelled():
                task.exception()  # looked at, so that asyncio does not complain: the room was killed under it
        return ended

    def _note_error(self, cell: Any, cell_index: int, execute_reply: dict[str, Any]) -> None:
        """Keep the error that the reply tells of: its output can be missing or forged."""
        content = (self.messages.rebuilt(execute_reply) or {}).get("content", {})
        self.reply_error = error_told(content)


async def _first_of(*tasks: asyncio.Future[Any], until: float) -> None:
    """Wait until one of `tasks` is done, or until the monotonic time `until`."""
    seconds = max(0.0, until - time.monotonic())
    await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
